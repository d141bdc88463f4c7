# SPDX-License-Identifier: MIT
"""The compiled engine: a Program in, arrays of records out. All logic is in csrc/."""

import numpy as np

from tailbiter._core.common import check_rows
from tailbiter.errors import SpecError

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from tailbiter._core.common cimport (
    Control,
    check_code,
    ids,
    kernels,
    reals,
    row,
    tb_address_t,
    tb_control_t,
    tb_kernels_t,
    words,
)

cdef extern from "tailbiter.h" nogil:
    int TB_STREAM_VERSION
    int TB_NOTHING_ACCEPTED

    ctypedef struct tb_estimator_t:
        int kind
        double amount
        int smoothed
    double TB_FLOOR

    ctypedef struct tb_judge_t:
        const uint64_t *held_out
        uint64_t tokens
        uint64_t types
        double squares_outside
        const uint32_t *group
        size_t groups

    ctypedef struct tb_judged_t:
        double *oov_tokens
        double *oov_types
        double *held_out_coverage
        double *held_out_brier
        double *cross_entropy
        double *cross_entropy_excess
        double *overconfidence
        double *top_share_held_out
        double *tail_coverage
        double *head_total_variation
        int32_t *group_survivors
        double *group_mass

    ctypedef struct tb_ratio_t:
        uint64_t part
        uint64_t of

    ctypedef struct tb_decoding_t:
        double temperature
        uint64_t top_k
        double top_p
        double min_p
        double epsilon
        tb_ratio_t exact_top_p
        tb_ratio_t exact_min_p
        tb_ratio_t exact_epsilon

    ctypedef struct tb_curation_t:
        int kind
        uint64_t candidates
        size_t levels
        const uint32_t *level
        const double *factor
        const uint64_t *drawn

    ctypedef int32_t tb_rule_t(double *weight, const uint32_t *id, size_t length, double others,
                               double *other, uint32_t generation) noexcept nogil

    ctypedef struct tb_rules_t:
        tb_rule_t *estimator
        tb_rule_t *decoding

    ctypedef struct tb_failure_t:
        int problem
        int decoding
        uint32_t replicate
        uint32_t generation
        double weight

    ctypedef struct tb_program_t:
        uint64_t key
        size_t categories
        const uint64_t *weights
        size_t generations
        const uint64_t *samples
        const uint64_t *fresh
        const uint64_t *from_kept
        uint64_t kept
        const uint64_t *item_weights
        const uint64_t *ages
        size_t age_count
        const uint64_t *draw
        const uint32_t *at
        size_t at_count
        const uint32_t *snapshots
        size_t snapshot_count
        const uint32_t *band_start
        size_t band_count
        uint32_t tail_start
        tb_estimator_t estimator
        double error_rate
        tb_decoding_t decoding
        tb_rules_t rules
        tb_curation_t curation
        const double *crawled
        double human_kept
        double synthetic_kept
        const double *band_kept
        const double *band_lost
        const uint64_t *kept_weights
        const uint64_t *first_weights
        uint64_t copies
        int plain
        tb_judge_t judge

    ctypedef struct tb_output_t:
        int32_t *survivors
        int32_t *survivors_output
        int32_t *lost
        int32_t *revived
        int32_t *tail_survivors
        int32_t *band_survivors
        double *coverage
        double *entropy
        double *gini_simpson
        double *largest_share
        double *kl
        double *total_variation
        double *brier
        double *tail_mass
        double *band_mass
        double *wrong_mass
        double *real_share
        double *real_share_crawled
        double *real_discarded
        double *band_real_discarded
        int64_t *forgotten
        tb_judged_t judged
        tb_failure_t *failure

    ctypedef struct tb_snapshots_t:
        size_t count
        uint32_t *replicate
        uint32_t *generation
        uint32_t *id
        uint64_t *weight

    ctypedef struct tb_plan_t:
        pass

    int tb_plan_alloc(tb_plan_t **self, const tb_program_t *program, const tb_kernels_t *kernels,
                      const tb_output_t *wanted)
    void tb_plan_free(tb_plan_t *self)
    size_t tb_plan_shared_bytes(const tb_plan_t *self)
    size_t tb_plan_state_bytes(const tb_plan_t *self)
    int tb_run(const tb_plan_t *self, uint32_t first, uint32_t count, const tb_output_t *output,
               tb_snapshots_t *snapshots, tb_control_t *control)
    void tb_snapshots_free(tb_snapshots_t *self)
    const char *tb_strerror(int code)

cdef extern from *:
    """
    #if defined(__clang__)
    #define TB_COMPILER "clang " __clang_version__
    #else
    #define TB_COMPILER "gcc " __VERSION__
    #endif
    """
    const char *TB_COMPILER
    const char *TB_BUILD_FLAGS

STREAM_VERSION = TB_STREAM_VERSION


def build_info():
    """How the core was built."""
    return {
        "compiler": TB_COMPILER.decode(),
        "flags": TB_BUILD_FLAGS.decode(),
        "stream_version": TB_STREAM_VERSION,
    }


def fill_words(uint64_t[::1] out not None):
    """Fill an array with random words: the floor under anything that draws."""
    cdef tb_address_t at
    memset(&at, 0, sizeof(at))
    cdef const tb_kernels_t *found = kernels()
    with nogil:
        found.fill_words(&at, 0, out.shape[0] // 16 * 8, &out[0])


def gather_floor(const double[::1] table not None, const uint32_t[::1] index not None):
    """Read a table at many places: the floor under anything that looks up."""
    cdef const tb_kernels_t *found = kernels()
    with nogil:
        found.gather_floor(&table[0], &index[0], index.shape[0] // 8 * 8)


cdef tb_output_t pointers(dict out, Py_ssize_t start) except *:
    cdef tb_output_t to
    to.survivors = <int32_t *>row(out, "survivors", start)
    to.survivors_output = <int32_t *>row(out, "survivors_output", start)
    to.lost = <int32_t *>row(out, "lost", start)
    to.revived = <int32_t *>row(out, "revived", start)
    to.tail_survivors = <int32_t *>row(out, "tail_survivors", start)
    to.band_survivors = <int32_t *>row(out, "band_survivors", start)
    to.coverage = <double *>row(out, "coverage", start)
    to.entropy = <double *>row(out, "entropy", start)
    to.gini_simpson = <double *>row(out, "gini_simpson", start)
    to.largest_share = <double *>row(out, "largest_share", start)
    to.kl = <double *>row(out, "kl", start)
    to.total_variation = <double *>row(out, "total_variation", start)
    to.brier = <double *>row(out, "brier", start)
    to.tail_mass = <double *>row(out, "tail_mass", start)
    to.band_mass = <double *>row(out, "band_mass", start)
    to.wrong_mass = <double *>row(out, "wrong_mass", start)
    to.real_share = <double *>row(out, "real_share", start)
    to.real_share_crawled = <double *>row(out, "real_share_crawled", start)
    to.real_discarded = <double *>row(out, "real_discarded", start)
    to.band_real_discarded = <double *>row(out, "band_real_discarded", start)
    to.forgotten = <int64_t *>row(out, "forgotten", start)
    to.judged = judged(out, start)
    to.failure = NULL
    return to


cdef tb_judged_t judged(dict out, Py_ssize_t start) except *:
    cdef tb_judged_t to
    to.oov_tokens = <double *>row(out, "oov_tokens", start)
    to.oov_types = <double *>row(out, "oov_types", start)
    to.held_out_coverage = <double *>row(out, "held_out_coverage", start)
    to.held_out_brier = <double *>row(out, "held_out_brier", start)
    to.cross_entropy = <double *>row(out, "cross_entropy_floor_1e_9", start)
    to.cross_entropy_excess = <double *>row(out, "cross_entropy_excess_floor_1e_9", start)
    to.overconfidence = <double *>row(out, "overconfidence", start)
    to.top_share_held_out = <double *>row(out, "top_share_held_out", start)
    to.tail_coverage = <double *>row(out, "tail_coverage", start)
    to.head_total_variation = <double *>row(out, "head_total_variation", start)
    to.group_survivors = <int32_t *>row(out, "group_survivors", start)
    to.group_mass = <double *>row(out, "group_mass", start)
    return to


INTEGERS = frozenset({
    "survivors", "survivors_output", "lost", "revived", "tail_survivors", "band_survivors", "group_survivors",
})
BANDED = frozenset({"band_survivors", "band_mass", "held_out_coverage", "band_real_discarded"})
GROUPED = frozenset({"group_survivors", "group_mass"})
FLOOR = TB_FLOOR


class RuleFailed(Exception):
    """A rule compiled elsewhere failed.

    Attributes
    ----------
    problem : int
        1: it gave up; 2: a weight that is none; 3: nothing is left.
    decoding : bool
        Whether it was that of decoding, and not the estimator's.
    replicate, generation : int
        Where.
    weight : float
        The wrong one.
    """

    def __init__(self, failure):
        super().__init__("tailbiter: a rule compiled elsewhere failed")
        self.problem = failure["problem"]
        self.decoding = bool(failure["decoding"])
        self.replicate = failure["replicate"]
        self.generation = failure["generation"]
        self.weight = failure["weight"]


cdef nothing_accepted(levers, failure):
    """One line about curation that accepts nothing."""
    rates = dict(zip(("accepts_bad", "accepts_good"), levers.factor.tolist()))
    where = f"the model of generation {failure['generation']} of replicate {failure['replicate']}"
    problem = f"accepts nothing of what {where} puts out"
    return SpecError("curation", rates, problem, "give both rates above 0")


cdef class Engine:
    """Runs replicates of one Program.

    Parameters
    ----------
    program : Program
        What to run; its arrays are held for as long as the engine lives.
    rules : (int, int)
        Addresses of compiled rules, the estimator's and that of decoding; 0 for none. What they point to must
        live as long as the engine.
    """

    cdef tb_plan_t *plan
    cdef tb_program_t program
    cdef object source
    cdef object item_weights  # flat, and contiguous
    cdef object lists

    def __cinit__(self, program, rules=(0, 0)):
        self.source = program
        self.lists = []
        cdef tb_program_t *to = &self.program
        to.key = program.key
        to.categories = program.weights.size
        to.weights = words(program.weights)
        to.generations = program.samples.size - 1
        to.samples = words(program.samples)
        to.fresh = words(program.fresh)
        to.from_kept = words(program.from_kept)
        to.kept = program.kept
        if program.item_weights is not None:
            self.item_weights = np.ascontiguousarray(program.item_weights).reshape(-1)
        to.item_weights = words(self.item_weights)
        to.ages = words(program.ages)
        to.age_count = program.ages.size
        to.draw = words(program.draw)
        to.at = ids(program.at)
        to.at_count = program.at.size
        to.snapshots = ids(program.snapshots)
        to.snapshot_count = program.snapshots.size
        to.band_start = ids(program.band_start)
        to.band_count = program.band_start.size
        to.tail_start = program.tail_start
        levers = program.levers
        to.estimator = tb_estimator_t(levers.estimator, levers.amount, levers.smoothed)
        to.error_rate = levers.error_rate
        cuts = levers.decoding
        top_p, min_p, epsilon = (tb_ratio_t(part, of) for part, of in cuts.ratios)
        to.decoding = tb_decoding_t(
            cuts.temperature, cuts.top_k or 0, cuts.top_p, cuts.min_p, cuts.epsilon, top_p, min_p, epsilon,
        )
        to.rules.estimator = <tb_rule_t *><size_t>rules[0]
        to.rules.decoding = <tb_rule_t *><size_t>rules[1]
        to.curation.kind = levers.curation
        if levers.curation:
            to.curation.candidates = levers.candidates
            to.curation.levels = levers.factor.size
            to.curation.level = ids(levers.level)
            to.curation.factor = reals(levers.factor)
            to.curation.drawn = words(levers.drawn)
        to.crawled = reals(levers.crawled)
        to.human_kept = levers.human_kept
        to.synthetic_kept = levers.synthetic_kept
        to.band_kept = reals(levers.band_kept)
        to.band_lost = reals(levers.band_lost)
        to.kept_weights = words(levers.kept_weights)
        to.first_weights = words(levers.first_weights)
        to.copies = levers.copies
        to.plain = program.plain
        if program.held_out is not None:
            to.judge.held_out = words(program.held_out.tokens)
            to.judge.tokens = program.held_out.total
            to.judge.types = program.held_out.types
            to.judge.squares_outside = program.held_out.squares_outside
        to.judge.group = ids(program.group)
        to.judge.groups = len(program.group_names)
        cdef tb_output_t wanted = pointers(self.outputs(1), 0)
        cdef const tb_kernels_t *found = kernels()
        cdef int code
        with nogil:
            code = tb_plan_alloc(&self.plan, &self.program, found, &wanted)
        check(code)

    def __dealloc__(self):
        tb_plan_free(self.plan)

    def outputs(self, replicates):
        """Empty arrays for the records of so many replicates, by variable."""
        program = self.source
        out = {}
        for name in program.variables:
            shape = (replicates, program.at.size)
            if name in BANDED:
                shape += (program.band_start.size,)
            if name in GROUPED:
                shape += (len(program.group_names),)
            out[name] = np.empty(shape, np.int32 if name in INTEGERS else np.float64)
        if program.forgotten:
            out["forgotten"] = np.empty((replicates, program.weights.size), np.int64)
        return out

    def run(self, Py_ssize_t start, Py_ssize_t stop, dict out, Control control not None):
        """Fill rows start to stop-1; row r is replicate r. Safe to call from many threads at once."""
        check_rows(self, start, stop, out)
        cdef tb_output_t to = pointers(out, start)
        cdef tb_snapshots_t snapshots
        cdef tb_failure_t failure
        cdef int code
        memset(&snapshots, 0, sizeof(snapshots))
        memset(&failure, 0, sizeof(failure))
        to.failure = &failure
        with nogil:
            code = tb_run(
                self.plan, <uint32_t>start, <uint32_t>(stop - start), &to, &snapshots, &control.state
            )
        try:
            if failure.problem == TB_NOTHING_ACCEPTED:
                raise nothing_accepted(self.source.levers, failure)
            if failure.problem:
                raise RuleFailed(failure)
            check(code)
            if snapshots.count:
                self.lists.append((
                    np.array(<uint32_t[:snapshots.count]>snapshots.replicate),
                    np.array(<uint32_t[:snapshots.count]>snapshots.generation),
                    np.array(<uint32_t[:snapshots.count]>snapshots.id),
                    np.array(<uint64_t[:snapshots.count]>snapshots.weight),
                ))
        finally:
            tb_snapshots_free(&snapshots)

    def snapshots(self, out):
        """Replicate, generation, id and weight of every count kept, sorted by these."""
        if not self.lists:
            return tuple(np.empty(0, kind) for kind in (np.uint32, np.uint32, np.uint32, np.uint64))
        columns = [np.concatenate(column) for column in zip(*self.lists)]
        order = np.lexsort(columns[2::-1])
        return tuple(column[order] for column in columns)

    @property
    def shared_bytes(self):
        """Tables of the reference, shared by all threads."""
        return tb_plan_shared_bytes(self.plan)

    @property
    def state_bytes(self):
        """The most that one call of run held: the state of a lineage, scratch, and lineages that wait."""
        return tb_plan_state_bytes(self.plan)


cdef int check(int code) except -1:
    return check_code(code, tb_strerror(code))

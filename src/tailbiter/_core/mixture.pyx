# SPDX-License-Identifier: MIT
"""The compiled mixture engine: a program in, arrays of records out. All logic is in csrc/."""

import numpy as np

from tailbiter._core.common import check_lengths, check_rows
from tailbiter._core.em import ROW, check_law

from libc.stdint cimport int32_t, uint32_t, uint64_t

from tailbiter._core.common cimport (
    Control,
    check_code,
    ids,
    kernels,
    row,
    tb_address_t,
    tb_control_t,
    tb_kernels_t,
    words,
)
from tailbiter._core.em cimport (
    law_of,
    settings_of,
    tb_em_check,
    tb_em_check_law,
    tb_em_law_t,
    tb_em_settings_t,
)

cdef extern from "mixture.h" nogil:
    enum tb_mixture_start:
        pass

    ctypedef struct tb_mixture_t:
        uint64_t key
        tb_em_settings_t em
        tb_mixture_start start
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
        tb_em_law_t reference
        size_t memory

    ctypedef struct tb_mixture_output_t:
        double *weight
        double *mean
        double *factor
        double *log_likelihood
        int32_t *iterations
        int32_t *converged
        int32_t *alive
        int32_t *singular
        double *l2_squared

    ctypedef struct tb_mixture_plan_t:
        pass

    int tb_mixture_plan_alloc(tb_mixture_plan_t **self, const tb_mixture_t *program,
                              const tb_kernels_t *kernels)
    void tb_mixture_plan_free(tb_mixture_plan_t *self)
    size_t tb_mixture_state_bytes(const tb_mixture_plan_t *self)
    int tb_mixture_run(const tb_mixture_plan_t *self, uint32_t first, uint32_t count,
                       const tb_mixture_output_t *output, tb_control_t *control)
    const char *tb_mixture_strerror(int code)

cdef extern from "batch.h" nogil:
    ctypedef struct tb_batch_t:
        uint64_t *end

    void tb_batch_init(tb_batch_t *self, const tb_em_settings_t *settings, const tb_kernels_t *kernels,
                       const tb_em_law_t *law, uint64_t count, tb_address_t at)
    void tb_batch_fill(const void *batch, uint64_t row, size_t rows, double *x)
    int tb_choose_items(uint64_t total, uint64_t some, const tb_address_t *at, uint64_t *out,
                        const tb_control_t *control)
    int TB_FOR_MIXTURE, TB_FOR_MIXTURE_FRESH, TB_FOR_MIXTURE_HUMAN, TB_FOR_MIXTURE_HUMAN_MORE
    int TB_FOR_MIXTURE_SUBSAMPLE, TB_FOR_MIXTURE_KEPT, TB_FOR_MIXTURE_SEED

STARTS = ("warm", "kmeans++")
# What words are drawn for: part of their address.
PURPOSES = {
    "synthetic": TB_FOR_MIXTURE,
    "fresh": TB_FOR_MIXTURE_FRESH,
    "human": TB_FOR_MIXTURE_HUMAN,
    "human_more": TB_FOR_MIXTURE_HUMAN_MORE,
    "subsample": TB_FOR_MIXTURE_SUBSAMPLE,
    "kept": TB_FOR_MIXTURE_KEPT,
    "seed": TB_FOR_MIXTURE_SEED,
}
# Trailing axes of each variable: "k" components, "d" coordinates, "f" factors and their numbers.
VARIABLES = {
    "weights": "k",
    "means": "kd",
    "factors": "f",
    "log_likelihood": "",
    "iterations": "",
    "converged": "",
    "alive": "",
    "singular": "",
    "l2_squared": "",
}
KINDS = {"iterations": np.int32, "converged": np.int32, "alive": np.int32, "singular": np.int32}


def sample(
    Py_ssize_t count, tuple law, str covariance, uint64_t key, generation, replicate, str purpose="synthetic"
):
    """A batch as the engine draws it: items, component after component, and how many each has."""
    own = check_law(*law, covariance)
    components, dimension = own[1].shape
    cdef tb_em_settings_t settings = settings_of(covariance, components, dimension, 1.0, 0.0, 1)
    cdef tb_em_law_t of = law_of(own)
    cdef tb_address_t at
    cdef tb_batch_t batch
    check(tb_em_check(&settings) or tb_em_check_law(&settings, &of))
    if count < 1:
        raise ValueError(f"count: {count} items are no batch")
    at.key = key
    at.generation = generation
    at.replicate = replicate
    at.purpose = PURPOSES[purpose]
    cdef size_t rows = -(-count // ROW)
    room = np.empty((rows * dimension + 1) * ROW)
    cdef double[::1] x = room
    cdef const tb_kernels_t *found = kernels()
    cdef size_t first, some
    with nogil:
        tb_batch_init(&batch, &settings, found, &of, count, at)
        for first in range(0, rows, 256):
            some = rows - first if rows - first < 256 else 256
            tb_batch_fill(&batch, first, some, &x[first * 8 * settings.dimension])
    ends = [batch.end[k] for k in range(components)]
    items = room[:-ROW].reshape(rows, dimension, ROW).transpose(0, 2, 1).reshape(-1, dimension)
    return np.ascontiguousarray(items[:count]), np.diff(np.array(ends, np.int64), prepend=0)


def choose(uint64_t total, uint64_t some, uint64_t key, generation, replicate, str purpose):
    """Which of `total` items the engine draws without replacement; not in order."""
    if not 0 < some <= total:
        raise ValueError(f"some: {some} of {total} items cannot be drawn")
    cdef uint64_t[::1] out = np.empty(some, np.uint64)
    cdef tb_address_t at
    cdef Control control = Control()
    at.key = key
    at.generation = generation
    at.replicate = replicate
    at.purpose = PURPOSES[purpose]
    cdef int code
    with nogil:
        code = tb_choose_items(total, some, &at, &out[0], &control.state)
    check(code)
    return np.asarray(out)


cdef tb_mixture_output_t pointers(dict out, Py_ssize_t start) except *:
    cdef tb_mixture_output_t to
    to.weight = <double *>row(out, "weights", start)
    to.mean = <double *>row(out, "means", start)
    to.factor = <double *>row(out, "factors", start)
    to.log_likelihood = <double *>row(out, "log_likelihood", start)
    to.iterations = <int32_t *>row(out, "iterations", start)
    to.converged = <int32_t *>row(out, "converged", start)
    to.alive = <int32_t *>row(out, "alive", start)
    to.singular = <int32_t *>row(out, "singular", start)
    to.l2_squared = <double *>row(out, "l2_squared", start)
    return to


cdef class Engine:
    """Runs replicates of one mixture program.

    Parameters
    ----------
    program : object
        What to run; its arrays are held for as long as the engine lives. Attributes: those of a
        Composition, and ``key``, ``at`` (uint32), ``variables`` (names out of `VARIABLES`), ``weights``
        (float64[k]), ``means`` (float64[k, d]), ``factors`` (as `factor_shape` says), ``covariance`` (out of
        `COVARIANCES`), ``start`` (out of `STARTS`), ``floor``, ``tolerance``, ``iterations`` and ``memory``
        (bytes for items of past batches; 0 for 256 MiB).
    """

    cdef tb_mixture_plan_t *plan
    cdef tb_mixture_t program
    cdef object source
    cdef object item_weights  # flat, and contiguous
    cdef object law

    def __cinit__(self, program):
        cdef tb_mixture_t *to = &self.program
        self.source = program
        self.law = check_law(program.weights, program.means, program.factors, program.covariance)
        components, dimension = self.law[1].shape
        check_lengths(program)
        to.key = program.key
        to.em = settings_of(
            program.covariance, components, dimension, program.floor, program.tolerance, program.iterations
        )
        to.start = <tb_mixture_start><int>STARTS.index(program.start)
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
        to.reference = law_of(self.law)
        to.memory = program.memory
        cdef const tb_kernels_t *found = kernels()
        cdef int code
        with nogil:
            code = tb_mixture_plan_alloc(&self.plan, &self.program, found)
        check(code)

    def __dealloc__(self):
        tb_mixture_plan_free(self.plan)

    def outputs(self, replicates):
        """Empty arrays for the records of so many replicates, by variable."""
        weights, means, factors = self.law
        axes = {"": (), "k": weights.shape, "kd": means.shape, "f": factors.shape}
        return {
            name: np.empty(
                (replicates, self.source.at.size, *axes[VARIABLES[name]]), KINDS.get(name, np.float64)
            )
            for name in self.source.variables
        }

    def run(self, Py_ssize_t start, Py_ssize_t stop, dict out, Control control not None):
        """Fill rows start to stop-1; row r is replicate r. Safe to call from many threads at once."""
        check_rows(self, start, stop, out)
        cdef tb_mixture_output_t to = pointers(out, start)
        cdef int code
        with nogil:
            code = tb_mixture_run(
                self.plan, <uint32_t>start, <uint32_t>(stop - start), &to, &control.state
            )
        check(code)

    @property
    def state_bytes(self):
        """What one call of run may hold."""
        return tb_mixture_state_bytes(self.plan)


cdef int check(int code) except -1:
    return check_code(code, tb_mixture_strerror(code))

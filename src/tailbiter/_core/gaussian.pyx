# SPDX-License-Identifier: MIT
"""The compiled Gaussian engine: a program in, arrays of records out. All logic is in csrc/."""

import numpy as np

from tailbiter._core.common import check_lengths, check_rows

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

from tailbiter._core.common cimport (
    Control,
    check_code,
    ids,
    kernels,
    reals,
    row,
    tb_control_t,
    tb_kernels_t,
    words,
)

cdef extern from "gaussian.h" nogil:
    int TB_GAUSSIAN_DIMENSIONS, TB_GAUSSIAN_LEVELS

    ctypedef struct tb_gaussian_t:
        uint64_t key
        size_t dimension
        unsigned int ddof
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
        const double *mean
        const double *factor

    ctypedef struct tb_gaussian_output_t:
        double *mean
        double *factor
        int64_t *exponent
        int32_t *rank
        double *log_det
        double *log_pseudo_det
        double *log_trace
        double *effective_rank
        double *squared_mean_error
        double *w2_squared
        double *kl
        double *mass_beyond

    ctypedef struct tb_gaussian_plan_t:
        pass

    int tb_gaussian_plan_alloc(tb_gaussian_plan_t **self, const tb_gaussian_t *program,
                               const tb_kernels_t *kernels)
    void tb_gaussian_plan_free(tb_gaussian_plan_t *self)
    size_t tb_gaussian_state_bytes(const tb_gaussian_plan_t *self)
    int tb_gaussian_run(const tb_gaussian_plan_t *self, uint32_t first, uint32_t count,
                        const tb_gaussian_output_t *output, tb_control_t *control)
    const char *tb_gaussian_strerror(int code)

MOST_DIMENSIONS = TB_GAUSSIAN_DIMENSIONS
LEVELS = TB_GAUSSIAN_LEVELS
# Trailing axes of each variable: "d" coordinates, "t" packed lower triangle, "q" quantiles.
VARIABLES = {
    "mean": "d",
    "factor": "t",
    "exponent": "d",
    "rank": "",
    "log_det": "",
    "log_pseudo_det": "",
    "log_trace": "",
    "effective_rank": "",
    "squared_mean_error": "",
    "w2_squared": "",
    "kl": "",
    "mass_beyond": "q",
}
KINDS = {"exponent": np.int64, "rank": np.int32}


cdef tb_gaussian_output_t pointers(dict out, Py_ssize_t start) except *:
    cdef tb_gaussian_output_t to
    to.mean = <double *>row(out, "mean", start)
    to.factor = <double *>row(out, "factor", start)
    to.exponent = <int64_t *>row(out, "exponent", start)
    to.rank = <int32_t *>row(out, "rank", start)
    to.log_det = <double *>row(out, "log_det", start)
    to.log_pseudo_det = <double *>row(out, "log_pseudo_det", start)
    to.log_trace = <double *>row(out, "log_trace", start)
    to.effective_rank = <double *>row(out, "effective_rank", start)
    to.squared_mean_error = <double *>row(out, "squared_mean_error", start)
    to.w2_squared = <double *>row(out, "w2_squared", start)
    to.kl = <double *>row(out, "kl", start)
    to.mass_beyond = <double *>row(out, "mass_beyond", start)
    return to


cdef class Engine:
    """Runs replicates of one Gaussian program.

    Parameters
    ----------
    program : object
        What to run; its arrays are held for as long as the engine lives. Attributes: those of a
        Composition, and ``key``, ``ddof``, ``at`` (uint32), ``variables`` (names out of `VARIABLES`),
        ``mean`` (float64[d]) and ``factor`` (float64[d (d + 1) / 2], the lower Cholesky factor row by row).
    """

    cdef tb_gaussian_plan_t *plan
    cdef tb_gaussian_t program
    cdef object source
    cdef object item_weights  # flat, and contiguous

    def __cinit__(self, program):
        cdef tb_gaussian_t *to = &self.program
        self.source = program
        d = program.mean.size
        if program.factor.size != d * (d + 1) // 2:
            raise ValueError(f"factor: {program.factor.size} elements are no triangle of {d} rows")
        check_lengths(program)
        to.key = program.key
        to.dimension = d
        to.ddof = program.ddof
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
        to.mean = reals(program.mean)
        to.factor = reals(program.factor)
        cdef const tb_kernels_t *found = kernels()
        cdef int code
        with nogil:
            code = tb_gaussian_plan_alloc(&self.plan, &self.program, found)
        check(code)

    def __dealloc__(self):
        tb_gaussian_plan_free(self.plan)

    def outputs(self, replicates):
        """Empty arrays for the records of so many replicates, by variable."""
        d = self.source.mean.size
        axes = {"": (), "d": (d,), "t": (d * (d + 1) // 2,), "q": (LEVELS,)}
        return {
            name: np.empty(
                (replicates, self.source.at.size, *axes[VARIABLES[name]]), KINDS.get(name, np.float64)
            )
            for name in self.source.variables
        }

    def run(self, Py_ssize_t start, Py_ssize_t stop, dict out, Control control not None):
        """Fill rows start to stop-1; row r is replicate r. Safe to call from many threads at once."""
        check_rows(self, start, stop, out)
        cdef tb_gaussian_output_t to = pointers(out, start)
        cdef int code
        with nogil:
            code = tb_gaussian_run(
                self.plan, <uint32_t>start, <uint32_t>(stop - start), &to, &control.state
            )
        check(code)

    @property
    def state_bytes(self):
        """What one call of run holds, beside room for the variables that are worked out."""
        return tb_gaussian_state_bytes(self.plan)


cdef int check(int code) except -1:
    return check_code(code, tb_gaussian_strerror(code))

# SPDX-License-Identifier: MIT
"""The compiled Gaussian engine: a program in, arrays of records out. All logic is in csrc/."""

import numpy as np

from tailbiter._core import engine

from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t

cdef extern from "gaussian.h" nogil:
    int TB_OK, TB_ERR_MEMORY, TB_ERR_CANCELLED, TB_GAUSSIAN_DIMENSIONS, TB_GAUSSIAN_LEVELS

    ctypedef struct tb_kernels_t:
        pass

    const tb_kernels_t *tb_isa_find(const char *name)

    ctypedef struct tb_control_t:
        pass

    void tb_cancel(tb_control_t *self)
    uint64_t tb_progress(const tb_control_t *self)

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


cdef class Control:
    """Progress of a run, and the flag that stops it."""

    cdef tb_control_t state

    def cancel(self):
        """Stop at the next generation."""
        tb_cancel(&self.state)

    @property
    def progress(self):
        """Generations finished, over all replicates."""
        return tb_progress(&self.state)


cdef const uint64_t *words(array) except? NULL:
    cdef const uint64_t[::1] view
    if array is None or array.size == 0:
        return NULL
    view = array
    return &view[0]


cdef const uint32_t *ids(array) except? NULL:
    cdef const uint32_t[::1] view
    if array.size == 0:
        return NULL
    view = array
    return &view[0]


cdef const double *reals(array) except? NULL:
    cdef const double[::1] view = array
    return &view[0]


cdef void *row(dict out, str name, Py_ssize_t start) except? NULL:
    cdef size_t address
    array = out.get(name)
    if array is None:
        return NULL
    address = array.ctypes.data + start * array.strides[0]
    return <void *>address


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
        for name in ("fresh", "from_kept"):
            if getattr(program, name).size != program.samples.size:
                raise ValueError(f"{name}: not as long as samples")
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
        to.mean = reals(program.mean) if d else NULL
        to.factor = reals(program.factor) if d else NULL
        cdef bytes name_of_isa = engine.isa()["chosen"].encode()
        cdef const tb_kernels_t *kernels = tb_isa_find(name_of_isa)
        cdef int code
        with nogil:
            code = tb_gaussian_plan_alloc(&self.plan, &self.program, kernels)
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
        self.check_rows(start, stop, out)
        cdef tb_gaussian_output_t to = pointers(out, start)
        cdef int code
        with nogil:
            code = tb_gaussian_run(
                self.plan, <uint32_t>start, <uint32_t>(stop - start), &to, &control.state
            )
        check(code)

    def check_rows(self, Py_ssize_t start, Py_ssize_t stop, dict out):
        """Refuse arrays that these rows would not fit."""
        if not 0 <= start < stop <= 2**31:
            raise ValueError(f"rows {start} to {stop} are no range of replicates")
        for name, expected in self.outputs(0).items():
            array = out[name]
            fits = (array.dtype, array.shape[1:]) == (expected.dtype, expected.shape[1:])
            if not (fits and len(array) >= stop and array.flags.c_contiguous and array.flags.writeable):
                raise ValueError(f"{name}: the array is not as outputs({stop}) makes it")

    @property
    def state_bytes(self):
        """What one call of run holds, beside room for the variables that are worked out."""
        return tb_gaussian_state_bytes(self.plan)


def check(int code):
    """Raise what an error code of the core stands for."""
    if code == TB_ERR_MEMORY:
        raise MemoryError("tailbiter: " + tb_gaussian_strerror(code).decode())
    if code == TB_ERR_CANCELLED:
        raise KeyboardInterrupt
    if code != TB_OK:
        raise ValueError("tailbiter: " + tb_gaussian_strerror(code).decode())

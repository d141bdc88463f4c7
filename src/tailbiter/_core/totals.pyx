# SPDX-License-Identifier: MIT
"""The compiled engine of Poisson and exponential laws: a program in, arrays out. All logic is in csrc/."""

import numpy as np

from tailbiter._core.common import check_lengths, check_rows
from tailbiter.errors import SpecError

from libc.stdint cimport int32_t, uint32_t, uint64_t

from tailbiter._core.common cimport (
    Control,
    check_code,
    ids,
    kernels,
    row,
    tb_control_t,
    tb_kernels_t,
    words,
)

cdef extern from "totals.h" nogil:
    int TB_ERR_TOTALS_GROWN, TB_TOTALS_LEVELS

    enum tb_totals_law:
        pass

    ctypedef struct tb_totals_t:
        uint64_t key
        tb_totals_law law
        size_t generations
        const uint64_t *samples
        const uint64_t *fresh
        const uint64_t *from_kept
        uint64_t kept
        const uint64_t *item_weights
        const uint64_t *ages
        size_t age_count
        const uint32_t *at
        size_t at_count
        double reference

    ctypedef struct tb_totals_output_t:
        double *mean
        double *log_mean
        double *kl
        double *squared_mean_error
        double *mass_above
        double *mass_below
        int32_t *absorbed

    ctypedef struct tb_totals_plan_t:
        pass

    int tb_totals_plan_alloc(tb_totals_plan_t **self, const tb_totals_t *program, const tb_kernels_t *kernels)
    void tb_totals_plan_free(tb_totals_plan_t *self)
    void tb_totals_reference_mass(const tb_totals_plan_t *self, double *above, double *below)
    size_t tb_totals_state_bytes(const tb_totals_plan_t *self)
    int tb_totals_run(const tb_totals_plan_t *self, uint32_t first, uint32_t count,
                      const tb_totals_output_t *output, tb_control_t *control)
    const char *tb_totals_strerror(int code)
    double tb_poisson_above(double k, double mean)
    double tb_poisson_below(double k, double mean)

LAWS = ("poisson", "exponential")
LEVELS = TB_TOTALS_LEVELS
# Trailing axes of each variable: "q" quantiles.
VARIABLES = {
    "mean": "",
    "log_mean": "",
    "kl": "",
    "squared_mean_error": "",
    "mass_above": "q",
    "mass_below": "q",
    "absorbed": "",
}
KINDS = {"absorbed": np.int32}


def poisson_above(double k, double mean):
    """P(X > k) of the Poisson law."""
    return tb_poisson_above(k, mean)


def poisson_below(double k, double mean):
    """P(X < k) of the Poisson law."""
    return tb_poisson_below(k, mean)


cdef tb_totals_output_t pointers(dict out, Py_ssize_t start) except *:
    cdef tb_totals_output_t to
    to.mean = <double *>row(out, "mean", start)
    to.log_mean = <double *>row(out, "log_mean", start)
    to.kl = <double *>row(out, "kl", start)
    to.squared_mean_error = <double *>row(out, "squared_mean_error", start)
    to.mass_above = <double *>row(out, "mass_above", start)
    to.mass_below = <double *>row(out, "mass_below", start)
    to.absorbed = <int32_t *>row(out, "absorbed", start)
    return to


cdef class Engine:
    """Runs replicates of one program of sums.

    Parameters
    ----------
    program : object
        What to run; its arrays are held for as long as the engine lives. Attributes: those of a
        Composition but ``draw``, and ``key``, ``law`` (out of `LAWS`), ``reference`` (its mean), ``at``
        (uint32) and ``variables`` (names out of `VARIABLES`).
    """

    cdef tb_totals_plan_t *plan
    cdef tb_totals_t program
    cdef object source
    cdef object item_weights  # flat, and contiguous

    def __cinit__(self, program):
        cdef tb_totals_t *to = &self.program
        self.source = program
        check_lengths(program)
        to.key = program.key
        to.law = <tb_totals_law><int>LAWS.index(program.law)
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
        to.at = ids(program.at)
        to.at_count = program.at.size
        to.reference = program.reference
        check(tb_totals_plan_alloc(&self.plan, &self.program, kernels()))

    def __dealloc__(self):
        tb_totals_plan_free(self.plan)

    def outputs(self, replicates):
        """Empty arrays for the records of so many replicates, by variable."""
        axes = {"": (), "q": (LEVELS,)}
        return {
            name: np.empty(
                (replicates, self.source.at.size, *axes[VARIABLES[name]]), KINDS.get(name, np.float64)
            )
            for name in self.source.variables
        }

    def run(self, Py_ssize_t start, Py_ssize_t stop, dict out, Control control not None):
        """Fill rows start to stop-1; row r is replicate r. Safe to call from many threads at once."""
        check_rows(self, start, stop, out)
        cdef tb_totals_output_t to = pointers(out, start)
        cdef int code
        with nogil:
            code = tb_totals_run(self.plan, <uint32_t>start, <uint32_t>(stop - start), &to, &control.state)
        if code == TB_ERR_TOTALS_GROWN:
            problem = "is the largest batch, whose sum would be above 2^53: the rate has grown on the way"
            raise SpecError("samples", int(self.source.samples.max()), problem, "use batches more alike")
        check(code)

    def reference_mass(self):
        """The reference's own mass above and below its quantiles."""
        cdef double[::1] above = np.empty(LEVELS), below = np.empty(LEVELS)
        tb_totals_reference_mass(self.plan, &above[0], &below[0])
        return np.asarray(above), np.asarray(below)

    @property
    def state_bytes(self):
        """What one call of run holds."""
        return tb_totals_state_bytes(self.plan)


cdef int check(int code) except -1:
    return check_code(code, tb_totals_strerror(code))

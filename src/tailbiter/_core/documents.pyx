# SPDX-License-Identifier: MIT
"""The compiled engine of mixtures of categorical laws: a program in, arrays out. All logic is in csrc/."""

import numpy as np

from tailbiter._core.common import check_lengths, check_rows

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

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

cdef extern from "documents.h" nogil:
    int TB_DOCUMENT_COMPONENTS, TB_DOCUMENT_CATEGORIES, TB_DOCUMENT_TOKENS, TB_DOCUMENT_SAMPLES

    ctypedef struct tb_document_t:
        const uint32_t *category
        const uint32_t *count
        size_t length
        double weight

    ctypedef struct tb_documents_settings_t:
        size_t components
        size_t categories
        double floor
        double tolerance
        uint32_t iterations

    ctypedef struct tb_documents_result_t:
        double log_likelihood
        uint32_t iterations
        uint32_t alive
        int converged

    int tb_documents_fit(const tb_documents_settings_t *settings, const tb_kernels_t *kernels,
                         const tb_document_t *documents, size_t count, double *weight, double *probability,
                         tb_documents_result_t *result, const tb_control_t *control)

    ctypedef struct tb_documents_program_t:
        uint64_t key
        tb_documents_settings_t fit
        const uint32_t *lengths
        size_t length_count
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
        const double *weight
        const double *probability

    ctypedef struct tb_documents_output_t:
        double *weight
        double *probability
        double *log_likelihood
        int32_t *iterations
        int32_t *converged
        int32_t *alive
        int32_t *survivors
        double *entropy
        double *largest_share
        double *total_variation
        double *kl
        double *mutual_information

    ctypedef struct tb_documents_plan_t:
        pass

    int tb_documents_plan_alloc(tb_documents_plan_t **self, const tb_documents_program_t *program,
                                const tb_kernels_t *kernels)
    void tb_documents_plan_free(tb_documents_plan_t *self)
    size_t tb_documents_state_bytes(const tb_documents_plan_t *self)
    int tb_documents_run(const tb_documents_plan_t *self, uint32_t first, uint32_t count,
                         const tb_documents_output_t *output, tb_control_t *control)
    const char *tb_documents_strerror(int code)

MOST_COMPONENTS = TB_DOCUMENT_COMPONENTS
MOST_CATEGORIES = TB_DOCUMENT_CATEGORIES
MOST_TOKENS = TB_DOCUMENT_TOKENS
MOST_DOCUMENTS = TB_DOCUMENT_SAMPLES
# Trailing axes of each variable: "k" components, "c" categories.
VARIABLES = {
    "weights": "k",
    "probabilities": "kc",
    "log_likelihood": "",
    "iterations": "",
    "converged": "",
    "components_alive": "",
    "component_survivors": "k",
    "component_entropy": "k",
    "component_largest_share": "k",
    "component_variation": "k",
    "component_kl": "k",
    "mutual_information": "",
}
_INTEGERS = ("iterations", "converged", "components_alive", "component_survivors")
KINDS = {name: np.int32 for name in _INTEGERS}


def fit(category, number, offset, weights, probabilities, *, items=None, floor=1e-6, tolerance=1e-3,
        iterations=100):
    """Fit a law to documents, from a law to begin with.

    Document i has ``number[j]`` tokens of ``category[j]`` for j from ``offset[i]`` to ``offset[i + 1] - 1``
    (uint32, uint32 and uint64 arrays), and the weight ``items[i]``. Returns a dict of the law and of what
    became of the fit.
    """
    law = np.array(weights, np.float64), np.array(probabilities, np.float64, order="C")
    if law[1].ndim != 2 or law[0].shape != law[1].shape[:1] or offset[-1] > min(category.size, number.size):
        raise ValueError("weights, probabilities and documents do not go together")
    if category.size and category.max() >= law[1].shape[1]:
        raise ValueError(f"category: {category.max()} is not among {law[1].shape[1]}")
    cdef size_t count = offset.size - 1, i
    cdef const uint32_t *categories = ids(category)
    cdef const uint32_t *numbers = ids(number)
    cdef const uint64_t *ends = words(offset)
    cdef const double *weight = reals(items)
    cdef tb_documents_settings_t settings
    cdef tb_documents_result_t result
    cdef Control control = Control()
    cdef const tb_kernels_t *found = kernels()
    cdef double *to_weight = <double *>reals(law[0])
    cdef double *to_probability = <double *>reals(law[1])
    cdef int code
    settings.components, settings.categories = law[1].shape
    settings.floor, settings.tolerance, settings.iterations = floor, tolerance, iterations
    cdef tb_document_t *documents = <tb_document_t *>malloc((count + 1) * sizeof(tb_document_t))
    if documents is NULL:
        raise MemoryError("tailbiter: documents")
    with nogil:
        for i in range(count):
            documents[i].category = categories + ends[i]
            documents[i].count = numbers + ends[i]
            documents[i].length = ends[i + 1] - ends[i]
            documents[i].weight = 1.0 if weight is NULL else weight[i]
        code = tb_documents_fit(
            &settings, found, documents, count, to_weight, to_probability, &result, &control.state
        )
    free(documents)
    check(code)
    return {
        "weights": law[0],
        "probabilities": law[1],
        "log_likelihood": result.log_likelihood,
        "iterations": result.iterations,
        "converged": bool(result.converged),
        "alive": result.alive,
    }


cdef tb_documents_output_t pointers(dict out, Py_ssize_t start) except *:
    cdef tb_documents_output_t to
    to.weight = <double *>row(out, "weights", start)
    to.probability = <double *>row(out, "probabilities", start)
    to.log_likelihood = <double *>row(out, "log_likelihood", start)
    to.iterations = <int32_t *>row(out, "iterations", start)
    to.converged = <int32_t *>row(out, "converged", start)
    to.alive = <int32_t *>row(out, "components_alive", start)
    to.survivors = <int32_t *>row(out, "component_survivors", start)
    to.entropy = <double *>row(out, "component_entropy", start)
    to.largest_share = <double *>row(out, "component_largest_share", start)
    to.total_variation = <double *>row(out, "component_variation", start)
    to.kl = <double *>row(out, "component_kl", start)
    to.mutual_information = <double *>row(out, "mutual_information", start)
    return to


cdef class Engine:
    """Runs replicates of one program of documents.

    Parameters
    ----------
    program : object
        What to run; its arrays are held for as long as the engine lives. Attributes: those of a
        Composition, and ``key``, ``at`` (uint32), ``variables`` (names out of `VARIABLES`), ``weights``
        (float64[k]), ``probabilities`` (float64[k, c]), ``lengths`` (uint32), ``floor``, ``tolerance`` and
        ``iterations``.
    """

    cdef tb_documents_plan_t *plan
    cdef tb_documents_program_t program
    cdef object source
    cdef object item_weights  # flat, and contiguous
    cdef object law

    def __cinit__(self, program):
        cdef tb_documents_program_t *to = &self.program
        self.source = program
        probabilities = np.array(program.probabilities, np.float64, order="C")
        self.law = np.array(program.weights, np.float64), probabilities
        if self.law[1].shape[:1] != self.law[0].shape or self.law[1].ndim != 2:
            raise ValueError(f"probabilities: shape {self.law[1].shape} does not go with the weights")
        check_lengths(program)
        to.key = program.key
        to.fit.components, to.fit.categories = self.law[1].shape
        to.fit.floor = program.floor
        to.fit.tolerance = program.tolerance
        to.fit.iterations = program.iterations
        to.lengths = ids(program.lengths)
        to.length_count = program.lengths.size
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
        to.weight = reals(self.law[0])
        to.probability = reals(self.law[1])
        check(tb_documents_plan_alloc(&self.plan, &self.program, kernels()))

    def __dealloc__(self):
        tb_documents_plan_free(self.plan)

    def outputs(self, replicates):
        """Empty arrays for the records of so many replicates, by variable."""
        axes = {"": (), "k": self.law[0].shape, "kc": self.law[1].shape}
        return {
            name: np.empty(
                (replicates, self.source.at.size, *axes[VARIABLES[name]]), KINDS.get(name, np.float64)
            )
            for name in self.source.variables
        }

    def run(self, Py_ssize_t start, Py_ssize_t stop, dict out, Control control not None):
        """Fill rows start to stop-1; row r is replicate r. Safe to call from many threads at once."""
        check_rows(self, start, stop, out)
        cdef tb_documents_output_t to = pointers(out, start)
        cdef int code
        with nogil:
            code = tb_documents_run(
                self.plan, <uint32_t>start, <uint32_t>(stop - start), &to, &control.state
            )
        check(code)

    @property
    def state_bytes(self):
        """What one call of run may hold."""
        return tb_documents_state_bytes(self.plan)


cdef int check(int code) except -1:
    return check_code(code, tb_documents_strerror(code))

# SPDX-License-Identifier: MIT
"""The compiled fits of mixtures by expectation and maximisation. All logic is in csrc/."""

import numpy as np

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from tailbiter._core.common cimport (
    Control,
    check_code,
    kernels,
    reals,
    tb_address_t,
    tb_control_t,
    tb_kernels_t,
)

cdef extern from "em.h" nogil:
    int TB_OK, TB_EM_DIMENSIONS, TB_EM_COMPONENTS

    ctypedef struct tb_em_part_t:
        uint64_t count
        double weight
        const double *x
        const double *items

    ctypedef struct tb_em_result_t:
        double log_likelihood
        uint32_t iterations
        uint32_t alive
        int converged

    ctypedef struct tb_em_t:
        pass

    int tb_em_alloc(tb_em_t **self, const tb_em_settings_t *settings, const tb_kernels_t *kernels)
    void tb_em_free(tb_em_t *self)
    int tb_em_fit(tb_em_t *self, const tb_em_part_t *parts, size_t count, tb_em_law_t *law,
                  tb_em_result_t *result, const tb_control_t *control)
    int tb_em_score(tb_em_t *self, const tb_em_part_t *parts, size_t count, const tb_em_law_t *law,
                    double *log_likelihood, const tb_control_t *control)
    int tb_em_seed(tb_em_t *self, const tb_em_part_t *parts, size_t count, const tb_address_t *at,
                   tb_em_law_t *law, const tb_control_t *control)
    double tb_em_l2(const tb_em_settings_t *settings, const tb_em_law_t *a, const tb_em_law_t *b,
                    double *room)
    const char *tb_em_strerror(int code)

cdef extern from "batch.h" nogil:
    int TB_FOR_MIXTURE_SEED

MOST_DIMENSIONS = TB_EM_DIMENSIONS
MOST_COMPONENTS = TB_EM_COMPONENTS
COVARIANCES = ("spherical", "diagonal", "tied", "full")
ROW = 8  # items side by side


def factor_shape(str covariance, Py_ssize_t components, Py_ssize_t dimension):
    """How many factors a law has, and how many numbers each is."""
    lengths = {"spherical": 1, "diagonal": dimension}
    length = lengths.get(covariance, dimension * (dimension + 1) // 2)
    return (1 if covariance == "tied" else components, length)


cdef tb_em_settings_t settings_of(
    str covariance, Py_ssize_t components, Py_ssize_t dimension, double floor, double tolerance, iterations
) except *:
    cdef tb_em_settings_t settings
    settings.dimension = dimension
    settings.components = components
    settings.covariance = <tb_covariance><int>COVARIANCES.index(covariance)
    settings.floor = floor
    settings.tolerance = tolerance
    settings.iterations = iterations
    return settings


cdef tb_em_law_t law_of(tuple law) except *:
    cdef tb_em_law_t to
    to.weight = <double *>reals(law[0])
    to.mean = <double *>reals(law[1])
    to.factor = <double *>reals(law[2])
    return to


def check_law(weights, means, factors, str covariance):
    """Contiguous copies of a law's arrays; their shapes must agree."""
    weights, means, factors = (np.array(a, np.float64, order="C") for a in (weights, means, factors))
    k, d = means.shape if means.ndim == 2 else (0, 0)
    for name, array, shape in (
        ("weights", weights, (k,)),
        ("means", means, (k, d)),
        ("factors", factors, factor_shape(covariance, k, d)),
    ):
        if array.shape != shape or not array.size:
            raise ValueError(f"{name}: shape {array.shape} does not go with {k} means in {d} dimensions")
    return weights, means, factors


def pack(data):
    """Items, as rows of eight for the core; the last row is padded with zeros."""
    n, d = data.shape
    rows = np.zeros((-(-n // ROW) * ROW, d))
    rows[:n] = data
    return np.ascontiguousarray(rows.reshape(-1, ROW, d).transpose(0, 2, 1))


cdef class Fitter:
    """Fits laws to items that it holds.

    Parameters
    ----------
    data : float64[n, d]
        Items, up to 1e100.
    items : float64[n], optional
        Weight of each, not negative.
    """

    cdef tb_em_part_t part
    cdef object rows
    cdef object items
    cdef Py_ssize_t dimension

    def __cinit__(self, data, items=None):
        data = np.asarray(data, np.float64)
        if data.ndim != 2 or not data.size or not (np.abs(data) <= 1e100).all():
            raise ValueError("data: not a table of numbers from -1e100 to 1e100")
        n, self.dimension = data.shape
        self.rows = pack(data)
        self.items = None
        if items is not None:
            self.items = np.zeros(-(-n // ROW) * ROW)
            self.items[:n] = items
            if not (np.isfinite(self.items).all() and (self.items >= 0).all()):
                raise ValueError("items: weights are negative or not finite")
        memset(&self.part, 0, sizeof(self.part))
        self.part.count = n
        self.part.weight = 1.0
        self.part.x = reals(self.rows)
        self.part.items = reals(self.items)

    def fit(
        self,
        tuple law,
        str covariance,
        *,
        double floor=1e-6,
        double tolerance=1e-3,
        uint32_t iterations=100,
        Control control=None,
    ):
        """Improve a law (weights, means, factors). Returns a dict of these and of what became of it."""
        own = check_law(*law, covariance)
        self.check_dimension(own)
        cdef tb_em_settings_t settings = settings_of(
            covariance, len(own[0]), self.dimension, floor, tolerance, iterations
        )
        cdef tb_em_law_t to = law_of(own)
        cdef tb_em_result_t result
        cdef tb_em_t *em = NULL
        control = Control() if control is None else control
        cdef int code
        check(tb_em_check(&settings) or tb_em_check_law(&settings, &to))
        cdef const tb_kernels_t *found = kernels()
        with nogil:
            code = tb_em_alloc(&em, &settings, found)
            if code == TB_OK:
                code = tb_em_fit(em, &self.part, 1, &to, &result, &control.state)
            tb_em_free(em)
        check(code)
        return dict(
            zip(("weights", "means", "factors"), own),
            log_likelihood=result.log_likelihood,
            iterations=result.iterations,
            converged=bool(result.converged),
            alive=result.alive,
        )

    def score(self, tuple law, str covariance):
        """Mean log-likelihood of the items under a law, in nats."""
        own = check_law(*law, covariance)
        self.check_dimension(own)
        cdef tb_em_settings_t settings = settings_of(covariance, len(own[0]), self.dimension, 1.0, 0.0, 1)
        cdef tb_em_law_t to = law_of(own)
        cdef double log_likelihood = 0.0
        cdef tb_em_t *em = NULL
        cdef Control control = Control()
        cdef int code
        check(tb_em_check(&settings) or tb_em_check_law(&settings, &to))
        cdef const tb_kernels_t *found = kernels()
        with nogil:
            code = tb_em_alloc(&em, &settings, found)
            if code == TB_OK:
                code = tb_em_score(em, &self.part, 1, &to, &log_likelihood, &control.state)
            tb_em_free(em)
        check(code)
        return log_likelihood

    def seed(
        self,
        Py_ssize_t components,
        str covariance,
        uint64_t key,
        *,
        uint32_t generation=0,
        uint32_t replicate=0,
        double floor=1e-6,
        Control control=None,
    ):
        """A law to begin with, by k-means++ and Lloyd's steps: weights, means, factors."""
        own = (
            np.zeros(components),
            np.zeros((components, self.dimension)),
            np.ones(factor_shape(covariance, components, self.dimension)),
        )
        cdef tb_em_settings_t settings = settings_of(covariance, components, self.dimension, floor, 0.0, 1)
        cdef tb_em_law_t to = law_of(own)
        cdef tb_address_t at
        cdef tb_em_t *em = NULL
        control = Control() if control is None else control
        at.key = key
        at.generation = generation
        at.replicate = replicate
        at.purpose = TB_FOR_MIXTURE_SEED
        cdef const tb_kernels_t *found = kernels()
        cdef int code
        with nogil:
            code = tb_em_alloc(&em, &settings, found)
            if code == TB_OK:
                code = tb_em_seed(em, &self.part, 1, &at, &to, &control.state)
            tb_em_free(em)
        check(code)
        return own

    def check_dimension(self, law):
        """Refuse a law of another dimension than the items'."""
        if law[1].shape[1] != self.dimension:
            raise ValueError(f"means: {law[1].shape[1]} dimensions, but items have {self.dimension}")


def fit(
    data,
    law,
    covariance,
    *,
    items=None,
    floor=1e-6,
    tolerance=1e-3,
    iterations=100,
    control=None,
):
    """Fit a law to data, from a law to begin with; see `Fitter.fit`."""
    return Fitter(data, items).fit(
        law, covariance, floor=floor, tolerance=tolerance, iterations=iterations, control=control
    )


def em_step(data, law, covariance, *, items=None, floor=1e-6):
    """One iteration; see `Fitter.fit`."""
    return fit(data, law, covariance, items=items, floor=floor, tolerance=0.0, iterations=1)


def l2_squared(tuple a, tuple b, str covariance):
    """Squared L2 distance between two laws of the same shape."""
    left, right = check_law(*a, covariance), check_law(*b, covariance)
    if left[1].shape != right[1].shape:
        raise ValueError(f"means: shapes {left[1].shape} and {right[1].shape} differ")
    components, d = left[1].shape
    cdef tb_em_settings_t settings = settings_of(covariance, components, d, 1.0, 0.0, 1)
    cdef tb_em_law_t one = law_of(left), other = law_of(right)
    check(tb_em_check(&settings) or tb_em_check_law(&settings, &one) or tb_em_check_law(&settings, &other))
    cdef double[::1] room = np.empty(d * (d + 1) // 2 + d)
    return tb_em_l2(&settings, &one, &other, &room[0])


cdef int check(int code) except -1:
    return check_code(code, tb_em_strerror(code))

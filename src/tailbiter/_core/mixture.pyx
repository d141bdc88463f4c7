# SPDX-License-Identifier: MIT
"""The compiled mixture engine: a program in, arrays of records out. All logic is in csrc/."""

import numpy as np

from tailbiter._core import engine

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memset

cdef extern from "mixture.h" nogil:
    int TB_OK, TB_ERR_MEMORY, TB_ERR_CANCELLED, TB_EM_DIMENSIONS, TB_EM_COMPONENTS

    enum tb_covariance:
        pass

    enum tb_mixture_start:
        pass

    ctypedef struct tb_kernels_t:
        pass

    const tb_kernels_t *tb_isa_find(const char *name)

    ctypedef struct tb_address_t:
        uint64_t key
        uint32_t generation
        uint32_t replicate
        uint32_t purpose

    ctypedef struct tb_control_t:
        pass

    void tb_cancel(tb_control_t *self)
    uint64_t tb_progress(const tb_control_t *self)

    ctypedef struct tb_em_settings_t:
        size_t dimension
        size_t components
        tb_covariance covariance
        double floor
        double tolerance
        uint32_t iterations

    ctypedef struct tb_em_law_t:
        double *weight
        double *mean
        double *factor

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

    int tb_em_check(const tb_em_settings_t *settings)
    int tb_em_check_law(const tb_em_settings_t *settings, const tb_em_law_t *law)
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

MOST_DIMENSIONS = TB_EM_DIMENSIONS
MOST_COMPONENTS = TB_EM_COMPONENTS
COVARIANCES = ("spherical", "diagonal", "tied", "full")
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
_ROW = 8


cdef class Control:
    """Progress of a run, and the flag that stops it."""

    cdef tb_control_t state

    def cancel(self):
        """Stop within the pass over the items that is under way."""
        tb_cancel(&self.state)

    @property
    def progress(self):
        """Generations finished, over all replicates."""
        return tb_progress(&self.state)


cdef const tb_kernels_t *kernels() except NULL:
    cdef bytes name = engine.isa()["chosen"].encode()
    return tb_isa_find(name)


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
    cdef const double[::1] view
    if array is None or array.size == 0:
        return NULL
    view = array.reshape(-1)
    return &view[0]


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
    rows = np.zeros((-(-n // _ROW) * _ROW, d))
    rows[:n] = data
    return np.ascontiguousarray(rows.reshape(-1, _ROW, d).transpose(0, 2, 1))


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
            self.items = np.zeros(-(-n // _ROW) * _ROW)
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
    cdef size_t rows = -(-count // _ROW)
    room = np.empty((rows * dimension + 1) * _ROW)
    cdef double[::1] x = room
    cdef const tb_kernels_t *found = kernels()
    cdef size_t first, some
    with nogil:
        tb_batch_init(&batch, &settings, found, &of, count, at)
        for first in range(0, rows, 256):
            some = rows - first if rows - first < 256 else 256
            tb_batch_fill(&batch, first, some, &x[first * 8 * settings.dimension])
    ends = [batch.end[k] for k in range(components)]
    items = room[:-_ROW].reshape(rows, dimension, _ROW).transpose(0, 2, 1).reshape(-1, dimension)
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


cdef void *row(dict out, str name, Py_ssize_t start) except? NULL:
    cdef size_t address
    array = out.get(name)
    if array is None:
        return NULL
    address = array.ctypes.data + start * array.strides[0]
    return <void *>address


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
        for name in ("fresh", "from_kept"):
            if getattr(program, name).size != program.samples.size:
                raise ValueError(f"{name}: not as long as samples")
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
        self.check_rows(start, stop, out)
        cdef tb_mixture_output_t to = pointers(out, start)
        cdef int code
        with nogil:
            code = tb_mixture_run(
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
        """What one call of run may hold."""
        return tb_mixture_state_bytes(self.plan)


def check(int code):
    """Raise what an error code of the core stands for."""
    if code == TB_ERR_MEMORY:
        raise MemoryError("tailbiter: " + tb_mixture_strerror(code).decode())
    if code == TB_ERR_CANCELLED:
        raise KeyboardInterrupt
    if code != TB_OK:
        raise ValueError("tailbiter: " + tb_mixture_strerror(code).decode())

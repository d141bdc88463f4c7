# SPDX-License-Identifier: MIT
"""What the bindings of all engines share, at the level of C."""

from libc.stdint cimport uint32_t, uint64_t

cdef extern from "tailbiter.h" nogil:
    int TB_OK

    ctypedef struct tb_address_t:
        uint64_t key
        uint32_t generation, replicate, purpose

    ctypedef struct tb_kernels_t:
        const char *name
        void (*fill_words)(const tb_address_t *at, uint32_t slot, size_t calls, uint64_t *out) noexcept nogil
        void (*powers)(const double *x, size_t x_step, const double *y, size_t y_step, size_t count,
                       double *out) noexcept nogil
        double (*gather_floor)(const double *table, const uint32_t *id, size_t length) noexcept nogil

    ctypedef struct tb_control_t:
        pass


cdef class Control:
    cdef tb_control_t state


cdef const tb_kernels_t *kernels() noexcept
cdef const uint64_t *words(array) except? NULL
cdef const uint32_t *ids(array) except? NULL
cdef const double *reals(array) except? NULL
cdef void *row(dict out, str name, Py_ssize_t start) except? NULL
cdef int check_code(int code, const char *said) except -1

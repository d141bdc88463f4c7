# SPDX-License-Identifier: MIT
"""Laws of mixtures and settings of their fits, as the core takes them."""

from libc.stdint cimport uint32_t

cdef extern from "em.h" nogil:
    enum tb_covariance:
        pass

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

    int tb_em_check(const tb_em_settings_t *settings)
    int tb_em_check_law(const tb_em_settings_t *settings, const tb_em_law_t *law)


cdef tb_em_settings_t settings_of(
    str covariance, Py_ssize_t components, Py_ssize_t dimension, double floor, double tolerance, iterations
) except *
cdef tb_em_law_t law_of(tuple law) except *

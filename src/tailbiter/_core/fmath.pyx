# SPDX-License-Identifier: MIT
"""Elementwise log, exp and power with bits that do not depend on the machine."""

import numpy as np

from tailbiter._core.common cimport kernels, tb_kernels_t

cdef extern from "fmath.h" nogil:
    double tb_log(double x)
    double tb_exp(double x)


def log_array(const double[::1] x):
    """Natural logarithm of each element.

    Parameters
    ----------
    x : float64 array, shape (n,), C-contiguous

    Returns
    -------
    float64 array, shape (n,)
        Within one unit in the last place; the same bits on every IEEE-754 machine.

    Examples
    --------
    >>> log_array(np.array([1.0, 2.0]))
    array([0.        , 0.69314718])
    """
    cdef Py_ssize_t i, n = x.shape[0]
    out = np.empty(n, dtype=np.float64)
    cdef double[::1] view = out
    with nogil:
        for i in range(n):
            view[i] = tb_log(x[i])
    return out


def exp_array(const double[::1] x):
    """Exponential of each element.

    Parameters
    ----------
    x : float64 array, shape (n,), C-contiguous

    Returns
    -------
    float64 array, shape (n,)
        Within one unit in the last place; the same bits on every IEEE-754 machine.

    Examples
    --------
    >>> exp_array(np.array([0.0, 1.0]))
    array([1.        , 2.71828183])
    """
    cdef Py_ssize_t i, n = x.shape[0]
    out = np.empty(n, dtype=np.float64)
    cdef double[::1] view = out
    with nogil:
        for i in range(n):
            view[i] = tb_exp(x[i])
    return out


def pow_array(const double[::1] x, const double[::1] y):
    """``x ** y``, element by element.

    Parameters
    ----------
    x, y : float64 arrays, shape (n,), C-contiguous
        One of them may have a single element, which then serves all of the other's.

    Returns
    -------
    float64 array, shape (n,)
        Within one unit in the last place; the same bits on every IEEE-754 machine. Special values are those
        of C's ``pow``.

    Raises
    ------
    ValueError
        If the lengths differ and neither is 1.

    Examples
    --------
    >>> pow_array(np.array([2.0, 10.0]), np.array([0.5, -1.0]))
    array([1.41421356, 0.1       ])
    """
    cdef Py_ssize_t m = x.shape[0], n = y.shape[0]
    if m != n and m != 1 and n != 1:
        raise ValueError(f"x has {m} elements and y has {n}")
    out = np.empty(n if m == 1 else m, dtype=np.float64)
    cdef double[::1] view = out
    cdef const tb_kernels_t *found = kernels()
    if out.size:
        with nogil:
            found.powers(&x[0], m != 1, &y[0], n != 1, view.shape[0], &view[0])
    return out

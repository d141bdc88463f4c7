# SPDX-License-Identifier: MIT
"""What the bindings of all engines share: instruction sets, control, arrays as pointers, checks."""

import os

from libc.stdint cimport uint32_t, uint64_t

cdef extern from "tailbiter.h" nogil:
    int TB_ERR_MEMORY, TB_ERR_CANCELLED

    const tb_kernels_t *tb_isa_find(const char *name)
    const tb_kernels_t *tb_isa_best()
    void tb_cancel(tb_control_t *self)
    uint64_t tb_progress(const tb_control_t *self)
    uint64_t tb_survivors(const tb_control_t *self)

ISA_NAMES = ("avx512", "avx2", "sse2", "plain")


cdef const tb_kernels_t *choose_kernels() except NULL:
    name = os.environ.get("TAILBITER_ISA", "")
    if not name:
        return tb_isa_best()
    cdef bytes encoded = name.encode()
    cdef const tb_kernels_t *found = tb_isa_find(encoded)
    if found is NULL:
        have = ", ".join(found_isas())
        raise ImportError(f"TAILBITER_ISA: {name!r} is not to be had on this machine; use one of {have}")
    return found


def found_isas():
    """Instruction sets that this machine has, best first."""
    return [name for name in ISA_NAMES if tb_isa_find(name.encode()) is not NULL]


cdef const tb_kernels_t *KERNELS = choose_kernels()


def isa():
    """Instruction sets found, and the one chosen at import."""
    return {"found": found_isas(), "chosen": KERNELS.name.decode()}


cdef const tb_kernels_t *kernels() noexcept:
    return KERNELS


cdef class Control:
    """Progress of a run, and the flag that stops it."""

    def cancel(self):
        """Stop at the next generation; a fit stops within the pass over its items that is under way."""
        tb_cancel(&self.state)

    @property
    def progress(self):
        """Generations finished, over all replicates."""
        return tb_progress(&self.state)

    @property
    def survivors(self):
        """Survivors of these generations, added up; about, and 0 for models without categories."""
        return tb_survivors(&self.state)


cdef const uint64_t *words(array) except? NULL:
    cdef const uint64_t[::1] view
    if array is None or array.size == 0:
        return NULL
    view = array
    return &view[0]


cdef const uint32_t *ids(array) except? NULL:
    cdef const uint32_t[::1] view
    if array is None or array.size == 0:
        return NULL
    view = array
    return &view[0]


cdef const double *reals(array) except? NULL:
    cdef const double[::1] view
    if array is None or array.size == 0:
        return NULL
    view = array.reshape(-1)
    return &view[0]


cdef void *row(dict out, str name, Py_ssize_t start) except? NULL:
    cdef size_t address
    array = out.get(name)
    if array is None:
        return NULL
    address = array.ctypes.data + start * array.strides[0]
    return <void *>address


def check_rows(made, Py_ssize_t start, Py_ssize_t stop, dict out):
    """Refuse arrays that rows start to stop-1 of what an engine fills would not fit."""
    if not 0 <= start < stop <= 2**31:
        raise ValueError(f"rows {start} to {stop} are no range of replicates")
    for name, expected in made.outputs(0).items():
        array = out[name]
        fits = (array.dtype, array.shape[1:]) == (expected.dtype, expected.shape[1:])
        if not (fits and len(array) >= stop and array.flags.c_contiguous and array.flags.writeable):
            raise ValueError(f"{name}: the array is not as outputs({stop}) makes it")


def check_lengths(program):
    """Refuse a program whose arrays over generations differ in length."""
    for name in ("fresh", "from_kept"):
        if getattr(program, name).size != program.samples.size:
            raise ValueError(f"{name}: not as long as samples")


cdef int check_code(int code, const char *said) except -1:
    """Raise what an error code of the core stands for; `said` is what the core says of it."""
    if code == TB_ERR_MEMORY:
        raise MemoryError("tailbiter: " + said.decode())
    if code == TB_ERR_CANCELLED:
        raise KeyboardInterrupt
    if code != TB_OK:
        raise ValueError("tailbiter: " + said.decode())
    return 0

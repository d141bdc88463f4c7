# SPDX-License-Identifier: MIT
"""Draws of single items, for rules compiled by Numba: addresses of the core's functions. No logic."""

from tailbiter._core cimport common

from libc.stdint cimport int64_t, uint32_t, uint64_t, uintptr_t

cdef extern from "item.h" nogil:
    int tb_is_cancelled(const common.tb_control_t *self)

    int TB_ITEM_WORDS
    void tb_item_init(uint64_t *item, uint64_t key, uint32_t generation, uint32_t replicate,
                      uint32_t purpose, uint32_t slot)
    void tb_item_first(const common.tb_kernels_t *kernels, uint64_t key, uint32_t generation,
                       uint32_t replicate, uint32_t purpose, uint32_t first, uint64_t count, uint64_t *word,
                       double *normal)
    uint64_t tb_item_word(uint64_t *item)
    double tb_item_uniform(uint64_t *item)
    double tb_item_normal(uint64_t *item)
    double tb_item_exponential(uint64_t *item)
    double tb_item_gamma(uint64_t *item, double shape)
    int64_t tb_item_binomial(uint64_t *item, int64_t n, double p)
    int64_t tb_item_poisson(uint64_t *item, double mean)
    int64_t tb_item_below(uint64_t *item, int64_t n)

cdef extern from "philox.h":
    int TB_FOR_ITEM, TB_FOR_ITEM_FRESH, TB_FOR_ITEM_HUMAN, TB_FOR_CRAWL

STATE_WORDS = TB_ITEM_WORDS
# What words are drawn for: part of their address.
PURPOSES = {
    "synthetic": TB_FOR_ITEM, "fresh": TB_FOR_ITEM_FRESH, "human": TB_FOR_ITEM_HUMAN, "crawl": TB_FOR_CRAWL,
}


def symbols():
    """Addresses of the core's functions, by name."""
    return {
        "tb_is_cancelled": <uintptr_t>&tb_is_cancelled,
        "tb_item_init": <uintptr_t>&tb_item_init,
        "tb_item_first": <uintptr_t>&tb_item_first,
        "tb_item_word": <uintptr_t>&tb_item_word,
        "tb_item_uniform": <uintptr_t>&tb_item_uniform,
        "tb_item_normal": <uintptr_t>&tb_item_normal,
        "tb_item_exponential": <uintptr_t>&tb_item_exponential,
        "tb_item_gamma": <uintptr_t>&tb_item_gamma,
        "tb_item_binomial": <uintptr_t>&tb_item_binomial,
        "tb_item_poisson": <uintptr_t>&tb_item_poisson,
        "tb_item_below": <uintptr_t>&tb_item_below,
    }


def binomial(uint64_t[::1] at, uint64_t key, uint32_t generation, uint32_t replicate, uint32_t purpose,
             int64_t n, double p):
    """The exact binomial quantile at an address; `at` is room for STATE_WORDS words."""
    tb_item_init(&at[0], key, generation, replicate, purpose, 0)
    return tb_item_binomial(&at[0], n, p)


def kernels():
    """Address of the kernels of the chosen instruction set."""
    return <uintptr_t>common.kernels()


cdef class Control(common.Control):
    """Progress of a run, and the flag that stops it; for engines that are Python between generations."""

    cdef uint64_t finished

    @property
    def address(self):
        """Where the flag is, for compiled code; valid as long as this object lives."""
        return <uintptr_t>&self.state

    def count(self, uint64_t generations):
        """So many generations more are finished."""
        self.finished += generations

    @property
    def cancelled(self):
        """Whether the run is to stop."""
        return bool(tb_is_cancelled(&self.state))

    @property
    def progress(self):
        """Generations finished, over all replicates."""
        return self.finished

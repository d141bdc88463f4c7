/* SPDX-License-Identifier: MIT */
/* The Poisson law's quantile at a 64-bit word. */
#ifndef TB_QUANTILE_POISSON_H
#define TB_QUANTILE_POISSON_H
#include <stdint.h>

/* min{k : F(k) >= (word + 1/2) / 2^64} for a mean above 12. */
uint64_t tb_poisson_quantile(double mean, uint64_t word);
#endif

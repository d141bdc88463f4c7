/* SPDX-License-Identifier: MIT */
/*
 * The binomial law's quantile at a 64-bit word.
 *
 * A word R stands for u = (R + 1/2)/2^64, and a draw is k = min{k : F(k) >= u}, F the distribution function of
 * Binomial(n, p) with exactly the double p. n is an integer-valued double, 0 <= n <= 2^53.
 *
 * How exact, for a standard deviation sd: while sd is below some 2e4 (1e5 in the far tails) every step F(k) is placed
 * right to within 2^-92 (16 + sd) of min(F, 1 - F), a nearer u counting as equal; beyond, to within 2e-14 of the
 * step's own height F(k) - F(k - 1), so that the law's total variation distance from the binomial stays below 2e-14.
 * Where this file is uncertain it asks quantile_exact.c, so that any other route to the quantile with an honest error
 * bound agrees with it to the integer.
 */
#ifndef TB_QUANTILE_H
#define TB_QUANTILE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Standard normal quantile at the word, to about 4e-16 relative. */
double tb_normal_quantile(uint64_t word);

/* Quantile of Binomial(n, p) at the word, p <= 1/2 (p <= 0 gives 0). */
uint64_t tb_binomial_quantile_half(double n, double p, uint64_t word);

/*
 * The same for any p. Beyond 1/2 it is n - tb_binomial_quantile_half(n, 1 - p, ~word): the mirrored law at the
 * mirrored u, so min{k : F(k) > u}: the two differ only where u equals F(k) exactly.
 */
uint64_t tb_binomial_quantile(double n, double p, uint64_t word);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The Poisson law's quantile at a 64-bit word: min{k : F(k) >= u} with u = (word + 1/2)/2^64, as exact as the binomial
 * one in quantile.h and found in the same way, the Poisson law being the binomial with n infinite.
 */
#ifndef TB_QUANTILE_POISSON_H
#define TB_QUANTILE_POISSON_H

#include <stdint.h>

#include "philox.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Quantile of the Poisson law with exactly the double `mean`, at most 2^53, at the word (mean <= 0 gives 0). */
uint64_t tb_poisson_quantile(double mean, uint64_t word);

/* A word whose quantile is k, each of them as likely: of a Poisson count this makes a uniform word. A count that no
 * word stands for, which has less than 2^-60 of the law, gets one beside it. `at` is where random words come from. */
uint64_t tb_poisson_word(double mean, uint64_t k, const tb_address_t *at);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
#include "quantile_poisson.h"
#include "quantile.h"
uint64_t tb_poisson_quantile(double mean, uint64_t word) {
    return tb_binomial_quantile_half(0x1p53, mean * 0x1p-53, word);
}

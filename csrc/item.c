/* SPDX-License-Identifier: MIT */
#include "item.h"

#include <math.h>

#include "core.h"
#include "fmath.h"
#include "gaussian_kernels.h"
#include "quantile.h"
#include "quantile_poisson.h"

enum { KEY, WHEN, WHERE, CALLS, WORDS, NORMAL = WORDS + 2 };

void tb_item_init(uint64_t *item, uint64_t key, uint32_t generation, uint32_t replicate, uint32_t purpose,
                  uint32_t slot) {
    item[KEY] = key;
    item[WHEN] = generation | (uint64_t)replicate << 32;
    item[WHERE] = purpose | (uint64_t)slot << 32;
    item[CALLS] = item[WORDS] = item[WORDS + 1] = item[NORMAL] = 0;
}

void tb_item_first(const tb_kernels_t *kernels, uint64_t key, uint32_t generation, uint32_t replicate, uint32_t purpose,
                   uint32_t first, uint64_t count, uint64_t *word, double *normal) {
    const tb_address_t at = {key, generation, replicate, purpose};
    kernels->gaussian->fill_first(&at, first, (size_t)count, word, normal);
}

static void call(uint64_t *item) {
    const uint32_t calls = (uint32_t)item[CALLS];
    const tb_address_t at = {item[KEY], (uint32_t)item[WHEN], (uint32_t)(item[WHEN] >> 32),
                             (uint32_t)item[WHERE] | calls << 8};
    tb_philox(&at, (uint32_t)(item[WHERE] >> 32), item + WORDS);
    item[CALLS] = (calls + 1) | (uint64_t)2 << 32;
}

uint64_t tb_item_word(uint64_t *item) {
    if (item[CALLS] >> 32 == 0) call(item);
    item[CALLS] -= (uint64_t)1 << 32;
    return item[WORDS + 1 - (item[CALLS] >> 32)];
}

double tb_item_uniform(uint64_t *item) { return ((double)(tb_item_word(item) >> 12) + 0.5) * 0x1p-52; }

/* Every width computes the same bits. */
double tb_item_normal(uint64_t *item) { return tb_kernels_plain.gaussian->normal_of(tb_item_word(item)); }

/* Each tail by the logarithm that keeps its digits. */
double tb_item_exponential(uint64_t *item) {
    const uint64_t word = tb_item_word(item), upper = ~word;
    if (word >> 63) return -tb_log(((double)upper + 0.5) * 0x1p-64);
    return -tb_log1p(-((double)word + 0.5) * 0x1p-64);
}

/* For shape >= 1. */
static double gamma_above(uint64_t *item, double shape) {
    const double d = shape - 1.0 / 3.0, c = 1.0 / (3.0 * sqrt(d));
    for (;;) {
        const double x = tb_item_normal(item), t = 1.0 + c * x, v = t * t * t;
        if (t <= 0.0) continue;
        const double u = tb_item_uniform(item);
        if (u < 1.0 - 0.0331 * (x * x) * (x * x)) return d * v;
        if (tb_log(u) < 0.5 * x * x + d * (1.0 - v + tb_log(v))) return d * v;
    }
}

/* Below 1, one more and a power of a uniform (their section 6). */
double tb_item_gamma(uint64_t *item, double shape) {
    if (shape >= 1.0) return gamma_above(item, shape);
    const double more = gamma_above(item, shape + 1.0);
    return more * tb_exp(-tb_item_exponential(item) / shape);
}

int64_t tb_item_binomial(uint64_t *item, int64_t n, double p) {
    return (int64_t)tb_binomial_quantile((double)n, p, tb_item_word(item));
}

int64_t tb_item_poisson(uint64_t *item, double mean) { return (int64_t)tb_poisson_quantile(mean, tb_item_word(item)); }

int64_t tb_item_below(uint64_t *item, int64_t n) {
    const uint64_t most = (uint64_t)n, floor = (0 - most) % most;
    for (;;) {
        __extension__ unsigned __int128 product = (unsigned __int128)tb_item_word(item) * most;
        if ((uint64_t)product >= floor) return (int64_t)(product >> 64);
    }
}

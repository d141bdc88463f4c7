/* SPDX-License-Identifier: MIT */
/* Independent Poisson counts of real means, each the quantile at 64 bits: 16 of its own, and 48 more where these do not
 * settle it. */
#ifndef TB_KERNEL_MEANS_H
#define TB_KERNEL_MEANS_H
#include "kernel_poisson.h"
#include "quantile_poisson.h"

/* Single precision is off by less than 5e-6 for means up to TB_MEAN_MOST: the first probability by 2e-6, and what
 * follows from it by as much. */
#define MEAN_DOUBT (0x1p-17f + 1e-5f)

/* 1/k!; no draw is larger but for words that are in doubt. */
static const float PER_FACTORIAL[] = {1.0f,
                                      1.0f,
                                      0.5f,
                                      0.166666667f,
                                      0.0416666667f,
                                      0.00833333333f,
                                      0.00138888889f,
                                      0.000198412698f,
                                      2.48015873e-05f,
                                      2.75573192e-06f,
                                      2.75573192e-07f,
                                      2.50521084e-08f,
                                      2.0876757e-09f,
                                      1.60590438e-10f,
                                      1.14707456e-11f,
                                      7.64716373e-13f,
                                      4.77947733e-14f,
                                      2.81145725e-15f,
                                      1.5619207e-16f,
                                      8.22063525e-18f,
                                      4.11031762e-19f,
                                      1.95729411e-20f,
                                      8.89679139e-22f,
                                      3.86817017e-23f,
                                      1.61173757e-24f,
                                      6.44695028e-26f,
                                      2.47959626e-27f,
                                      9.18368986e-29f,
                                      3.27988924e-30f,
                                      1.13099629e-31f,
                                      3.76998763e-33f,
                                      1.21612504e-34f,
                                      3.80039075e-36f,
                                      1.15163356e-37f};
enum { MOST_STEPS = sizeof PER_FACTORIAL / sizeof *PER_FACTORIAL };

/* Search upward from zero, for two registers at a time: one waits more than it works. `power`: exp(-mean) mean^k;
 * `beyond`: the distribution function at k, less the uniform; `near`: the least size that had; `count`: minus how often
 * it was below zero. */
typedef struct {
    vf mean, power, beyond, near;
    vi count;
} search_t;

/* exp(-mean) */
SIMD vf no_item(vf mean) {
    const vf x = mean * f_set(-0x1.715476p0f), shifted = x + 0x1.8p23f;
    const vw exponent = (vw)shifted << 23;
    return (vf)((vw)f_poly6(EXP2, x - (shifted - 0x1.8p23f)) + exponent);
}

SIMD void note_step(search_t *self) {
    self->near = f_nearer(self->near, self->beyond);
    self->count += (vi)self->beyond >> 31;
}

SIMD void step_up(search_t *self, size_t k) {
    self->power = self->power * self->mean;
    self->beyond = f_fma(self->power, f_set(PER_FACTORIAL[k]), self->beyond);
    note_step(self);
}

SIMD search_t begin_search(vf mean, vw bits) {
    search_t self = {.mean = mean, .power = no_item(mean), .near = f_set(1.0f)};
    self.beyond = f_fma(f_from_i(bits), f_set(-0x1p-16f), self.power - 0x1p-17f);
    note_step(&self);
    return self;
}

/* Returns which lanes are in doubt. */
SIMD unsigned search_up(search_t *a, search_t *b) {
    const vf limit = f_set(MEAN_DOUBT);
    for (size_t k = 1; k < MOST_STEPS && (k < 3 || f_signs((vf)((vi)a->beyond | (vi)b->beyond))); k++) {
        step_up(a, k);
        step_up(b, k);
    }
    return f_signs((vf)((vi)a->beyond | (vi)(a->near - limit))) | f_signs((vf)((vi)b->beyond | (vi)(b->near - limit)))
                                                                      << 2 * LANES;
}

/* What stands in a block of TB_PAD elements. */
typedef struct {
    float mean[TB_PAD];
    uint32_t bits[TB_PAD], count[TB_PAD];
} means_t;

/* Those beyond the largest mean are listed and have none. Returns the sum of the others' weights. */
SIMD double read_means(means_t *block, const double *weight, size_t first, tb_means_t *law) {
    const vd most = d_set(law->most);
    const vf rate = f_set((float)law->rate);
    double lane[LANES], sum = 0.0;
    vd all = d_set(0.0);
    for (size_t i = 0; i < TB_PAD; i += 2 * LANES) {
        vd a = d_load(weight + first + i), b = d_load(weight + first + i + LANES);
        const vm large = d_lt(most, a), large_too = d_lt(most, b);
        if (__builtin_expect(m_bits(m_or(large, large_too)) != 0, 0)) {
            const vu element = u_add(u_set(first + i), u_iota());
            a = d_sel(large, d_set(0.0), a);
            b = d_sel(large_too, d_set(0.0), b);
            law->large_count += u_compress32(law->large + law->large_count, large, element);
            law->large_count += u_compress32(law->large + law->large_count, large_too, u_add(element, u_set(LANES)));
        }
        all = all + (a + b);
        f_store(block->mean + i, f_join(a, b) * rate);
    }
    d_store(lane, all);
    for (size_t j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}

static void settle_mean(means_t *block, const double *weight, size_t first, size_t i, const tb_means_t *law,
                        const tb_address_t *base) {
    const tb_address_t at = tb_at(*base, law->ties_for, 0);
    uint64_t word[2];
    if (block->mean[i] == 0.0f) {
        block->count[i] = 0;
        return;
    }
    tb_philox(&at, (uint32_t)(first + i), word);
    block->count[i] =
        (uint32_t)tb_poisson_quantile(law->rate * weight[first + i], (uint64_t)block->bits[i] << 48 | word[0] >> 16);
}

/* Returns the sum. */
SIMD double draw_means(means_t *block, const double *weight, size_t first, const uint64_t *word, double *x,
                       const tb_means_t *law, const tb_address_t *base) {
    enum { SOME = 2 * LANES };
    uint64_t pair[LANES], all = 0;
    vw sum = w_set(0);
    for (size_t i = 0; i < TB_PAD; i += 2 * SOME) {
        vw k[2], bits = quarter_words(word, i), more = quarter_words(word, i + SOME);
        search_t a = begin_search(f_load(block->mean + i), bits),
                 b = begin_search(f_load(block->mean + i + SOME), more);
        unsigned doubt = search_up(&a, &b);
        k[0] = (vw)-a.count;
        k[1] = (vw)-b.count;
        if (__builtin_expect(doubt != 0, 0)) {
            w_store(block->bits + i, bits);
            w_store(block->bits + i + SOME, more);
            w_store(block->count + i, k[0]);
            w_store(block->count + i + SOME, k[1]);
            for (; doubt; doubt &= doubt - 1)
                settle_mean(block, weight, first, i + (size_t)__builtin_ctz(doubt), law, base);
            k[0] = w_load(block->count + i);
            k[1] = w_load(block->count + i + SOME);
        }
        for (size_t j = 0; j < 2; j++) {
            vd low, high;
            d_from_w(k[j], &low, &high);
            d_store(x + first + i + j * SOME, low);
            d_store(x + first + i + j * SOME + LANES, high);
            sum = sum + k[j];
        }
    }
    u_store(pair, (vu)sum);
    for (size_t i = 0; i < LANES; i++) all += pair[i];
    return (double)((uint32_t)all + (uint32_t)(all >> 32));
}

/* Eight slots serve 64 elements, as in `poisson`. */
KERNEL double poisson_means(const double *weight, size_t length, double *x, tb_means_t *law, const tb_address_t *base) {
    stream_t stream;
    means_t block;
    uint64_t word[BLOCK / 4];
    double all = 0.0;
    stream_init(&stream, base->key, u_set(base->generation), u_set(base->replicate), law->bits_for);
    law->large_count = 0;
    for (size_t first = 0; first < length; first += BLOCK) {
        const size_t left = (length - first + TB_PAD - 1) / TB_PAD * TB_PAD, count = left < BLOCK ? left : BLOCK;
        block_words(&stream, first / 8, count / 8, word);
        for (size_t i = first; i < first + count; i += TB_PAD) {
            law->weights[i / TB_PAD] = read_means(&block, weight, i, law);
            law->counts[i / TB_PAD] = draw_means(&block, weight, i, word + (i - first) / 4, x, law, base);
            all += law->counts[i / TB_PAD];
        }
    }
    return all;
}
#endif

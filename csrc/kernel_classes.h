/* SPDX-License-Identifier: MIT */
/* Independent Poisson counts by classes: all categories with the same count have the same mean, and one alias table. */
#ifndef TB_KERNEL_CLASSES_H
#define TB_KERNEL_CLASSES_H
#include "kernel_poisson.h"

/* Eight counters in one word, for the counts that most categories have: each element adds 1 to that of its count's last
 * three bits. Rows go on until a counter may be full. */
enum { COUNTERS = 8, COUNTER_BITS = 8, COUNTED_ROWS = (1 << COUNTER_BITS) - 1 };

static const uint64_t ONE_MORE[COUNTERS] = {1,
                                            (uint64_t)1 << COUNTER_BITS,
                                            (uint64_t)1 << 2 * COUNTER_BITS,
                                            (uint64_t)1 << 3 * COUNTER_BITS,
                                            (uint64_t)1 << 4 * COUNTER_BITS,
                                            (uint64_t)1 << 5 * COUNTER_BITS,
                                            (uint64_t)1 << 6 * COUNTER_BITS,
                                            (uint64_t)1 << 7 * COUNTER_BITS};

/* Counts without a counter of their own go to `larger`; returns how many. In wide rows without a branch: many of them
 * have some, which nothing foretells. */
SIMD size_t count_rows(const double *count, size_t length, uint32_t *often, double *larger) {
    const vd most = d_set(TB_SMALL), integer = d_set(0x1p52), last = d_set(COUNTERS - 1);
    uint64_t lane[LANES];
    size_t put = 0;
    vu found = u_set(0);
    for (size_t i = 0; i < length; i += LANES) {
        const vd c = d_load(count + i);
        found = u_add(found, u_lookup8(ONE_MORE, d_bits(d_min(c, most) + integer)));
        const vm rare = d_lt(last, c);
        if (LANES > 2 || m_bits(rare)) put += d_compress(larger + put, rare, c);
    }
    u_store(lane, found);
    for (size_t j = 0; j < LANES; j++) {
        for (uint32_t c = 0; c < COUNTERS; c++) often[c] += (uint32_t)(lane[j] >> c * COUNTER_BITS & COUNTED_ROWS);
    }
    return put;
}

KERNEL size_t tally(const double *count, size_t length, uint32_t *often, double *large) {
    size_t larger = 0, beyond = 0;
    memset(often, 0, TB_SMALL * sizeof *often);
    for (size_t first = 0; first < length; first += COUNTED_ROWS * LANES) {
        const size_t left = length - first, some = left < COUNTED_ROWS * LANES ? left : COUNTED_ROWS * LANES;
        larger += count_rows(count + first, some, often, large + larger);
    }
    for (size_t i = 0; i < larger; i++) {
        if (large[i] < (double)TB_SMALL) {
            const uint32_t c = (uint32_t)large[i];
            often[c % COUNTERS]--;
            often[c]++;
        } else {
            large[beyond++] = large[i];
        }
    }
    often[0] = 0;
    return beyond;
}

/* What stands back while blocks are drawn. */
typedef struct {
    uint32_t *listed;
    size_t listed_count, ties;
    uint32_t cell[TIES], element[TIES];
} classes_aside_t;

/* 16 bits each: 6 choose the cell, 10 are compared with its threshold. */
enum { CLASS_BITS = 10, CLASS_PART = (1 << CLASS_BITS) - 1 };

/* A tie was taken for the alias; where the further bits say so it becomes the cell's own value. */
static inline double break_class_ties(classes_aside_t *aside, const tb_classes_t *classes, double *x, double *sums,
                                      const tb_address_t *base) {
    const tb_address_t at = tb_at(*base, TB_FOR_POISSON_TIE, 0);
    double change = 0.0;
    for (size_t i = 0; i < aside->ties; i++) {
        uint64_t word[2];
        const uint32_t entry = classes->entry[aside->cell[i]];
        tb_philox(&at, aside->element[i], word);
        if (word[0] >= classes->remainder[aside->cell[i]]) continue;
        const double step = (double)(entry & 0xff) - (double)(entry >> 8 & 0xff);
        x[aside->element[i]] += step;
        sums[aside->element[i] / TB_PAD] += step;
        change += step;
    }
    aside->ties = 0;
    return change;
}

/* The class of each element; that of all counts from the limit on has nothing, and they are listed. So is what lies
 * beyond the last element, but not listed. */
SIMD void read_classes(block_t *block, const double *count, size_t first, size_t some, size_t length, uint32_t limit,
                       classes_aside_t *aside) {
    const vd most = d_set((double)limit);
    for (size_t i = 0; i < some; i += 2 * LANES) {
        const double *from = count + first + i;
        const vw w = w_from_d(d_min(d_load(from), most), d_min(d_load(from + LANES), most));
        unsigned beyond = w_less(w_set(limit - 1), w);
        w_store(block->rest + i, w);
        for (; beyond; beyond &= beyond - 1) {
            aside->listed[aside->listed_count++] = (uint32_t)(first + i) + (uint32_t)__builtin_ctz(beyond);
        }
    }
    for (size_t i = length > first ? length - first : 0; i < some; i++) block->rest[i] = limit;
}

SIMD void choose_class_cells(block_t *block, const uint64_t *word, size_t some) {
    for (size_t i = 0; i < some; i += 2 * LANES) {
        const vw bits = quarter_words(word + i / TB_PAD * (TB_PAD / 4), i % TB_PAD);
        w_store(block->cell + i, w_load(block->rest + i) << 6 | bits >> CLASS_BITS);
    }
}

/* Returns the sum. */
SIMD uint32_t draw_class_steps(const block_t *block, const uint64_t *word, size_t first, size_t from, double *x,
                               classes_aside_t *aside) {
    uint64_t pair[LANES], all = 0;
    vw sum = w_set(0);
    for (size_t i = from; i < from + TB_PAD; i += 2 * LANES) {
        const vw bits = quarter_words(word + from / 4, i - from), part = bits & CLASS_PART;
        const vw entry = w_load(block->entry + i), threshold = entry >> 16;
        const vw draw = w_choose(part, threshold, entry, entry >> 8) & 0xff;
        vd low, high;
        sum = sum + draw;
        d_from_w(draw, &low, &high);
        d_store(x + first + i, low);
        d_store(x + first + i + LANES, high);
        for (unsigned tied = w_same(part, threshold); tied; tied &= tied - 1) {
            const size_t at = i + (size_t)__builtin_ctz(tied);
            aside->cell[aside->ties] = block->cell[at];
            aside->element[aside->ties++] = (uint32_t)(first + at);
        }
    }
    u_store(pair, (vu)sum);
    for (size_t i = 0; i < LANES; i++) all += pair[i];
    return (uint32_t)all + (uint32_t)(all >> 32);
}

/* Eight slots serve 64 elements, as in `poisson`. */
KERNEL double draw_classes(const double *count, size_t length, double *x, double *sums, const tb_classes_t *classes,
                           uint32_t *listed, size_t *listed_count, const tb_address_t *base) {
    stream_t stream;
    classes_aside_t aside;
    block_t block;
    uint64_t word[BLOCK / 4];
    double all = 0.0;
    stream_init(&stream, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON);
    aside.listed = listed;
    aside.listed_count = aside.ties = 0;
    for (size_t first = 0; first < length; first += BLOCK) {
        const size_t left = (length - first + TB_PAD - 1) / TB_PAD * TB_PAD, some = left < BLOCK ? left : BLOCK;
        block_words(&stream, first / 8, some / 8, word);
        read_classes(&block, count, first, some, length, classes->limit, &aside);
        choose_class_cells(&block, word, some);
        look_up(&block, classes->entry, some);
        for (size_t i = 0; i < some; i += TB_PAD) {
            sums[(first + i) / TB_PAD] = (double)draw_class_steps(&block, word, first, i, x, &aside);
            all += sums[(first + i) / TB_PAD];
        }
        if (aside.ties > TIES - BLOCK || left <= BLOCK) all += break_class_ties(&aside, classes, x, sums, base);
    }
    *listed_count = aside.listed_count;
    return all;
}
#endif

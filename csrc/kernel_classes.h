/* SPDX-License-Identifier: MIT */
/* Independent Poisson counts by classes: all categories with the same count have the same mean, and one alias table. */
#ifndef TB_KERNEL_CLASSES_H
#define TB_KERNEL_CLASSES_H
#include "kernel_poisson.h"

/* Counts that most categories have are compared with, lane by lane; the others, of which there are few, are looked at
 * one by one. */
enum { COMPARED = 8 };

KERNEL size_t tally(const double *count, size_t length, uint32_t *often, double *large) {
    const vd most = d_set(TB_SMALL);
    uint32_t lanes[2 * LANES];
    size_t larger = 0;
    vw found[COMPARED];
    for (uint32_t c = 0; c < COMPARED; c++) found[c] = w_set(0);
    memset(often, 0, TB_SMALL * sizeof *often);
    for (size_t i = 0; i < length; i += 2 * LANES) {
        const vw w = w_from_d(d_min(d_load(count + i), most), d_min(d_load(count + i + LANES), most));
#pragma GCC unroll 8
        for (uint32_t c = 1; c < COMPARED; c++) found[c] -= (vw)(w == w_set(c));
        unsigned rare = w_less(w_set(COMPARED - 1), w);
        if (!rare) continue;
        w_store(lanes, w);
        for (; rare; rare &= rare - 1) {
            const size_t at = (size_t)__builtin_ctz(rare);
            if (lanes[at] < TB_SMALL) {
                often[lanes[at]]++;
            } else {
                large[larger++] = count[i + at];
            }
        }
    }
    for (uint32_t c = 1; c < COMPARED; c++) {
        w_store(lanes, found[c]);
        for (size_t j = 0; j < 2 * LANES; j++) often[c] += lanes[j];
    }
    return larger;
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
    uint32_t lanes[2 * LANES], all = 0;
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
    w_store(lanes, sum);
    for (size_t i = 0; i < 2 * LANES; i++) all += lanes[i];
    return all;
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

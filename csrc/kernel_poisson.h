/* SPDX-License-Identifier: MIT */
/* Independent Poisson counts: alias tables for small weights, sums of two for middling ones. Those beyond are left out.
 */
#ifndef TB_KERNEL_POISSON_H
#define TB_KERNEL_POISSON_H
#include "kernel_split.h"

enum { BLOCK = 256, TIES = 1024 };

/* What stands back while a block of elements is drawn. A draw whose bits equal a threshold's is decided by 64 more
 * against the rest of it: redrawing would be a bias. */
typedef struct {
    uint32_t *large;
    size_t large_count, ties, high_ties;
    uint32_t cell[TIES], element[TIES], high_cell[TIES], high_element[TIES];
    size_t highs, drawn;                   /* multiples to be drawn, and how many were before them */
    uint32_t high[2 * BLOCK + 2 * TB_ROW]; /* element << 4 | multiple */
} aside_t;

/* A tie was taken for the alias; where the further bits say so it becomes the cell's own value. */
static inline double break_ties(const aside_t *aside, const tb_poisson_t *tables, double *x, const tb_address_t *base) {
    double change = 0.0;
    uint64_t word[2];
    tb_address_t at = tb_at(*base, TB_FOR_POISSON_TIE, 0);
    for (size_t i = 0; i < aside->ties; i++) {
        tb_philox(&at, aside->element[i], word);
        const uint32_t entry = tables->entry[aside->cell[i]];
        if (word[0] >= tables->remainder[aside->cell[i]]) continue;
        const double step = (double)(entry & 0xff) - (double)(entry >> 8 & 0xff);
        x[aside->element[i]] += step;
        change += step;
    }
    at = tb_at(*base, TB_FOR_POISSON_HIGH_TIE, 0);
    for (size_t i = 0; i < aside->high_ties; i++) {
        tb_philox(&at, aside->high_element[i], word);
        const uint32_t cell = aside->high_cell[i], own = cell % TB_POISSON_HIGH_CELLS;
        if (word[0] >= tables->high_remainder[cell]) continue;
        const double step = (double)own - (double)(tables->high_entry[cell] % TB_POISSON_HIGH_CELLS);
        x[aside->high_element[i]] += step;
        change += step;
    }
    return change;
}

/* A block is worked off in stages: which cells, what they hold, what is drawn. Looking cells up one by one between the
 * stages is faster than gathering them where gathering is microcoded, and no slower elsewhere. */
typedef struct {
    uint32_t rest[BLOCK], cell[BLOCK], entry[BLOCK];
} block_t;

/* In general registers: compilers would take vectors apart, and put others together, to do the same. */
static inline void look_up(block_t *block, const uint32_t *table, size_t count) {
#pragma GCC unroll 8
    for (size_t i = 0; i < count; i++) {
        uint32_t entry = table[block->cell[i]];
        __asm__("" : "+r"(entry));
        block->entry[i] = entry;
    }
}

/* Of eight slots first all first words, then all second ones; then the next eight. */
SIMD void block_words(const stream_t *stream, uint64_t slot, size_t slots, uint64_t *out) {
    for (size_t j = 0; j < slots; j += LANES) {
        uint64_t *to = out + j / TB_ROW * (2 * TB_ROW) + j % TB_ROW;
        vu a, b;
        stream_words(stream, u_add(u_set(slot + j), u_iota()), &a, &b);
        u_store(to, a);
        u_store(to + TB_ROW, b);
    }
}

/* 32 bits for each of the draws from i on: the lower half of a word, then its upper half. */
SIMD vw half_words(const uint64_t *word, size_t i) { return w_of_bits(u_load(word + i / 2)); }

/* 16 bits for each of the draws from i on, out of 64 that share 32 words. */
SIMD vw quarter_words(const uint64_t *word, size_t i) {
    vw both = half_words(word, i / (4 * TB_ROW) * (2 * TB_ROW) + i % (2 * TB_ROW));
    return i / (2 * TB_ROW) % 2 ? both >> 16 : both & 0xffff;
}

/* Of weights beyond the step the whole steps are put aside, and those beyond all tables altogether. w 1365 / 2^16 is
 * w / 48 and so little less that its whole part is that of (w - 1) / 48, up to the last table; and 0 for none. */
SIMD void put_aside(block_t *block, size_t first, size_t count, aside_t *aside) {
    size_t highs = aside->highs;
    for (size_t i = 0; i < count; i += 2 * LANES) {
        const vw w = w_load(block->rest + i), element = w_set((uint32_t)(first + i)) + w_iota();
        const unsigned some = w_less(w_set(TB_POISSON_STEP), w);
        unsigned large = w_less(w_set(TB_POISSON_MOST), w);
        if (!some) continue;
        const vw multiple = w * 1365 >> 16;
        w_store(block->rest + i, w - w_choose(w_set(TB_POISSON_MOST), w, w, multiple * TB_POISSON_STEP));
        highs += w_compress(aside->high + highs, some & ~large, element << 4 | multiple);
        for (; large; large &= large - 1) {
            aside->large[aside->large_count++] = (uint32_t)(first + i) + (uint32_t)__builtin_ctz(large);
        }
    }
    aside->highs = highs;
}

/* Bits of the lanes from i on, of the block whose elements count from `first`. */
static inline void note_ties(unsigned tied, const uint32_t *cell, size_t first, size_t i, aside_t *aside) {
    for (; tied; i++, tied >>= 1) {
        if (!(tied & 1)) continue;
        aside->cell[aside->ties] = cell[i];
        aside->element[aside->ties++] = (uint32_t)(first + i);
    }
}

/* 16 bits each: 7 choose the cell, 9 are compared with its threshold, of 64 draws. */
SIMD void choose_cells(block_t *block, const uint64_t *word, size_t first) {
    for (size_t i = 0; i < TB_PAD; i += 2 * LANES) {
        w_store(block->cell + first + i,
                w_load(block->rest + first + i) << 7 | quarter_words(word + first / 4, i) >> 9);
    }
}

/* Returns the sums of lanes. */
SIMD vw draw_steps(const block_t *block, const uint64_t *word, size_t first, double *x, unsigned *tied) {
    vw sum = w_set(0);
    for (size_t i = 0; i < TB_PAD; i += 2 * LANES) {
        vw entry = w_load(block->entry + first + i), part = quarter_words(word + first / 4, i) & 511;
        vw threshold = entry >> 16, draw = w_choose(part, threshold, entry, entry >> 8) & 0xff;
        vd low, high;
        tied[i / (2 * LANES)] = w_same(part, threshold);
        sum = sum + draw;
        d_from_w(draw, &low, &high);
        d_store(x + i, low);
        d_store(x + i + LANES, high);
    }
    return sum;
}

/* A block of multiples or what there is, 32 bits each: 9 choose the cell, 23 are compared. What they give is added to
 * what is there. Multiples of 0 behind the last give 0. */
KERNEL double draw_highs(aside_t *aside, const stream_t *stream, const tb_poisson_t *tables, double *x) {
    const size_t count = aside->highs < BLOCK ? aside->highs : BLOCK, all = (count + 31) / 32 * 32;
    uint32_t sums[2 * LANES];
    uint64_t word[BLOCK / 2], total = 0;
    double value[BLOCK];
    vw sum = w_set(0);
    block_t block;
    block_words(stream, aside->drawn / 4, all / 4, word);
    if (count < all) memset(aside->high + count, 0, (all - count) * sizeof *aside->high);
    for (size_t i = 0; i < all; i += 2 * LANES) {
        w_store(block.cell + i, (w_load(aside->high + i) & 15) << 9 | half_words(word, i) >> 23);
    }
    look_up(&block, tables->high_entry, all);
    for (size_t i = 0; i < all; i += 2 * LANES) {
        vw bits = half_words(word, i), part = bits & 0x7fffff, base = w_load(aside->high + i) & 15;
        vw entry = w_load(block.entry + i), threshold = entry >> 9;
        unsigned tied = w_same(part, threshold);
        for (size_t j = i; tied && j < count; j++, tied >>= 1) {
            if (!(tied & 1)) continue;
            aside->high_cell[aside->high_ties] = block.cell[j];
            aside->high_element[aside->high_ties++] = aside->high[j] >> 4;
        }
        vw draw = w_choose(part, threshold, bits >> 23, entry & 511) + w_lookup16(tables->high_base, base);
        vd low, high;
        d_from_w(draw, &low, &high);
        d_store(value + i, low);
        d_store(value + i + LANES, high);
        sum = sum + draw;
    }
    for (size_t i = 0; i < count; i++) x[aside->high[i] >> 4] += value[i];
    w_store(sums, sum);
    for (size_t i = 0; i < 2 * LANES; i++) total += sums[i];
    aside->drawn += count;
    aside->highs -= count;
    memcpy(aside->high, aside->high + count, aside->highs * sizeof *aside->high);
    return (double)total;
}

SIMD void read_block(block_t *block, const double *weight, size_t first, size_t count, aside_t *aside) {
    const vd most = d_set(1e6); /* fits 32 bits, and is beyond all tables still */
    unsigned beyond = 0;
    for (size_t i = 0; i < count; i += 2 * LANES) {
        const double *from = weight + first + i;
        vw w = w_from_d(d_min(d_load(from), most), d_min(d_load(from + LANES), most));
        beyond |= w_less(w_set(TB_POISSON_STEP), w);
        w_store(block->rest + i, w);
    }
    if (beyond) put_aside(block, first, count, aside);
}

/* Returns the sums of lanes. */
SIMD vw draw_block(block_t *block, const uint64_t *word, const tb_poisson_t *tables, size_t first, size_t count,
                   double *x, aside_t *aside) {
    vw sum = w_set(0);
    for (size_t i = 0; i < count; i += TB_PAD) choose_cells(block, word, i);
    look_up(block, tables->entry, count);
    for (size_t i = 0; i < count; i += TB_PAD) {
        unsigned tied[TB_PAD / (2 * LANES)];
        sum = sum + draw_steps(block, word, i, x + first + i, tied);
        for (size_t j = 0; j < TB_PAD / (2 * LANES); j++) {
            if (tied[j]) note_ties(tied[j], block->cell, first, i + j * 2 * LANES, aside);
        }
    }
    return sum;
}

/* Eight slots serve 64 elements: see quarter_words. Whole sixty-fours are drawn: beyond the last element stand zeros.
 */
KERNEL double poisson(const double *weight, size_t length, double *x, const tb_poisson_t *tables, uint32_t *large,
                      size_t *large_count, const tb_address_t *base) {
    stream_t stream, high;
    aside_t aside;
    block_t block;
    uint64_t word[BLOCK / 4];
    stream_init(&stream, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON);
    stream_init(&high, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON_HIGH);
    aside.large = large;
    aside.large_count = aside.ties = aside.high_ties = aside.highs = aside.drawn = 0;
    vw sum = w_set(0);
    double extra = 0.0;
    for (size_t first = 0; first < length; first += BLOCK) {
        const size_t left = (length - first + TB_PAD - 1) / TB_PAD * TB_PAD, count = left < BLOCK ? left : BLOCK;
        block_words(&stream, first / 8, count / 8, word);
        read_block(&block, weight, first, count, &aside);
        sum = sum + draw_block(&block, word, tables, first, count, x, &aside);
        while (aside.highs >= BLOCK || (aside.highs && left <= BLOCK)) extra += draw_highs(&aside, &high, tables, x);
        if (aside.ties > TIES - BLOCK || aside.high_ties > TIES - 2 * BLOCK || left <= BLOCK) {
            extra += break_ties(&aside, tables, x, base);
            aside.ties = aside.high_ties = 0;
        }
    }
    uint32_t lanes[2 * LANES];
    w_store(lanes, sum);
    for (size_t i = 0; i < 2 * LANES; i++) extra += lanes[i];
    *large_count = aside.large_count;
    return extra;
}
#endif

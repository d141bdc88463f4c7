/* SPDX-License-Identifier: MIT */
/* Independent Poisson counts: alias tables for small weights, sums of two for middling ones, exact quantiles beyond. */
#ifndef TB_KERNEL_POISSON_H
#define TB_KERNEL_POISSON_H
#include "kernel_split.h"
#include "quantile_poisson.h"

enum { TIES = 256 };

/* Draws whose bits equal a threshold's are decided by 64 more against the rest of it: redrawing would be a bias. */
typedef struct {
    size_t large, ties, high_ties;
    uint64_t cell[TIES + TB_ROW], element[TIES + TB_ROW], high_cell[TIES + TB_ROW], high_element[TIES + TB_ROW];
} put_off_t;

/* A tie was taken for the alias; where the further bits say so it becomes the cell's own value. */
static inline double break_ties(const put_off_t *off, const tb_poisson_t *tables, double *x, const tb_address_t *base) {
    double change = 0.0;
    uint64_t word[2];
    tb_address_t at = tb_at(*base, TB_FOR_POISSON_TIE, 0);
    for (size_t i = 0; i < off->ties; i++) {
        tb_philox(&at, (uint32_t)off->element[i], word);
        const uint32_t entry = tables->entry[off->cell[i]];
        if (word[0] >= tables->remainder[off->cell[i]]) continue;
        const double step = (double)(entry & 0xff) - (double)(entry >> 8 & 0xff);
        x[off->element[i]] += step;
        change += step;
    }
    at = tb_at(*base, TB_FOR_POISSON_HIGH_TIE, 0);
    for (size_t i = 0; i < off->high_ties; i++) {
        tb_philox(&at, (uint32_t)off->high_element[i], word);
        const uint64_t cell = off->high_cell[i], own = cell % TB_POISSON_HIGH_CELLS;
        if (word[0] >= tables->high_remainder[cell]) continue;
        const double step = (double)own - (double)(tables->high_entry[cell] % TB_POISSON_HIGH_CELLS);
        x[off->high_element[i]] += step;
        change += step;
    }
    return change;
}

SIMD vd small_double(vu a) { return d_of_bits(u_or(a, u_set(0x4330000000000000u))) - d_set(0x1p52); }

/* A block is worked off in stages: which cells, what they hold, what is drawn. Looking cells up one by one between the
 * stages is faster than gathering them where gathering is microcoded, and no slower elsewhere. */
typedef struct {
    double rest[64], multiple[64];
    uint32_t cell[64], entry[64];
} block_t;

static inline void look_up(block_t *block, const uint32_t *table, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) block->entry[i] = table[block->cell[i]];
}

/* 16 bits each: 7 choose the cell, 9 are compared with its threshold. */
SIMD void choose_step(block_t *block, size_t i, vu bits) {
    u_store32(block->cell + i, u_or(u_shl(u_from_d(d_load(block->rest + i)), 7), u_shr(bits, 9)));
}

SIMD vd draw_step(const block_t *block, size_t i, vu bits, vu element, put_off_t *off) {
    vu entry = u_load32(block->entry + i);
    vu part = u_and(bits, u_set(511)), threshold = u_shr(entry, 16);
    vm tie = u_eq(part, threshold);
    if (m_bits(tie)) {
        u_compress(off->cell + off->ties, tie, u_load32(block->cell + i));
        off->ties += u_compress(off->element + off->ties, tie, element);
    }
    return small_double(u_and(u_sel(u_lt(part, threshold), entry, u_shr(entry, 8)), u_set(0xff)));
}

/* 32 bits each: 9 choose the cell, 23 are compared. Lanes with multiple 0 draw nothing. */
SIMD void choose_high(block_t *block, size_t i, vu bits) {
    u_store32(block->cell + i, u_or(u_shl(u_from_d(d_load(block->multiple + i)), 9), u_shr(bits, 23)));
}

SIMD vd draw_high(const block_t *block, size_t i, vu bits, vu element, double step, put_off_t *off) {
    vd multiple = d_load(block->multiple + i);
    vu entry = u_load32(block->entry + i);
    vu part = u_and(bits, u_set(0x7fffff)), threshold = u_shr(entry, 9);
    vm some = d_lt(d_set(0.0), multiple), tie = m_and(some, u_eq(part, threshold));
    if (m_bits(tie)) {
        u_compress(off->high_cell + off->high_ties, tie, u_load32(block->cell + i));
        off->high_ties += u_compress(off->high_element + off->high_ties, tie, element);
    }
    vd base = d_max(d_set(0.0), d_floor(multiple * d_set(step)) - d_set(TB_POISSON_HIGH_CELLS / 2));
    vd value = base + small_double(u_sel(u_lt(part, threshold), u_shr(bits, 23), u_and(entry, u_set(511))));
    return d_sel(some, value, d_set(0.0));
}

/* Draw j uses word j mod 2 of slot j div 2. */
KERNEL double poisson_large(const double *weight, double rate, const uint32_t *large, size_t count, double *x,
                            const tb_address_t *base) {
    stream_t stream;
    draws_t draws;
    double draw[CHUNK];
    tb_address_t at = tb_at(*base, TB_FOR_POISSON_LARGE, 0);
    stream_init(&stream, at.key, u_set(at.generation), u_set(at.replicate), at.purpose);
    vd total = d_set(0.0);
    for (size_t first = 0; first < count; first += CHUNK) {
        const size_t some = count - first < CHUNK ? count - first : CHUNK, all = whole(some);
        for (size_t i = 0; i < all; i++) draws.np[i] = i < some ? rate * weight[large[first + i]] : 0.0;
        for (size_t i = 0; i < all; i++) draws.npq[i] = (float)draws.np[i];
        memset(draws.p, 0, all * sizeof *draws.p);
        fill_words_of(&draws, &stream, (uint32_t)(first / 2), all);
        make_normals(&draws, all);
        expand(&draws, 0, all);
        for (size_t j = 0; j < all; j += LANES) {
            vm good;
            d_store(draw + j, left_counts(&draws, j, &good));
            unsigned hard = m_bits(m_not(good));
            for (size_t i = j; hard && i < j + LANES; i++) {
                if (hard >> (i - j) & 1) draw[i] = (double)tb_poisson_quantile(draws.np[i], draws.word[i]);
            }
            total = total + d_load(draw + j);
        }
        for (size_t i = 0; i < some; i++) x[large[first + i]] = draw[i];
    }
    double lanes[LANES], sum = 0.0;
    d_store(lanes, total);
    for (size_t i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

/* How many whole steps a weight holds beyond its last; weights above all tables count as none and join `large`. */
SIMD vd multiple_of(vd *weight, vu element, uint32_t *large, put_off_t *off) {
    vm big = d_lt(d_set(TB_POISSON_STEP * (TB_POISSON_HIGH + 1)), *weight);
    if (m_bits(big)) {
        off->large += u_compress32(large + off->large, big, element);
        *weight = d_sel(big, d_set(0.0), *weight);
    }
    /* Halves keep the quotient away from integers. */
    vd multiple = d_floor((*weight - d_set(0.5)) * d_set(1.0 / (double)TB_POISSON_STEP));
    multiple = d_max(multiple, d_set(0.0));
    *weight = *weight - multiple * d_set(TB_POISSON_STEP);
    return multiple;
}

typedef struct {
    vu word[TB_ROW / LANES][2];
} words_t;

SIMD void block_words(const stream_t *stream, uint64_t slot, words_t *out) {
    for (size_t v = 0; v < TB_ROW / LANES; v++) {
        stream_words(stream, u_add(u_set(slot + v * LANES), u_iota()), &out->word[v][0], &out->word[v][1]);
    }
}

/* Piece `row` of 16 bits, or of 32, of the lanes' two words. */
SIMD vu piece16(const words_t *words, size_t v, size_t row) {
    return u_and(u_shr(words->word[v][row / 4], (unsigned)(16 * (row % 4))), u_set(0xffff));
}

SIMD vu piece32(const words_t *words, size_t v, size_t row) {
    return u_and(u_shr(words->word[v][row / 2], (unsigned)(32 * (row % 2))), u_set(0xffffffff));
}

/* The draws from the tables for multiples, for half a block at a time, added to what is there. */
SIMD vd draw_highs(block_t *block, const stream_t *stream, const tb_poisson_t *tables, size_t first, size_t half,
                   double *x, put_off_t *off) {
    words_t words;
    vd sum = d_set(0.0);
    block_words(stream, (first + half) / 4, &words);
    for (size_t i = 0; i < 32; i += LANES)
        choose_high(block, half + i, piece32(&words, i % TB_ROW / LANES, i / TB_ROW));
    look_up(block, tables->high_entry, half, half + 32);
    for (size_t i = 0; i < 32; i += LANES) {
        vu element = u_add(u_set(first + half + i), u_iota());
        vd draw =
            draw_high(block, half + i, piece32(&words, i % TB_ROW / LANES, i / TB_ROW), element, tables->step, off);
        sum = sum + draw;
        d_store(x + first + half + i, d_load(x + first + half + i) + draw);
    }
    return sum;
}

/* Eight slots serve 64 elements: element i uses 16-bit piece (i div 8) mod 8 of slot 8 (i div 64) + i mod 8; its high
 * draw 32-bit piece (i div 8) mod 4 of slot 8 (i div 32) + i mod 8. Whole blocks are drawn: beyond the last element
 * stand zeros. */
KERNEL double poisson(const double *weight, size_t length, double *x, const tb_poisson_t *tables, uint32_t *large,
                      const tb_address_t *base) {
    stream_t stream, high;
    put_off_t off;
    block_t block;
    words_t words;
    stream_init(&stream, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON);
    stream_init(&high, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON_HIGH);
    off.large = off.ties = off.high_ties = 0;
    vd sum = d_set(0.0);
    double extra = 0.0;
    for (size_t first = 0; first < length; first += 64) {
        unsigned highs[2] = {0, 0};
        block_words(&stream, first / 8, &words);
        for (size_t i = 0; i < 64; i += LANES) {
            vd rest = d_load(weight + first + i);
            vd multiple = multiple_of(&rest, u_add(u_set(first + i), u_iota()), large, &off);
            highs[i / 32] |= m_bits(d_lt(d_set(0.0), multiple));
            d_store(block.rest + i, rest);
            d_store(block.multiple + i, multiple);
            choose_step(&block, i, piece16(&words, i % TB_ROW / LANES, i / TB_ROW));
        }
        look_up(&block, tables->entry, 0, 64);
        for (size_t i = 0; i < 64; i += LANES) {
            vu element = u_add(u_set(first + i), u_iota());
            vd draw = draw_step(&block, i, piece16(&words, i % TB_ROW / LANES, i / TB_ROW), element, &off);
            sum = sum + draw;
            d_store(x + first + i, draw);
        }
        if (highs[0]) sum = sum + draw_highs(&block, &high, tables, first, 0, x, &off);
        if (highs[1]) sum = sum + draw_highs(&block, &high, tables, first, 32, x, &off);
        if (off.ties > TIES - 64 || off.high_ties > TIES - 64 || first + 64 >= length) {
            extra += break_ties(&off, tables, x, base);
            off.ties = off.high_ties = 0;
        }
    }
    double lanes[LANES];
    d_store(lanes, sum);
    for (size_t i = 0; i < LANES; i++) extra += lanes[i];
    return extra + poisson_large(weight, tables->rate, large, off.large, x, base);
}
#endif

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

/* 16 bits each: 7 choose the cell, 9 are compared with its threshold. */
SIMD vd draw_step(vd weight, vu bits, vu element, const tb_poisson_t *tables, put_off_t *off) {
    vu cell = u_or(u_shl(u_from_d(weight), 7), u_shr(bits, 9));
    vu entry = u_gather32(tables->entry, cell);
    vu part = u_and(bits, u_set(511)), threshold = u_shr(entry, 16);
    vm tie = u_eq(part, threshold);
    if (m_bits(tie)) {
        u_compress(off->cell + off->ties, tie, cell);
        off->ties += u_compress(off->element + off->ties, tie, element);
    }
    return small_double(u_and(u_sel(u_lt(part, threshold), entry, u_shr(entry, 8)), u_set(0xff)));
}

/* 32 bits each: 9 choose the cell, 23 are compared. Lanes with multiple 0 draw nothing. */
SIMD vd draw_high(vd multiple, vu bits, vu element, const tb_poisson_t *tables, put_off_t *off) {
    vu own = u_shr(bits, 23);
    vu cell = u_or(u_shl(u_from_d(multiple), 9), own);
    vu entry = u_gather32(tables->high_entry, cell);
    vu part = u_and(bits, u_set(0x7fffff)), threshold = u_shr(entry, 9);
    vm some = d_lt(d_set(0.0), multiple), tie = m_and(some, u_eq(part, threshold));
    if (m_bits(tie)) {
        u_compress(off->high_cell + off->high_ties, tie, cell);
        off->high_ties += u_compress(off->high_element + off->high_ties, tie, element);
    }
    vd base = d_max(d_set(0.0), multiple * d_set(TB_POISSON_STEP) - d_set(TB_POISSON_HIGH_CELLS / 2));
    vd value = base + small_double(u_sel(u_lt(part, threshold), own, u_and(entry, u_set(511))));
    return d_sel(some, value, d_set(0.0));
}

/* Draw j uses word j mod 2 of slot j div 2. */
KERNEL double poisson_large(const double *weight, double rate, const uint32_t *large, size_t count, double *x,
                            const tb_address_t *base) {
    stream_t stream;
    normals_t normals;
    double lambda[CHUNK], draw[CHUNK];
    tb_address_t at = tb_at(*base, TB_FOR_POISSON_LARGE, 0);
    stream_init(&stream, at.key, u_set(at.generation), u_set(at.replicate), at.purpose);
    vd total = d_set(0.0);
    for (size_t first = 0; first < count; first += CHUNK) {
        const size_t some = count - first < CHUNK ? count - first : CHUNK;
        for (size_t i = 0; i < some; i++) lambda[i] = rate * weight[large[first + i]];
        fill_normals(&stream, (uint32_t)(first / 2), some, &normals);
        for (size_t j = 0; j < some; j += LANES) {
            vd f, tol;
            cornish_fisher(d_load(lambda + j), d_set(0.0), d_load(normals.z + j), &f, &tol);
            vd k = d_floor(f);
            d_store(draw + j, k);
            unsigned hard = m_bits(m_not(settled(f, k, tol)));
            for (size_t i = j; hard && i < j + LANES && i < some; i++) {
                if (hard >> (i - j) & 1) draw[i] = (double)tb_poisson_quantile(lambda[i], normals.word[i]);
            }
        }
        for (size_t i = some; i < (some + LANES - 1) / LANES * LANES; i++) draw[i] = 0.0;
        for (size_t j = 0; j < some; j += LANES) total = total + d_load(draw + j);
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
    vd multiple = d_floor((*weight - d_set(0.5)) * d_set(1.0 / TB_POISSON_STEP));
    multiple = d_max(multiple, d_set(0.0));
    *weight = *weight - multiple * d_set(TB_POISSON_STEP);
    return multiple;
}

/* Eight slots serve 64 elements: element i uses 16-bit piece (i div 8) mod 8 of slot 8 (i div 64) + i mod 8; its high draw
 * 32-bit piece (i div 8) mod 4 of slot 8 (i div 32) + i mod 8. */
KERNEL double poisson(const double *weight, size_t length, double *x, const tb_poisson_t *tables, uint32_t *large,
                      const tb_address_t *base) {
    stream_t stream, high;
    put_off_t off;
    stream_init(&stream, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON);
    stream_init(&high, base->key, u_set(base->generation), u_set(base->replicate), TB_FOR_POISSON_HIGH);
    off.large = off.ties = off.high_ties = 0;
    vd sums[2] = {d_set(0.0), d_set(0.0)};
    double extra = 0.0;
    for (size_t block = 0; block < length; block += 64) {
        vu word[TB_ROW / LANES][2], more[TB_ROW / LANES][2];
        size_t ready = SIZE_MAX; /* block of 32 that `more` serves */
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            stream_words(&stream, u_add(u_set(block / 8 + v * LANES), u_iota()), &word[v][0], &word[v][1]);
        }
        for (size_t piece = 0; piece < 8 && block + 8 * piece < length; piece++) {
            for (size_t v = 0; v < TB_ROW / LANES; v++) {
                const size_t first = block + 8 * piece + v * LANES;
                const vu element = u_add(u_set(first), u_iota());
                vd rest = d_load(weight + first);
                vd multiple = multiple_of(&rest, element, large, &off);
                vu bits = u_and(u_shr(word[v][piece / 4], (unsigned)(16 * (piece % 4))), u_set(0xffff));
                vd draw = draw_step(rest, bits, element, tables, &off);
                if (m_bits(d_lt(d_set(0.0), multiple))) {
                    for (size_t u = 0; ready != first / 32 && u < TB_ROW / LANES; u++) {
                        stream_words(&high, u_add(u_set(first / 32 * 8 + u * LANES), u_iota()), &more[u][0], &more[u][1]);
                    }
                    ready = first / 32;
                    bits = u_and(u_shr(more[v][piece % 4 / 2], (unsigned)(32 * (piece % 2))), u_set(0xffffffff));
                    draw = draw + draw_high(multiple, bits, element, tables, &off);
                }
                d_store(x + first, draw);
                sums[piece % 2] = sums[piece % 2] + draw;
            }
        }
        if (off.ties > TIES - 64 || off.high_ties > TIES - 64 || block + 64 >= length) {
            extra += break_ties(&off, tables, x, base);
            off.ties = off.high_ties = 0;
        }
    }
    double lanes[2 * LANES];
    d_store(lanes, sums[0]);
    d_store(lanes + LANES, sums[1]);
    for (size_t i = 0; i < 2 * LANES; i++) extra += lanes[i];
    return extra + poisson_large(weight, tables->rate, large, off.large, x, base);
}
#endif

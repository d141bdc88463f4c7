/* SPDX-License-Identifier: MIT */
/* Independent Poisson counts: alias tables for means up to TB_POISSON_MAX, exact quantiles beyond. */
#ifndef TB_KERNEL_POISSON_H
#define TB_KERNEL_POISSON_H
#include "kernel_split.h"
#include "quantile_poisson.h"

enum { TIES = 256 };

/* A tie of the 9 bits is decided by 64 more against the rest of the threshold: redrawing would be a bias. */
static inline double break_tie(const tb_poisson_t *tables, size_t cell, size_t element, const tb_address_t *at) {
    tb_address_t tie = tb_at(*at, TB_FOR_POISSON_TIE, 0);
    uint64_t word[2];
    tb_philox(&tie, (uint32_t)element, word);
    uint32_t entry = tables->entry[cell];
    return (double)(word[0] < tables->remainder[cell] ? entry & 0xff : entry >> 8 & 0xff);
}

typedef struct {
    size_t large, ties;
    uint64_t tied_cell[TIES + TB_ROW], tied[TIES + TB_ROW];
} put_off_t;

/* One register of draws from 16 bits each: 7 choose the cell, 9 are compared with its threshold. */
SIMD vd poisson_small(vd mean, vu bits, size_t first, const tb_poisson_t *tables, uint32_t *large, put_off_t *off) {
    vu element = u_add(u_set(first), u_iota());
    vm big = d_lt(d_set(TB_POISSON_MAX), mean);
    if (m_bits(big)) off->large += u_compress32(large + off->large, big, element);
    vu row = u_from_d(d_sel(big, d_set(0.0), mean));
    vu cell = u_or(u_shl(row, 7), u_shr(bits, 9));
    vu entry = u_gather32(tables->entry, cell);
    vu part = u_and(bits, u_set(511)), threshold = u_shr(entry, 16);
    vm tie = u_eq(part, threshold);
    if (m_bits(tie)) {
        u_compress(off->tied_cell + off->ties, tie, cell);
        off->ties += u_compress(off->tied + off->ties, tie, element);
    }
    vu value = u_and(u_sel(u_lt(part, threshold), entry, u_shr(entry, 8)), u_set(0xff));
    return d_of_bits(u_or(value, u_set(0x4330000000000000u))) - d_set(0x1p52);
}

/* Draw j uses word j mod 2 of slot j div 2. */
KERNEL double poisson_large(const double *mean, const uint32_t *large, size_t count, double *x, const tb_address_t *base) {
    stream_t stream;
    normals_t normals;
    double lambda[CHUNK], draw[CHUNK];
    tb_address_t at = tb_at(*base, TB_FOR_POISSON_LARGE, 0);
    stream_init(&stream, at.key, u_set(at.generation), u_set(at.replicate), at.purpose);
    vd total = d_set(0.0);
    for (size_t first = 0; first < count; first += CHUNK) {
        const size_t some = count - first < CHUNK ? count - first : CHUNK;
        for (size_t i = 0; i < some; i++) lambda[i] = mean[large[first + i]];
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

/* Eight slots serve 64 elements: element i uses 16-bit piece (i div 8) mod 8 of slot 8 (i div 64) + i mod 8. */
KERNEL double poisson(const double *mean, size_t length, double *x, const tb_poisson_t *tables, uint32_t *large,
                      const tb_address_t *base) {
    stream_t stream;
    tb_address_t at = tb_at(*base, TB_FOR_POISSON, 0);
    stream_init(&stream, at.key, u_set(at.generation), u_set(at.replicate), at.purpose);
    put_off_t off;
    off.large = off.ties = 0;
    vd sums[2] = {d_set(0.0), d_set(0.0)};
    double extra = 0.0;
    for (size_t block = 0; block < length; block += 64) {
        vu word[TB_ROW / LANES][2];
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            stream_words(&stream, u_add(u_set(block / 8 + v * LANES), u_iota()), &word[v][0], &word[v][1]);
        }
        for (size_t piece = 0; piece < 8 && block + 8 * piece < length; piece++) {
            for (size_t v = 0; v < TB_ROW / LANES; v++) {
                size_t first = block + 8 * piece + v * LANES;
                vu bits = u_and(u_shr(word[v][piece / 4], (unsigned)(16 * (piece % 4))), u_set(0xffff));
                vd draw = poisson_small(d_load(mean + first), bits, first, tables, large, &off);
                d_store(x + first, draw);
                sums[piece % 2] = sums[piece % 2] + draw;
            }
        }
        if (off.ties > TIES - 64 || block + 64 >= length) {
            for (size_t i = 0; i < off.ties; i++) {
                double draw = break_tie(tables, off.tied_cell[i], off.tied[i], base);
                extra += draw - x[off.tied[i]];
                x[off.tied[i]] = draw;
            }
            off.ties = 0;
        }
    }
    double lanes[2 * LANES];
    d_store(lanes, sums[0]);
    d_store(lanes + LANES, sums[1]);
    for (size_t i = 0; i < 2 * LANES; i++) extra += lanes[i];
    return extra + poisson_large(mean, large, off.large, x, base);
}
#endif

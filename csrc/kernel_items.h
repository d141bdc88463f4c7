/* SPDX-License-Identifier: MIT */
/* Items one by one, several to a register: which cell of an alias table, and whether it or its alias; and what bands
 * keep of weights. */
#ifndef TB_KERNEL_ITEMS_H
#define TB_KERNEL_ITEMS_H
#include "kernel_poisson.h"
#include "tables.h"

static inline size_t note_doubts(unsigned bits, size_t i, size_t count, uint32_t *doubt, size_t doubts) {
    for (; bits; i++, bits >>= 1) {
        if (bits & 1 && i < count) doubt[doubts++] = (uint32_t)i;
    }
    return doubts;
}

/* The upper half of a word chooses the cell, in doubt where that would be a bias. */
SIMD size_t choose_items(const uint64_t *word, size_t count, uint32_t cells, uint32_t *out, uint32_t *doubt) {
    const vu floor = u_set((0 - cells) % cells), low = u_set(0xffffffffu);
    size_t doubts = 0;
    for (size_t i = 0; i < count; i += LANES) {
        vu x = u_mul32(u_shr(u_load(word + i), 32), u_set(cells));
        u_store32(out + i, u_shr(x, 32));
        const unsigned bias = m_bits(u_lt(u_and(x, low), floor));
        if (bias) doubts = note_doubts(bias, i, count, doubt, doubts);
    }
    return doubts;
}

/* The last 8 bits are compared with the threshold, in doubt where they are equal. Entries are looked up one by one, as
 * for Poisson counts. Below is as likely as not, so there is no branch where lanes are single. */
KERNEL size_t pick_cells(const uint64_t *word, size_t count, uint32_t cells, const uint32_t *table, uint32_t *out,
                         uint32_t *doubt) {
    const vu alias = u_set((1u << TB_ALIAS_BITS) - 1), byte = u_set(0xff);
    uint32_t entry[TB_SOME];
    size_t doubts = choose_items(word, count, cells, out, doubt);
    if (!table) return doubts;
    for (size_t i = 0; i < count; i++) {
        uint32_t found = table[out[i]];
        __asm__("" : "+r"(found));
        entry[i] = found;
    }
    for (size_t i = 0; i < count; i += LANES) {
        vu here = u_load32(entry + i), own = u_load32(out + i), other = u_and(here, alias);
        vu level = u_and(u_load(word + i), byte), threshold = u_shr(here, TB_ALIAS_BITS);
        vu below = u_sub(u_set(0), u_shr(u_sub(level, threshold), 63));
        u_store32(out + i, u_xor(other, u_and(u_xor(own, other), below)));
        const unsigned tied = m_bits(u_eq(level, threshold));
        if (tied) doubts = note_doubts(tied, i, count, doubt, doubts);
    }
    return doubts;
}

/* Sums are added up in eight parts, as everywhere. */
KERNEL void keep_bands(double *weight, const uint32_t *id, size_t length, const uint32_t *start, const double *kept,
                       size_t bands, double *before, double *after) {
    vd all[TB_ROW / LANES], left[TB_ROW / LANES];
    for (size_t v = 0; v < TB_ROW / LANES; v++) all[v] = left[v] = d_set(0.0);
    for (size_t i = 0; i < length; i += TB_ROW) {
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            const vd here = d_load(weight + i + v * LANES);
            const vu at = u_load32(id + i + v * LANES);
            vd share = d_set(kept[bands - 1]);
            for (size_t b = bands - 1; b-- > 0;) share = d_sel(u_lt(at, u_set(start[b])), share, d_set(kept[b]));
            share = here * share;
            d_store(weight + i + v * LANES, share);
            all[v] = all[v] + here;
            left[v] = left[v] + share;
        }
    }
    for (size_t v = 0; v < TB_ROW / LANES; v++) {
        d_store(before + v * LANES, all[v]);
        d_store(after + v * LANES, left[v]);
    }
}
#endif

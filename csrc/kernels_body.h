/* SPDX-License-Identifier: MIT */
/* The remaining kernels and the table. Included last by each kernels_*.c, which says which table it fills. */
#include "kernel_documents.h"
#include "kernel_em.h"
#include "kernel_gaussian.h"
#include "kernel_observe.h"
#include "kernel_poisson.h"
#include "kernel_split.h"

KERNEL void fill_words(const tb_address_t *at, uint32_t slot, size_t calls, uint64_t *out) {
    stream_t stream;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t j = 0; j < calls; j += LANES) {
        vu a, b;
        stream_words(&stream, u_add(u_set(slot + j), u_iota()), &a, &b);
        u_weave(a, b, &a, &b);
        u_store(out + 2 * j, a);
        u_store(out + 2 * j + LANES, b);
    }
}

/* Integers below 2^53: the order of additions does not matter. */
KERNEL double sum(const double *x, size_t count) {
    vd a = d_set(0.0), b = d_set(0.0);
    for (size_t i = 0; i < count; i += 2 * LANES) {
        a = a + d_load(x + i);
        b = b + d_load(x + i + LANES);
    }
    double lanes[LANES], total = 0.0;
    d_store(lanes, a + b);
    for (size_t i = 0; i < LANES; i++) total += lanes[i];
    return total;
}

KERNEL void block_sums(const double *x, size_t blocks, double *out) {
    for (size_t block = 0; block < blocks; block++) {
        vd a = d_load(x + block * TB_ROW);
        for (size_t i = LANES; i < TB_ROW; i += LANES) a = a + d_load(x + block * TB_ROW + i);
        double lanes[LANES], total = 0.0;
        d_store(lanes, a);
        for (size_t i = 0; i < LANES; i++) total += lanes[i];
        out[block] = total;
    }
}

/* Down a tree of fan-out eight whose nodes hold the sums of all that comes before their end; then along one row. There
 * is no branch on the data, so several searches are under way at once. */
KERNEL void find_items(const double *x, const tb_index_t *index, const double *item, size_t count, uint32_t *where) {
    for (size_t i = 0; i < count; i++) {
        const vd r = d_set(item[i]);
        size_t at = 0;
        for (size_t level = index->height; level-- > 0;) {
            const double *end = index->end[level] + TB_ROW * at;
            size_t before = 0;
            for (size_t v = 0; v < TB_ROW; v += LANES) {
                before += (size_t)__builtin_popcount(m_bits(d_le(d_load(end + v), r)));
            }
            at = TB_ROW * at + before;
        }
        const double *row = x + TB_ROW * at;
        double sum = at ? index->end[0][at - 1] : 0.0;
        at *= TB_ROW;
        for (size_t j = 0; j < TB_ROW - 1; j++) {
            sum += row[j];
            at += sum <= item[i];
        }
        where[i] = (uint32_t)at;
    }
}

KERNEL void sum_pairs(const double *child, size_t parents, double *parent) {
    for (size_t j = 0; j < parents; j += LANES) {
        vd even, odd;
        d_split(d_load(child + 2 * j), d_load(child + 2 * j + LANES), &even, &odd);
        d_store(parent + j, even + odd);
    }
}

/* Reading stays ahead of writing, so the slack that a compressing store writes is never unread. */
KERNEL size_t compact(uint32_t *id, double *weight, size_t length) {
    size_t kept = 0;
    for (size_t i = 0; i < length; i += LANES) {
        vd w = d_load(weight + i);
        vu at = u_load32(id + i);
        vm alive = d_lt(d_set(0.0), w);
        d_compress(weight + kept, alive, w);
        kept += u_compress32(id + kept, alive, at);
    }
    return kept;
}

KERNEL double gather_floor(const double *table, const uint32_t *id, size_t length) {
    vd a = d_set(0.0);
    for (size_t i = 0; i < length; i += LANES) a = a + d_gather(table, u_load32(id + i));
    double lanes[LANES];
    d_store(lanes, a);
    return lanes[0];
}

const tb_kernels_t TABLE = {
    .name = NAME,
    .gaussian = &GAUSSIAN_TABLE,
    .em = &EM_TABLE,
    .documents = &DOCUMENTS_TABLE,
    .fill_words = fill_words,
    .sum = sum,
    .block_sums = block_sums,
    .find_items = find_items,
    .sum_pairs = sum_pairs,
    .split_level = split_level,
    .thin = thin,
    .split_packs = split_packs,
    .poisson = poisson,
    .compact = compact,
    .observe = observe,
    .entropy_terms = entropy_terms,
    .gather_floor = gather_floor,
};

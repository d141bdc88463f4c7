/* SPDX-License-Identifier: MIT */
/* The remaining kernels and the table. Included last by each kernels_*.c, which says which table it fills. */
#include "fmath.h"
#include "kernel_classes.h"
#include "kernel_documents.h"
#include "kernel_em.h"
#include "kernel_fmath.h"
#include "kernel_gaussian.h"
#include "kernel_items.h"
#include "kernel_means.h"
#include "kernel_models.h"
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

KERNEL size_t count_beyond(const double *x, size_t length, double most) {
    size_t count = 0;
    for (size_t i = 0; i < length; i += LANES) {
        count += (size_t)__builtin_popcount(m_bits(d_lt(d_set(most), d_load(x + i))));
    }
    return count;
}

/* Integers below 2^53, so sums may be formed in any order. Elements beyond the last are zero, and end where the last
 * does. */
KERNEL tb_index_t index_items(const double *x, size_t length, double most, double *room) {
    size_t count = (length + TB_FAN - 1) / TB_FAN * TB_FAN;
    tb_index_t index = {1, {room}};
    vd before = d_set(0.0);
    for (size_t i = 0; i < count; i += LANES) {
        vd here = d_load(x + i), running = d_running(d_sel(d_le(here, d_set(most)), here, d_set(0.0)));
        d_store(room + i, before + running);
        before = before + d_last(running);
    }
    while (count > TB_FAN) {
        const double *below = room;
        const size_t fewer = count / TB_FAN;
        room += count;
        for (size_t i = 0; i < fewer; i++) room[i] = below[TB_FAN * i + TB_FAN - 1];
        count = (fewer + TB_FAN - 1) / TB_FAN * TB_FAN;
        for (size_t i = fewer; i < count; i++) room[i] = __builtin_inf();
        index.end[index.height++] = room;
    }
    return index;
}

/* There is no branch on the data, so several searches are under way at once. */
KERNEL void find_items(const tb_index_t *index, const double *item, size_t count, uint32_t *where) {
    for (size_t i = 0; i < count; i++) {
        const vd r = d_set(item[i]);
        size_t at = 0;
        for (size_t level = index->height; level-- > 0;) {
            const double *end = index->end[level] + TB_FAN * at;
            at *= TB_FAN;
            for (size_t v = 0; v < TB_FAN; v += LANES) {
                at += (size_t)__builtin_popcount(m_bits(d_le(d_load(end + v), r)));
            }
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
KERNEL size_t compact(const uint32_t *id, const double *weight, size_t length, uint32_t *to_id, double *to_weight) {
    size_t kept = 0;
    for (size_t i = 0; i < length; i += 2 * LANES) {
        const vd low = d_load(weight + i), high = d_load(weight + i + LANES);
        const vm alive = d_lt(d_set(0.0), low), alive_too = d_lt(d_set(0.0), high);
        const vw at = w_load(id + i);
        const size_t some = d_compress(to_weight + kept, alive, low);
        d_compress(to_weight + kept + some, alive_too, high);
        kept += w_compress(to_id + kept, m_bits(alive) | m_bits(alive_too) << LANES, at);
    }
    return kept;
}

KERNEL void powers(const double *x, size_t x_step, const double *y, size_t y_step, size_t count, double *out) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vm straight;
        const vd value = power(x_step ? d_load(x + i) : d_set(*x), y_step ? d_load(y + i) : d_set(*y), &straight);
        if (m_bits(straight) != (1u << LANES) - 1) {
            for (size_t j = i; j < i + LANES; j++) out[j] = tb_pow(x[j * x_step], y[j * y_step]);
        } else {
            d_store(out + i, value);
        }
    }
    for (; i < count; i++) out[i] = tb_pow(x[i * x_step], y[i * y_step]);
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
    .count_beyond = count_beyond,
    .index_items = index_items,
    .find_items = find_items,
    .sum_pairs = sum_pairs,
    .split_level = split_level,
    .thin = thin,
    .split_packs = split_packs,
    .poisson = poisson,
    .poisson_means = poisson_means,
    .tally = tally,
    .draw_classes = draw_classes,
    .compare_models = compare_models,
    .mix_models = mix_models,
    .make_whole = make_whole,
    .compact = compact,
    .pick_cells = pick_cells,
    .keep_bands = keep_bands,
    .observe = observe,
    .entropy_terms = entropy_terms,
    .powers = powers,
    .gather_floor = gather_floor,
};

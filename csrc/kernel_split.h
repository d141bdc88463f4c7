/* SPDX-License-Identifier: MIT */
/* Binomial draws as exact quantiles, and the levels of the splitting tree made of them. */
#ifndef TB_KERNEL_SPLIT_H
#define TB_KERNEL_SPLIT_H
#include "kernel_random.h"
#include "kernels.h"
#include "quantile.h"

/* Cornish-Fisher to third order with the lattice (Sheppard) terms for a law of mean np and variance np(1-p); p = 0 is
 * the Poisson law. The quantile is floor(f) unless f is within tol of an integer. Returns s^2 = npq - 1/12.
 *
 * With m = 1-2p, M = m^2 and r = 1/s the expansion is
 *   f = np + 1/2 + s z + m (z^2-1)/6 + r z [(1/16 - 7M/144) + z^2 (M/144 - 1/48)]
 *       + m r^2 [(M/405 - 1/45) + z^2 (7/720 - 7M/6480) + z^4 (1/240 - M/2160)],
 * where terms of order r^3 are left to tol. Its constants are several times the worst error of a scan that the tests
 * repeat; 2.5e-7 is the error of z. */
SIMD vd cornish_fisher(vd np, vd p, vd z, vd *f, vd *tol) {
    vd s2 = np * (d_set(1.0) - p) - d_set(1.0 / 12);
    vd s = d_sqrt(s2);
    vd r = d_rsqrt(s2);
    vd r2 = r * r;
    vd m = d_set(1.0) - (p + p);
    vd mm = m * m;
    vd z2 = z * z;
    vd z4 = z2 * z2;
    vd odd = (d_set(1.0 / 16) - d_set(7.0 / 144) * mm) + z2 * (d_set(1.0 / 144) * mm - d_set(1.0 / 48));
    vd with_mm = (d_set(1.0 / 405) - d_set(7.0 / 6480) * z2) - d_set(1.0 / 2160) * z4;
    vd without = (d_set(7.0 / 720) * z2 - d_set(1.0 / 45)) + d_set(1.0 / 240) * z4;
    vd even = (d_set(1.0 / 6) * z2 - d_set(1.0 / 6)) + r2 * (mm * with_mm + without);
    vd main = z * (s + r * odd);
    *f = (np + d_set(0.5)) + (main + m * even);
    *tol = (d_set(0.08) + d_set(0.003) * (z2 * z4)) * (r2 * r) + (d_set(2.7e-7) * d_abs(main) + d_set(1e-15) * np) +
           d_set(2e-12);
    return s2;
}

SIMD vm settled(vd f, vd k, vd tol) {
    vd part = f - k;
    return m_and(d_lt(tol, part), d_lt(part, d_set(1.0) - tol));
}

SIMD void enqueue(tb_queue_t *queue, vm m, vd n, vd p, vu word, vu where) {
    size_t at = queue->count;
    d_compress(queue->n + at, m, n);
    d_compress(queue->p + at, m, p);
    u_compress(queue->where + at, m, where);
    queue->count = at + u_compress(queue->word + at, m, word);
}

/* The expansion serves from npq = 1.5 on; below, few steps lead up from zero. */
#define REGULAR (1.5 - 1.0 / 12)

/* Counts of the left parts: n items split with weights a : b, at the word whose normal quantile is z. Lanes in doubt
 * get a place in a queue (where: index of the left count, shifted, and the flip in the last bit) and a value that is
 * overwritten when the queue is worked off. An accepted value is the quantile, so it lies in 0..n. */
SIMD vd split(vd n, vd a, vd b, vd z, vu word, vu left, tb_work_t *work) {
    vm flip = d_lt(b, a);
    vd minor = d_min(a, b);
    vd p = minor / (a + b); /* not a number where both are empty, and so in what follows: no comparison holds */
    vd f, tol;
    vd s2 = cornish_fisher(n * p, p, d_sel(flip, d_set(0.0) - z, z), &f, &tol);
    vd k = d_floor(f);
    vm regular = d_le(d_set(REGULAR), s2);
    vm good = m_and(regular, settled(f, k, tol));
    if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) {
        vm open = m_and(m_not(good), m_and(d_lt(d_set(0.0), n), d_lt(d_set(0.0), minor)));
        vu where = u_or(u_shl(left, 1), u_sel(flip, u_set(1), u_set(0)));
        vu w = u_sel(flip, u_xor(word, u_set(~(uint64_t)0)), word);
        vm hard = m_and(open, regular), small = m_and(open, m_not(regular));
        if (m_bits(small)) enqueue(&work->small, small, n, p, w, where);
        if (m_bits(hard)) enqueue(&work->hard, hard, n, p, w, where);
    }
    k = d_sel(good, k, d_set(0.0));
    return d_sel(flip, n - k, k);
}

/* The right count goes `stride` elements behind the left one; with stride 0 it is not wanted. */
SIMD void put(double *out, size_t stride, uint64_t where, double n, double k) {
    double left = where & 1 ? n - k : k;
    out[where >> 1] = left;
    if (stride) out[(where >> 1) + stride] = n - left;
}

KERNEL void finish_hard(tb_queue_t *queue, double *out, size_t stride) {
    for (size_t i = 0; i < queue->count; i++) {
        double k = (double)tb_binomial_quantile_half(queue->n[i], queue->p[i], queue->word[i]);
        put(out, stride, queue->where[i], queue->n[i], k);
    }
    queue->count = 0;
}

/* 1/k, for the recurrence of the probabilities. */
static const double RECIPROCAL[24] = {0,        1.0,      1.0 / 2,  1.0 / 3,  1.0 / 4,  1.0 / 5,  1.0 / 6,  1.0 / 7,
                                      1.0 / 8,  1.0 / 9,  1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13, 1.0 / 14, 1.0 / 15,
                                      1.0 / 16, 1.0 / 17, 1.0 / 18, 1.0 / 19, 1.0 / 20, 1.0 / 21, 1.0 / 22, 1.0 / 23};

/* Search upward from zero, for variances below 1.5. Lanes whose uniform is near 1, or nearer to a step than
 * rounding can tell, come back in `doubt`. */
SIMD vd search_small(vd n, vd p, vu word, vm *doubt) {
    vd q = d_set(1.0) - p;
    /* log1p(-p): log of the rounded q, corrected for its rounding. */
    vd log_q = d_log(q) - (p - (d_set(1.0) - q)) / q;
    vd term = d_exp(n * log_q);
    vd ratio = p / q;
    vd u = (d_from_u(word) + d_set(0.5)) * d_set(0x1p-64);
    vd sum = term, k = d_set(0.0), items = n;
    vd gap = d_abs(u - sum);
    vm above = d_lt(sum, u);
    for (int i = 1; i < 24 && m_bits(above); i++) {
        k = k + d_sel(above, d_set(1.0), d_set(0.0));
        term = term * (items * d_set(RECIPROCAL[i])) * ratio;
        items = items - d_set(1.0);
        sum = sum + term;
        gap = d_min(gap, d_abs(u - sum));
        above = m_and(above, d_lt(sum, u));
    }
    *doubt = m_or(above, m_or(d_lt(gap, d_set(1e-13)), d_lt(d_set(0.999), u)));
    return k;
}

KERNEL void finish_small(tb_queue_t *queue, double *out, size_t stride) {
    for (size_t pad = queue->count; pad < queue->count + TB_ROW; pad++) {
        queue->n[pad] = 1.0;
        queue->p[pad] = 0.5;
        queue->word[pad] = 0;
    }
    for (size_t i = 0; i < queue->count; i += LANES) {
        double k[LANES];
        vm doubt;
        d_store(k, search_small(d_load(queue->n + i), d_load(queue->p + i), u_load(queue->word + i), &doubt));
        unsigned bits = m_bits(doubt);
        for (size_t j = 0; j < LANES && i + j < queue->count; j++) {
            if (bits >> j & 1) {
                k[j] = (double)tb_binomial_quantile_half(queue->n[i + j], queue->p[i + j], queue->word[i + j]);
            }
            put(out, stride, queue->where[i + j], queue->n[i + j], k[j]);
        }
    }
    queue->count = 0;
}

/* Works off the queues; every draw put off so far has its place in `out`. */
SIMD void settle(tb_work_t *work, double *out, size_t stride, size_t most) {
    if (work->small.count > most) finish_small(&work->small, out, stride);
    if (work->hard.count > most) finish_hard(&work->hard, out, stride);
}

/* Words and their normal quantiles are made for many nodes at a time: short loops of independent steps keep a core
 * busier than one long chain. */
enum { CHUNK = 128 };

typedef struct {
    uint64_t word[CHUNK + 2 * TB_ROW];
    double z[CHUNK + 2 * TB_ROW];
} normals_t;

SIMD void fill_normals(const stream_t *stream, uint32_t slot, size_t count, normals_t *out) {
    for (size_t j = 0; j < count; j += 2 * LANES) {
        vu a, b;
        stream_words(stream, u_add(u_set(slot + j / 2), u_iota()), &a, &b);
        u_weave(a, b, &a, &b);
        u_store(out->word + j, a);
        u_store(out->word + j + LANES, b);
    }
    for (size_t j = 0; j < count; j += LANES) d_store(out->z + j, normal_at(u_load(out->word + j)));
}

/* Node j of a level uses word j mod 2 of slot + j div 2. */
KERNEL void split_level(const double *weight, const double *parent, size_t parents, double *child, uint32_t slot,
                        const tb_address_t *at, tb_work_t *work) {
    stream_t stream;
    normals_t normals;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t first = 0; first < parents; first += CHUNK) {
        const size_t count = parents - first < CHUNK ? parents - first : CHUNK;
        fill_normals(&stream, slot + (uint32_t)(first / 2), count, &normals);
        for (size_t j = 0; j < count; j += LANES) {
            const size_t to = 2 * (first + j);
            vd a, b, x, y, n = d_load(parent + first + j);
            d_split(d_load(weight + to), d_load(weight + to + LANES), &a, &b);
            vu left = u_add(u_set(to), u_shl(u_iota(), 1));
            vd k = split(n, a, b, d_load(normals.z + j), u_load(normals.word + j), left, work);
            d_weave(k, n - k, &x, &y);
            d_store(child + to, x);
            d_store(child + to + LANES, y);
            settle(work, child, 1, TB_QUEUE - LANES);
        }
    }
    settle(work, child, 1, 0);
}

KERNEL void thin(const double *count, size_t length, double chosen, double rest, double *taken, const tb_address_t *at,
                 tb_work_t *work) {
    stream_t stream;
    normals_t normals;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t first = 0; first < length; first += CHUNK) {
        const size_t some = length - first < CHUNK ? length - first : CHUNK;
        fill_normals(&stream, (uint32_t)(first / 2), some, &normals);
        for (size_t j = 0; j < some; j += LANES) {
            vu left = u_add(u_set(first + j), u_iota());
            vd k = split(d_load(count + first + j), d_set(chosen), d_set(rest), d_load(normals.z + j),
                         u_load(normals.word + j), left, work);
            d_store(taken + first + j, k);
            settle(work, taken, 0, TB_QUEUE - LANES);
        }
    }
    settle(work, taken, 0, 0);
}

/* Words and normals of the nodes first..first+count-1 of a level, for eight lineages; count is even or ends the level.
 */
SIMD void fill_row_normals(const stream_t *streams, uint32_t slot, size_t first, size_t count, normals_t *out) {
    for (size_t j = 0; j < count; j += 2) {
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            vu a, b;
            stream_words(&streams[v], u_set(slot + (first + j) / 2), &a, &b);
            u_store(out->word + j * TB_ROW + v * LANES, a);
            u_store(out->word + (j + 1) * TB_ROW + v * LANES, b);
        }
    }
    for (size_t i = 0; i < count * TB_ROW; i += LANES) d_store(out->z + i, normal_at(u_load(out->word + i)));
}

/* Some nodes of a level for eight lineages; without a sibling a row is handed down as it is. */
SIMD void split_rows(double *child, const double *parent, size_t first, size_t count, size_t rows,
                     const normals_t *normals, tb_work_t *work) {
    for (size_t j = 0; j < count; j++) {
        const size_t row = 2 * (first + j), at = row * TB_ROW;
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            vd n = d_load(parent + at / 2 + v);
            if (row + 1 == rows) {
                d_store(child + at + v, n);
                continue;
            }
            vu left = u_add(u_set(at + v), u_iota());
            vd k = split(n, d_load(child + at + v), d_load(child + at + v + TB_ROW),
                         d_load(normals->z + j * TB_ROW + v), u_load(normals->word + j * TB_ROW + v), left, work);
            d_store(child + at + v, k);
            d_store(child + at + v + TB_ROW, n - k);
        }
        settle(work, child, TB_ROW, TB_QUEUE - TB_ROW);
    }
    settle(work, child, TB_ROW, 0);
}

KERNEL void sum_row_pairs(const double *child, size_t rows, double *parent) {
    for (size_t j = 0; 2 * j < rows; j++) {
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            vd x = d_load(child + 2 * j * TB_ROW + v);
            if (2 * j + 1 < rows) x = x + d_load(child + (2 * j + 1) * TB_ROW + v);
            d_store(parent + j * TB_ROW + v, x);
        }
    }
}

KERNEL void split_pack(double *leaf, size_t rows, double *scratch, const tb_lanes_t *lanes, uint64_t key,
                       tb_work_t *work) {
    stream_t streams[TB_ROW / LANES];
    normals_t normals;
    for (size_t v = 0; v < TB_ROW / LANES; v++) {
        stream_init(&streams[v], key, u_load(lanes->generation + v * LANES), u_load(lanes->replicate + v * LANES),
                    TB_FOR_TREE);
    }
    double *level[32];
    size_t size[32], height = 0;
    level[0] = leaf;
    size[0] = rows;
    while (size[height] > 1) {
        level[height + 1] = height ? level[height] + size[height] * TB_ROW : scratch;
        size[height + 1] = (size[height] + 1) / 2;
        sum_row_pairs(level[height], size[height], level[height + 1]);
        height++;
    }
    for (size_t v = 0; v < TB_ROW; v += LANES) d_store(level[height] + v, d_load(lanes->n + v));
    while (height-- > 0) {
        enum { SOME = CHUNK / TB_ROW };
        const size_t parents = size[height + 1];
        for (size_t first = 0; first < parents; first += SOME) {
            const size_t count = parents - first < SOME ? parents - first : SOME;
            fill_row_normals(streams, tb_slot(height), first, count, &normals);
            split_rows(level[height], level[height + 1], first, count, size[height], &normals, work);
        }
    }
}
#endif

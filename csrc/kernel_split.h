/* SPDX-License-Identifier: MIT */
/* Binomial draws as exact quantiles, and the levels of the splitting tree made of them. */
#ifndef TB_KERNEL_SPLIT_H
#define TB_KERNEL_SPLIT_H
#include "kernel_random.h"
#include "kernels.h"
#include "quantile.h"

/* Cornish-Fisher to third order with the lattice (Sheppard) terms for a law of mean np and variance np(1-p); p = 0 is the
 * Poisson law. The quantile is floor(f) unless f is within tol of an integer. The constants of tol are several times the
 * worst error of a scan that the tests repeat. */
SIMD void cornish_fisher(vd np, vd p, vd z, vd *f, vd *tol) {
    vd q = d_set(1.0) - p;
    vd npq = np * q;
    vd s2 = npq - d_set(1.0 / 12);
    vd s = d_sqrt(s2);
    vd r = d_set(1.0) / s;
    vd r2 = r * r;
    vd v = npq * r2;
    vd pq = p * q;
    vd e = (q - p) * v;
    vd g = d_set(1.0) - d_set(12.0) * pq;
    vd b = v * (d_set(1.0) - d_set(6.0) * pq) + r2 * d_set(1.0 / 120);
    vd d = e * e;
    vd z2 = z * z;
    vd z4 = z2 * z2;
    vd c0 = e * (r2 * ((g * d_set(1.0 / 40) - b * d_set(1.0 / 12)) + d * d_set(17.0 / 324)) - d_set(1.0 / 6));
    vd c1 = s + r * (d * d_set(5.0 / 36) - b * d_set(1.0 / 8));
    vd c2 = e * (r2 * ((b * d_set(5.0 / 24) - g * d_set(1.0 / 20)) - d * d_set(53.0 / 324)) + d_set(1.0 / 6));
    vd c3 = r * (b * d_set(1.0 / 24) - d * d_set(1.0 / 18));
    vd c4 = e * r2 * ((g * d_set(1.0 / 120) - b * d_set(1.0 / 24)) + d * d_set(1.0 / 27));
    vd y = ((c0 + c2 * z2) + c4 * z4) + z * (c1 + c3 * z2);
    *f = (np + d_set(0.5)) + y;
    vd eps = d_sel(d_le(z2, d_set(10.0)), d_set(1.5e-9), d_set(1e-7));
    *tol = ((d_set(0.08) + d_set(0.003) * (z2 * z4)) * (r2 * r) + eps * (s * d_abs(z))) +
           (d_set(1e-15) * d_abs(*f) + d_set(1e-12));
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

/* Counts of the left parts: n items split with weights a : b. Lanes in doubt get a place in a queue (where: index of the
 * left count, shifted, and the flip in the last bit) and a value that is overwritten when the queue is worked off. */
SIMD vd split(vd n, vd a, vd b, vu word, vu left, tb_work_t *work) {
    vm flip = d_lt(b, a);
    vd minor = d_min(a, b);
    vm live = m_and(d_lt(d_set(0.0), n), d_lt(d_set(0.0), minor));
    vd p = minor / d_max(a + b, d_set(1.0));
    vu w = u_sel(flip, u_xor(word, u_set(~(uint64_t)0)), word);
    vd np = n * p, f, tol;
    cornish_fisher(np, p, normal_at(w), &f, &tol);
    vd k = d_floor(f);
    vm inside = m_and(d_le(d_set(0.0), k), d_le(k, n));
    vm regular = m_and(d_le(d_set(2.0), np), d_le(d_set(8.0), n));
    vm open = m_and(live, m_not(m_and(regular, m_and(inside, settled(f, k, tol)))));
    if (m_bits(open)) {
        vu where = u_or(u_shl(left, 1), u_sel(flip, u_set(1), u_set(0)));
        vm hard = m_and(open, regular), small = m_and(open, m_not(regular));
        if (m_bits(small)) enqueue(&work->small, small, n, p, w, where);
        if (m_bits(hard)) enqueue(&work->hard, hard, n, p, w, where);
    }
    k = d_sel(m_and(live, inside), k, d_set(0.0));
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

/* Search upward from zero, for means below 2 or fewer than 8 items. Lanes whose uniform is near 1, or nearer to a step than
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

/* Node j of a level uses word j mod 2 of slot + j div 2. */
KERNEL void split_level(const double *weight, const double *parent, size_t parents, double *child, uint32_t slot,
                        const tb_address_t *at, tb_work_t *work) {
    stream_t stream;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t j = 0; j < parents; j += 2 * LANES) {
        vd n[2] = {d_load(parent + j), d_load(parent + j + LANES)};
        vu word[2];
        if (!m_bits(d_lt(d_set(0.0), n[0] + n[1]))) {
            for (size_t i = 0; i < 4 * LANES; i += LANES) d_store(child + 2 * j + i, d_set(0.0));
            continue;
        }
        stream_words(&stream, u_add(u_set(slot + j / 2), u_iota()), &word[0], &word[1]);
        u_weave(word[0], word[1], &word[0], &word[1]);
        for (size_t half = 0; half < 2; half++) {
            size_t first = 2 * (j + half * LANES);
            vd a, b, x, y;
            d_split(d_load(weight + first), d_load(weight + first + LANES), &a, &b);
            vu left = u_add(u_set(first), u_shl(u_iota(), 1));
            vd k = split(n[half], a, b, word[half], left, work);
            d_weave(k, n[half] - k, &x, &y);
            d_store(child + first, x);
            d_store(child + first + LANES, y);
        }
        settle(work, child, 1, TB_QUEUE - 2 * LANES);
    }
    settle(work, child, 1, 0);
}

KERNEL void thin(const double *count, size_t length, double chosen, double rest, double *taken, const tb_address_t *at,
                 tb_work_t *work) {
    stream_t stream;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t j = 0; j < length; j += 2 * LANES) {
        vu word[2];
        stream_words(&stream, u_add(u_set(j / 2), u_iota()), &word[0], &word[1]);
        u_weave(word[0], word[1], &word[0], &word[1]);
        for (size_t half = 0; half < 2; half++) {
            size_t first = j + half * LANES;
            vu left = u_add(u_set(first), u_iota());
            vd k = split(d_load(count + first), d_set(chosen), d_set(rest), word[half], left, work);
            d_store(taken + first, k);
        }
        settle(work, taken, 0, TB_QUEUE - 2 * LANES);
    }
    settle(work, taken, 0, 0);
}

/* Rows of a level for eight lineages; without a sibling a row is handed down as it is. */
KERNEL void split_row_pair(const stream_t *streams, double *child, const double *parent, size_t j, size_t rows,
                           uint32_t slot, tb_work_t *work) {
    for (size_t v = 0; v < TB_ROW / LANES; v++) {
        vu word[2];
        stream_words(&streams[v], u_set(slot + j / 2), &word[0], &word[1]);
        for (size_t i = j; i < j + 2 && 2 * i < rows; i++) {
            size_t at = 2 * i * TB_ROW + v * LANES;
            vd n = d_load(parent + i * TB_ROW + v * LANES);
            if (2 * i + 1 == rows) {
                d_store(child + at, n);
                continue;
            }
            vu left = u_add(u_set(at), u_iota());
            vd k = split(n, d_load(child + at), d_load(child + at + TB_ROW), word[i - j], left, work);
            d_store(child + at, k);
            d_store(child + at + TB_ROW, n - k);
        }
    }
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

KERNEL void split_pack(double *leaf, size_t rows, double *scratch, const tb_lanes_t *lanes, uint64_t key, tb_work_t *work) {
    stream_t streams[TB_ROW / LANES];
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
        for (size_t j = 0; j < size[height + 1]; j += 2) {
            split_row_pair(streams, level[height], level[height + 1], j, size[height], tb_slot(height), work);
            settle(work, level[height], TB_ROW, TB_QUEUE - 2 * TB_ROW);
        }
        settle(work, level[height], TB_ROW, 0);
    }
}
#endif

/* SPDX-License-Identifier: MIT */
/* Binomial draws as exact quantiles, and the levels of the splitting tree made of them. */
#ifndef TB_KERNEL_SPLIT_H
#define TB_KERNEL_SPLIT_H
#include <string.h>

#include "kernel_random.h"
#include "kernels.h"
#include "quantile.h"

/* Cornish-Fisher to third order with the lattice (Sheppard) terms for a law of mean np and variance npq; p = 0 is the
 * Poisson law. The quantile is floor(np + 1/2 + what is returned) where the fraction of that is at most `limit` away
 * from 1/2; elsewhere it has to be looked for.
 *
 * With s^2 = npq - 1/12, m = 1-2p, M = m^2 and r = 1/s the expansion is
 *   np + 1/2 + s z + m (z^2-1)/6 + r z [(1/16 - 7M/144) + z^2 (M/144 - 1/48)]
 *       + m r^2 [(M/405 - 1/45) + z^2 (7/720 - 7M/6480) + z^4 (1/240 - M/2160)],
 * where terms of order r^3 are left to the limit. Its constants are several times the worst error of a scan that the
 * tests repeat; 1.5e-6 covers z and single precision, 4e-10 the half of the word that z is not made of. What falls
 * between integers for certain is the quantile, so rounding, which differs between instruction sets here, changes no
 * result. The expansion serves from npq = 1.5 on; below, few steps lead up from zero. */
#define REGULAR 1.5f
/* Means below this are searched step by step where the expansion does not settle them. */
#define SEARCHED 8.0

SIMD vf cornish_fisher(vf npq, vf p, vf z, vf *limit) {
    vf s2 = npq - (float)(1.0 / 12);
    vf r = f_rsqrt(s2);
    vf h = f_fma(f_set(0.0f) - s2 * r, r, f_set(1.0f));
    r = f_fma(r * h, f_fma(f_set(0.375f), h, f_set(0.5f)), r);
    vf r2 = r * r;
    vf m = f_fma(f_set(-2.0f), p, f_set(1.0f));
    vf mm = m * m;
    vf z2 = z * z;
    vf z4 = z2 * z2;
    vf odd =
        f_fma(z2, f_fma(mm, f_set(1.0f / 144), f_set(-1.0f / 48)), f_fma(mm, f_set(-7.0f / 144), f_set(1.0f / 16)));
    vf with_mm = f_fma(z4, f_set(-1.0f / 2160), f_fma(z2, f_set(-7.0f / 6480), f_set(1.0f / 405)));
    vf without = f_fma(z4, f_set(1.0f / 240), f_fma(z2, f_set(7.0f / 720), f_set(-1.0f / 45)));
    vf even = f_fma(r2, f_fma(mm, with_mm, without), f_fma(z2, f_set(1.0f / 6), f_set(-1.0f / 6)));
    vf s = s2 * r;
    vf main = z * f_fma(r, odd, s);
    vf lattice = f_fma(z2 * z4, f_set(-0.003f), f_set(-0.08f)) * (r2 * r);
    vf near = f_fma(f_abs(main), f_set(-1.5e-6f), f_fma(s, f_set(-4e-10f), f_set(0.5f - 2e-6f))) + lattice;
    vf far = f_fma(z2, f_set(-1e6f), f_set(1e6f * NORMAL_END * NORMAL_END));
    vf small = f_fma(npq, f_set(1e6f), f_set(-1e6f * REGULAR));
    *limit = f_min(near, f_min(far, small));
    return f_fma(m, even, main);
}

/* Whether f = np + 1/2 + ... lies between integers for certain; k = floor(f). */
SIMD vm settled(vd f, vd k, vd limit, vd np) {
    return d_le(d_abs((f - k) - d_set(0.5)), d_fma(d_set(-1e-15), np, limit));
}

SIMD void enqueue(tb_queue_t *queue, vm m, vd n, vd p, vu word, vu where) {
    size_t at = queue->count;
    d_compress(queue->n + at, m, n);
    d_compress(queue->p + at, m, p);
    u_compress(queue->where + at, m, where);
    queue->count = at + u_compress(queue->word + at, m, word);
}

/* Words, their normal quantiles and what the expansion makes of them are worked out for many nodes at a time, one stage
 * after the other: short loops of independent steps keep a core busier than one long chain. */
enum { CHUNK = 128, ROOM = 256 }; /* nodes of a level; nodes of small levels that are drawn together */

typedef struct {
    uint64_t word[ROOM + 2 * TB_ROW];
    double np[ROOM + 2 * TB_ROW];
    float z[ROOM + 2 * TB_ROW], p[ROOM + 2 * TB_ROW], npq[ROOM + 2 * TB_ROW];
    float rest[ROOM + 2 * TB_ROW], limit[ROOM + 2 * TB_ROW];
} draws_t;

/* The laws of the left counts of two registers of splits: n items each with weights a : b. */
SIMD void put_laws(draws_t *draws, size_t at, vd n0, vd n1, vd a0, vd a1, vd b0, vd b1) {
    vd p0 = a0 / (a0 + b0), p1 = a1 / (a1 + b1); /* not a number where both are empty: no comparison holds */
    vd np0 = n0 * p0, np1 = n1 * p1;
    d_store(draws->np + at, np0);
    d_store(draws->np + at + LANES, np1);
    f_store(draws->p + at, f_join(p0, p1));
    f_store(draws->npq + at, f_join(np0 - np0 * p0, np1 - np1 * p1));
}

/* `count` is a multiple of 2 * LANES, here and below. */
SIMD void make_normals(draws_t *draws, size_t count) {
    for (size_t j = 0; j < count; j += 2 * LANES) {
        f_store(draws->z + j, normal_at(w_upper(u_load(draws->word + j), u_load(draws->word + j + LANES))));
    }
}

SIMD void expand(draws_t *draws, size_t first, size_t count) {
    for (size_t j = first; j < first + count; j += 2 * LANES) {
        vf limit;
        f_store(draws->rest + j,
                cornish_fisher(f_load(draws->npq + j), f_load(draws->p + j), f_load(draws->z + j), &limit));
        f_store(draws->limit + j, limit);
    }
}

/* Counts of the left parts. With p beyond 1/2 the quantile is that of the right part at the mirrored word, taken off
 * n; the expansion has the same symmetry. An accepted value is the quantile, so it lies in 0..n. */
SIMD vd left_counts(const draws_t *draws, size_t at, vm *good) {
    vd np = d_load(draws->np + at);
    vd f = (np + d_set(0.5)) + d_load32(draws->rest + at);
    vd k = d_floor(f);
    *good = settled(f, k, d_load32(draws->limit + at), np);
    return k;
}

/* Lanes in doubt get a place in a queue (where: index of the left count, shifted, and the flip in the last bit) and a
 * value that is overwritten when the queue is worked off. */
SIMD vd put_off(vd k, vm good, vd n, vd a, vd b, vu word, vu left, tb_work_t *work) {
    vm flip = d_lt(b, a);
    vd minor = d_min(a, b), p = minor / (a + b);
    vm open = m_and(m_not(good), m_and(d_lt(d_set(0.0), n), d_lt(d_set(0.0), minor)));
    vu where = u_or(u_shl(left, 1), u_sel(flip, u_set(1), u_set(0)));
    vu w = u_sel(flip, u_xor(word, u_set(~(uint64_t)0)), word);
    vm regular = d_le(d_set(SEARCHED), n * p);
    vm hard = m_and(open, regular), small = m_and(open, m_not(regular));
    if (m_bits(small)) enqueue(&work->small, small, n, p, w, where);
    if (m_bits(hard)) enqueue(&work->hard, hard, n, p, w, where);
    return d_sel(good, k, d_sel(d_lt(d_set(0.0), a), n, d_set(0.0)));
}

/* The right count goes `stride` elements behind the left one; with stride 0 it is not wanted. */
SIMD void put(double *out, size_t stride, uint64_t where, double n, double k) {
    double left = where & 1 ? n - k : k;
    out[where >> 1] = left;
    if (stride) out[(where >> 1) + stride] = n - left;
}

KERNEL void finish_one(const tb_queue_t *queue, size_t at, double *out, size_t stride) {
    const double n = queue->n[at];
    put(out, stride, queue->where[at], n, (double)tb_binomial_quantile_half(n, queue->p[at], queue->word[at]));
}

KERNEL void finish_hard(tb_queue_t *queue, double *out, size_t stride) {
    for (size_t i = 0; i < queue->count; i++) finish_one(queue, i, out, stride);
    queue->count = 0;
}

/* 1/k, for the recurrence of the probabilities. */
static const float RECIPROCAL[] = {0,         1.0f,      1.0f / 2,  1.0f / 3,  1.0f / 4,  1.0f / 5,
                                   1.0f / 6,  1.0f / 7,  1.0f / 8,  1.0f / 9,  1.0f / 10, 1.0f / 11,
                                   1.0f / 12, 1.0f / 13, 1.0f / 14, 1.0f / 15, 1.0f / 16, 1.0f / 17,
                                   1.0f / 18, 1.0f / 19, 1.0f / 20, 1.0f / 21, 1.0f / 22, 1.0f / 23};
enum { STEPS = sizeof RECIPROCAL / sizeof *RECIPROCAL };

/* log2(1 - p) / p for p in [0, 1/2], in p - 1/4: relative error 3.6e-9 */
static const float LOG2_REST[10] = {
    -1.6601500029162772f, -1.05377360281909f,   -0.9144835242662066f, -0.9016636952844935f, -0.953502000969798f,
    -1.053020653703513f,  -1.1711225604392308f, -1.351064797077543f,  -2.081120599794948f,  -2.5636953308974015f};
/* 2^f for f in [-1/2, 1/2]: relative error 2.6e-9 */
static const float EXP2[7] = {0.9999999999595482f,    0.6931472067106199f,   0.2402265121359523f,
                              0.05550327214209201f,   0.009618025602955837f, 0.0013400432165385696f,
                              0.00015469731977475548f};

/* (1 - p)^n for np of at most SEARCHED. */
SIMD vf none_of(vf n, vf p) {
    vf x = n * p * f_poly9(LOG2_REST, p - 0.25f);
    vf shifted = x + 0x1.8p23f;
    vw exponent = (vw)shifted << 23;
    return (vf)((vw)f_poly6(EXP2, x - (shifted - 0x1.8p23f)) + exponent);
}

/* Search upward from zero, for means below SEARCHED. Lanes whose uniform is nearer to a step than rounding can tell are
 * in doubt: their bits are returned. Single precision is off by 8e-6 at most: by 3e-6 in the first probability, by as
 * much again in those that follow from it, the rest in their sum. */
SIMD unsigned search_small(vf n, vf p, vw word, vf *k) {
    const vf u = f_fma(f_from_i(word ^ 0x80000000u), f_set(0x1p-32f), f_set(0.5f)), low = u - 2e-5f, high = u + 2e-5f;
    vf term = none_of(n, p), odds = p / (1.0f - p), rest = n * odds, sum = term;
    vi below = sum < low, open = sum < high, steps = -below, most = -open;
    for (size_t i = 1; i < STEPS && f_signs((vf)open); i++) {
        term = term * (rest * f_set(RECIPROCAL[i]));
        rest = rest - odds;
        sum = sum + term;
        below = sum < low;
        open = sum < high;
        steps -= below;
        most -= open;
    }
    *k = f_from_i((vw)steps);
    return f_signs((vf)(open | (steps != most)));
}

/* Left counts of a register of draws, and right ones, to where they belong. */
SIMD void put_steps(const tb_queue_t *queue, size_t at, vd k, double *out, size_t stride) {
    const vd n = d_load(queue->n + at);
    const vu where = u_load(queue->where + at);
    const vd left = d_sel(u_eq(u_and(where, u_set(1)), u_set(0)), k, n - k);
    const size_t count = queue->count - at < LANES ? queue->count - at : LANES;
    double both[2][LANES];
    d_store(both[0], left);
    d_store(both[1], n - left);
    for (size_t j = 0; j < count; j++) {
        double *to = out + (queue->where[at + j] >> 1);
        *to = both[0][j];
        if (stride) to[stride] = both[1][j];
    }
}

KERNEL void finish_small(tb_queue_t *queue, double *out, size_t stride) {
    for (size_t pad = queue->count; pad < queue->count + 2 * LANES; pad++) {
        queue->n[pad] = 1.0;
        queue->p[pad] = 0.5;
        queue->word[pad] = 0;
    }
    for (size_t i = 0; i < queue->count; i += 2 * LANES) {
        float found[2 * LANES];
        vf steps;
        unsigned doubt = search_small(f_join(d_load(queue->n + i), d_load(queue->n + i + LANES)),
                                      f_join(d_load(queue->p + i), d_load(queue->p + i + LANES)),
                                      w_upper(u_load(queue->word + i), u_load(queue->word + i + LANES)), &steps);
        f_store(found, steps);
        put_steps(queue, i, d_load32(found), out, stride);
        if (i + LANES < queue->count) put_steps(queue, i + LANES, d_load32(found + LANES), out, stride);
        for (; doubt; doubt &= doubt - 1) {
            const size_t at = i + (size_t)__builtin_ctz(doubt);
            if (at < queue->count) finish_one(queue, at, out, stride);
        }
    }
    queue->count = 0;
}

/* Works off the queues; every draw put off so far has its place in `out`. */
SIMD void settle(tb_work_t *work, double *out, size_t stride, size_t most) {
    if (work->small.count > most) finish_small(&work->small, out, stride);
    if (work->hard.count > most) finish_hard(&work->hard, out, stride);
}

SIMD void fill_words_of(draws_t *draws, const stream_t *stream, uint32_t slot, size_t count) {
    for (size_t j = 0; j < count; j += 2 * LANES) {
        vu a, b;
        stream_words(stream, u_add(u_set(slot + j / 2), u_iota()), &a, &b);
        u_weave(a, b, &a, &b);
        u_store(draws->word + j, a);
        u_store(draws->word + j + LANES, b);
    }
}

SIMD size_t whole(size_t count) { return (count + 2 * LANES - 1) / (2 * LANES) * (2 * LANES); }

/* Some nodes of a level, as many as there is room for. */
SIMD void split_nodes(draws_t *draws, const double *weight, const double *parent, size_t first, size_t count,
                      double *child, tb_work_t *work) {
    make_normals(draws, count);
    for (size_t j = 0; j < count; j += 2 * LANES) {
        const double *from = weight + 2 * (first + j);
        vd a0, a1, b0, b1;
        d_split(d_load(from), d_load(from + LANES), &a0, &b0);
        d_split(d_load(from + 2 * LANES), d_load(from + 3 * LANES), &a1, &b1);
        put_laws(draws, j, d_load(parent + first + j), d_load(parent + first + j + LANES), a0, a1, b0, b1);
    }
    expand(draws, 0, count);
    for (size_t j = 0; j < count; j += LANES) {
        const size_t to = 2 * (first + j);
        vm good;
        vd x, y, n = d_load(parent + first + j), k = left_counts(draws, j, &good);
        if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) {
            d_split(d_load(weight + to), d_load(weight + to + LANES), &x, &y);
            k = put_off(k, good, n, x, y, u_load(draws->word + j), u_add(u_set(to), u_shl(u_iota(), 1)), work);
        }
        d_weave(k, n - k, &x, &y);
        d_store(child + to, x);
        d_store(child + to + LANES, y);
        settle(work, child, 1, TB_QUEUE - LANES);
    }
}

/* Node j of a level uses word j mod 2 of slot + j div 2. */
KERNEL void split_level(const double *weight, const double *parent, size_t parents, double *child, uint32_t slot,
                        const tb_address_t *at, tb_work_t *work) {
    stream_t stream;
    draws_t draws;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t first = 0; first < parents; first += CHUNK) {
        const size_t count = whole(parents - first < CHUNK ? parents - first : CHUNK);
        fill_words_of(&draws, &stream, slot + (uint32_t)(first / 2), count);
        split_nodes(&draws, weight, parent, first, count, child, work);
    }
    settle(work, child, 1, 0);
}

KERNEL void thin(const double *count, size_t length, double chosen, double rest, double *taken, const tb_address_t *at,
                 tb_work_t *work) {
    const vd a = d_set(chosen), b = d_set(rest);
    stream_t stream;
    draws_t draws;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t first = 0; first < length; first += CHUNK) {
        const size_t some = whole(length - first < CHUNK ? length - first : CHUNK);
        const double *from = count + first;
        fill_words_of(&draws, &stream, (uint32_t)(first / 2), some);
        make_normals(&draws, some);
        for (size_t j = 0; j < some; j += 2 * LANES) {
            put_laws(&draws, j, d_load(from + j), d_load(from + j + LANES), a, a, b, b);
        }
        expand(&draws, 0, some);
        for (size_t j = 0; j < some; j += LANES) {
            vm good;
            vd k = left_counts(&draws, j, &good);
            if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) {
                k = put_off(k, good, d_load(from + j), a, b, u_load(draws.word + j), u_add(u_set(first + j), u_iota()),
                            work);
            }
            d_store(taken + first + j, k);
            settle(work, taken, 0, TB_QUEUE - LANES);
        }
    }
    settle(work, taken, 0, 0);
}

/* Words of the nodes first..first+count-1 of a level for eight lineages, from place `to` on, and maybe one more. */
SIMD void fill_row_words(draws_t *draws, size_t to, const stream_t *streams, uint32_t slot, size_t first,
                         size_t count) {
    for (size_t j = 0; j < count; j += 2) {
        uint64_t *word = draws->word + (to + j) * TB_ROW;
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            vu a, b;
            stream_words(&streams[v], u_set(slot + (first + j) / 2), &a, &b);
            u_store(word + v * LANES, a);
            u_store(word + TB_ROW + v * LANES, b);
        }
    }
}

/* Nodes of eight lineages each, all of two children: where their counts are, and the left child's weights; the right
 * child's are a row further on. */
typedef struct {
    size_t count;
    const double *parent[ROOM / TB_ROW + 1];
    double *left[ROOM / TB_ROW + 1];
} nodes_t;

SIMD void add_nodes(nodes_t *nodes, double *child, const double *parent, size_t count) {
    for (size_t j = 0; j < count; j++) {
        nodes->parent[nodes->count] = parent + j * TB_ROW;
        nodes->left[nodes->count++] = child + 2 * j * TB_ROW;
    }
}

/* Splits nodes whose normals are those from place `at` on. Indices in the queues count from `all`. */
SIMD void split_rows(draws_t *draws, size_t at, nodes_t *nodes, double *all, tb_work_t *work) {
    const size_t begin = at * TB_ROW, count = nodes->count * TB_ROW;
    nodes->parent[nodes->count] = nodes->parent[nodes->count - 1]; /* registers go in pairs */
    nodes->left[nodes->count] = nodes->left[nodes->count - 1];
    for (size_t j = 0; j < count; j += 2 * LANES) {
        const size_t next = j + LANES;
        const double *low = nodes->left[j / TB_ROW] + j % TB_ROW, *high = nodes->left[next / TB_ROW] + next % TB_ROW;
        put_laws(draws, begin + j, d_load(nodes->parent[j / TB_ROW] + j % TB_ROW),
                 d_load(nodes->parent[next / TB_ROW] + next % TB_ROW), d_load(low), d_load(high), d_load(low + TB_ROW),
                 d_load(high + TB_ROW));
    }
    expand(draws, begin, whole(count));
    for (size_t j = 0; j < count; j += LANES) {
        double *left = nodes->left[j / TB_ROW] + j % TB_ROW;
        vm good;
        vd n = d_load(nodes->parent[j / TB_ROW] + j % TB_ROW), k = left_counts(draws, begin + j, &good);
        if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) {
            k = put_off(k, good, n, d_load(left), d_load(left + TB_ROW), u_load(draws->word + begin + j),
                        u_add(u_set((uint64_t)(left - all)), u_iota()), work);
        }
        d_store(left, k);
        d_store(left + TB_ROW, n - k);
        settle(work, all, TB_ROW, TB_QUEUE - LANES);
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

/* Packs side by side: every level holds that of the first pack, then that of the next. */
typedef struct {
    size_t packs, height, size[32]; /* rows of a level */
    double *level[32];
    stream_t stream[TB_PACKS][TB_ROW / LANES];
} forest_t;

/* One level of one pack, whatever its size. */
SIMD void split_large(const forest_t *forest, size_t height, size_t pack, draws_t *draws, tb_work_t *work) {
    enum { SOME = CHUNK / TB_ROW };
    const size_t size = forest->size[height] / 2;
    double *child = forest->level[height] + pack * forest->size[height] * TB_ROW;
    const double *parent = forest->level[height + 1] + pack * forest->size[height + 1] * TB_ROW;
    nodes_t nodes;
    for (size_t first = 0; first < size; first += SOME) {
        const size_t count = size - first < SOME ? size - first : SOME;
        nodes.count = 0;
        add_nodes(&nodes, child + 2 * first * TB_ROW, parent + first * TB_ROW, count);
        fill_row_words(draws, 0, forest->stream[pack], tb_slot(height), first, count);
        make_normals(draws, whole(count * TB_ROW));
        split_rows(draws, 0, &nodes, forest->level[height], work);
    }
}

/* Words and normals of the levels from `height` down, as many as there is room for: they wait for nothing. */
SIMD size_t prepare(const forest_t *forest, size_t height, draws_t *draws) {
    size_t made = 0;
    for (size_t h = height + 1; h-- > 0;) {
        const size_t nodes = forest->size[h] / 2;
        if (made + forest->packs * nodes > ROOM / TB_ROW) break;
        for (size_t p = 0; p < forest->packs; p++, made += nodes) {
            fill_row_words(draws, made, forest->stream[p], tb_slot(h), 0, nodes);
        }
    }
    make_normals(draws, whole(made * TB_ROW));
    return made;
}

SIMD void split_forest(const forest_t *forest, draws_t *draws, tb_work_t *work) {
    size_t made = 0, used = 0;
    for (size_t height = forest->height; height-- > 0;) {
        const size_t size = forest->size[height], above = forest->size[height + 1];
        double *child = forest->level[height];
        const double *parent = forest->level[height + 1];
        nodes_t nodes;
        nodes.count = 0;
        if (used == made) made = prepare(forest, height, draws), used = 0;
        for (size_t p = 0; p < forest->packs; p++) {
            if (made == 0) {
                split_large(forest, height, p, draws, work);
            } else {
                add_nodes(&nodes, child + p * size * TB_ROW, parent + p * above * TB_ROW, size / 2);
            }
        }
        if (made) split_rows(draws, used, &nodes, child, work);
        used += nodes.count;
        settle(work, child, TB_ROW, 0);
        for (size_t p = 0; size % 2 && p < forest->packs; p++) { /* without a sibling: handed down as it is */
            memcpy(child + ((p + 1) * size - 1) * TB_ROW, parent + ((p + 1) * above - 1) * TB_ROW,
                   TB_ROW * sizeof(double));
        }
    }
}

KERNEL void split_packs(double *leaf, size_t rows, size_t packs, double *scratch, const tb_lanes_t *lanes,
                        uint32_t purpose, uint64_t key, tb_work_t *work) {
    forest_t forest;
    draws_t draws;
    size_t height = 0;
    forest.packs = packs;
    for (size_t p = 0; p < packs; p++) {
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            stream_init(&forest.stream[p][v], key, u_load(lanes[p].generation + v * LANES),
                        u_load(lanes[p].replicate + v * LANES), purpose);
        }
    }
    forest.level[0] = leaf;
    forest.size[0] = rows;
    for (double *room = scratch; forest.size[height] > 1; height++) {
        const size_t size = forest.size[height], above = (size + 1) / 2;
        for (size_t p = 0; p < packs; p++) {
            sum_row_pairs(forest.level[height] + p * size * TB_ROW, size, room + p * above * TB_ROW);
        }
        forest.level[height + 1] = room;
        forest.size[height + 1] = above;
        room += packs * above * TB_ROW;
    }
    forest.height = height;
    for (size_t p = 0; p < packs; p++) {
        for (size_t v = 0; v < TB_ROW; v += LANES)
            d_store(forest.level[height] + p * TB_ROW + v, d_load(lanes[p].n + v));
    }
    split_forest(&forest, &draws, work);
}
#endif

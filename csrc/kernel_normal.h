/* SPDX-License-Identifier: MIT */
/* Normal and chi variates by address, to the double's accuracy. Lanes are lineages: each has a generation and a
 * replicate of its own, and what a lane gets does not depend on its neighbours. */
#ifndef TB_KERNEL_NORMAL_H
#define TB_KERNEL_NORMAL_H
#include "gaussian_kernels.h"
#include "kernel_random.h"
#include "quantile.h"

/* sqrt(2) erfinv(x) / x in w - 3.125, w = -log(1 - x^2) <= 6.25: relative error 9.7e-17 */
static const double NORMAL_CENTRAL[24] = {
    2.338620710026593,       0.3396349587011389,      -0.00853289917726869,    -0.001047511569485637,
    0.00026408204954718386,  -1.9632852863644058e-05, -1.931065040080557e-06,  5.988894860639838e-07,
    -4.111172921446291e-08,  -5.8161801245168146e-09, 1.4866471395532523e-09,  -7.656982921479956e-11,
    -1.8352137803256813e-11, 3.720131474639507e-12,   -1.1480190233629037e-13, -5.65977003945526e-14,
    9.327551070923261e-15,   -5.562821268096128e-17,  -1.8399739975517592e-16, 2.192880892848974e-17,
    1.6225120172665067e-18,  -4.909485893738654e-19,  -1.5028296634027384e-21, 4.512131268191058e-21};

/* Operations of two registers by turns, so that one need not wait for itself. */
typedef struct {
    vd a, b;
} pair_t;

#define EACH(expression_a, expression_b) ((pair_t){(expression_a), (expression_b)})

SIMD pair_t pair_square(pair_t x) { return EACH(x.a * x.a, x.b * x.b); }

SIMD pair_t pair_poly7(const double *c, pair_t x, pair_t x2, pair_t x4) {
    pair_t p = EACH(d_set(c[0]) + d_set(c[1]) * x.a, d_set(c[0]) + d_set(c[1]) * x.b);
    pair_t q = EACH(d_set(c[2]) + d_set(c[3]) * x.a, d_set(c[2]) + d_set(c[3]) * x.b);
    pair_t r = EACH(d_set(c[4]) + d_set(c[5]) * x.a, d_set(c[4]) + d_set(c[5]) * x.b);
    pair_t s = EACH(d_set(c[6]) + d_set(c[7]) * x.a, d_set(c[6]) + d_set(c[7]) * x.b);
    p = EACH(p.a + q.a * x2.a, p.b + q.b * x2.b);
    r = EACH(r.a + s.a * x2.a, r.b + s.b * x2.b);
    return EACH(p.a + r.a * x4.a, p.b + r.b * x4.b);
}

SIMD pair_t pair_poly23(const double *c, pair_t x) {
    pair_t x2 = pair_square(x);
    pair_t x4 = pair_square(x2);
    pair_t x8 = pair_square(x4);
    pair_t top = pair_poly7(c + 16, x, x2, x4), middle = pair_poly7(c + 8, x, x2, x4);
    middle = EACH(middle.a + top.a * x8.a, middle.b + top.b * x8.b);
    pair_t low = pair_poly7(c, x, x2, x4);
    return EACH(low.a + middle.a * x8.a, low.b + middle.b * x8.b);
}

/* d_log of both. */
SIMD pair_t pair_log(pair_t x) {
    pair_t e, t;
    t.a = split_exponent(x.a, &e.a) - d_set(1.0);
    t.b = split_exponent(x.b, &e.b) - d_set(1.0);
    pair_t s = EACH(t.a / (d_set(2.0) + t.a), t.b / (d_set(2.0) + t.b));
    pair_t s2 = pair_square(s);
    pair_t y = EACH(s2.a - d_set(0.01472), s2.b - d_set(0.01472));
    pair_t y2 = pair_square(y);
    pair_t ratio = pair_poly7(ATANH_RATIO, y, y2, pair_square(y2));
    pair_t small = EACH(s.a * s2.a * ratio.a, s.b * s2.b * ratio.b);
    const vd low = d_set(0x1.ef35793c7673p-45), high = d_set(0x1.62e42fefa38p-1);
    pair_t main = EACH(t.a - (s.a * t.a - (small.a + e.a * low)), t.b - (s.b * t.b - (small.b + e.b * low)));
    return EACH(e.a * high + main.a, e.b * high + main.b);
}

/* One word in a thousand lies beyond the polynomial: these are done one by one. */
KERNEL __attribute__((noinline)) void fill_far(unsigned far, const uint64_t *word, double *z) {
    for (size_t i = 0; i < LANES; i++) {
        if (far >> i & 1) z[i] = tb_normal_quantile(word[i]);
    }
}

SIMD vd with_far(unsigned far, vu word, vd z) {
    uint64_t words[LANES];
    double values[LANES];
    if (!far) return z;
    u_store(words, word);
    d_store(values, z);
    fill_far(far, words, values);
    return d_load(values);
}

/* u below the median, times 2^64, and its distance from it, times -2^63. */
SIMD vd tail_of(vu low) { return d_from_u(low) + d_set(0.5); }
SIMD vd centre_of(vu low) { return d_from_u(u_xor(low, u_set(0x7fffffffffffffffu))) + d_set(0.5); }
SIMD vd mirrored(vu word, vd z) { return d_of_bits(u_xor(d_bits(z), u_and(word, u_set((uint64_t)1 << 63)))); }

/* The normal quantile at u = (R + 1/2) / 2^64, to a few units in the last place. Both u and its distance from 1/2 are
 * formed from the word's own bits, so nothing cancels near the median or in either tail. */
SIMD pair_t exact_normals_at(vu first, vu second) {
    const vd small = d_set(0x1p-64), one = d_set(1.0), four = d_set(4.0), minus = d_set(-0x1p-63);
    const vu low_a = u_fold(first), low_b = u_fold(second);
    pair_t t = EACH(tail_of(low_a) * small, tail_of(low_b) * small);
    pair_t x = EACH(centre_of(low_a) * minus, centre_of(low_b) * minus);
    pair_t minus_w = pair_log(EACH(four * t.a * (one - t.a), four * t.b * (one - t.b)));
    pair_t z = pair_poly23(NORMAL_CENTRAL, EACH(d_set(-3.125) - minus_w.a, d_set(-3.125) - minus_w.b));
    z = EACH(mirrored(first, x.a * z.a), mirrored(second, x.b * z.b));
    const unsigned far_a = m_bits(d_lt(minus_w.a, d_set(-6.25))), far_b = m_bits(d_lt(minus_w.b, d_set(-6.25)));
    if (__builtin_expect((far_a | far_b) != 0, 0)) {
        z.a = with_far(far_a, first, z.a);
        z.b = with_far(far_b, second, z.b);
    }
    return z;
}

/* One register of them. */
SIMD vd exact_normal_at(vu word) {
    const vu low = u_fold(word);
    vd t = tail_of(low) * d_set(0x1p-64);
    vd minus_w = d_log(d_set(4.0) * t * (d_set(1.0) - t)), y = d_set(-3.125) - minus_w;
    vd y2 = y * y;
    vd y4 = y2 * y2;
    vd y8 = y4 * y4;
    const double *c = NORMAL_CENTRAL;
    vd z = poly7(c, y) + (poly7(c + 8, y) + poly7(c + 16, y) * y8) * y8;
    z = mirrored(word, centre_of(low) * d_set(-0x1p-63) * z);
    const unsigned far = m_bits(d_lt(minus_w, d_set(-6.25)));
    return __builtin_expect(far != 0, 0) ? with_far(far, word, z) : z;
}

SIMD stream_t lane_stream(const tb_lanes_t *lanes, size_t v, uint64_t key, uint32_t purpose) {
    stream_t stream;
    stream_init(&stream, key, u_load(lanes->generation + v), u_load(lanes->replicate + v), purpose);
    return stream;
}

KERNEL void fill_lane_normals(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, uint32_t slot, size_t count,
                              double *out) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        const stream_t stream = lane_stream(lanes, v, key, purpose);
        for (size_t i = 0; i < count; i += 2) {
            vu a, b;
            stream_words(&stream, u_set(slot + i / 2), &a, &b);
            if (i + 1 == count) {
                d_store(out + i * TB_ROW + v, exact_normal_at(a));
                break;
            }
            pair_t z = exact_normals_at(a, b);
            d_store(out + i * TB_ROW + v, z.a);
            d_store(out + (i + 1) * TB_ROW + v, z.b);
        }
    }
}

KERNEL void fill_item_normals(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, const uint64_t *slot,
                              size_t count, double *out) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        const stream_t stream = lane_stream(lanes, v, key, purpose);
        const vu first = u_load(slot + v);
        for (size_t i = 0; i < count; i += 2) {
            vu a, b;
            stream_words(&stream, u_add(first, u_set(i / 2)), &a, &b);
            pair_t z = exact_normals_at(a, b);
            d_store(out + i * TB_ROW + v, z.a);
            if (i + 1 < count) d_store(out + (i + 1) * TB_ROW + v, z.b);
        }
    }
}

/* log(1 + s) - s + s^2/2 - s^3/3, for s > -1, without cancellation. */
SIMD vd log_rest(vd s) {
    vd s2 = s * s, series = d_set(-1.0 / 28.0);
    for (int k = 27; k >= 4; k--) series = d_set((k % 2 ? 1.0 : -1.0) / k) + series * s;
    vd direct = d_log(d_max(d_set(1.0) + s, d_set(0x1p-60))) - ((s - d_set(0.5) * s2) + s * s2 * d_set(1.0 / 3));
    return d_sel(d_le(d_abs(s), d_set(0.25)), series * (s2 * s2), direct);
}

/* One attempt of Marsaglia and Tsang (2000) at a chi variate: x normal at the first word, s = c x, accepted where
 * log u < x^2/2 + d (1 - v + log v), v = (1 + s)^3. The right side is 3 d (log(1 + s) - s + s^2/2 - s^3/3), which
 * keeps its digits at any d; and it is above -(3/2) d s^4 while |s| <= 1/2, which settles nearly all without a
 * logarithm. A root of 0 stands for one degree of freedom, where the variate is |x|. */
SIMD vm accept_chi(const tb_chi_t *law, vd x, vu second, vd *out) {
    if (law->root == 0.0) {
        *out = d_abs(x);
        return d_le(d_set(0.0), *out);
    }
    vd s = x * d_set(law->slope), t = d_set(1.0) + s, s2 = s * s;
    vd rest = (d_from_u(u_xor(second, u_set(~(uint64_t)0))) + d_set(0.5)) * d_set(0x1p-64);
    vm good = m_and(d_lt(s2 * s2 * d_set(1.5 * law->shape), rest), d_le(d_abs(s), d_set(0.5)));
    *out = d_set(law->root) * (t * d_sqrt(d_max(t, d_set(0.0))));
    if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) {
        vd log_u = d_log((d_from_u(second) + d_set(0.5)) * d_set(0x1p-64));
        good = m_or(good, m_and(d_lt(d_set(0.0), t), d_lt(log_u, d_set(3.0 * law->shape) * log_rest(s))));
    }
    return good;
}

/* The lanes turned down try again, each attempt with words of its own; 255 in a row have a probability of 1e-330. */
KERNEL __attribute__((noinline)) void retry_chi(const tb_chi_t *law, const stream_t *stream, uint32_t slot, vm done,
                                                double *out) {
    stream_t again = *stream;
    vd value = d_load(out);
    for (unsigned attempt = 1; attempt < 256 && m_bits(m_not(done)); attempt++) {
        vu a, b;
        vd next;
        again.purpose = u_add(stream->purpose, u_set(attempt << 8));
        stream_words(&again, u_set(slot), &a, &b);
        vm good = accept_chi(law, exact_normal_at(a), b, &next);
        value = d_sel(done, value, next);
        done = m_or(done, good);
    }
    d_store(out, value);
}

/* Stores a first attempt, and tries on where that failed. */
SIMD void put_chi(const tb_chi_t *law, const stream_t *stream, uint32_t slot, vd x, vu second, double *out) {
    vd value;
    vm good = accept_chi(law, x, second, &value);
    d_store(out, value);
    if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) retry_chi(law, stream, slot, good, out);
}

KERNEL void fill_lane_chis(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, uint32_t slot, const tb_chi_t *law,
                           size_t count, double *out) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        const stream_t stream = lane_stream(lanes, v, key, purpose);
        for (size_t i = 0; i < count; i += 2) {
            const uint32_t at = slot + (uint32_t)i;
            double *to = out + i * TB_ROW + v;
            vu a, b, c, d;
            stream_words(&stream, u_set(at), &a, &b);
            if (i + 1 == count) {
                put_chi(&law[i], &stream, at, exact_normal_at(a), b, to);
                break;
            }
            stream_words(&stream, u_set(at + 1), &c, &d);
            pair_t x = exact_normals_at(a, c);
            put_chi(&law[i], &stream, at, x.a, b, to);
            put_chi(&law[i + 1], &stream, at + 1, x.b, d, to + TB_ROW);
        }
    }
}

/* Normals of one address at consecutive words: word i mod 2 of slot + i div 2. `out` has room for a multiple of
 * 2 * TB_ROW. */
KERNEL void fill_exact_normals(const tb_address_t *at, uint32_t slot, size_t count, double *out) {
    stream_t stream;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t i = 0; i < count; i += 2 * LANES) {
        vu a, b;
        stream_words(&stream, u_add(u_set(slot + i / 2), u_iota()), &a, &b);
        u_weave(a, b, &a, &b);
        pair_t z = exact_normals_at(a, b);
        d_store(out + i, z.a);
        d_store(out + i + LANES, z.b);
    }
}

KERNEL double normal_of(uint64_t word) {
    double lanes[LANES];
    d_store(lanes, exact_normal_at(u_set(word)));
    return lanes[0];
}

KERNEL void fill_first(const tb_address_t *at, uint32_t slot, size_t calls, uint64_t *word, double *normal) {
    stream_t stream;
    stream_init(&stream, at->key, u_set(at->generation), u_set(at->replicate), at->purpose);
    for (size_t i = 0; i < calls; i += 2 * LANES) {
        vu a, b, c, d;
        stream_words(&stream, u_add(u_set(slot + i), u_iota()), &a, &b);
        stream_words(&stream, u_add(u_set(slot + i + LANES), u_iota()), &c, &d);
        pair_t z = exact_normals_at(b, d);
        d_store(normal + i, z.a);
        d_store(normal + i + LANES, z.b);
        u_weave(a, b, &a, &b);
        u_weave(c, d, &c, &d);
        u_store(word + 2 * i, a);
        u_store(word + 2 * i + LANES, b);
        u_store(word + 2 * i + 2 * LANES, c);
        u_store(word + 2 * i + 3 * LANES, d);
    }
}
#endif

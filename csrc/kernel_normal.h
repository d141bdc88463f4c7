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

SIMD vd poly23(const double *c, vd x) {
    vd x2 = x * x;
    vd x4 = x2 * x2;
    vd x8 = x4 * x4;
    return poly7(c, x) + (poly7(c + 8, x) + poly7(c + 16, x) * x8) * x8;
}

/* One word in a thousand lies beyond the polynomial: these are done one by one. */
KERNEL __attribute__((noinline)) void fill_far(unsigned far, const uint64_t *word, double *z) {
    for (size_t i = 0; i < LANES; i++) {
        if (far >> i & 1) z[i] = tb_normal_quantile(word[i]);
    }
}

/* The normal quantile at u = (R + 1/2) / 2^64, to a few units in the last place. Both u and its distance from 1/2 are
 * formed from the word's own bits, so nothing cancels near the median or in either tail. */
SIMD vd exact_normal_at(vu word) {
    const vd half = d_set(0.5);
    vu low = u_fold(word);
    vd t = (d_from_u(low) + half) * d_set(0x1p-64);
    vd x = (d_from_u(u_xor(low, u_set(0x7fffffffffffffffu))) + half) * d_set(-0x1p-63);
    vd minus_w = d_log(d_set(4.0) * t * (d_set(1.0) - t));
    vd z = x * poly23(NORMAL_CENTRAL, d_set(-3.125) - minus_w);
    z = d_of_bits(u_xor(d_bits(z), u_and(word, u_set((uint64_t)1 << 63))));
    unsigned far = m_bits(d_lt(minus_w, d_set(-6.25)));
    if (__builtin_expect(far != 0, 0)) {
        uint64_t words[LANES];
        double values[LANES];
        u_store(words, word);
        d_store(values, z);
        fill_far(far, words, values);
        z = d_load(values);
    }
    return z;
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
            d_store(out + i * TB_ROW + v, exact_normal_at(a));
            if (i + 1 < count) d_store(out + (i + 1) * TB_ROW + v, exact_normal_at(b));
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
SIMD vm try_chi(const tb_chi_t *law, vu first, vu second, vd *out) {
    vd x = exact_normal_at(first);
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
        vm good = try_chi(law, a, b, &next);
        value = d_sel(done, value, next);
        done = m_or(done, good);
    }
    d_store(out, value);
}

KERNEL void fill_lane_chis(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, uint32_t slot, const tb_chi_t *law,
                           size_t count, double *out) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        const stream_t stream = lane_stream(lanes, v, key, purpose);
        for (size_t i = 0; i < count; i++) {
            vu a, b;
            vd value;
            stream_words(&stream, u_set(slot + (uint32_t)i), &a, &b);
            vm good = try_chi(&law[i], a, b, &value);
            d_store(out + i * TB_ROW + v, value);
            if (__builtin_expect(m_bits(m_not(good)) != 0, 0)) {
                retry_chi(&law[i], &stream, slot + (uint32_t)i, good, out + i * TB_ROW + v);
            }
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
        d_store(out + i, exact_normal_at(a));
        d_store(out + i + LANES, exact_normal_at(b));
    }
}
#endif

/* SPDX-License-Identifier: MIT */
/* Philox, the normal quantile and elementary functions on one register. Included after a simd_*.h; every operation is
 * exactly rounded and none is contracted, so each width computes the same bits. */
#ifndef TB_KERNEL_RANDOM_H
#define TB_KERNEL_RANDOM_H
#include "philox.h"

typedef struct {
    vu generation, replicate, purpose;
    uint64_t k0[10], k1[10];
} stream_t;

SIMD void stream_init(stream_t *s, uint64_t key, vu generation, vu replicate, uint32_t purpose) {
    s->generation = generation;
    s->replicate = replicate;
    s->purpose = u_set(purpose);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int round = 0; round < 10; round++) {
        s->k0[round] = k0;
        s->k1[round] = k1;
        k0 += TB_PHILOX_W0;
        k1 += TB_PHILOX_W1;
    }
}

/* The upper halves of the 64-bit lanes carry leftovers of the products: the multiplication reads the lower halves only.
 */
SIMD void stream_words(const stream_t *s, vu slot, vu *w0, vu *w1) {
    vu x0 = slot, x1 = s->generation, x2 = s->replicate, x3 = s->purpose;
    const vu m0 = u_set(TB_PHILOX_M0), m1 = u_set(TB_PHILOX_M1), low = u_set(0xffffffffu);
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        vu p0 = u_mul32(m0, x0), p1 = u_mul32(m1, x2);
        x0 = u_xor(u_xor(u_shr(p1, 32), x1), u_set(s->k0[round]));
        x2 = u_xor(u_xor(u_shr(p0, 32), x3), u_set(s->k1[round]));
        x1 = p1;
        x3 = p0;
    }
    *w0 = u_or(u_and(x0, low), u_shl(x1, 32));
    *w1 = u_or(u_and(x2, low), u_shl(x3, 32));
}

/* Coefficients from tools/make_coefficients.py. */
/* log(1 + t) / t for 1 + t in [sqrt(1/2), sqrt(2)], in t - centre: relative error 1.7e-7 */
static const double LOG_CENTRE = 0x1.f0ed99bed9b38p-5;
static const double LOG_RATIO[8] = {0.9708430790961067,   -0.462151044693351,  0.2919499245068342,
                                    -0.20708831295923347, 0.15484404416695943, -0.12121487643296673,
                                    0.11931054435738872,  -0.10134056751185655};
/* sqrt(2) erfinv(x) / x in w - 3.125, w = -log(1 - x^2) <= 6.25: relative error 8.1e-10 */
static const double CENTRAL[10] = {2.338620881458694,       0.3396349607553403,    -0.008533794100179643,
                                   -0.0010475110294754994,  0.0002648364672775461, -1.963743824734986e-05,
                                   -2.1576469545952636e-06, 6.01738097988618e-07,  -1.2164726688257183e-08,
                                   -6.505345984225681e-09};
/* the normal quantile in sqrt(w) - 4.625, sqrt(w) in [2.5, 6.75]: relative error 8e-8 */
static const double TAIL[10] = {6.323001275889543,      1.4287742031576334,      0.0002554417071487356,
                                -0.0005141380825547183, 0.0001726441698225426,   -4.476016844835769e-05,
                                1.2969435123943325e-05, -3.5709416021511254e-06, 2.6484992844946755e-07,
                                7.943222092830709e-08};
/* (2 atanh(s) / s - 2) / s^2 in s^2 - 0.01472: relative error 8.6e-17 */
static const double ATANH_RATIO[8] = {0.672617292204049,   0.4085582371552631,  0.29576899805364637,
                                      0.23326973098067494, 0.19358809625554702, 0.16617684853149875,
                                      0.1461722010170369,  0.130873486686174};
/* exp on [-log(2)/2, log(2)/2]: relative error 4.3e-19 */
static const double EXPONENTIAL[13] = {1.0,
                                       1.0,
                                       0.5,
                                       0.16666666666666702,
                                       0.04166666666666672,
                                       0.008333333333309522,
                                       0.0013888888888861418,
                                       0.00019841269909227387,
                                       2.4801587366923012e-05,
                                       2.7557224949131394e-06,
                                       2.755723946172947e-07,
                                       2.5114872543703817e-08,
                                       2.0925033125859287e-09};

/* Estrin: short chains of dependent operations matter more than the count. */
SIMD vd poly7(const double *c, vd x) {
    vd x2 = x * x;
    vd x4 = x2 * x2;
    vd a = (d_set(c[0]) + d_set(c[1]) * x) + (d_set(c[2]) + d_set(c[3]) * x) * x2;
    vd b = (d_set(c[4]) + d_set(c[5]) * x) + (d_set(c[6]) + d_set(c[7]) * x) * x2;
    return a + b * x4;
}

SIMD vd poly9(const double *c, vd x) {
    vd x2 = x * x;
    vd x4 = x2 * x2;
    return poly7(c, x) + (d_set(c[8]) + d_set(c[9]) * x) * (x4 * x4);
}

SIMD vd poly12(const double *c, vd x) {
    vd x2 = x * x;
    vd x4 = x2 * x2;
    vd top = ((d_set(c[8]) + d_set(c[9]) * x) + (d_set(c[10]) + d_set(c[11]) * x) * x2) + d_set(c[12]) * x4;
    return poly7(c, x) + top * (x4 * x4);
}

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); x positive and normal. */
SIMD vd split_exponent(vd x, vd *e) {
    vu bits = u_add(d_bits(x), u_set(0x3ff0000000000000u - 0x3fe6a09e667f3bcdu));
    vd biased = d_of_bits(u_or(u_shr(bits, 52), u_set(0x4330000000000000u)));
    *e = biased - d_set(0x1p52 + 1023.0);
    return d_of_bits(u_add(u_and(bits, u_set(0x000fffffffffffffu)), u_set(0x3fe6a09e667f3bcdu)));
}

/* The natural logarithm to about an ulp, for positive normal x. */
SIMD vd d_log(vd x) {
    vd e;
    vd t = split_exponent(x, &e) - d_set(1.0);
    vd s = t / (d_set(2.0) + t);
    vd s2 = s * s;
    vd small = s * s2 * poly7(ATANH_RATIO, s2 - d_set(0.01472));
    /* t - s t equals 2 s and loses less. */
    vd main = t - (s * t - (small + e * d_set(0x1.ef35793c7673p-45)));
    return e * d_set(0x1.62e42fefa38p-1) + main;
}

/* 1 / sqrt(x) to 2e-4, x positive and normal: a guess from the exponent, then one step of third order. */
SIMD vd d_rsqrt(vd x) {
    vd y = d_of_bits(u_sub(u_set(0x5fe6eb50c7b537a9u), u_shr(d_bits(x), 1)));
    vd h = d_set(1.0) - x * (y * y);
    return y + y * (h * (d_set(0.5) + d_set(0.375) * h));
}

/* exp for arguments in [-700, 0]. */
SIMD vd d_exp(vd x) {
    const vd magic = d_set(0x1.8p52);
    vd shifted = x * d_set(0x1.71547652b82fep+0) + magic;
    vd k = shifted - magic;
    vd r = (x - k * d_set(0x1.62e42fefa38p-1)) - k * d_set(0x1.ef35793c7673p-45);
    vu exponent = u_shl(u_add(d_bits(shifted), u_set(1023)), 52);
    return poly12(EXPONENTIAL, r) * d_of_bits(exponent);
}

/* The normal quantile at u = (R + 1/2) / 2^64: relative error below 2.5e-7. Worked out on the
 * lower side; the word's first bit then says whether to mirror it. */
SIMD vd normal_at(vu word) {
    vd t = (d_from_u(u_fold(word)) + d_set(0.5)) * d_set(0x1p-64);
    vd x = (t + t) - d_set(1.0);
    vd y = d_set(4.0) * t * (d_set(1.0) - t); /* 1 - x^2 without cancellation */
    vd e;
    vd m = split_exponent(y, &e) - d_set(1.0);
    vd minus_w = m * poly7(LOG_RATIO, m - d_set(LOG_CENTRE)) + e * d_set(0x1.62e42fefa39efp-1);
    vd z = x * poly9(CENTRAL, d_set(-3.125) - minus_w);
    vm far = d_lt(minus_w, d_set(-6.25));
    if (__builtin_expect(m_bits(far) != 0, 0)) {
        vd root = d_sqrt(d_max(d_set(0.0) - minus_w, d_set(6.25)));
        z = d_sel(far, d_set(0.0) - poly9(TAIL, root - d_set(4.625)), z);
    }
    return d_of_bits(u_xor(d_bits(z), u_and(word, u_set((uint64_t)1 << 63))));
}
#endif

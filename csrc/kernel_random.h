/* SPDX-License-Identifier: MIT */
/* Philox, the normal quantile and elementary functions on one register. Included after a simd_*.h; in double
 * precision every operation is exactly rounded and none is contracted, so each width computes the same bits. In single
 * precision they may differ: there, only what no rounding can change is used. */
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
/* log(1 + t) / t for 1 + t in [sqrt(1/2), sqrt(2)], in t - centre: relative error 1.1e-6 */
static const float LOG_CENTRE = 0x1.f0ed9ap-5f;
static const float LOG_RATIO[7] = {0.9708430790961067f,  -0.4621726933741549f, 0.2919499245068342f,
                                   -0.2057027973877823f, 0.15484404416695943f, -0.14338312557618535f,
                                   0.11931054435738872f};
/* sqrt(2) erfinv(x) / x in w - 3.75, w = -log(1 - x^2) <= 7.5: relative error 6.2e-7 */
static const float CENTRAL[10] = {2.547342704524165f,       0.327983002657091f,      -0.009931849306108085f,
                                  -0.0004699878015132105f,  0.00019752627509239505f, -2.2806683665726507e-05f,
                                  -1.3710134631501996e-07f, 3.8682412840415776e-07f, -2.675220234942556e-08f,
                                  -1.881698516075665e-09f};
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

/* exp for arguments in [-700, 0]. */
SIMD vd d_exp(vd x) {
    const vd magic = d_set(0x1.8p52);
    vd shifted = x * d_set(0x1.71547652b82fep+0) + magic;
    vd k = shifted - magic;
    vd r = (x - k * d_set(0x1.62e42fefa38p-1)) - k * d_set(0x1.ef35793c7673p-45);
    vu exponent = u_shl(u_add(d_bits(shifted), u_set(1023)), 52);
    return poly12(EXPONENTIAL, r) * d_of_bits(exponent);
}

/* c[0] + c[1] x + ... + c[6] x^6 */
SIMD vf f_poly6(const float *c, vf x) {
    vf x2 = x * x;
    vf low = f_fma(f_fma(f_set(c[3]), x, f_set(c[2])), x2, f_fma(f_set(c[1]), x, f_set(c[0])));
    vf high = f_fma(f_set(c[6]), x2, f_fma(f_set(c[5]), x, f_set(c[4])));
    return f_fma(high, x2 * x2, low);
}

SIMD vf f_poly9(const float *c, vf x) {
    vf x2 = x * x;
    vf x4 = x2 * x2;
    vf a = f_fma(f_fma(f_set(c[3]), x, f_set(c[2])), x2, f_fma(f_set(c[1]), x, f_set(c[0])));
    vf b = f_fma(f_fma(f_set(c[7]), x, f_set(c[6])), x2, f_fma(f_set(c[5]), x, f_set(c[4])));
    return f_fma(f_fma(f_fma(f_set(c[9]), x, f_set(c[8])), x4, b), x4, a);
}

/* Beyond this the normal quantile below is only known to lie outside. */
static const float NORMAL_END = 3.63f;

/* The normal quantile at u = (R + 1/2) / 2^64, from the upper half of R: up to NORMAL_END off by 1e-6 of itself at
 * most. x = 2u - 1; the tail t is counted from the nearer end, so that 1 - x^2 = 4 t (1 - t) has no cancellation. */
SIMD vf normal_at(vw word) {
    vw sign = word ^ 0x80000000u;
    vw fold = word ^ (vw)((vi)word >> 31);
    vf x = f_fma(f_from_i(sign), f_set(0x1p-31f), f_set(0x1p-32f));
    vf t = f_fma(f_from_i(fold), f_set(0x1p-32f), f_set(0x1p-33f));
    vw bits = (vw)f_fma(f_set(0.0f) - t, t, t) + (0x3f800000u - 0x3f3504f3u);
    vf e = f_from_i(bits >> 23);
    vf m = (vf)((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    vf log_ratio = f_poly6(LOG_RATIO, m - LOG_CENTRE);
    /* the exponent is biased by 127, and of t (1 - t) */
    vf w = f_fma(f_set(125.0f) - e, f_set(0x1.62e43p-1f), f_set(0.0f) - m * log_ratio);
    return x * f_poly9(CENTRAL, f_min(w, f_set(7.5f)) - 3.75f);
}
#endif

/* SPDX-License-Identifier: MIT */
/* Logarithm and exponential with more bits than a double has, and powers out of them, on one register. Included after a
 * simd_*.h: fmath.c takes the plain one, so that its functions and these have the same bits. */
#ifndef TB_KERNEL_FMATH_H
#define TB_KERNEL_FMATH_H
#include "fmath_tables.h"

/* An unevaluated sum: see dd.h. */
typedef struct {
    vd hi, lo;
} vdd_t;

SIMD vdd_t dd_fast_sum(vd a, vd b) {
    vdd_t r = {.hi = a + b};
    r.lo = b - (r.hi - a);
    return r;
}

SIMD vdd_t dd_sum(vd a, vd b) {
    vdd_t r = {.hi = a + b};
    const vd bb = r.hi - a;
    r.lo = (a - (r.hi - bb)) + (b - bb);
    return r;
}

SIMD vd dd_upper(vd a) {
    const vd t = d_set(134217729.0) * a; /* 2^27 + 1 */
    return t - (t - a);
}

SIMD vdd_t dd_product(vd a, vd b) {
    const vd ah = dd_upper(a), bh = dd_upper(b), al = a - ah, bl = b - bh;
    vdd_t r = {.hi = a * b};
    r.lo = ((ah * bh - r.hi) + ah * bl + al * bh) + al * bl;
    return r;
}

#define ONE_BITS UINT64_C(0x3ff0000000000000)
/* Bits of the start of LOG_TABLE's first interval: 38 11/16 intervals of 2^46 below 1. */
#define LOG_START (ONE_BITS - ((UINT64_C(38) << 46) + (UINT64_C(11) << 42)))

/* log 2 = high, a multiple of 2^-42 so that its products with exponents are exact, + low. */
#define LN2_HIGH 0x1.62e42fefa38p-1
#define LN2_LOW 0x1.ef35793c7673p-45
/* (log 2)/64 = high with 33 bits + low, and its inverse. */
#define STEP_HIGH 0x1.62e42fefp-7
#define STEP_LOW 0x1.473de6af278edp-40
#define STEP_INVERSE 0x1.71547652b82fep6

/* x = 2^k m, and with c of ten bits near 1/m, r = m c - 1 is exact as a sum of two. Around x = 1 the table says c = 1,
 * so nothing cancels below. `minus_log`: of c. */
typedef struct {
    vd k, c;
    vdd_t r, minus_log;
} log_parts_t;

/* Of a positive, normal and finite x. */
SIMD log_parts_t log_parts(vd x) {
    const vu bits = d_bits(x), shifted = u_add(bits, u_set(ONE_BITS - LOG_START)), biased = u_shr(shifted, 52);
    const vu row = u_mul32(u_and(u_shr(shifted, 46), u_set(63)), u_set(3));
    const vd m = d_of_bits(u_sub(bits, u_shl(u_sub(biased, u_set(1023)), 52)));
    const vd m_upper = d_of_bits(u_and(d_bits(m), u_set(~UINT64_C(0x7ffffff)))), c = d_gather(LOG_TABLE[0], row);
    log_parts_t parts = {.c = c};
    parts.k = d_of_bits(u_or(biased, u_set(UINT64_C(0x4330000000000000)))) - d_set(0x1p52 + 1023.0);
    parts.r = dd_sum(m_upper * c - d_set(1.0), (m - m_upper) * c);
    parts.minus_log.hi = d_gather(LOG_TABLE[0] + 1, row);
    parts.minus_log.lo = d_gather(LOG_TABLE[0] + 2, row);
    return parts;
}

/* k log 2 - log c + log(1 + r), |r| < 2^-6.8, with a relative error near 2^-67. */
SIMD vdd_t log_of_parts(const log_parts_t *parts) {
    const vd r = parts->r.hi, low = parts->r.lo;
    /* r^2 / 2 = square + a remainder; the upper bits of r square exactly. */
    const vd r_upper = d_of_bits(u_and(d_bits(r), u_set(~UINT64_C(0x7ffffff))));
    const vd square = d_set(0.5) * r_upper * r_upper;
    const vd rest = low - r * low - d_set(0.5) * (r - r_upper) * (r + r_upper);
    vd cubic = d_set(-1.0 / 8) + r / d_set(9.0);
    cubic = d_set(1.0 / 5) + r * (d_set(-1.0 / 6) + r * (d_set(1.0 / 7) + r * cubic));
    cubic = d_set(1.0 / 3) + r * (d_set(-1.0 / 4) + r * cubic);
    const vdd_t s1 = dd_fast_sum(parts->k * d_set(LN2_HIGH) + parts->minus_log.hi, r);
    const vdd_t s2 = dd_fast_sum(s1.hi, -square);
    const vd tail = rest + (s1.lo + s2.lo + (parts->k * d_set(LN2_LOW) + parts->minus_log.lo));
    return dd_fast_sum(s2.hi, tail + r * r * r * cubic);
}

/* exp = 2^e (big + small), |small| < 2^-7 big; the lower 12 bits of `exponent` are those of e. */
typedef struct {
    vd big, small;
    vu exponent;
} exp_parts_t;

/* Of x + low for |x| < 760: x = (64 e + j) log2/64 + r. The relative error of big + small is below 2^-59. */
SIMD exp_parts_t exp_parts(vd x, vd low) {
    const vd magic = d_set(0x1.8p52), shifted = x * d_set(STEP_INVERSE) + magic; /* to the nearest integer */
    const vd n = shifted - magic;
    const vu whole = d_bits(shifted), j = u_shl(u_and(whole, u_set(63)), 1);
    const vd r = (x - n * d_set(STEP_HIGH)) - n * d_set(STEP_LOW) + low;
    vd p = d_set(1.0 / 24) + r * (d_set(1.0 / 120) + r / d_set(720.0));
    p = r + r * r * (d_set(1.0 / 2) + r * (d_set(1.0 / 6) + r * p));
    exp_parts_t parts = {.big = d_gather(EXP_TABLE[0], j), .exponent = u_shr(whole, 6)};
    parts.small = d_gather(EXP_TABLE[0] + 1, j) + parts.big * p;
    return parts;
}

/* x^y where all of `straight` holds: tb_pow's path for what is neither special nor near the ends of the range. */
SIMD vd power(vd x, vd y, vm *straight) {
    const log_parts_t parts = log_parts(x);
    const vdd_t log = log_of_parts(&parts), product = dd_product(log.hi, y);
    const exp_parts_t exp = exp_parts(product.hi, product.lo + log.lo * y);
    const vm within = m_and(d_le(d_set(0x1p-1022), x), d_le(x, d_set(0x1.fffffffffffffp1023)));
    *straight = m_and(within, m_and(d_lt(d_set(0.0), d_abs(product.hi)), d_lt(d_abs(product.hi), d_set(700.0))));
    return (exp.big + exp.small) * d_of_bits(u_shl(u_add(exp.exponent, u_set(1023)), 52));
}
#endif

/* SPDX-License-Identifier: MIT */
#include "fmath.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dd.h"
#include "fmath_tables.h"

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "tailbiter needs a compiler that evaluates doubles as doubles (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

#define ONE_BITS UINT64_C(0x3ff0000000000000)
#define INF_BITS UINT64_C(0x7ff0000000000000)
#define SIGN_BIT UINT64_C(0x8000000000000000)
/* Bits of the start of LOG_TABLE's first interval: 38 11/16 intervals of 2^46 below 1. */
#define LOG_START (ONE_BITS - ((UINT64_C(38) << 46) + (UINT64_C(11) << 42)))

/* log 2 = high, a multiple of 2^-42 so that its products with exponents are exact, + low. */
static const double LN2_HIGH = 0x1.62e42fefa38p-1;
static const double LN2_LOW = 0x1.ef35793c7673p-45;
/* (log 2)/64 = high with 33 bits + low, and its inverse. */
static const double STEP_HIGH = 0x1.62e42fefp-7;
static const double STEP_LOW = 0x1.473de6af278edp-40;
static const double STEP_INVERSE = 0x1.71547652b82fep6;

static inline uint64_t to_bits(double x) {
    uint64_t b;

    memcpy(&b, &x, sizeof b);
    return b;
}

static inline double from_bits(uint64_t b) {
    double x;

    memcpy(&x, &b, sizeof x);
    return x;
}

/* 2^e for normal results. */
static inline double power_of_two(int e) { return from_bits((uint64_t)(e + 1023) << 52); }

/* x 2^e with one rounding more where the result is subnormal. */
static double scale(double x, int e) {
    if (e > 1023) {
        return x * 0x1p1023 * power_of_two(e - 1023);
    }
    if (e < -1022) {
        return x * power_of_two(e + 128) * 0x1p-128;
    }
    return x * power_of_two(e);
}

/*
 * log(x + low) as a double-double with a relative error near 2^-67; x positive, normal and finite, |low| <= ulp(x).
 *
 * x = 2^k m; with c of ten bits near 1/m, r = m c - 1 is exact as a sum of two, and
 * log x = k log 2 - log c + log(1 + r), |r| < 2^-6.8. Around x = 1 the table says c = 1, so nothing cancels.
 */
static inline tb_dd_t log_core(double x, double low) {
    uint64_t bits = to_bits(x), shifted = bits - LOG_START;
    int k = (int)((int64_t)shifted >> 52);
    const double *row = LOG_TABLE[(shifted >> 46) & 63];
    double m = from_bits(bits - ((uint64_t)(int64_t)k << 52));
    double m_upper = from_bits(to_bits(m) & ~UINT64_C(0x7ffffff)), c = row[0], dk = (double)k;
    double r, r_upper, square, cubic, tail;
    tb_dd_t rr, s1, s2;

    rr = tb_dd_sum(m_upper * c - 1.0, (m - m_upper) * c);
    if (low != 0.0) {
        /* Only log1p and the like come here; 2^-k may be subnormal but then low does not matter. */
        rr = tb_dd_fast_sum(rr.hi, rr.lo + (k < 1000 ? low * power_of_two(-k) : 0.0) * c);
    }
    r = rr.hi;
    /* r^2 / 2 = square + a remainder; the upper bits of r square exactly. */
    r_upper = from_bits(to_bits(r) & ~UINT64_C(0x7ffffff));
    square = 0.5 * r_upper * r_upper;
    tail = rr.lo - r * rr.lo - 0.5 * (r - r_upper) * (r + r_upper);
    cubic = 1.0 / 3 + r * (-1.0 / 4 + r * (1.0 / 5 + r * (-1.0 / 6 + r * (1.0 / 7 + r * (-1.0 / 8 + r / 9)))));
    s1 = tb_dd_fast_sum(dk * LN2_HIGH + row[1], r);
    s2 = tb_dd_fast_sum(s1.hi, -square);
    tail += s1.lo + s2.lo + (dk * LN2_LOW + row[2]);
    return tb_dd_fast_sum(s2.hi, tail + r * r * r * cubic);
}

/* log_core for subnormal x too. */
static inline tb_dd_t log_any(double x) {
    if (x >= DBL_MIN) {
        return log_core(x, 0.0);
    }
    return tb_dd_sub(log_core(x * 0x1p54, 0.0), tb_dd_sum(54 * LN2_HIGH, 54 * LN2_LOW));
}

double tb_log(double x) {
    uint64_t bits = to_bits(x);

    if (bits - 1 >= INF_BITS - 1) {
        if (x == 0.0) {
            return -HUGE_VAL;
        }
        if (x != x || bits == INF_BITS) {
            return x;
        }
        if (bits & SIGN_BIT) {
            return (double)NAN;
        }
    }
    return log_any(x).hi;
}

double tb_log1p(double x) {
    tb_dd_t s;

    if (!(x > -1.0) || x > DBL_MAX) {
        return x == -1.0 ? -HUGE_VAL : x < -1.0 ? (double)NAN : x;
    }
    if (fabs(x) < 0x1p-54) {
        return x; /* keeps the sign of zero */
    }
    s = tb_dd_sum(1.0, x);
    return log_core(s.hi, s.lo).hi;
}

/*
 * exp(x + low) = 2^e (big + small), |small| < 2^-7 big, for |x| < 760: x = (64 e + j) log2/64 + r.
 * The relative error of big + small is below 2^-59.
 */
static inline int exp_core(double x, double low, double *big, double *small) {
    double n = (x * STEP_INVERSE + 0x1.8p52) - 0x1.8p52, r, p; /* to the nearest integer */
    int whole = (int)n, j = whole & 63;

    r = (x - n * STEP_HIGH) - n * STEP_LOW + low;
    p = r + r * r * (1.0 / 2 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r / 720))));
    *big = EXP_TABLE[j][0];
    *small = EXP_TABLE[j][1] + *big * p;
    return (whole - j) / 64;
}

double tb_exp(double x) {
    double big, small;
    int e;

    if (!(fabs(x) < 746.0)) {
        return x != x ? x : x > 0.0 ? HUGE_VAL : 0.0;
    }
    e = exp_core(x, 0.0, &big, &small);
    return scale(big + small, e);
}

/* sum of coefficients[i] t^i. */
static double polynomial(const double *coefficients, int degree, double t) {
    double s = coefficients[degree];
    int i;

    for (i = degree - 1; i >= 0; i--) {
        s = coefficients[i] + t * s;
    }
    return s;
}

/* x + x^2/2! + ... + x^13/13!, |x| <= 1/4. */
static double expm1_series(double x) {
    static const double inverse_factorials[] = {
        1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
        1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0,
    };

    return x + x * x * polynomial(inverse_factorials, 11, x);
}

double tb_expm1(double x) {
    double big, small;
    tb_dd_t s;
    int e;

    if (fabs(x) <= 0.25) {
        return fabs(x) < 0x1p-54 ? x : expm1_series(x);
    }
    if (!(x > -40.0 && x < 700.0)) {
        return x <= -40.0 ? -1.0 : x > DBL_MAX || x != x ? x : tb_exp(x);
    }
    e = exp_core(x, 0.0, &big, &small);
    s = tb_dd_sum(scale(big, e), -1.0);
    return s.hi + (s.lo + scale(small, e));
}

/* 0 if y is not an integer, 1 if odd, 2 if even; y finite. */
static int integer_kind(double y) {
    double half = 0.5 * y;

    if (floor(y) != y) {
        return 0;
    }
    return floor(half) == half ? 2 : 1;
}

/* x^y where x or y is 0, infinite or NaN. */
static double pow_special(double x, double y) {
    double a = fabs(x);
    bool infinite_y = fabs(y) > DBL_MAX, odd;

    if (x == 1.0 || y == 0.0) {
        return 1.0;
    }
    if (x != x || y != y) {
        return x + y;
    }
    if (infinite_y) {
        return a == 1.0 ? 1.0 : (a > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0;
    }
    odd = integer_kind(y) == 1;
    a = (a > 1.0) == (y > 0.0) ? HUGE_VAL : 0.0;
    return odd && (to_bits(x) & SIGN_BIT) ? -a : a;
}

double tb_pow(double x, double y) {
    double a = fabs(x), sign = 1.0, big, small;
    tb_dd_t l, p;
    int e;

    if (!(a > 0.0 && a <= DBL_MAX && fabs(y) <= DBL_MAX) || y == 0.0) {
        return pow_special(x, y);
    }
    if (x < 0.0) {
        int kind = integer_kind(y);

        if (kind == 0) {
            return (double)NAN;
        }
        sign = kind == 1 ? -1.0 : 1.0;
    }
    l = log_any(a);
    if (fabs(l.hi * y) >= 746.0) {
        return (l.hi > 0.0) == (y > 0.0) ? sign * HUGE_VAL : sign * 0.0;
    }
    /* |log x| >= 2^-53 unless x = 1, where the product is 0 whatever y is; so |y| < 2^63 and the split is safe. */
    if (l.hi == 0.0) {
        return sign;
    }
    p = tb_dd_product(l.hi, y);
    e = exp_core(p.hi, p.lo + l.lo * y, &big, &small);
    return sign * scale(big + small, e);
}

/* erf(x) for |x| <= 1. */
static double erf_small(double x) { return x + x * polynomial(ERF_SMALL, ERF_SMALL_DEGREE, x * x); }

/* erfc(x) for x >= 0.46875: exp(-x^2) / (1 + 2x) times a function that hardly varies. */
static double erfc_positive(double x) {
    double t = (x - 4.0) / (x + 4.0), rest;
    tb_dd_t square, power, factor;
    int e;

    if (x > 27.3) {
        return 0.0;
    }
    rest = t * polynomial(ERFC_SCALED + 1, ERFC_SCALED_DEGREE - 1, t);
    factor = tb_dd_div(tb_dd_fast_sum(ERFC_SCALED[0], rest), tb_dd_sum(1.0, 2.0 * x));
    square = tb_dd_product(x, x);
    e = exp_core(-square.hi, -square.lo, &power.hi, &power.lo);
    return scale(tb_dd_mul(factor, power).hi, e);
}

double tb_erf(double x) {
    double a = fabs(x), result;

    if (a < 1.0) {
        return erf_small(x);
    }
    if (x != x) {
        return x;
    }
    result = 1.0 - (a > 6.0 ? 0.0 : erfc_positive(a));
    return x < 0.0 ? -result : result;
}

double tb_erfc(double x) {
    if (fabs(x) < 0.46875) {
        return 1.0 - erf_small(x);
    }
    if (x != x) {
        return x;
    }
    return x > 0.0 ? erfc_positive(x) : 2.0 - erfc_positive(-x);
}

double tb_stirling_error(double n) {
    double w;

    if (n < 16.0) {
        return STIRLING_ERROR[(int)n];
    }
    w = 1.0 / (n * n);
    return (1.0 / 12 -
            w * (1.0 / 360 - w * (1.0 / 1260 - w * (1.0 / 1680 - w * (1.0 / 1188 - w * (691.0 / 360360)))))) /
           n;
}

/* SPDX-License-Identifier: MIT */
#include "fmath.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dd.h"
#include "simd_plain.h"
/**/
#include "kernel_fmath.h"

#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "tailbiter needs a compiler that evaluates doubles as doubles (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

#define INF_BITS UINT64_C(0x7ff0000000000000)
#define SIGN_BIT UINT64_C(0x8000000000000000)

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

/* log x as a double-double; x positive, normal and finite. */
static inline tb_dd_t log_core(double x) {
    log_parts_t parts = log_parts(x);
    vdd_t log = log_of_parts(&parts);
    tb_dd_t r = {log.hi, log.lo};

    return r;
}

/* log_core for subnormal x too. */
static inline tb_dd_t log_any(double x) {
    if (x >= DBL_MIN) {
        return log_core(x);
    }
    return tb_dd_sub(log_core(x * 0x1p54), tb_dd_sum(54 * LN2_HIGH, 54 * LN2_LOW));
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
    log_parts_t parts;
    vdd_t s;

    if (!(x > -1.0) || x > DBL_MAX) {
        return x == -1.0 ? -HUGE_VAL : x < -1.0 ? (double)NAN : x;
    }
    if (fabs(x) < 0x1p-54) {
        return x; /* keeps the sign of zero */
    }
    s = dd_sum(1.0, x);
    parts = log_parts(s.hi);
    if (s.lo != 0.0 && parts.k < 1000.0) { /* 2^-k may be subnormal but then s.lo does not matter */
        parts.r = dd_fast_sum(parts.r.hi, parts.r.lo + s.lo * power_of_two(-(int)parts.k) * parts.c);
    }
    return log_of_parts(&parts).hi;
}

/* exp(x + low) = 2^e (big + small), |small| < 2^-7 big, for |x| < 760; returns e. */
static inline int exp_core(double x, double low, double *big, double *small) {
    exp_parts_t parts = exp_parts(x, low);

    *big = parts.big;
    *small = parts.small;
    return (int)((parts.exponent & 0xfff) ^ 0x800) - 0x800;
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

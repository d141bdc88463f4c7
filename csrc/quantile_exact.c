/* SPDX-License-Identifier: MIT */
#include "quantile_exact.h"

#include <math.h>
#include <stdbool.h>

#include "dd.h"
#include "fmath.h"
#include "quantile.h"
#include "quantile_law.h"

/* Sums this close to u, relatively, times 16 + the standard deviation, are taken to be equal to it. */
#define TIE 0x1p-92
/* The expansion replaces the sum where it moves the distribution function by less than this, relatively. */
#define EXPANSION_ERROR 0x1p-60
/* Stirling's series is used from here on, factorials below. */
#define STIRLING_START 64.0

static const tb_dd_t LN2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
static const tb_dd_t TWO_PI = {0x1.921fb54442d18p2, 0x1.1a62633145c07p-52};
static const tb_dd_t HALF_LOG_TWO_PI = {0x1.d67f1c864beb5p-1, -0x1.65b5a1b7ff5dfp-55};

static tb_dd_t times(tb_dd_t a, double b) { return tb_dd_mul(a, tb_dd_from(b)); }

static tb_dd_t over(tb_dd_t a, double b) { return tb_dd_div(a, tb_dd_from(b)); }

static tb_dd_t plus(tb_dd_t a, double b) { return tb_dd_add(a, tb_dd_from(b)); }

static tb_dd_t square_root(tb_dd_t a) {
    double s = sqrt(a.hi);
    tb_dd_t rest = tb_dd_sub(a, tb_dd_product(s, s));

    return tb_dd_fast_sum(s, rest.hi / (2.0 * s));
}

/* x 2^e, e >= -1000. */
static tb_dd_t scaled(tb_dd_t x, int e) {
    double power = 1.0;

    for (; e < 0; e++) {
        power *= 0.5;
    }
    for (; e > 0; e--) {
        power *= 2.0;
    }
    x.hi *= power;
    x.lo *= power;
    return x;
}

/* exp(x) - 1, also relatively near 0: Taylor's series at (x - k log 2)/512, doubled nine times. */
static tb_dd_t expm1_dd(tb_dd_t x) {
    double k = floor(x.hi / LN2.hi + 0.5);
    tb_dd_t r, s = tb_dd_from(1.0);
    int i;

    if (k < -1000.0) {
        return tb_dd_from(-1.0);
    }
    r = scaled(tb_dd_sub(x, times(LN2, k)), -9);
    for (i = 10; i > 1; i--) {
        s = plus(over(tb_dd_mul(r, s), i), 1.0);
    }
    s = tb_dd_mul(r, s);
    for (i = 0; i < 9; i++) {
        s = tb_dd_mul(s, plus(s, 2.0));
    }
    r = scaled(tb_dd_from(1.0), (int)k);
    return tb_dd_add(scaled(s, (int)k), plus(r, -1.0));
}

/* exp(x) for x below 700; 0 below -693. */
static tb_dd_t exp_dd(tb_dd_t x) {
    double k = floor(x.hi / LN2.hi + 0.5);

    if (k < -1000.0) {
        return tb_dd_from(0.0);
    }
    return scaled(plus(expm1_dd(tb_dd_sub(x, times(LN2, k))), 1.0), (int)k);
}

/* log(1 + x), also relatively near 0: one Newton step with (1 + x) exp(-guess) - 1. */
static tb_dd_t log1p_dd(tb_dd_t x) {
    double guess = tb_log1p(x.hi);
    tb_dd_t minus = tb_dd_from(-guess), step;

    step = tb_dd_add(expm1_dd(minus), tb_dd_mul(x, exp_dd(minus)));
    return plus(step, guess);
}

/* log n! - log(sqrt(2 pi n) (n/e)^n), n >= 1. */
static tb_dd_t stirling_error_dd(double n) {
    /* Bernoulli numbers B_2j as fractions. */
    static const double bernoulli[][2] = {
        {1, 6}, {-1, 30}, {1, 42}, {-1, 30}, {5, 66}, {-691, 2730}, {7, 6}, {-3617, 510}, {43867, 798},
    };
    tb_dd_t s = tb_dd_from(0.0), factorial = tb_dd_from(1.0), logarithm;
    int j;

    if (n < STIRLING_START) {
        for (j = 2; j <= (int)n; j++) {
            factorial = times(factorial, j);
        }
        factorial = log1p_dd(plus(factorial, -1.0));
        logarithm = log1p_dd(tb_dd_from(n - 1.0));
        return plus(tb_dd_sub(tb_dd_sub(factorial, times(logarithm, n + 0.5)), HALF_LOG_TWO_PI), n);
    }
    for (j = 9; j > 0; j--) {
        tb_dd_t b = over(tb_dd_from(bernoulli[j - 1][0]), bernoulli[j - 1][1] * (2 * j) * (2 * j - 1));

        s = tb_dd_add(over(over(s, n), n), b);
    }
    return over(s, n);
}

/* x log(x/mean) - (x - mean), x > 0. */
static tb_dd_t deviance_dd(double x, tb_dd_t mean) {
    tb_dd_t d = tb_dd_sub(tb_dd_from(x), mean);

    return tb_dd_sub(times(log1p_dd(tb_dd_div(d, mean)), x), d);
}

/* log(x), x > 0: one Newton step. */
static tb_dd_t log_dd(double x) {
    double guess = tb_log(x);

    return plus(plus(times(exp_dd(tb_dd_from(-guess)), x), -1.0), guess);
}

/* Probability of k. */
static tb_dd_t probability(const tb_law_t *law, double k) {
    double n = law->n, l = n - k;
    tb_dd_t e, square;

    if (tb_law_is_poisson(law)) {
        if (k == 0.0) {
            return exp_dd(tb_dd_neg(law->mean));
        }
        e = tb_dd_neg(tb_dd_add(stirling_error_dd(k), deviance_dd(k, law->mean)));
        square = over(tb_dd_from(1.0), k);
    } else {
        if (k == 0.0 || l == 0.0) {
            return exp_dd(times(k == 0.0 ? log1p_dd(tb_dd_from(-law->p)) : log_dd(law->p), n));
        }
        e = tb_dd_sub(stirling_error_dd(n), tb_dd_add(stirling_error_dd(k), stirling_error_dd(l)));
        e = tb_dd_sub(e, deviance_dd(k, law->mean));
        e = tb_dd_sub(e, deviance_dd(l, tb_dd_sub(tb_dd_from(n), law->mean)));
        square = over(over(tb_dd_from(n), k), l);
    }
    return tb_dd_mul(exp_dd(e), square_root(tb_dd_div(square, TWO_PI)));
}

/* The probability of the next step outward, where `term` is that of the present one. */
static tb_dd_t outward(tb_tail_t *tail, tb_dd_t term) {
    term = tb_dd_div(tb_dd_mul(term, times(tail->num, tail->a)), times(tail->den, tail->b));
    tb_tail_outward(tail);
    return term;
}

/* The probability of the next step inward. */
static tb_dd_t inward(tb_tail_t *tail, tb_dd_t term) {
    tb_tail_inward(tail);
    return tb_dd_div(tb_dd_mul(term, times(tail->den, tail->b)), times(tail->num, tail->a));
}

/* The tail's sum, where `term` is its first term. */
static tb_dd_t sum(tb_tail_t tail, tb_dd_t term) {
    tb_dd_t total = term;

    while (tail.a > 0.0 && term.hi > 0x1p-110 * total.hi) {
        term = outward(&tail, term);
        total = tb_dd_add(total, term);
    }
    return total;
}

/* Whether the sum reaches v, or where u is the mirrored one, exceeds it. */
static bool reaches(tb_dd_t total, tb_dd_t v, double tie, bool strictly) {
    double distance = tb_dd_sub(total, v).hi;

    return strictly ? distance > tie : distance >= -tie;
}

/* The quantile, stepping from the guess k on the side of the smaller tail, where u is v <= 1/2. */
static double step_to_quantile(const tb_law_t *law, tb_dd_t v, double k, bool upper) {
    double tie = v.hi * TIE * (16.0 + sqrt(law->mean.hi * (1.0 - law->p)));
    double out = upper ? 1.0 : -1.0;
    tb_dd_t total, term, start;
    tb_tail_t tail;

    do {
        /* A guess with much more outside it than v would cancel: begin again from nearer. */
        tail = tb_tail_from(law, k, upper);
        term = probability(law, k);
        total = sum(tail, term);
        while (tail.b > tail.b_step && !reaches(total, v, tie, upper)) {
            term = inward(&tail, term);
            total = tb_dd_add(total, term);
            k -= out;
        }
        start = total;
        while (tail.a > 0.0 && total.hi > 0x1p-10 * start.hi && reaches(tb_dd_sub(total, term), v, tie, upper)) {
            total = tb_dd_sub(total, term);
            term = outward(&tail, term);
            k += out;
        }
    } while (tail.a > 0.0 && total.hi <= 0x1p-10 * start.hi);
    return k;
}

/* Upper tail of the normal law at z > 0, to about 2^-86 relative. */
static tb_dd_t normal_tail(double z, tb_dd_t density) {
    tb_dd_t s = tb_dd_from(1.0), square = tb_dd_product(z, z);
    int i;

    if (z < 4.0) {
        /* 1/2 - density (z + z^3/3 + z^5/(3 5) + ...); 0.5 / 3e-5 costs 15 bits at most. */
        for (i = 141; i > 1; i -= 2) {
            s = plus(over(tb_dd_mul(s, square), i), 1.0);
        }
        return plus(tb_dd_neg(tb_dd_mul(density, times(s, z))), 0.5);
    }
    /* density/(z + 1/(z + 2/(z + ...))) */
    s = tb_dd_from(z);
    for (i = 200; i > 0; i--) {
        s = plus(tb_dd_div(tb_dd_from(i), s), z);
    }
    return tb_dd_div(density, s);
}

/* |z| with upper tail v <= 1/2, from a double near it: one Newton step. */
static tb_dd_t refined_normal(double z, tb_dd_t v) {
    tb_dd_t density = over(tb_dd_product(z, z), -2.0), step;

    density = tb_dd_div(exp_dd(density), square_root(TWO_PI));
    step = tb_dd_div(tb_dd_sub(normal_tail(z, density), v), density);
    return plus(step, z);
}

/* floor(np + s z + ...) with the leading terms in double-double. */
static uint64_t expand(const tb_law_t *law, tb_dd_t v, double z) {
    tb_dd_t npq = tb_dd_sub(law->mean, times(law->mean, law->p)), deviation, f;
    double whole;

    deviation = square_root(tb_dd_sub(npq, over(tb_dd_from(1.0), 12.0)));
    f = tb_dd_mul(deviation, refined_normal(fabs(z), v));
    f = tb_dd_add(law->mean, z < 0.0 ? tb_dd_neg(f) : f);
    f = plus(f, tb_cornish_fisher_rest(law->p, npq.hi, 1.0 / deviation.hi, z));
    whole = floor(f.hi);
    return (uint64_t)((int64_t)whole + (whole == f.hi ? (int64_t)floor(f.lo) : 0));
}

/* Whether the expansion is nearer than any sum needs to be. */
static bool expansion_suffices(const tb_law_t *law, double z) {
    double r2 = 1.0 / (law->mean.hi * (1.0 - law->p));

    return tb_cornish_fisher_bound(z) * (fabs(z) + 1.0) * r2 * r2 < EXPANSION_ERROR;
}

uint64_t tb_quantile_exact(const tb_law_t *law, uint64_t word, double k) {
    bool upper = word >> 63;
    uint64_t side = upper ? ~word : word;
    double z = tb_normal_quantile(word);
    tb_dd_t v;

    v = tb_dd_fast_sum((double)(side & ~UINT64_C(0x7ff)) * 0x1p-64, ((double)(side & 0x7ff) + 0.5) * 0x1p-64);
    return expansion_suffices(law, z) ? expand(law, v, z) : (uint64_t)step_to_quantile(law, v, k, upper);
}

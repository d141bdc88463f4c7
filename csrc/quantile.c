/* SPDX-License-Identifier: MIT */
#include "quantile.h"

#include <math.h>
#include <stdbool.h>

#include "dd.h"
#include "fmath.h"
#include "quantile_exact.h"
#include "quantile_tables.h"

/* Means below this are searched step by step from 0. */
#define SEQUENTIAL_MEAN 5.0
/* Beyond this |z| (one word in 1e10) the Cornish-Fisher bound is not relied upon for small standard deviations. */
#define CORNISH_FISHER_Z 6.5
/* Beyond this standard deviation a sum over a tail is longer than the expansion is wrong. */
#define SUMMED_DEVIATION 3e4
#define INVERSE_TWO_PI 0x1.45f306dc9c883p-3

static inline double polynomial(const double *coefficients, int degree, double t) {
    double s = coefficients[degree];
    int i;

    for (i = degree - 1; i >= 0; i--) {
        s = coefficients[i] + t * s;
    }
    return s;
}

/* (word + 1/2)/2^64. */
static inline double unit(uint64_t word) { return ((double)word + 0.5) * 0x1p-64; }

/* floor(x) for |x| < 2^62; libm's is a call where there is no instruction for it. */
static inline double floor_inline(double x) {
    double whole = (double)(int64_t)x;

    return whole > x ? whole - 1.0 : whole;
}

double tb_normal_quantile(uint64_t word) {
    bool upper = word >> 63;
    uint64_t far = upper ? word : ~word; /* the mirrored word gives the same digits */
    double d = unit(far ^ (UINT64_C(1) << 63)), s = 0.18 - d * d, z;

    if (s >= 0.0) {
        z = polynomial(CENTRAL_TOP, CENTRAL_TOP_DEGREE, s) / polynomial(CENTRAL_BOTTOM, CENTRAL_BOTTOM_DEGREE, s) * d;
    } else {
        s = sqrt(-tb_log(unit(~far))) - 1.5;
        z = polynomial(OUTER_TOP, OUTER_TOP_DEGREE, s) / polynomial(OUTER_BOTTOM, OUTER_BOTTOM_DEGREE, s);
    }
    return upper ? z : -z;
}

/* Step by step from 0; the mean is below SEQUENTIAL_MEAN. */
static uint64_t search_from_zero(double n, double p, uint64_t word) {
    double u = unit(word), rest = u, uncertain = u * 0x1p-42, odds = p / (1.0 - p), k = 0.0, term;

    if (u + n * p < 1.0 - 0x1p-50) {
        return 0; /* F(0) >= 1 - np */
    }
    term = tb_exp(n * tb_log1p(-p));
    rest -= term;
    while (rest > uncertain && k < n) {
        term *= (n - k) * odds / (k + 1.0);
        k += 1.0;
        rest -= term;
    }
    if (rest > -uncertain) {
        return tb_binomial_quantile_exact(n, p, word, k);
    }
    return (uint64_t)k;
}

/* One side of a binomial law: `success` and `failure` are its probabilities, the smaller one a double without rest. */
typedef struct {
    double n;
    tb_dd_t success;
    tb_dd_t failure;
} law_t;

/* log of a probability whose complement is `other`; one of the two is at most 1/2 and exactly a double. */
static double log_probability(tb_dd_t a, tb_dd_t other) { return a.hi <= 0.5 ? tb_log(a.hi) : tb_log1p(-other.hi); }

/* x log(x/mean) - (x - mean), x > 0, without cancellation (Loader's deviance). */
static double deviance(double x, tb_dd_t mean) {
    tb_dd_t difference = tb_dd_sum(x, -mean.hi);
    double d = difference.hi + (difference.lo - mean.lo), v = d / (x + mean.hi), w = v * v, s;

    if (fabs(v) > 0.2) {
        return x * tb_log(x / mean.hi) - d;
    }
    s = 1.0 / 3 +
        w * (1.0 / 5 +
             w * (1.0 / 7 +
                  w * (1.0 / 9 +
                       w * (1.0 / 11 + w * (1.0 / 13 + w * (1.0 / 15 + w * (1.0 / 17 + w * (1.0 / 19 + w / 21))))))));
    return v * (d + 2.0 * x * w * s);
}

/* Probability of k. */
static double probability(const law_t *law, double k) {
    double n = law->n, l = n - k, e;
    tb_dd_t count = {n, 0.0};

    if (k == 0.0) {
        return tb_exp(n * log_probability(law->failure, law->success));
    }
    if (l == 0.0) {
        return tb_exp(n * log_probability(law->success, law->failure));
    }
    e = tb_stirling_error(n) - tb_stirling_error(k) - tb_stirling_error(l) -
        deviance(k, tb_dd_mul(count, law->success)) - deviance(l, tb_dd_mul(count, law->failure));
    return tb_exp(e) * sqrt(INVERSE_TWO_PI * (n / k) / l);
}

/* (probability of 0, ..., k)/(probability of k): ratios downward, four to a division (a factor j = 0 ends the sum). */
static double lower_tail(const law_t *law, double k) {
    double odds = law->failure.hi / law->success.hi, term = 1.0, total = 1.0, j = k;
    double b = law->n - k + 1.0;

    while (term > 0x1p-56 * total) {
        double a1 = j * odds, a2 = (j - 1.0) * odds, a3 = (j - 2.0) * odds, a4 = (j - 3.0) * odds;
        double b12 = b * (b + 1.0), b34 = (b + 2.0) * (b + 3.0), a12 = a1 * a2, inverse = term / (b12 * b34);

        total += inverse * (b34 * (a1 * (b + 1.0) + a12) + a12 * a3 * ((b + 3.0) + a4));
        term = inverse * (a12 * (a3 * a4));
        j -= 4.0;
        b += 4.0;
    }
    return total;
}

/*
 * min{k : F(k) >= v} of the law, stepping from the guess k; v is on the side of the smaller tail. Returns -1 where
 * that is uncertain: the sum's rounding errors stay below half of `uncertain`.
 */
static double step_to_quantile(const law_t *law, double v, double k, double uncertain) {
    double term = probability(law, k), total = term * lower_tail(law, k);
    double up = law->success.hi / law->failure.hi, down = law->failure.hi / law->success.hi;

    uncertain *= total > v ? total : v;
    while (total < v && k < law->n) {
        term *= (law->n - k) * up / (k + 1.0);
        k += 1.0;
        total += term;
    }
    while (k > 0.0 && total - term >= v) {
        total -= term;
        term *= k * down / (law->n - k + 1.0);
        k -= 1.0;
    }
    return fabs(total - v) <= uncertain || fabs(total - term - v) <= uncertain ? -1.0 : k;
}

/* The tail summed outward from the guess k, on the side of the smaller tail. */
static uint64_t search_from_guess(double n, double p, uint64_t word, double k, double deviation) {
    bool upper = word >> 63;
    tb_dd_t exact = {p, 0.0}, complement = tb_dd_fast_sum(1.0, -p);
    law_t law = {n, upper ? complement : exact, upper ? exact : complement};
    double uncertain = 0x1p-40 + deviation * 0x1p-48, found;

    found = step_to_quantile(&law, unit(upper ? ~word : word), upper ? n - k : k, uncertain);
    if (found < 0.0) {
        return tb_binomial_quantile_exact(n, p, word, k);
    }
    return (uint64_t)(upper ? n - found : found);
}

uint64_t tb_binomial_quantile_half(double n, double p, uint64_t word) {
    double npq, deviation, r, z, base, f, whole, distance, tolerance, k;
    tb_dd_t mean;

    if (!(p > 0.0) || !(n > 0.0)) {
        return 0;
    }
    if (n * p < SEQUENTIAL_MEAN) {
        return search_from_zero(n, p, word);
    }
    mean = tb_dd_product(n, p);
    npq = mean.hi * (1.0 - p);
    deviation = sqrt(npq - 1.0 / 12);
    r = 1.0 / deviation;
    z = tb_normal_quantile(word);
    base = floor_inline(mean.hi);
    f = (mean.hi - base) + mean.lo + (deviation * z + tb_cornish_fisher_rest(p, npq, r, z));
    whole = floor_inline(f);
    k = base + whole;
    distance = fabs(f - whole - 0.5);
    tolerance = tb_cornish_fisher_bound(z) * r * r * r + deviation * fabs(z) * 2e-15 + 1e-14;
    if (distance < 0.5 - tolerance && fabs(z) < CORNISH_FISHER_Z) {
        return (uint64_t)k;
    }
    k = k < 0.0 ? 0.0 : k > n ? n : k;
    if (deviation < SUMMED_DEVIATION) {
        return search_from_guess(n, p, word, k, deviation);
    }
    return tb_binomial_quantile_exact(n, p, word, k);
}

uint64_t tb_binomial_quantile(double n, double p, uint64_t word) {
    if (p <= 0.5) {
        return tb_binomial_quantile_half(n, p, word);
    }
    return (uint64_t)n - tb_binomial_quantile_half(n, 1.0 - p, ~word);
}

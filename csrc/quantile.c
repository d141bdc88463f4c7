/* SPDX-License-Identifier: MIT */
#include "quantile.h"

#include <math.h>
#include <stdbool.h>

#include "dd.h"
#include "fmath.h"
#include "quantile_exact.h"
#include "quantile_law.h"
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
        tb_law_t law = tb_law_binomial(n, p);

        return tb_quantile_exact(&law, word, k);
    }
    return (uint64_t)k;
}

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

/* Probability of k (Loader). */
static double probability(const tb_law_t *law, double k) {
    double n = law->n, l = n - k, e;

    if (tb_law_is_poisson(law)) {
        e = k == 0.0 ? -law->mean.hi : -tb_stirling_error(k) - deviance(k, law->mean);
        return tb_exp(e) * (k == 0.0 ? 1.0 : sqrt(INVERSE_TWO_PI / k));
    }
    if (k == 0.0 || l == 0.0) {
        return tb_exp(n * (k == 0.0 ? tb_log1p(-law->p) : tb_log(law->p)));
    }
    e = tb_stirling_error(n) - tb_stirling_error(k) - tb_stirling_error(l) - deviance(k, law->mean) -
        deviance(l, tb_dd_sub(tb_dd_from(n), law->mean));
    return tb_exp(e) * sqrt(INVERSE_TWO_PI * (n / k) / l);
}

/* (sum of the tail)/(its first term): ratios outward, four to a division (a factor a = 0 ends the sum). */
static double relative_sum(const tb_tail_t *tail) {
    double odds = tail->num.hi / tail->den.hi, term = 1.0, total = 1.0, a = tail->a, b = tail->b;
    double s = tail->a_step, t = tail->b_step;

    while (term > 0x1p-56 * total) {
        double a1 = a * odds, a2 = (a + s) * odds, a3 = (a + 2.0 * s) * odds, a4 = (a + 3.0 * s) * odds;
        double b2 = b + t, b3 = b + 2.0 * t, b4 = b + 3.0 * t;
        double b12 = b * b2, b34 = b3 * b4, a12 = a1 * a2, inverse = term / (b12 * b34);

        total += inverse * (b34 * (a1 * b2 + a12) + a12 * a3 * (b4 + a4));
        term = inverse * (a12 * (a3 * a4));
        a += 4.0 * s;
        b += 4.0 * t;
    }
    return total;
}

/*
 * The innermost step that leaves less than v further out, counted outward from the tail's first, of probability `term`.
 * Returns NAN where that is uncertain: the sum's rounding errors stay below half of `uncertain`.
 */
static double steps_outward(tb_tail_t *tail, double term, double v, double uncertain) {
    double total = term * relative_sum(tail), steps = 0.0;
    double outward = tail->num.hi / tail->den.hi, inward = tail->den.hi / tail->num.hi;

    uncertain *= total > v ? total : v;
    while (total < v && tail->b > tail->b_step) {
        tb_tail_inward(tail);
        term *= tail->b * inward / tail->a;
        total += term;
        steps -= 1.0;
    }
    while (tail->a > 0.0 && total - v > uncertain && total - term >= v) {
        total -= term;
        term *= tail->a * outward / tail->b;
        tb_tail_outward(tail);
        steps += 1.0;
    }
    return fabs(total - v) <= uncertain || fabs(total - term - v) <= uncertain ? NAN : steps;
}

uint64_t tb_law_search(const tb_law_t *law, uint64_t word, double k, double deviation) {
    bool upper = word >> 63; /* the smaller tail is summed */
    tb_tail_t tail = tb_tail_from(law, k, upper);
    double uncertain = 0x1p-40 + deviation * 0x1p-48, steps;

    steps = steps_outward(&tail, probability(law, k), unit(upper ? ~word : word), uncertain);
    if (isnan(steps)) {
        return tb_quantile_exact(law, word, k);
    }
    return (uint64_t)(upper ? k + steps : k - steps);
}

uint64_t tb_law_quantile(const tb_law_t *law, uint64_t word) {
    double npq = law->mean.hi * (1.0 - law->p), deviation = sqrt(npq - 1.0 / 12), r = 1.0 / deviation;
    double z = tb_normal_quantile(word), base = floor_inline(law->mean.hi), f, whole, distance, tolerance, k;

    f = (law->mean.hi - base) + law->mean.lo + (deviation * z + tb_cornish_fisher_rest(law->p, npq, r, z));
    whole = floor_inline(f);
    distance = fabs(f - whole - 0.5);
    tolerance = tb_cornish_fisher_bound(z) * r * r * r + deviation * fabs(z) * 2e-15 + 1e-14;
    if (distance < 0.5 - tolerance && fabs(z) < CORNISH_FISHER_Z) {
        return (uint64_t)((int64_t)base + (int64_t)whole); /* may lie beyond the doubles' integers */
    }
    k = base + whole;
    k = k < 0.0 ? 0.0 : k > law->n ? law->n : k;
    return deviation < SUMMED_DEVIATION ? tb_law_search(law, word, k, deviation) : tb_quantile_exact(law, word, k);
}

uint64_t tb_binomial_quantile_half(double n, double p, uint64_t word) {
    tb_law_t law;

    if (!(p > 0.0) || !(n > 0.0)) {
        return 0;
    }
    if (n * p < SEQUENTIAL_MEAN) {
        return search_from_zero(n, p, word);
    }
    law = tb_law_binomial(n, p);
    return tb_law_quantile(&law, word);
}

uint64_t tb_binomial_quantile(double n, double p, uint64_t word) {
    if (p <= 0.5) {
        return tb_binomial_quantile_half(n, p, word);
    }
    return (uint64_t)n - tb_binomial_quantile_half(n, 1.0 - p, ~word);
}

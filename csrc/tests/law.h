/* SPDX-License-Identifier: MIT */
/* Pearson's chi-square test against an exact law. */
#ifndef TB_LAW_H
#define TB_LAW_H
#include <math.h>
#include <stdio.h>

/* Nominal chance that a right sampler fails one call of fits(). Keys are fixed, so a test that passes keeps passing. */
#define FALSE_ALARM 1e-9

/* Cells of which fewer are expected are put together. */
#define LEAST_EXPECTED 10.0

/* Upper tail of the chi-square law: the incomplete gamma function by its series or its continued fraction. */
static inline double chi_square_tail(double x, double freedom) {
    const double a = freedom / 2.0, half = x / 2.0, scale = exp(a * log(half) - half - lgamma(a));
    double sum = 1.0 / a, term = sum, c = 1e300, d = 1.0 / (half + 1.0 - a), f = d;

    if (half <= 0.0) return 1.0;
    if (half < a + 1.0) {
        for (int i = 1; i < 100000 && term > 1e-17 * sum; i++) sum += term *= half / (a + i);
        return 1.0 - scale * sum;
    }
    for (int i = 1; i < 100000; i++) {
        const double an = i * (a - i), b = half + 2.0 * i + 1.0 - a;

        d = 1.0 / (b + an * d);
        c = b + an / c;
        f *= c * d;
        if (fabs(c * d - 1.0) < 1e-15) break;
    }
    return scale * f;
}

/* Whether counts of `draws` draws agree with the law: nothing where it has no mass, and a chi-square that is not too
 * large. A law whose probabilities differ from the true ones by d_i is told apart once draws * sum d_i^2/p_i exceeds
 * some 6 sqrt(2 cells) + 40. */
static inline int fits(const double *law, const double *counts, size_t cells, double draws) {
    double chi = 0.0, freedom = -1.0, rest = 0.0, rest_count = 0.0;

    for (size_t i = 0; i < cells; i++) {
        const double expected = law[i] * draws, difference = counts[i] - expected;

        if (law[i] == 0.0 && counts[i] > 0.0) return 0;
        if (expected < LEAST_EXPECTED) {
            rest += expected;
            rest_count += counts[i];
            continue;
        }
        chi += difference * difference / expected;
        freedom += 1.0;
    }
    if (rest >= LEAST_EXPECTED) {
        chi += (rest_count - rest) * (rest_count - rest) / rest;
        freedom += 1.0;
    } else if (rest_count > rest + 60.0) { /* far beyond the Poisson law's 1e-9 */
        return 0;
    }
    return freedom < 1.0 || chi_square_tail(chi, freedom) >= FALSE_ALARM;
}

/* The same with neighbours put together into some `groups`: blind to detail, sharper for shifts of the whole. */
static inline int fits_coarsely(const double *law, const double *counts, size_t cells, double draws, size_t groups) {
    double group_law[64], group_counts[64], mass = 0.0, count = 0.0;
    size_t group = 0;

    for (size_t i = 0; i < cells; i++) {
        mass += law[i];
        count += counts[i];
        if (i + 1 < cells && (mass < 1.0 / (double)groups || group + 1 == groups)) continue;
        group_law[group] = mass;
        group_counts[group++] = count;
        mass = count = 0.0;
    }
    return fits(group_law, group_counts, group, draws);
}

static inline double log_choose(double n, double k) { return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0); }

static inline double binomial_probability(double n, double p, double k) {
    return exp(log_choose(n, k) + k * log(p) + (n - k) * log1p(-p));
}

static inline double poisson_probability(double mean, double k) { return exp(k * log(mean) - mean - lgamma(k + 1.0)); }
#endif

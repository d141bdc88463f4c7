/* SPDX-License-Identifier: MIT */
/*
 * Error of the Cornish-Fisher expansion of the Poisson law against steps summed in 113-bit arithmetic:
 * scan_cornish_fisher MEANS
 *
 * At u = F(k) the expansion passes from k to k + 1, so it should be k + 1 there. Over means log-uniform from 2 to 1e6,
 * half of them whole, and the steps within 9.1 standard deviations, its error must stay within the bound that
 * quantile.c uses (means from 5, |z| < 6.5), and that of the vector kernels (every z) within their tolerance. Besides,
 * on words beside a step, whatever the kernels call settled must be the quantile: there they use a shorter normal
 * quantile.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "simd_plain.h"

#include "kernel_split.h"

#include "checks.h"
#include "fmath.h"
#include "quantile_exact.h"
#include "quantile_poisson.h"

__extension__ typedef __float128 f128_t;

#define SMALLEST_MEAN 2.0
#define SCALAR_MEAN 5.0
#define LARGEST_MEAN 1e6
#define STEPS 2000 /* of a law, at most */

typedef struct {
    size_t size;
    f128_t *lower; /* F(first), F(first + 1), ... */
    f128_t *upper; /* 1 - F, summed by itself */
    double first;
    double mean;
} steps_t;

/* Largest error over the bound, and where. */
typedef struct {
    double share, mean, z;
} worst_t;

static worst_t scalar, vector;
static uint64_t settled_words, settled_wrong, open_words;
static uint64_t state = 1851;

static void note(worst_t *worst, double share, double mean, double z) {
    if (share > worst->share) {
        *worst = (worst_t){share, mean, z};
    }
}

static void sum_law(steps_t *steps, double mean) {
    double mode = floor(mean);
    size_t below = (size_t)fmin(mode, 12.0 * sqrt(mean) + 20.0), i;
    f128_t term = 1, total = 0;

    steps->mean = mean;
    steps->first = mode - (double)below;
    steps->size = below + (size_t)(14.0 * sqrt(mean) + 60.0);
    for (i = below; i > 0; i--) {
        term *= (f128_t)(steps->first + (double)i) / mean;
    }
    for (i = 0; i < steps->size; i++) {
        steps->upper[i] = term;
        total += term;
        steps->lower[i] = total;
        term *= mean / (f128_t)(steps->first + (double)i + 1.0);
    }
    for (term = 0, i = steps->size; i-- > 0;) {
        f128_t own = steps->upper[i];

        steps->upper[i] = term / total;
        steps->lower[i] /= total;
        term += own;
    }
}

/* The normal quantile where the upper tail is `tail`: that of the word, then Newton's method. */
static double normal_with_tail(double tail) {
    double z = -tb_normal_quantile((uint64_t)(tail * 0x1p64));
    int i;

    for (i = 0; i < 5; i++) {
        double density = tb_exp(-0.5 * z * z) * 0x1.9884533d43651p-2;

        z += (0.5 * tb_erfc(z * 0x1.6a09e667f3bcdp-1) - tail) / density;
    }
    return z;
}

/* The vector kernels' expansion at z, and how near to an integer it may come. */
static double expansion(double mean, vf z, double *tol) {
    vf limit, rest = cornish_fisher(f_set((float)mean), f_set(0.0f), z, &limit);

    *tol = 0.5 - d_fma(-1e-15, mean, (double)limit[0]);
    return (mean + 0.5) + (double)rest[0];
}

static void check_error(double mean, double k, double z) {
    double deviation = sqrt(mean - 1.0 / 12), r = 1.0 / deviation, noise = deviation * fabs(z) * 2e-15 + 1e-14, f, tol;
    double base = floor(mean);

    f = mean - base + (deviation * z + tb_cornish_fisher_rest(0.0, mean, r, z));
    if (fabs(z) < 6.5 && mean >= SCALAR_MEAN) {
        note(&scalar, (fabs(f - (k - base)) - noise) / (tb_cornish_fisher_bound(z) * r * r * r), mean, z);
    }
    f = expansion(mean, f_set((float)z), &tol);
    note(&vector, fabs(f - k) / tol, mean, z);
}

/* A word as far from a step as is the kernels' tolerance, twice that or half. */
static void check_word(double mean, double z) {
    double tail = 0.5 * tb_erfc(fabs(z) * 0x1.6a09e667f3bcdp-1), f, tol, k;
    uint64_t word = tail < 0.5 ? (uint64_t)(tail * 0x1p64) : INT64_MAX;

    word = z > 0.0 ? ~word : word;
    f = expansion(mean, normal_at(w_upper(word, word)), &tol);
    k = d_floor(f);
    if (fabs(f - k - 0.5) <= 0.5 - tol) {
        settled_words++;
        settled_wrong += (uint64_t)k != tb_poisson_quantile(mean, word);
    } else {
        open_words++;
    }
}

static void check_step(const steps_t *steps, size_t i) {
    bool upper = steps->lower[i] > 0.5;
    double tail = (double)(upper ? steps->upper[i] : steps->lower[i]), mean = steps->mean, z, tol, share;

    if (tail < 5e-20) {
        return;
    }
    z = (upper ? 1.0 : -1.0) * normal_with_tail(tail);
    check_error(mean, steps->first + (double)i + 1.0, z);
    expansion(mean, f_set((float)z), &tol);
    for (share = -2.0; share <= 2.0; share += 0.5) {
        check_word(mean, z + share * tol / sqrt(mean));
    }
}

static void report(const char *what, const worst_t *worst) {
    printf("%s: %.3f of the bound at mean %.17g, z %.3f\n", what, worst->share, worst->mean, worst->z);
}

int main(int argc, char **argv) {
    size_t room = (size_t)(26.0 * sqrt(LARGEST_MEAN) + 100.0), i, j, stride;
    steps_t steps = {0, malloc(room * sizeof(f128_t)), malloc(room * sizeof(f128_t)), 0.0, 0.0};
    long means = argc > 1 ? atol(argv[1]) : 2000;

    if (steps.lower == NULL || steps.upper == NULL) {
        return 2;
    }
    for (i = 0; i < (size_t)means; i++) {
        double mean = SMALLEST_MEAN * tb_exp(next_unit(&state) * tb_log(LARGEST_MEAN / SMALLEST_MEAN));

        sum_law(&steps, i % 2 ? mean : floor(mean));
        stride = steps.size / STEPS + 1;
        for (j = next_word(&state) % stride; j < steps.size; j += stride) {
            check_step(&steps, j);
        }
    }
    free(steps.lower);
    free(steps.upper);
    report("scalar", &scalar);
    report("vector", &vector);
    printf("%" PRIu64 " words open, %" PRIu64 " settled, %" PRIu64 " of them wrong\n", open_words, settled_words,
           settled_wrong);
    return scalar.share < 1.0 && vector.share < 1.0 && settled_wrong == 0 ? 0 : 1;
}

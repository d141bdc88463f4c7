/* SPDX-License-Identifier: MIT */
/*
 * Large scan of the quantiles against sums in 113-bit arithmetic: scan_quantile SEED LAWS LARGEST_DEVIATION, so many
 * binomial and so many Poisson laws.
 *
 * The checker shares nothing with what it checks: it starts from 1 at the mode, takes the ratios of neighbouring
 * probabilities both ways and divides by the total, so it knows no logarithm, factorial or expansion. For each law
 * words are drawn at random, beside steps of the distribution function (2^-7..2^-62 of the smaller tail away) and,
 * where the sum is cheap, on the two words next to a step. Needs __float128 (gcc or clang on x86-64).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "quantile.h"
#include "quantile_poisson.h"

__extension__ typedef __float128 f128_t;

#define RANDOM_WORDS 100
#define STEPS 16
#define NEAR_WORDS 6
#define MAX_REPORTS 20
#define TABLE_ERROR 1e-30

typedef struct {
    double n; /* INFINITY: the Poisson law */
    double p; /* 0 for the Poisson law */
    double mean;
    double first;
    size_t size;
    double tie;  /* relative distance below which the routine may take u and F(k) for equal */
    f128_t *cdf; /* F(first), F(first + 1), ... */
} law_t;

enum { FALLS_SHORT, REACHES, UNDECIDED };

static uint64_t state;
static uint64_t cases;
static uint64_t mismatches;
static uint64_t undecided; /* nearer to a step than the routine promises to tell */

static uint64_t next_word(void) {
    uint64_t x = (state += UINT64_C(0x9e3779b97f4a7c15));

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static double uniform(double low, double high) { return low + (high - low) * ((double)(next_word() >> 11) * 0x1p-53); }

/* A binomial law whose standard deviation is log-uniform up to the largest, at every shape. */
static void draw_binomial(law_t *law, double deviation) {
    double n;

    switch (next_word() % 4) {
    case 0:
        law->p = 0.5;
        break;
    case 1:
        law->p = uniform(1e-6, 1.0);
        break;
    case 2:
        law->p = 1.0 - exp2(-uniform(1.0, 30.0));
        break;
    default:
        law->p = exp2(-uniform(1.0, 60.0));
        break;
    }
    n = floor(deviation * deviation / (law->p * (1.0 - law->p)) + 0.5);
    law->n = n < 1.0 ? 1.0 + floor(uniform(0.0, 40.0)) : fmin(n, 0x1p53);
    law->mean = law->n * law->p;
}

/* A Poisson law, half of them with whole means. */
static void draw_poisson(law_t *law, double deviation) {
    double mean = deviation * deviation;

    law->n = INFINITY;
    law->p = 0.0;
    law->mean = next_word() % 2 ? mean : ceil(mean);
}

/* P(k + 1)/P(k) */
static f128_t ratio(const law_t *law, double k) {
    if (law->p == 0.0) {
        return (f128_t)law->mean / (f128_t)(k + 1.0);
    }
    return (f128_t)(law->n - k) * ((f128_t)law->p / (1 - (f128_t)law->p)) / (f128_t)(k + 1.0);
}

static uint64_t quantile(const law_t *law, uint64_t word) {
    return law->p == 0.0 ? tb_poisson_quantile(law->mean, word) : tb_binomial_quantile(law->n, law->p, word);
}

/* The distribution function over all that exceeds 1e-42 of the mode. Returns 0, or -1 where memory is short. */
static int build(law_t *law) {
    f128_t term = 1, total = 0;
    double mode = fmin(floor(law->mean + law->p), law->n), k;
    size_t i;

    for (k = mode; k > 0.0 && term > 1e-42; k -= 1.0) {
        term /= ratio(law, k - 1.0);
    }
    law->first = k;
    law->size = (size_t)(2.0 * (mode - k) + 200.0);
    law->cdf = malloc(law->size * sizeof *law->cdf);
    if (law->cdf == NULL) {
        return -1;
    }
    for (i = 0; i < law->size; i++) {
        total += term;
        law->cdf[i] = total;
        if (k >= law->n || (k > mode && term < 1e-42)) {
            i++;
            break;
        }
        term *= ratio(law, k);
        k += 1.0;
    }
    if (term >= 1e-40 && k < law->n) {
        return -1; /* the window was too short */
    }
    law->size = i;
    for (i = 0; i < law->size; i++) {
        law->cdf[i] /= total;
    }
    return 0;
}

static f128_t unit(uint64_t word) { return ((f128_t)word + 0.5) * 0x1p-64; }

/* Whether F reaches u at the i-th value; a tie does so for p <= 1/2 only. */
static int place(const law_t *law, size_t i, uint64_t word) {
    f128_t f = law->cdf[i], distance = f - unit(word), tail = f < 0.5 ? f : 1 - f,
           size = distance < 0 ? -distance : distance;

    if (size < TABLE_ERROR) {
        return law->p <= 0.5 ? REACHES : FALLS_SHORT;
    }
    if (size < law->tie * tail) {
        undecided++;
        return UNDECIDED;
    }
    return distance > 0 ? REACHES : FALLS_SHORT;
}

static void report(const law_t *law, uint64_t word, uint64_t got, double k) {
    if (mismatches++ < MAX_REPORTS) {
        printf("n=%.17g p=%a mean=%a word=%#" PRIx64 ": %" PRIu64 " at the step of %.17g\n", law->n, law->p, law->mean,
               word, got, k);
    }
}

/* The quantile must lie at or below the i-th value exactly where F there reaches u. */
static void check_step(const law_t *law, size_t i, uint64_t word) {
    uint64_t got = quantile(law, word);
    double k = law->first + (double)i;
    int expected = place(law, i, word);

    cases++;
    if (expected != UNDECIDED && ((double)got <= k) != (expected == REACHES)) {
        report(law, word, got, k);
    }
}

static void check_random(const law_t *law) {
    uint64_t word = next_word(), got = quantile(law, word);
    double offset = (double)got - law->first;
    size_t i = (size_t)offset;

    cases++;
    if (offset < 0.0 || offset >= (double)law->size || place(law, i, word) == FALLS_SHORT ||
        (i > 0 && place(law, i - 1, word) == REACHES)) {
        report(law, word, got, (double)got);
    }
}

/* Words near the step F(first + i): `distance` of the smaller tail away, where a word is that near. */
static void check_near(const law_t *law, size_t i, double distance) {
    f128_t f = law->cdf[i], tail = f < 0.5 ? f : 1 - f, u = f + distance * tail;

    if (u > 0 && u < 1) {
        check_step(law, i, (uint64_t)(u * 0x1p64Q));
    }
}

static void check_law(const law_t *law, double deviation) {
    int j, l;

    for (j = 0; j < RANDOM_WORDS; j++) {
        check_random(law);
    }
    for (j = 0; j < STEPS; j++) {
        double k = floor(law->mean + (deviation + 0.5) * uniform(-9.0, 9.0) - law->first);
        size_t i = k < 0.0 ? 0 : k >= (double)law->size ? law->size - 1 : (size_t)k;
        f128_t scaled = law->cdf[i] * 0x1p64Q;

        for (l = 0; l < NEAR_WORDS; l++) {
            check_near(law, i, exp2(-uniform(7.0, 62.0)));
            check_near(law, i, -exp2(-uniform(7.0, 62.0)));
        }
        if (deviation < 100.0 && scaled > 2 && scaled < 0x1p64Q - 2) {
            uint64_t below = (uint64_t)(scaled - 0.5Q);

            check_step(law, i, below);
            check_step(law, i, below + 1);
        }
    }
}

/* Returns 0, or -1 where no checker could be built. */
static int scan(law_t *law, double deviation) {
    law->tie = 0x1p-92 * (16.0 + deviation);
    if (build(law) != 0) {
        printf("no table for n=%.17g p=%a mean=%a\n", law->n, law->p, law->mean);
        return -1;
    }
    check_law(law, sqrt(law->mean * (1.0 - law->p)));
    free(law->cdf);
    return 0;
}

int main(int argc, char **argv) {
    double largest = argc > 3 ? atof(argv[3]) : 300.0, deviation;
    long laws = argc > 2 ? atol(argv[2]) : 1000, i;
    law_t law;

    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    for (i = 0; i < 2 * laws; i++) {
        deviation = exp2(uniform(-15.0, log2(largest)));
        (i % 2 ? draw_poisson : draw_binomial)(&law, deviation);
        if (scan(&law, deviation) != 0) {
            return 2;
        }
    }
    printf("%" PRIu64 " cases, %" PRIu64 " undecided, %" PRIu64 " mismatches\n", cases, undecided, mismatches);
    return mismatches == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/*
 * The tolerance of the vector kernels' expansion, against distribution functions summed in extended precision.
 *
 * At the last word R of a step, F(k) = u, the expansion should pass from below k + 1 to above. What it is off there,
 * over its tolerance there, is below 1 exactly where no accepted lane next to this step can be wrong. Besides, words as
 * near to steps as the kernel still accepts must have the scalar quantile. TB_CASES steps are tried, a million by
 * default; before a release, a hundred million.
 */
#include <math.h>
#include <stdlib.h>

#include "simd_plain.h"
#define NAME "expansion"
#define TABLE tb_kernels_expansion
#include "kernels_body.h"

#include "checks.h"
#include "machine.h"

enum { STEPS_OF_A_LAW = 64, MOST_TERMS = 4096 };

static const double LEAST_VARIANCE = 1.5, LARGEST_VARIANCE = 1e4, LARGEST_COUNT = 1e9;

typedef struct {
    double n, p;
    double first;
    size_t size;
    long double pmf[MOST_TERMS], lower[MOST_TERMS], upper[MOST_TERMS]; /* lower: F; upper: 1 - F, summed by itself */
} law_t;

static uint64_t state = 51;
static uint64_t steps, tried, accepted;
static struct {
    double share, n, p, z;
} worst[4]; /* by variance: below 5, 50, 500 and beyond */

static double log_uniform(double low, double high) { return low * exp2(log2(high / low) * next_unit(&state)); }

static void sum_law(law_t *law) {
    const long double odds = (long double)law->p / (1.0L - (long double)law->p);
    const double mode = floor((law->n + 1.0) * law->p);
    long double term = 1.0L, total = 0.0L;
    double k = mode;
    size_t i;

    for (; k > 0.0 && term > 1e-24L; k -= 1.0) term *= (long double)k / ((long double)(law->n - k + 1.0) * odds);
    law->first = k;
    for (i = 0; i < MOST_TERMS; i++, k += 1.0) {
        law->pmf[i] = term;
        total += term;
        if (k == law->n || (k > mode && term < 1e-24L)) break;
        term *= (long double)(law->n - k) * odds / (long double)(k + 1.0);
    }
    CHECK(i < MOST_TERMS);
    law->size = i + 1;
    for (i = 0; i < law->size; i++) {
        law->pmf[i] /= total;
        law->lower[i] = (i ? law->lower[i - 1] : 0.0L) + law->pmf[i];
    }
    law->upper[law->size - 1] = 0.0L;
    for (i = law->size - 1; i-- > 0;) law->upper[i] = law->upper[i + 1] + law->pmf[i + 1];
}

/* The last word that belongs to the first + i: (R + 1/2) / 2^64 <= F, seen from the smaller side. */
static uint64_t last_word(const law_t *law, size_t i) {
    if (law->lower[i] < 0.5L) return (uint64_t)(law->lower[i] * 0x1p64L - 0.5L);
    return ~(uint64_t)ceill(law->upper[i] * 0x1p64L - 0.5L);
}

/* As the kernel works it out; tol: how near to an integer it may come. */
static double expansion(const law_t *law, uint64_t word, double *tol) {
    const double np = law->n * law->p;
    vf limit, rest = cornish_fisher(f_set((float)(np - np * law->p)), f_set((float)law->p),
                                    normal_at(w_upper(word, word)), &limit);

    *tol = 0.5 - d_fma(-1e-15, np, (double)limit[0]);
    return (np + 0.5) + (double)rest[0];
}

/* Whether the kernel uses the expansion for the law. */
static int is_regular(const law_t *law) { return (float)(law->n * law->p * (1.0 - law->p)) >= REGULAR; }

static void note(const law_t *law, double off, double tol, uint64_t word) {
    const double variance = law->n * law->p * (1.0 - law->p);
    const size_t at = variance < 5.0 ? 0 : variance < 50.0 ? 1 : variance < 500.0 ? 2 : 3;

    if (off / tol <= worst[at].share) return;
    worst[at].share = off / tol;
    worst[at].n = law->n;
    worst[at].p = law->p;
    worst[at].z = tb_normal_quantile(word);
}

/* The kernel's answer at a word, where it has one. */
static void try_word(const law_t *law, uint64_t word, double at_most, double at_least) {
    double tol, f = expansion(law, word, &tol), k = d_floor(f);

    tried++;
    if (fabs(f - k - 0.5) > 0.5 - tol) return;
    accepted++;
    CHECK(k <= at_most && k >= at_least);
    CHECK(k == (double)tb_binomial_quantile_half(law->n, law->p, word));
}

/* Distance in words that moves the expansion by `tolerances` times its tolerance. */
static uint64_t distance(const law_t *law, size_t i, double tol, double tolerances) {
    const long double words = (long double)(tol * tolerances) * law->pmf[i] * 0x1p64L;

    return words < 1.0L ? 1 : words > 0x1p62L ? UINT64_C(1) << 62 : (uint64_t)words;
}

static void try_step(const law_t *law, size_t i) {
    const uint64_t last = last_word(law, i);
    const double next = law->first + (double)i + 1.0, spread = 1.0 + next_unit(&state) * next_unit(&state);
    double tol_below, tol_above, below = expansion(law, last, &tol_below), above = expansion(law, last + 1, &tol_above);
    uint64_t far;

    steps++;
    note(law, below - next, tol_below, last);
    note(law, next - above, tol_above, last + 1);
    far = distance(law, i, tol_below, spread);
    if (far < last) try_word(law, last - far, next - 1.0, 0.0);
    far = distance(law, i + 1, tol_above, spread);
    if (far < UINT64_MAX - 1 - last) try_word(law, last + 1 + far, law->n, next);
}

/* Every shape: npq and n log-uniform; now and then p = 1/2, or the least variance. */
static void draw_law(law_t *law) {
    do {
        const uint64_t special = next_word(&state) % 8;
        const double variance = special == 1 ? LEAST_VARIANCE : log_uniform(LEAST_VARIANCE, LARGEST_VARIANCE);

        law->n = ceil(log_uniform(4.0 * variance, special == 0 ? 4.0 * variance : LARGEST_COUNT));
        law->p = special == 0 ? 0.5 : 0.5 - sqrt(0.25 - variance / law->n);
        if (special > 1) law->p *= 1.0 + 0x1p-40 * next_unit(&state); /* no round number */
        law->p = fmin(law->p, 0.5);
    } while (!is_regular(law));
}

/* A step can be told from words where at least one word lies on either side. */
static int has_words(const law_t *law, size_t i) { return law->lower[i] > 0x1p-62L && law->upper[i] > 0x1p-62L; }

static void test_tolerance(uint64_t cases) {
    law_t *law = checked_memory(1, sizeof *law);

    while (steps < cases) {
        draw_law(law);
        sum_law(law);
        for (int j = 0; j < STEPS_OF_A_LAW; j++) {
            size_t i = (size_t)(next_word(&state) % law->size);

            if (has_words(law, i)) try_step(law, i);
        }
    }
    free(law);
    for (size_t i = 0; i < sizeof worst / sizeof *worst; i++) {
        printf("off by at most %.3f of the tolerance, at n = %.17g, p = %.17g, z = %.3f\n", worst[i].share, worst[i].n,
               worst[i].p, worst[i].z);
        CHECK(worst[i].share < 1.0);
    }
    printf("%llu steps, %llu words beside them, %llu accepted\n", (unsigned long long)steps, (unsigned long long)tried,
           (unsigned long long)accepted);
    CHECK(4 * accepted > tried);
}

/* A word near the given one at which the expansion is `target`: Newton's method, with the normal density. */
static uint64_t word_near(const law_t *law, uint64_t word, double target) {
    const double spread = sqrt(law->n * law->p * (1.0 - law->p));

    for (int i = 0; i < 6; i++) {
        double tol, z = tb_normal_quantile(word), density = exp(-z * z / 2.0) / sqrt(8.0 * atan(1.0));
        double words = (target - expansion(law, word, &tol)) / spread * density * 0x1p64;
        double left = words < 0.0 ? (double)word : (double)~word;

        if (fabs(words) > 0.5 * left) return word; /* out where words are too few */
        word = words < 0.0 ? word - (uint64_t)-words : word + (uint64_t)words;
    }
    return word;
}

/* Beyond what can be summed: words where the expansion itself is as near to a whole number as its tolerance allows. */
static void test_large_means(uint64_t cases) {
    law_t *law = checked_memory(1, sizeof *law);

    tried = accepted = 0;
    for (uint64_t i = 0; i < cases; i++) {
        const double mean = log_uniform(LARGEST_VARIANCE, 0x1p50);
        const uint64_t word = next_word(&state);
        double tol, f, whole;

        law->n = floor(log_uniform(2.0 * mean, 0x1p53));
        law->p = i % 4 ? mean / law->n : 0.5;
        f = expansion(law, word, &tol);
        whole = floor(f + 0.5);
        try_word(law, word_near(law, word, whole - tol * (1.0 + next_unit(&state))), law->n, 0.0);
        try_word(law, word_near(law, word, whole + tol * (1.0 + next_unit(&state))), law->n, 0.0);
    }
    free(law);
    printf("means to 1e15: %llu words, %llu accepted\n", (unsigned long long)tried, (unsigned long long)accepted);
    CHECK(4 * accepted > tried);
}

/* The normal quantile behind it: its error, relative but for what the lower half of the word could add, is part of the
 * tolerance. Words further out are refused. */
static void test_normal(uint64_t cases) {
    double worst_error = 0.0, where = 0.0, least_far = INFINITY;

    for (uint64_t i = 0; i < cases; i++) {
        const uint64_t shift = next_word(&state) % 64, size = next_word(&state) >> shift;
        const uint64_t upper = UINT64_C(1) << 63, word = i % 2 ? size : i % 4 ? ~size : upper ^ size;
        const double exact = tb_normal_quantile(word), z = (double)normal_at(w_upper(word, word))[0];
        const double error = fmax(fabs(z - exact) - 3e-10, 0.0) / fabs(exact);

        if (fabs(exact) > (double)NORMAL_END) {
            least_far = fmin(least_far, fabs(z));
        } else if (error > worst_error) {
            worst_error = error, where = exact;
        }
    }
    printf("normal quantile: relative error at most %.3g, at z = %.4f; beyond, from %.4f\n", worst_error, where,
           least_far);
    CHECK(worst_error < 1e-6);
    CHECK(least_far > (double)NORMAL_END - 1e-5);
}

int main(void) {
    const char *asked = getenv("TB_CASES");
    const uint64_t cases = asked ? strtoull(asked, NULL, 10) : 1000000;

    test_tolerance(cases);
    test_large_means(cases / 100);
    test_normal(cases);
    return finish();
}

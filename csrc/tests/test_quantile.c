/* SPDX-License-Identifier: MIT */
#include "quantile.h"

#include <math.h>
#include <stdbool.h>

#include "checks.h"
#include "fmath.h"
#include "quantile_exact.h"

#define GOLDEN UINT64_C(0x2d594fa65fa2da4e)
#define HALF (UINT64_C(1) << 63)

/* k is the quantile at u, and k + 1 just above. */
static bool steps_between(double n, double p, uint64_t word, uint64_t k) {
    return tb_binomial_quantile(n, p, word) == k && tb_binomial_quantile(n, p, word + 1) == k + 1;
}

/* p = a/16, n <= 15: F(k) = m/16^n exactly, so the words on either side of every step are known. */
static void test_small_laws_at_every_step(void) {
    uint64_t a, i, k, m, term;
    int n;

    for (n = 1; n <= 15; n++) {
        for (a = 1; a < 16; a++) {
            for (term = 1, i = 0; i < (uint64_t)n; i++) {
                term *= 16 - a;
            }
            for (m = 0, k = 0; k < (uint64_t)n; k++) {
                m += term;
                /* u = (word + 1/2)/2^64 <= m/16^n where word < m 2^(64 - 4n). */
                CHECK(steps_between(n, (double)a / 16.0, (m << (64 - 4 * n)) - 1, k));
                term = term / (16 - a) * ((uint64_t)n - k) / (k + 1) * a;
            }
        }
    }
}

/* n odd, p = 1/2: F((n - 1)/2) = 1/2, at every size and by every method. */
static void test_medians(void) {
    static const double sizes[] = {1, 3, 9, 11, 101, 9999, 1e6 + 1, 1e8 + 1, 1e9 + 1, 4e9 + 1, 1e12 + 1, 0x1p53 - 1};
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        CHECK(steps_between(sizes[i], 0.5, HALF - 1, (uint64_t)((sizes[i] - 1.0) / 2.0)));
    }
}

/* n = 65, p = 1/2: F(0) = 1/2^65 is itself a u. */
static void test_exact_ties(void) {
    CHECK(steps_between(65.0, 0.5, 0, 0));
    CHECK(tb_binomial_quantile(65.0, 0.5, UINT64_MAX) == 64);
}

static void test_degenerate_laws(void) {
    CHECK(tb_binomial_quantile(0.0, 0.3, HALF) == 0);
    CHECK(tb_binomial_quantile(7.0, 0.0, UINT64_MAX) == 0 && tb_binomial_quantile(7.0, 1.0, 0) == 7);
    CHECK(tb_binomial_quantile(0x1p53, 0x1p-1074, UINT64_MAX) == 0);
    CHECK(tb_binomial_quantile(0x1p53, 1e-20, HALF) == 0);
    CHECK(tb_binomial_quantile(1.0, 0x1p-64, UINT64_MAX) == 1 &&
          tb_binomial_quantile(1.0, 0x1p-64, UINT64_MAX - 1) == 0);
}

/* A law of any size and shape. */
static void draw_law(uint64_t *state, double *n, double *p) {
    double size = tb_exp(27.0 * next_unit(state));

    *n = floor(size) + 1.0;
    *p = next_word(state) % 2 ? 0.5 * next_unit(state) : tb_exp(16.0 * next_unit(state) - 8.0) / *n;
    *p = *p > 0.5 ? 0.5 : *p;
}

/* Monotone in the word; mirrored as documented; whatever found it, the last resort finds it too from any guess nearby.
 */
static void test_properties(void) {
    uint64_t state = 7;
    int i;

    for (i = 0; i < 3000; i++) {
        uint64_t word = next_word(&state), shift = next_word(&state) % 64, other, k;
        double n, p;

        draw_law(&state, &n, &p);
        other = word + (next_word(&state) >> shift);
        k = tb_binomial_quantile(n, p, word);
        CHECK(other < word || tb_binomial_quantile(n, p, other) >= k);
        CHECK(k <= (uint64_t)n && k == tb_binomial_quantile_half(n, p, word));
        if (p < 0.5 && 1.0 - (1.0 - p) == p) {
            CHECK(tb_binomial_quantile(n, 1.0 - p, ~word) == (uint64_t)n - k);
        }
        if (n * p < 1e4) {
            tb_law_t law = tb_law_binomial(n, p);
            double guess = (double)k + floor(7.0 * next_unit(&state)) - 3.0;

            CHECK(tb_quantile_exact(&law, word, fmin(fmax(guess, 0.0), n)) == k);
        }
    }
}

static void test_normal_quantile(void) {
    uint64_t state = 3;
    int i;

    CHECK(fabs(tb_normal_quantile(0) + 9.15529377268607255) < 1e-14);
    CHECK(fabs(tb_normal_quantile(UINT64_MAX) - 9.15529377268607255) < 1e-14);
    for (i = 0; i < 10000; i++) {
        uint64_t shift = next_word(&state) % 60, word = next_word(&state) >> shift;
        double z = tb_normal_quantile(word), u = ((double)word + 0.5) * 0x1p-64;

        CHECK(fabs(tb_erfc(-z * sqrt(0.5)) - 2.0 * u) <= 4e-15 * (1.0 + z * z) * u);
        CHECK(tb_normal_quantile(~word) == -z);
    }
}

static void test_golden_bits(void) {
    uint64_t state = 1851, hash = UINT64_C(0xcbf29ce484222325);
    int i;

    for (i = 0; i < 100000; i++) {
        uint64_t word = next_word(&state);
        double n, p;

        draw_law(&state, &n, &p);
        hash = hash_word(hash, tb_binomial_quantile(n, i % 2 ? p : 1.0 - p, word));
        hash = hash_word(hash, bits_of(tb_normal_quantile(word)));
    }
    if (hash != GOLDEN) {
        printf("hash %#llx\n", (unsigned long long)hash);
    }
    CHECK(hash == GOLDEN);
}

int main(void) {
    test_small_laws_at_every_step();
    test_medians();
    test_exact_ties();
    test_degenerate_laws();
    test_properties();
    test_normal_quantile();
    test_golden_bits();
    return finish();
}

/* SPDX-License-Identifier: MIT */
#include "quantile_poisson.h"

#include <math.h>

#include "simd_plain.h"

/* Only the expansion is taken from here. */
#pragma GCC diagnostic ignored "-Wunused-function"
#include "kernel_split.h"

#include "checks.h"
#include "fmath.h"
#include "law.h"
#include "quantile.h"
#include "quantile_exact.h"

#define GOLDEN UINT64_C(0x2ab9ac794a5d18d)
#define HALF (UINT64_C(1) << 63)

/* A mean log-uniform up to `largest`, half of them whole. */
static double draw_mean(uint64_t *state, double smallest, double largest) {
    double mean = smallest * tb_exp(next_unit(state) * tb_log(largest / smallest));

    return next_word(state) % 2 ? mean : ceil(mean);
}

/* F(m - 1) < 1/2 < F(m) at a whole mean m (Ramanujan), by every method. */
static void test_medians(void) {
    double mean;

    for (mean = 1.0; mean < 0x1p53; mean = floor(mean * 1.37) + 1.0) {
        CHECK(tb_poisson_quantile(mean, HALF - 1) == (uint64_t)mean);
        CHECK(tb_poisson_quantile(mean, HALF) == (uint64_t)mean);
    }
    CHECK(tb_poisson_quantile(0x1p53, HALF) == UINT64_C(1) << 53);
}

static void test_degenerate_laws(void) {
    CHECK(tb_poisson_quantile(0.0, UINT64_MAX) == 0 && tb_poisson_quantile(-1.0, UINT64_MAX) == 0);
    CHECK(tb_poisson_quantile(0x1p-1074, UINT64_MAX) == 0);
    /* The largest u is 1 - 2^-65; F(0) is 1 - mean + mean^2/2 - ... */
    CHECK(tb_poisson_quantile(0x1p-65, UINT64_MAX) == 0);
    CHECK(tb_poisson_quantile(0x1.01p-65, UINT64_MAX) == 1 && tb_poisson_quantile(0x1.01p-65, UINT64_MAX - 1) == 0);
    /* 1 - F(1) = mean^2/2 - mean^3/3 + ... */
    CHECK(tb_poisson_quantile(0x1p-32, UINT64_MAX) == 1 && tb_poisson_quantile(0x1.0001p-32, UINT64_MAX) == 2);
}

/* Odd and even counts occur beyond 2^53, too, where doubles know the even ones only. */
static void test_counts_beyond_doubles(void) {
    uint64_t k = tb_poisson_quantile(0x1p53, UINT64_C(3) << 62), word, last = k, odd = 0;
    int i;

    CHECK(k > UINT64_C(1) << 53);
    for (i = 1; i <= 64; i++) {
        word = (UINT64_C(3) << 62) + ((uint64_t)i << 35); /* a step is some 6e10 words high */
        k = tb_poisson_quantile(0x1p53, word);
        CHECK(k >= last && k <= last + 1);
        odd += k % 2;
        last = k;
    }
    CHECK(odd > 16 && odd < 48);
}

/* Monotone in the word; whatever found it, the last resort finds it too from any guess nearby. */
static void test_properties(void) {
    uint64_t state = 7;
    int i;

    for (i = 0; i < 3000; i++) {
        uint64_t word = next_word(&state) >> (next_word(&state) % 64), other, k;
        double mean = draw_mean(&state, 1e-3, 1e4), guess;
        tb_law_t law = tb_law_poisson(mean);

        word = next_word(&state) % 2 ? word : ~word;
        other = word + (next_word(&state) >> (next_word(&state) % 64));
        k = tb_poisson_quantile(mean, word);
        CHECK(other < word || tb_poisson_quantile(mean, other) >= k);
        guess = (double)k + floor(7.0 * next_unit(&state)) - 3.0;
        CHECK(tb_quantile_exact(&law, word, fmax(guess, 0.0)) == k);
    }
}

/* Binomial(2^53, mean/2^53) is so near that no random word tells it from its limit. */
static void test_limit_of_the_binomial_law(void) {
    uint64_t state = 11;
    int i;

    for (i = 0; i < 20000; i++) {
        uint64_t word = next_word(&state);
        double mean = draw_mean(&state, 1e-2, 3e4);

        CHECK(tb_poisson_quantile(mean, word) == tb_binomial_quantile_half(0x1p53, mean * 0x1p-53, word));
    }
}

/* What the vector kernels take for settled is the quantile, and that is nearly every word. */
static void test_kernels_settle_quantiles(void) {
    uint64_t state = 13;
    int i, open = 0;

    for (i = 0; i < 100000; i++) {
        uint64_t word = next_word(&state);
        double mean = draw_mean(&state, 49.0, i % 2 ? 1e5 : 200.0), f, k;
        vf limit, rest = cornish_fisher(f_set((float)mean), f_set(0.0f), normal_at(w_upper(word, word)), &limit);

        f = (mean + 0.5) + (double)rest[0];
        k = d_floor(f);
        if (settled(f, k, (double)limit[0], mean)) {
            CHECK(k == (double)tb_poisson_quantile(mean, word));
        } else {
            open++;
        }
    }
    CHECK(open > 0 && open < 1000);
}

static void test_golden_bits(void) {
    uint64_t state = 1851, hash = UINT64_C(0xcbf29ce484222325);
    int i;

    for (i = 0; i < 100000; i++) {
        uint64_t word = next_word(&state);

        hash = hash_word(hash, tb_poisson_quantile(draw_mean(&state, 1e-6, i % 4 ? 1e5 : 0x1p53), word));
    }
    if (hash != GOLDEN) {
        printf("hash %#llx\n", (unsigned long long)hash);
    }
    CHECK(hash == GOLDEN);
}

/* The first word whose quantile exceeds k, by trying half of what is left. */
static uint64_t first_beyond(double mean, uint64_t k) {
    uint64_t low = 0, high = UINT64_MAX;

    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;

        if (tb_poisson_quantile(mean, middle) > k) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

enum { CELLS = 40 };

/* Of random counts the words are uniform. */
static void check_words_of_all(double mean, uint32_t draws) {
    double whole[CELLS] = {0}, even[CELLS];
    uint64_t state = 17;

    for (uint32_t i = 0; i < CELLS; i++) even[i] = 1.0 / CELLS;
    for (uint32_t i = 0; i < draws; i++) {
        const tb_address_t at = {1851, 3, i, TB_FOR_POISSON_WORD};
        const uint64_t k = tb_poisson_quantile(mean, next_word(&state)), word = tb_poisson_word(mean, k, &at);

        CHECK(tb_poisson_quantile(mean, word) == k);
        whole[(size_t)((double)word * 0x1p-64 * CELLS) % CELLS] += 1.0;
    }
    CHECK(fits(even, whole, CELLS, draws));
}

/* The words of one count are uniform from the first that it has to the last. If 5 % of them were never given, that
 * would be seen. */
static void check_words_of_one(double mean, uint64_t k, uint32_t draws) {
    const uint64_t first = k ? first_beyond(mean, k - 1) : 0, count = first_beyond(mean, k) - first;
    double within[CELLS] = {0}, even[CELLS], cut[CELLS];

    for (uint32_t i = 0; i < CELLS; i++) {
        even[i] = 1.0 / CELLS;
        cut[i] = i < CELLS - 2 ? 1.0 / (CELLS - 2) : 0.0;
    }
    for (uint32_t i = 0; i < draws; i++) {
        const tb_address_t at = {1851, 4, i, TB_FOR_POISSON_WORD};

        within[(size_t)((double)(tb_poisson_word(mean, k, &at) - first) / (double)count * CELLS) % CELLS] += 1.0;
    }
    CHECK(fits(even, within, CELLS, draws));
    CHECK(!fits(cut, within, CELLS, draws));
}

static void test_words_of_counts(void) {
    static const double means[] = {0.01, 4.0, 99.9, 100.0, 2000.0, 3e5, 1e12};
    static const uint64_t words[] = {UINT64_C(1) << 57, UINT64_C(5) << 61, ~(UINT64_C(1) << 50)};

    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        check_words_of_all(means[i], 2000);
        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            check_words_of_one(means[i], tb_poisson_quantile(means[i], words[j]), 2000);
        }
    }
}

/* Counts that hardly ever occur have few words, but have them found; beyond the last word's there is one beside. */
static void test_words_of_rare_counts(void) {
    static const double means[] = {0.5, 60.0, 120.0, 7e4};
    const tb_address_t at = {1851, 3, 0, TB_FOR_POISSON_WORD};

    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        const uint64_t words[] = {0, 1, UINT64_C(1) << 20, UINT64_C(1) << 40, ~(UINT64_C(1) << 30), UINT64_MAX};

        for (size_t j = 0; j < sizeof words / sizeof *words; j++) {
            const uint64_t k = tb_poisson_quantile(means[i], words[j]);

            CHECK(tb_poisson_quantile(means[i], tb_poisson_word(means[i], k, &at)) == k);
        }
    }
    CHECK(tb_poisson_word(50.0, 100000, &at) > UINT64_MAX - 256);
    CHECK(tb_poisson_word(0.0, 0, &at) != tb_poisson_word(0.0, 0, &(tb_address_t){1851, 3, 1, TB_FOR_POISSON_WORD}));
}

int main(void) {
    test_medians();
    test_degenerate_laws();
    test_counts_beyond_doubles();
    test_properties();
    test_limit_of_the_binomial_law();
    test_kernels_settle_quantiles();
    test_golden_bits();
    test_words_of_counts();
    test_words_of_rare_counts();
    return finish();
}

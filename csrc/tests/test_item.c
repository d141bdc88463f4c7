/* SPDX-License-Identifier: MIT */
/* Draws of items: words by address however they are made, the same normals from every instruction set, laws. */
#include "item.h"

#include <math.h>

#include "checks.h"
#include "core.h"
#include "machine.h"

enum { MANY = 777, DRAWS = 100000 };

static const uint64_t KEY = UINT64_C(0xfedcba9876543210);

static void test_words_are_the_address(void) {
    uint64_t item[TB_ITEM_WORDS];

    tb_item_init(item, KEY, 9, 4000000000u, TB_FOR_ITEM_FRESH, 4294967290u);
    for (uint32_t call = 0; call < 70000; call++) {
        const tb_address_t at = {KEY, 9, 4000000000u, TB_FOR_ITEM_FRESH | call << 8};
        uint64_t word[2];

        tb_philox(&at, 4294967290u, word);
        CHECK(tb_item_word(item) == word[0] && tb_item_word(item) == word[1]);
    }
}

static void test_first_calls_side_by_side(void) {
    static uint64_t word[2 * (MANY + 16)];
    static double normal[MANY + 16];
    const machine_t machine = this_machine();

    for (size_t k = 0; k < machine.count; k++) {
        tb_item_first(machine.set[k], KEY, 3, 5, TB_FOR_ITEM, 1000, MANY, word, normal);
        for (uint32_t i = 0; i < MANY; i++) {
            uint64_t item[TB_ITEM_WORDS];

            tb_item_init(item, KEY, 3, 5, TB_FOR_ITEM, 1000 + i);
            CHECK(tb_item_word(item) == word[2 * i]);
            CHECK(tb_item_normal(item) == normal[i]);
        }
    }
}

/* Means and second moments within seven standard deviations: a false alarm has a chance below 1e-11. */
static void test_moments(void) {
    uint64_t item[TB_ITEM_WORDS];
    double sums[6] = {0};

    tb_item_init(item, KEY, 1, 0, TB_FOR_ITEM, 0);
    for (int i = 0; i < DRAWS; i++) {
        const double e = tb_item_exponential(item), g = tb_item_gamma(item, 0.4), h = tb_item_gamma(item, 3.0);

        CHECK(e > 0.0 && g >= 0.0 && h > 0.0);
        sums[0] += e - 1.0;
        sums[1] += g - 0.4;
        sums[2] += (h - 3.0) / sqrt(3.0);
        sums[3] += (double)tb_item_below(item, 3) - 1.0;
        sums[4] += ((double)tb_item_binomial(item, 10, 0.5) - 5.0) / sqrt(2.5);
        sums[5] += ((double)tb_item_poisson(item, 4.0) - 4.0) / 2.0;
    }
    for (int k = 0; k < 6; k++) CHECK(fabs(sums[k]) < 7.0 * sqrt((double)DRAWS));
}

int main(void) {
    test_words_are_the_address();
    test_first_calls_side_by_side();
    test_moments();
    return finish();
}

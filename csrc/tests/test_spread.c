/* SPDX-License-Identifier: MIT */
/* Items that fall evenly to the few categories that are not listed. */
#include <stdlib.h>

#include "checks.h"
#include "lineage.h"

enum { CATEGORIES = 4096, FREE = 4, ITEMS = 20000, ATTEMPTS = 4096 };

static const tb_address_t at = {77, 3, 5, TB_FOR_UNLISTED};

static uint32_t first_half(uint64_t index) {
    uint64_t word[2];
    tb_philox(&at, (uint32_t)(index / 2), word);
    return (uint32_t)(word[index % 2] >> 32);
}

/* One category in 1024 serves, the rarest case: most items take more than 255 attempts. Each is as likely to be found.
 * A bound of 40 on the square of 3 standard normals is passed with a probability of 1e-8; a bias of a twentieth of one
 * category's share gives 50 or so. */
static void check_even(void) {
    static const uint32_t free_ids[FREE] = {0, 1000, 3001, CATEGORIES - 1};
    uint32_t place[CATEGORIES] = {0};
    double found[FREE] = {0}, sum = 0.0;

    for (size_t i = 0; i < FREE; i++) place[free_ids[i]] = i % 2 ? TB_NOWHERE : CATEGORIES; /* or one that came since */
    for (uint64_t i = 0; i < ITEMS; i++) {
        const uint32_t id = tb_place_item(place, CATEGORIES - FREE, CATEGORIES, at, i, first_half(i));
        size_t which = 0;
        while (which < FREE && free_ids[which] != id) which++;
        CHECK(which < FREE);
        if (which < FREE) found[which] += 1.0;
    }
    for (size_t i = 0; i < FREE; i++) {
        const double expected = (double)ITEMS / FREE, off = found[i] - expected;
        sum += off * off / expected;
    }
    CHECK(sum < 40.0);
}

static int by_value(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* No word is used twice by the first attempts of several items: a purpose of 8 bits would wrap after 255. */
static void check_words(void) {
    static uint64_t word[2 * 2 * ATTEMPTS];
    size_t count = 0, again = 0;

    for (uint32_t slot = 0; slot < 2; slot++) {
        for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++, count += 2) {
            const tb_address_t here = tb_at(at, at.purpose, attempt);
            tb_philox(&here, slot, word + count);
            CHECK((here.purpose & 0xff) == TB_FOR_UNLISTED);
        }
    }
    qsort(word, count, sizeof *word, by_value);
    for (size_t i = 1; i < count; i++) again += word[i] == word[i - 1];
    CHECK(again == 0);
}

int main(void) {
    check_even();
    check_words();
    return finish();
}

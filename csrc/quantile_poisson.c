/* SPDX-License-Identifier: MIT */
#include "quantile_poisson.h"

#include <math.h>

#include "fmath.h"
#include "quantile_exact.h"
#include "quantile_law.h"

/* Means below this are searched from the mean itself: there the expansion is too far off in the tails. */
#define EXPANSION_MEAN 5.0
/* Words of a count are bounded by the expansion turned round from this mean on. */
#define TURNED_MEAN 100.0
/* Bounds are verified, and few words within are not the count's: only a count of next to no words takes so long. */
#define TRIES 65536

uint64_t tb_poisson_quantile(double mean, uint64_t word) {
    tb_law_t law = tb_law_poisson(mean);

    if (!(mean > 0x1p-65)) {
        return 0; /* F(0) > 1 - mean is beyond the largest u */
    }
    if (mean < EXPANSION_MEAN) {
        return tb_law_search(&law, word, floor(mean), sqrt(mean));
    }
    return tb_law_quantile(&law, word);
}

typedef struct {
    uint64_t first, last;
} range_t;

/* Words among which is the first whose quantile is k or more, to a part in 256 of the nearer tail; the last word where
 * there is none. */
static range_t around_first_word(double mean, uint64_t k) {
    range_t range = {0, UINT64_MAX};

    while (range.last - range.first > (range.first < ~range.last ? range.first : ~range.last) / 256) {
        const uint64_t middle = range.first + (range.last - range.first) / 2;

        if (tb_poisson_quantile(mean, middle) >= k) {
            range.last = middle;
        } else {
            range.first = middle + 1;
        }
    }
    return range;
}

/* About the first word whose quantile is k. */
static uint64_t near_first_word(double mean, double k) {
    const double deviation = sqrt(mean - 1.0 / 12), r = 1.0 / deviation;
    double z = (k - mean - 0.5) * r, below;

    for (int i = 0; i < 2; i++) {
        z = (k - mean - tb_cornish_fisher_rest(0.0, mean, r, z)) * r;
    }
    below = 0.5 * tb_erfc(-0x1.6a09e667f3bcdp-1 * z) * 0x1p64;
    return below < 0x1p64 ? (uint64_t)below : UINT64_MAX;
}

/* Words among which all of k's are. */
static range_t words_of(double mean, uint64_t k) {
    range_t range;
    uint64_t margin;

    if (mean < TURNED_MEAN) {
        return (range_t){around_first_word(mean, k).first, around_first_word(mean, k + 1).last};
    }
    range = (range_t){near_first_word(mean, (double)k), near_first_word(mean, (double)k + 1.0)};
    if (range.last < range.first) {
        range = (range_t){0, UINT64_MAX};
    }
    margin = (range.last - range.first) / 16 + 4096;
    do {
        range.first -= range.first < margin ? range.first : margin;
        range.last += UINT64_MAX - range.last < margin ? UINT64_MAX - range.last : margin;
        margin *= 2;
    } while ((range.first > 0 && tb_poisson_quantile(mean, range.first) >= k) ||
             (range.last < UINT64_MAX && tb_poisson_quantile(mean, range.last) <= k));
    return range;
}

uint64_t tb_poisson_word(double mean, uint64_t k, const tb_address_t *at) {
    const range_t range = words_of(mean, k);
    const uint64_t bound = range.last - range.first + 1, floor = bound ? (0 - bound) % bound : 0; /* 0: all words */

    for (uint32_t i = 0; i < TRIES; i++) {
        uint64_t word[2], found;

        tb_philox(at, i, word);
        if (bound) { /* Lemire 2019, doi:10.1145/3230636 */
            __extension__ unsigned __int128 product = (unsigned __int128)word[0] * bound;

            if ((uint64_t)product < floor) {
                continue;
            }
            word[0] = (uint64_t)(product >> 64);
        }
        found = range.first + word[0];
        if (tb_poisson_quantile(mean, found) == k) {
            return found;
        }
    }
    return range.first;
}

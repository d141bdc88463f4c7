/* SPDX-License-Identifier: MIT */
#include "quantile_poisson.h"

#include <math.h>

#include "quantile_law.h"

/* Means below this are searched from the mean itself: there the expansion is too far off in the tails. */
#define EXPANSION_MEAN 5.0

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

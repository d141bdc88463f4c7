/* SPDX-License-Identifier: MIT */
/* What a crawl is expected to keep of synthetic items, and what detectors by band leave of a model. */
#include "lineage.h"
#include "programs.h"

enum { CATEGORIES = 2000, SAMPLES = 8000 };

/* The mean of Poisson counts is what is expected to be kept, so that few items are left to mend. */
static double rate_of(double human, double human_kept, double synthetic_kept) {
    double crawled[3] = {human, human, human};
    setup_t *setup = new_setup(CATEGORIES, 2, SAMPLES, 7);

    setup->program.crawled = crawled;
    setup->program.human_kept = human_kept;
    setup->program.synthetic_kept = synthetic_kept;
    tb_plan_t *plan = plain_plan(setup, tb_isa_best());
    const double rate = plan->poisson->rate;
    tb_plan_free(plan);
    free(setup);
    return rate;
}

static int near(double a, double b) { return a - b < 1e-12 && b - a < 1e-12; }

static void check_rates(void) {
    CHECK(near(rate_of(0.25, 1.0, 1.0), 0.75));
    CHECK(near(rate_of(0.25, 0.5, 1.0), 0.75 / 0.875));  /* a human item counts for half, */
    CHECK(near(rate_of(0.25, 1.0, 0.5), 0.375 / 0.625)); /* or a synthetic one */
    CHECK(near(rate_of(0.0, 0.0, 0.5), 1.0));
    CHECK(near(rate_of(1.0, 1.0, 1.0), 1.0)); /* nothing is synthetic: any rate will do */
    CHECK(near(rate_of(0.5, 1.0, 0.0), 1.0));
}

/* Weights times the rate of the band that an id is in, found by looking at each; of what is outside, the mean rate. */
static void check_bands(size_t length, int outside) {
    static const uint32_t start[] = {1500, 700, 3, 0};
    static const double kept[] = {0.25, 0.5, 0.75, 1.0};
    static double weight[CATEGORIES + TB_PAD];
    static uint32_t id[CATEGORIES + TB_PAD], place[CATEGORIES + 1];
    tb_plan_t plan = {.kernels = tb_isa_best(),
                      .program = {.categories = CATEGORIES, .band_start = start, .band_count = 4, .band_kept = kept}};
    double sum = 0.0, left = 0.0;

    plan.program.synthetic_kept = 0.125;
    plan.program.error_rate = outside ? 0.5 : 0.0;
    for (size_t i = 0; i < length; i++) {
        id[i] = (uint32_t)((i * 997) % CATEGORIES);
        weight[i] = 1.0 + (double)(i % 7);
        sum += weight[i];
    }
    if (outside) id[length / 2] = CATEGORIES, place[CATEGORIES] = (uint32_t)(length / 2);
    tb_model_t model = {
        .length = length, .id = id, .place = place, .weight = weight, .categories = CATEGORIES, .whole = 1};
    const double share = tb_detect(&plan, &model);
    for (size_t i = 0; i < length; i++) {
        size_t band = 0;
        while (id[i] < start[band]) band++;
        const double expected = (1.0 + (double)(i % 7)) * (id[i] == CATEGORIES ? 0.125 : kept[band]);
        CHECK(weight[i] == expected);
        left += expected;
    }
    CHECK(near(share, left / sum) && !model.whole);
}

int main(void) {
    static const size_t lengths[] = {1, 7, 8, 127, 128, 129, 1000, CATEGORIES};

    check_rates();
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        check_bands(lengths[l], 0);
        check_bands(lengths[l], 1);
    }
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* How many synthetic items a crawl is expected to keep: the means of its Poisson counts, so that few are left to mend.
 */
#include "programs.h"

enum { CATEGORIES = 2000, SAMPLES = 8000 };

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

int main(void) {
    CHECK(near(rate_of(0.25, 1.0, 1.0), 0.75));
    CHECK(near(rate_of(0.25, 0.5, 1.0), 0.75 / 0.875));  /* a human item counts for half, */
    CHECK(near(rate_of(0.25, 1.0, 0.5), 0.375 / 0.625)); /* or a synthetic one */
    CHECK(near(rate_of(0.0, 0.0, 0.5), 1.0));
    CHECK(near(rate_of(1.0, 1.0, 1.0), 1.0)); /* nothing is synthetic: any rate will do */
    CHECK(near(rate_of(0.5, 1.0, 0.0), 1.0));
    return finish();
}

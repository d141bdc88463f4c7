/* SPDX-License-Identifier: MIT */
/* A crawl that goes on until enough items are kept, and detectors, which decide what is. */
#include <string.h>

#include "lineage.h"
#include "quantile.h"

uint64_t tb_crawl(tb_lineage_t *self, uint64_t n, double kept, tb_address_t at) {
    const tb_program_t *program = &self->plan->program;
    const double human = program->crawled[self->generation], model = (1.0 - human) * kept;
    const tb_address_t here = tb_at(at, TB_FOR_CRAWL, 0);
    const double real_kept = human * program->human_kept;
    const double share = real_kept > 0.0 ? real_kept / (real_kept + model) : 0.0;
    uint64_t word[2];
    tb_philox(&here, 0, word);
    const uint64_t real = tb_binomial_quantile((double)n, share, word[0]);
    self->real = n ? (double)real / (double)n : share;
    return real;
}

/* The rate of items outside the reference is the mean. */
double tb_detect(const tb_plan_t *plan, tb_model_t *model) {
    const tb_program_t *program = &plan->program;
    const int errs = program->error_rate > 0.0, lists = model->others * model->other > 0.0;
    const size_t outside = errs ? model->place[program->categories] : 0;
    const double wrong = model->weight[outside] * program->synthetic_kept;
    double before = lists ? tb_model_total(model) : 0.0, all[TB_ROW], left[TB_ROW];
    model->whole = 0;
    if (lists) tb_model_list(model, (size_t)model->others);
    memset(model->weight + model->length, 0, TB_ROW * sizeof *model->weight);
    plan->kernels->keep_bands(model->weight, model->id, model->length, program->band_start, program->band_kept,
                              program->band_count, all, left);
    if (errs) model->weight[outside] = wrong;
    if (!lists) before = tb_sum(all, TB_ROW);
    if (before == 0.0) return 0.0;
    return (errs ? tb_model_total(model) : tb_sum(left, TB_ROW)) / before;
}

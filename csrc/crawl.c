/* SPDX-License-Identifier: MIT */
/* A crawl that goes on until enough items are kept, and detectors, which decide what is. */
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
static double kept_of(const tb_program_t *program, uint32_t id) {
    size_t band = 0;
    if (id >= program->categories) return program->synthetic_kept;
    while (id < program->band_start[band]) band++;
    return program->band_kept[band];
}

double tb_detect(const tb_plan_t *plan, tb_model_t *model) {
    const double before = tb_model_total(model);
    model->whole = 0;
    if (model->others * model->other > 0.0) tb_model_list(model, (size_t)model->others);
    for (size_t i = 0; i < model->length; i++) model->weight[i] *= kept_of(&plan->program, model->id[i]);
    return before > 0.0 ? tb_model_total(model) / before : 0.0;
}

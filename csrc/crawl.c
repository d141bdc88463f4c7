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

/* Weights times the share of their band that is kept: bands begin at descending ids, which have fewer than 32 bits. */
static void keep_bands(const tb_program_t *program, const uint32_t *id, size_t count, double *weight) {
    int32_t band[TB_SOME] = {0};
    for (size_t b = 0; b + 1 < program->band_count; b++) {
        const int32_t start = (int32_t)program->band_start[b];
        for (size_t i = 0; i < count; i++) band[i] += (int32_t)id[i] < start;
    }
    for (size_t i = 0; i < count; i++) weight[i] *= program->band_kept[band[i]];
}

/* The rate of items outside the reference is the mean. */
double tb_detect(const tb_plan_t *plan, tb_model_t *model) {
    const tb_program_t *program = &plan->program;
    const double before = tb_model_total(model);
    const size_t outside = program->error_rate > 0.0 ? model->place[program->categories] : 0;
    const double wrong = model->weight[outside] * program->synthetic_kept;
    model->whole = 0;
    if (model->others * model->other > 0.0) tb_model_list(model, (size_t)model->others);
    for (size_t i = 0; i < model->length; i += TB_SOME) {
        const size_t left = model->length - i;
        keep_bands(program, model->id + i, left < TB_SOME ? left : TB_SOME, model->weight + i);
    }
    if (program->error_rate > 0.0) model->weight[outside] = wrong;
    return before > 0.0 ? tb_model_total(model) / before : 0.0;
}

/* SPDX-License-Identifier: MIT */
/* A lineage that lists all categories, with a training set of our own. */
#ifndef TB_BED_H
#define TB_BED_H
#include "lineage.h"
#include "programs.h"

typedef struct {
    setup_t *setup;
    tb_plan_t *plan;
    tb_scratch_t *scratch;
    tb_output_t output;
    tb_recorder_t recorder;
    tb_lineage_t lineage;
} bed_t;

static inline bed_t *new_bed(tb_estimator_t by, tb_rule_t *rule, const double *count, size_t categories) {
    bed_t *self = checked_memory(1, sizeof *self);
    tb_lineage_t *lineage = &self->lineage;

    self->setup = new_setup(categories, 2, 100, 5);
    self->setup->program.estimator = by;
    self->setup->program.rules.estimator = rule;
    self->plan = plain_plan(self->setup, tb_isa_best());
    self->plan->by_count = 1; /* for few categories, too */
    self->scratch = new_scratch(self->plan);
    self->recorder = (tb_recorder_t){self->plan, &self->output, NULL, 0.0, 0.0};
    if (tb_lineage_init(lineage, self->plan, &self->recorder, self->scratch)) abort();
    lineage->generation = 1;
    lineage->full = 1;
    lineage->length = categories;
    for (size_t i = 0; i < categories; i++) {
        lineage->id[i] = lineage->place[i] = (uint32_t)i;
        lineage->weight[i] = count[i];
        lineage->total += count[i];
    }
    return self;
}

static inline void drop_bed(bed_t *self) {
    tb_lineage_free(&self->lineage);
    drop_scratch(self->scratch);
    tb_plan_free(self->plan);
    free(self->setup);
    free(self);
}

static inline const double *draw(bed_t *self, uint64_t n, uint32_t round) {
    int drawn = 0;

    CHECK(tb_draw_classes(&self->lineage, n, (tb_address_t){1851, 2, round, 0}, &drawn) == TB_OK);
    CHECK(drawn);
    return self->lineage.batch;
}
#endif

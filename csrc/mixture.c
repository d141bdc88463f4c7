/* SPDX-License-Identifier: MIT */
/* The loop over generations of a lineage: draw, fit, record. */
#include "mixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "mixture_core.h"

static void state_free(tb_mixture_state_t *self) {
    tb_held_free(self->held, self->held_count);
    tb_held_free(self->kept, self->kept_count);
    free(self->held);
    free(self->parts);
    free(self->source);
    free(self->before);
    free(self->index);
    free(self->numbers);
    free(self->l2_room);
    tb_give(self->spare);
    tb_give(self->drawn);
    tb_em_free(self->em);
}

static int state_init(tb_mixture_state_t *self, const tb_mixture_plan_t *plan, tb_control_t *control) {
    const size_t d = plan->program.em.dimension;
    memset(self, 0, sizeof *self);
    self->plan = plan;
    self->control = control;
    self->numbers = calloc(tb_law_length(plan), sizeof(double));
    self->l2_room = calloc(tb_corner(d) + d, sizeof(double));
    if (!self->numbers || !self->l2_room) return TB_ERR_MEMORY;
    self->law = tb_law_at(plan, self->numbers);
    return tb_em_alloc(&self->em, &plan->program.em, plan->kernels);
}

/* Before generation 1 the model is the reference. */
static void begin(tb_mixture_state_t *self, uint32_t replicate) {
    const tb_mixture_plan_t *plan = self->plan;
    const tb_em_law_t *reference = &plan->program.reference;
    tb_held_free(self->held, self->held_count);
    tb_held_free(self->kept, self->kept_count);
    self->held_count = self->kept_count = 0;
    self->held_bytes = self->spare_room * sizeof(double);
    self->replicate = replicate;
    self->generation = 0;
    memcpy(self->law.weight, reference->weight, plan->weights * sizeof(double));
    memcpy(self->law.mean, reference->mean, plan->means * sizeof(double));
    memcpy(self->law.factor, reference->factor, plan->factors * sizeof(double));
    memset(&self->result, 0, sizeof self->result);
    self->result.log_likelihood = (double)NAN;
    for (size_t k = 0; k < plan->weights; k++) self->result.alive += reference->weight[k] > 0.0;
}

static void put(double *to, const double *from, size_t row, size_t count) {
    if (to) memcpy(to + row * count, from, count * sizeof *to);
}

static void record(tb_mixture_state_t *self, const tb_mixture_output_t *output, size_t row) {
    const tb_mixture_plan_t *plan = self->plan;
    put(output->weight, self->law.weight, row, plan->weights);
    put(output->mean, self->law.mean, row, plan->means);
    put(output->factor, self->law.factor, row, plan->factors);
    put(output->log_likelihood, &self->result.log_likelihood, row, 1);
    if (output->iterations) output->iterations[row] = (int32_t)self->result.iterations;
    if (output->converged) output->converged[row] = self->result.converged;
    if (output->alive) output->alive[row] = (int32_t)self->result.alive;
    if (output->singular) output->singular[row] = (int32_t)tb_em_singular(&plan->program.em, &self->law);
    if (output->l2_squared) {
        output->l2_squared[row] = tb_em_l2(&plan->program.em, &self->law, &plan->program.reference, self->l2_room);
    }
}

/* From the model of one generation to that of the next. */
static int step(tb_mixture_state_t *self) {
    const tb_mixture_t *program = &self->plan->program;
    const tb_address_t at = {program->key, self->generation + 1, self->replicate, TB_FOR_MIXTURE_SEED};
    int code = tb_mixture_train(self);
    if (!code && program->start == TB_MIXTURE_SEEDS) {
        code = tb_em_seed(self->em, self->parts, self->part_count, &at, &self->law, self->control);
    }
    if (!code) {
        code = tb_em_fit(self->em, self->parts, self->part_count, &self->law, &self->result, self->control);
    }
    if (!code) self->generation++;
    return code;
}

static int run_one(tb_mixture_state_t *self, const tb_mixture_output_t *output, size_t row) {
    const tb_mixture_t *program = &self->plan->program;
    size_t next = 0;
    if (program->at_count && program->at[0] == 0) record(self, output, row * program->at_count + next++);
    while (self->generation < program->generations && next < program->at_count) {
        const int code = step(self);
        if (code) return code;
        tb_count_generations(self->control, 1);
        if (program->at[next] == self->generation) record(self, output, row * program->at_count + next++);
    }
    return TB_OK;
}

int tb_mixture_run(const tb_mixture_plan_t *plan, uint32_t first, uint32_t count, const tb_mixture_output_t *output,
                   tb_control_t *control) {
    tb_mixture_state_t state;
    int code = state_init(&state, plan, control);
    for (uint32_t i = 0; !code && i < count; i++) {
        begin(&state, first + i);
        code = run_one(&state, output, i);
    }
    state_free(&state);
    return code;
}

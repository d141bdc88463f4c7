/* SPDX-License-Identifier: MIT */
/* The loop over generations of a lineage: draw, fit, record. */
#include "documents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "documents_core.h"

static void state_free(tb_documents_state_t *self) {
    tb_documents_forget_all(self);
    tb_documents_fit_free(&self->fit);
    free(self->held);
    free(self->training);
    free(self->samplers);
    free(self->whole);
    free(self->words);
    free(self->values);
    free(self->tally);
    free(self->guides);
}

static int state_init(tb_documents_state_t *self, const tb_documents_plan_t *plan, tb_control_t *control) {
    const tb_documents_settings_t *settings = &plan->program.fit;
    const size_t guide = ((size_t)1 << tb_documents_guide_bits(settings->categories)) + 1;
    memset(self, 0, sizeof *self);
    self->plan = plan;
    self->control = control;
    self->samplers = calloc(settings->components * settings->categories, sizeof *self->samplers);
    self->guides = calloc(settings->components * guide, sizeof *self->guides);
    self->whole = calloc(settings->categories, sizeof *self->whole);
    self->values = calloc(settings->categories, sizeof *self->values);
    self->tally = calloc(settings->categories, sizeof *self->tally);
    self->words = calloc(2 * ((size_t)plan->longest + 2 * TB_ROW), sizeof *self->words);
    if (!self->samplers || !self->guides || !self->whole || !self->values || !self->tally || !self->words) {
        return TB_ERR_MEMORY;
    }
    return tb_documents_fit_init(&self->fit, settings, plan->kernels);
}

/* Before generation 1 the model is the reference. */
static void begin(tb_documents_state_t *self, uint32_t replicate) {
    const tb_documents_plan_t *plan = self->plan;
    tb_documents_forget_all(self);
    self->replicate = replicate;
    self->generation = 0;
    memcpy(self->fit.law.weight, plan->reference.weight, plan->lanes * sizeof(double));
    memcpy(self->fit.law.probability, plan->reference.probability, self->fit.cells * sizeof(double));
    memset(&self->result, 0, sizeof self->result);
    self->result.log_likelihood = (double)NAN;
    for (size_t k = 0; k < plan->lanes; k++) self->result.alive += plan->reference.weight[k] > 0.0;
}

static int step(tb_documents_state_t *self) {
    int code = tb_documents_train(self);
    if (!code) {
        code = tb_documents_improve(&self->fit, self->training, self->training_count, &self->result, self->control);
    }
    if (!code) self->generation++;
    return code;
}

static int run_one(tb_documents_state_t *self, const tb_documents_output_t *output, size_t row) {
    const tb_documents_program_t *program = &self->plan->program;
    size_t next = 0;
    if (program->at_count && program->at[0] == 0) tb_documents_record(self, output, row * program->at_count + next++);
    while (self->generation < program->generations && next < program->at_count) {
        const int code = step(self);
        if (code) return code;
        tb_count_generations(self->control, 1);
        if (program->at[next] == self->generation) {
            tb_documents_record(self, output, row * program->at_count + next++);
        }
    }
    return TB_OK;
}

int tb_documents_run(const tb_documents_plan_t *plan, uint32_t first, uint32_t count,
                     const tb_documents_output_t *output, tb_control_t *control) {
    tb_documents_state_t state;
    int code = state_init(&state, plan, control);
    for (uint32_t i = 0; !code && i < count; i++) {
        begin(&state, first + i);
        code = run_one(&state, output, i);
    }
    state_free(&state);
    return code;
}

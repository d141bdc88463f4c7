/* SPDX-License-Identifier: MIT */
/* What a program of documents implies, and whether it can be run. */
#include <stdlib.h>

#include "documents_core.h"

const char *tb_documents_strerror(int code) {
    switch (code) {
    case TB_ERR_DOCUMENTS_LAW:
        return "weights or probabilities are negative or do not sum to 1";
    case TB_ERR_DOCUMENTS_SIZE:
        return "components are not 1 to 64, or categories not 1 to 10^6";
    case TB_ERR_DOCUMENTS_LENGTH:
        return "documents have no tokens, or more than 10^6";
    case TB_ERR_DOCUMENTS_FIT:
        return "the floor is not from 1e-300 to 1, the tolerance is negative, or there are no iterations";
    case TB_ERR_DOCUMENTS_SAMPLES:
        return "a batch has no documents, more than 10^9, or more human documents than documents";
    case TB_ERR_DOCUMENTS_KEPT:
        return "more documents are drawn from the kept set than it holds, or it stands beside older batches";
    case TB_ERR_DOCUMENTS_DRAW:
        return "no document is drawn from the pool, or more than it holds";
    case TB_ERR_DOCUMENTS_AT:
        return "generations to record do not ascend, or lie beyond the end";
    case TB_ERR_DOCUMENTS_EMPTY:
        return "there is nothing to fit to, or a document without tokens";
    default:
        return tb_strerror(code);
    }
}

static int check_generations(const tb_documents_program_t *program) {
    uint64_t pool = 0;
    if (program->kept > TB_DOCUMENT_SAMPLES) return TB_ERR_DOCUMENTS_SAMPLES;
    for (size_t i = 0; i < program->generations; i++) {
        const uint64_t n = program->samples[i], fresh = program->fresh[i], kept = program->from_kept[i];
        if (n == 0 || n > TB_DOCUMENT_SAMPLES || fresh > n || kept > n - fresh) return TB_ERR_DOCUMENTS_SAMPLES;
        if (kept > program->kept) return TB_ERR_DOCUMENTS_KEPT;
        if (kept && (program->draw || program->age_count != 1)) return TB_ERR_DOCUMENTS_KEPT;
        pool += n;
        if (program->draw && (program->draw[i] == 0 || program->draw[i] > pool)) return TB_ERR_DOCUMENTS_DRAW;
    }
    for (size_t i = 0; i < program->at_count; i++) {
        if (program->at[i] > program->generations || (i && program->at[i] <= program->at[i - 1])) {
            return TB_ERR_DOCUMENTS_AT;
        }
    }
    return TB_OK;
}

static int check_lengths(tb_documents_plan_t *self) {
    const tb_documents_program_t *program = &self->program;
    for (size_t i = 0; i < program->length_count; i++) {
        const uint32_t length = program->lengths[i];
        if (length < 1 || length > TB_DOCUMENT_TOKENS) return TB_ERR_DOCUMENTS_LENGTH;
        if (length > self->longest) self->longest = length;
    }
    return self->longest ? TB_OK : TB_ERR_DOCUMENTS_LENGTH;
}

/* Documents that are held at most, at the same time. */
static double most_held(const tb_documents_program_t *program) {
    const size_t span = program->draw || program->age_count == 0 ? program->generations : program->age_count;
    double window = 0.0, most = 0.0;
    for (size_t i = 0; i < program->generations; i++) {
        window += (double)program->samples[i];
        if (i >= span) window -= (double)program->samples[i - span];
        most = window > most ? window : most;
    }
    return most + (double)program->kept;
}

/* A document is a place, its view, and at most as many categories as it has tokens, each with a count. */
static size_t state_bytes(const tb_documents_plan_t *self) {
    const tb_documents_settings_t *fit = &self->program.fit;
    const double each = self->longest < fit->categories ? (double)self->longest : (double)fit->categories;
    const double cells = (double)fit->components * (double)fit->categories;
    const double document = sizeof(uint64_t) + sizeof(tb_document_t) + each * 2.0 * sizeof(uint32_t);
    const double batches = 2.0 * (double)self->program.generations * sizeof(tb_documents_batch_t);
    return tb_documents_fit_bytes(fit) + (size_t)(most_held(&self->program) * document + cells * 24.0 + batches);
}

void tb_documents_plan_free(tb_documents_plan_t *self) {
    if (!self) return;
    tb_give(self->reference.probability);
    free(self);
}

size_t tb_documents_state_bytes(const tb_documents_plan_t *self) { return self->state_bytes; }

static int plan_init(tb_documents_plan_t *self) {
    const tb_documents_program_t *program = &self->program;
    size_t unused = 0;
    int code = check_lengths(self);
    if (!code) code = tb_documents_check_law(&program->fit, program->weight, program->probability);
    if (!code) code = check_generations(program);
    if (code) return code;
    self->lanes = tb_document_lanes(program->fit.components);
    self->reference.probability = tb_take((program->fit.categories + 1) * self->lanes, sizeof(double), &unused);
    if (!self->reference.probability) return TB_ERR_MEMORY;
    self->reference.weight = self->reference.probability + program->fit.categories * self->lanes;
    tb_documents_lay(&program->fit, program->weight, program->probability, &self->reference);
    self->state_bytes = state_bytes(self);
    return TB_OK;
}

int tb_documents_plan_alloc(tb_documents_plan_t **self, const tb_documents_program_t *program,
                            const tb_kernels_t *kernels) {
    int code = tb_documents_check(&program->fit);
    *self = NULL;
    if (code) return code;
    if (program->generations > INT32_MAX) return TB_ERR_PROGRAM;
    tb_documents_plan_t *plan = calloc(1, sizeof *plan);
    if (!plan) return TB_ERR_MEMORY;
    plan->program = *program;
    plan->kernels = kernels;
    code = plan_init(plan);
    if (code) {
        tb_documents_plan_free(plan);
        return code;
    }
    *self = plan;
    return TB_OK;
}

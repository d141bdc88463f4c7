/* SPDX-License-Identifier: MIT */
/* What a mixture program implies, and whether it can be run. */
#include <stdlib.h>

#include "core.h"
#include "mixture_core.h"

const char *tb_mixture_strerror(int code) {
    switch (code) {
    case TB_ERR_MIXTURE_SAMPLES:
        return "a batch has no items, more than 10^12, or more human items than items";
    case TB_ERR_MIXTURE_KEPT:
        return "more items are drawn from the kept set than it holds, or kept items stand beside older batches";
    case TB_ERR_MIXTURE_DRAW:
        return "no item is drawn from the pool, or more than it holds";
    case TB_ERR_MIXTURE_AT:
        return "generations to record do not ascend, or lie beyond the end";
    case TB_ERR_MIXTURE_START:
        return "there is no such start of a fit";
    default:
        return tb_em_strerror(code);
    }
}

static int check_generations(const tb_mixture_t *program) {
    uint64_t pool = 0;
    if (program->kept > TB_MIXTURE_SAMPLES) return TB_ERR_MIXTURE_SAMPLES;
    for (size_t i = 0; i < program->generations; i++) {
        const uint64_t n = program->samples[i], fresh = program->fresh[i], kept = program->from_kept[i];
        if (n == 0 || n > TB_MIXTURE_SAMPLES || fresh > n || kept > n - fresh) return TB_ERR_MIXTURE_SAMPLES;
        if (kept > program->kept) return TB_ERR_MIXTURE_KEPT;
        if (kept && (program->draw || !tb_mixture_is_newest(program))) return TB_ERR_MIXTURE_KEPT;
        pool += n;
        if (program->draw && (program->draw[i] == 0 || program->draw[i] > pool)) return TB_ERR_MIXTURE_DRAW;
    }
    for (size_t i = 0; i < program->at_count; i++) {
        if (program->at[i] > program->generations || (i && program->at[i] <= program->at[i - 1])) {
            return TB_ERR_MIXTURE_AT;
        }
    }
    return TB_OK;
}

static double smaller(double a, double b) { return a < b ? a : b; }

static double larger(double a, double b) { return a > b ? a : b; }

/* Items that a training set holds at most, and that are drawn one by one at most. */
static void count_items(const tb_mixture_t *program, double *held, double *drawn) {
    const size_t span = program->draw ? 0 : program->age_count ? program->age_count : program->generations;
    double window = 0.0;
    *held = *drawn = 0.0;
    for (size_t i = 0; i < program->generations; i++) {
        const double kept = (double)program->from_kept[i];
        window += (double)program->samples[i];
        if (span && i >= span) window -= (double)program->samples[i - span];
        *held = larger(*held, span ? window : 0.0);
        if (kept < (double)program->kept) *drawn = larger(*drawn, kept);
        if (program->draw) *drawn = larger(*drawn, (double)program->draw[i]);
    }
    *held += (double)program->kept;
}

static size_t state_bytes(const tb_mixture_plan_t *self) {
    const tb_mixture_t *program = &self->program;
    const size_t item = program->em.dimension * sizeof(double);
    const size_t reach = program->age_count && !program->draw && program->age_count < program->generations
                             ? program->age_count
                             : program->generations;
    const double batches = 2.0 * (double)reach + 4.0;
    const double each = (double)(sizeof(tb_held_t) + tb_law_length(self) * sizeof(double) + sizeof(tb_em_part_t) + 16);
    double held, drawn;
    count_items(program, &held, &drawn);
    return tb_em_bytes(&program->em) + (size_t)(batches * each + smaller((double)program->memory, held * (double)item) +
                                                drawn * (double)(item + 5 * sizeof(uint64_t)));
}

void tb_mixture_plan_free(tb_mixture_plan_t *self) { free(self); }

size_t tb_mixture_state_bytes(const tb_mixture_plan_t *self) { return self->state_bytes; }

int tb_mixture_plan_alloc(tb_mixture_plan_t **self, const tb_mixture_t *program, const tb_kernels_t *kernels) {
    *self = NULL;
    int code = tb_em_check(&program->em);
    if (code) return code;
    if (program->generations > INT32_MAX) return TB_ERR_PROGRAM;
    if ((unsigned)program->start > TB_MIXTURE_SEEDS) return TB_ERR_MIXTURE_START;
    code = tb_em_check_law(&program->em, &program->reference);
    if (!code) code = check_generations(program);
    if (code) return code;
    tb_mixture_plan_t *plan = calloc(1, sizeof *plan);
    if (!plan) return TB_ERR_MEMORY;
    plan->program = *program;
    if (!plan->program.memory) plan->program.memory = TB_MIXTURE_MEMORY;
    plan->kernels = kernels;
    plan->weights = program->em.components;
    plan->means = program->em.components * program->em.dimension;
    plan->factors = tb_em_factor_count(&program->em) * tb_em_factor_length(&program->em);
    plan->state_bytes = state_bytes(plan);
    *self = plan;
    return TB_OK;
}

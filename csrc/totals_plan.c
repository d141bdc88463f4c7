/* SPDX-License-Identifier: MIT */
/* What a program of sums implies, and whether it can be run. */
#include <stdlib.h>

#include "totals_core.h"

const char *tb_totals_strerror(int code) {
    switch (code) {
    case TB_ERR_TOTALS_REFERENCE:
        return "the reference's scale is not from 1e-100 to 1e100, or its rate not from 1e-100 to 1e6";
    case TB_ERR_TOTALS_SAMPLES:
        return "a batch has no items, more than 10^15, or more human items than items";
    case TB_ERR_TOTALS_KEPT:
        return "the kept set is not taken as a whole, or stands beside older batches";
    case TB_ERR_TOTALS_AT:
        return "generations to record do not ascend, or lie beyond the end";
    case TB_ERR_TOTALS_GROWN:
        return "a rate has grown until the mean of a batch's sum is above 2^53";
    default:
        return tb_strerror(code);
    }
}

static int check_reference(const tb_totals_t *program) {
    const double largest = program->law == TB_POISSON ? 1e6 : 1e100;
    return program->reference >= 1e-100 && program->reference <= largest ? TB_OK : TB_ERR_TOTALS_REFERENCE;
}

static int check_generations(const tb_totals_t *program) {
    if (program->kept > TB_TOTALS_SAMPLES) return TB_ERR_TOTALS_SAMPLES;
    for (size_t i = 0; i < program->generations; i++) {
        const uint64_t n = program->samples[i], fresh = program->fresh[i], kept = program->from_kept[i];
        if (n == 0 || n > TB_TOTALS_SAMPLES || fresh > n || kept > n - fresh) return TB_ERR_TOTALS_SAMPLES;
        if (kept && (kept != program->kept || program->age_count != 1)) return TB_ERR_TOTALS_KEPT;
    }
    for (size_t i = 0; i < program->at_count; i++) {
        if (program->at[i] > program->generations || (i && program->at[i] <= program->at[i - 1])) {
            return TB_ERR_TOTALS_AT;
        }
    }
    return TB_OK;
}

void tb_totals_plan_free(tb_totals_plan_t *self) { free(self); }

size_t tb_totals_state_bytes(const tb_totals_plan_t *self) {
    return sizeof(tb_totals_block_t) + (self->past_count + 1) * sizeof(tb_total_t);
}

int tb_totals_plan_alloc(tb_totals_plan_t **self, const tb_totals_t *program, const tb_kernels_t *kernels) {
    int code = check_reference(program);
    *self = NULL;
    if (program->generations > INT32_MAX) return TB_ERR_PROGRAM;
    if (!code) code = check_generations(program);
    if (code) return code;
    tb_totals_plan_t *plan = calloc(1, sizeof *plan);
    if (!plan) return TB_ERR_MEMORY;
    plan->program = *program;
    plan->kernels = kernels;
    plan->past_count = program->age_count > 1 ? program->age_count : 0;
    if (plan->past_count > program->generations) plan->past_count = program->generations;
    tb_totals_quantiles(plan);
    *self = plan;
    return TB_OK;
}

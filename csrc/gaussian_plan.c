/* SPDX-License-Identifier: MIT */
/* What a Gaussian program implies, and whether it can be run. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gaussian_core.h"

const char *tb_gaussian_strerror(int code) {
    switch (code) {
    case TB_ERR_DIMENSION:
        return "the dimension is not from 1 to 200";
    case TB_ERR_DDOF:
        return "ddof is neither 0 nor 1";
    case TB_ERR_REFERENCE:
        return "the reference's mean or factor is not finite, or the factor's diagonal is not positive";
    case TB_ERR_SAMPLES:
        return "a batch has no items, more than 10^15, or more human items than items";
    case TB_ERR_SUBSAMPLE:
        return "a draw from a pool that is empty, larger than the pool, or not from plain batches";
    case TB_ERR_HOARD:
        return "more items are drawn from the kept set than it has";
    case TB_ERR_ITEMS:
        return "draws are to be made from more items than there are addresses for";
    case TB_ERR_AT:
        return "generations to record do not ascend, or lie beyond the end";
    default:
        return tb_strerror(code);
    }
}

static int check_reference(const tb_gaussian_t *program) {
    const size_t d = program->dimension;
    for (size_t i = 0; i < d; i++) {
        if (!isfinite(program->mean[i]) || !(program->factor[tb_corner(i) + i] > 0.0)) return TB_ERR_REFERENCE;
    }
    for (size_t i = 0; i < tb_corner(d); i++) {
        if (!isfinite(program->factor[i])) return TB_ERR_REFERENCE;
    }
    return TB_OK;
}

/* Whether so many items can be made one by one: two coordinates, and two choices, to a slot. */
static int check_items(const tb_gaussian_t *program, uint64_t items) {
    const uint64_t slots = (program->dimension + 1) / 2, most = UINT32_MAX;
    return items / 2 > most || items > most / slots ? TB_ERR_ITEMS : TB_OK;
}

static int check_draws(const tb_gaussian_t *program) {
    uint64_t pool = 0;
    if (!program->draw) return tb_gaussian_has_hoard(program) ? check_items(program, program->kept) : TB_OK;
    if (program->age_count || program->item_weights) return TB_ERR_SUBSAMPLE;
    for (size_t i = 0; i < program->generations; i++) {
        if (program->fresh[i] || program->from_kept[i]) return TB_ERR_SUBSAMPLE;
        if (check_items(program, program->samples[i])) return TB_ERR_ITEMS;
        pool += program->samples[i];
        if (program->draw[i] == 0 || program->draw[i] > pool) return TB_ERR_SUBSAMPLE;
    }
    return pool / 2 > UINT32_MAX ? TB_ERR_ITEMS : TB_OK;
}

static int check_generations(const tb_gaussian_t *program) {
    if (program->kept > TB_GAUSSIAN_SAMPLES) return TB_ERR_SAMPLES;
    for (size_t i = 0; i < program->generations; i++) {
        const uint64_t n = program->samples[i], fresh = program->fresh[i], kept = program->from_kept[i];
        if (n == 0 || n > TB_GAUSSIAN_SAMPLES || fresh > n || kept > n - fresh) return TB_ERR_SAMPLES;
        if (kept > program->kept) return TB_ERR_HOARD;
    }
    for (size_t i = 0; i < program->at_count; i++) {
        if (program->at[i] > program->generations || (i && program->at[i] <= program->at[i - 1])) return TB_ERR_AT;
    }
    return TB_OK;
}

/* The whole exponent of the largest element of a row: 2^(e-1) <= it < 2^e. */
static double row_exponent(const double *row, size_t count) {
    double largest = 0.0;
    int e;
    for (size_t i = 0; i < count; i++) largest = fmax(largest, fabs(row[i]));
    frexp(largest, &e);
    return (double)e;
}

static void fill_reference(tb_gaussian_plan_t *self) {
    const size_t d = self->program.dimension;
    for (size_t i = 0; i < d; i++) {
        const double *row = self->program.factor + tb_corner(i);
        double squares = 0.0;
        self->unit[i] = row_exponent(row, i + 1);
        for (size_t j = 0; j <= i; j++) {
            const double x = ldexp(row[j], -(int)self->unit[i]);
            squares += x * x;
            for (size_t l = 0; l < TB_ROW; l++) self->reference[(tb_corner(i) + j) * TB_ROW + l] = x;
        }
        self->width[i] = sqrt(squares);
        self->scale[i] = tb_power_of_two(self->unit[i]);
    }
}

void tb_gaussian_plan_free(tb_gaussian_plan_t *self) {
    if (!self) return;
    tb_give(self->reference);
    tb_give(self->unit);
    tb_give(self->width);
    tb_give(self->scale);
    free(self);
}

size_t tb_gaussian_state_bytes(const tb_gaussian_plan_t *self) { return self->state_bytes; }

int tb_gaussian_plan_alloc(tb_gaussian_plan_t **self, const tb_gaussian_t *program, const tb_kernels_t *kernels) {
    size_t bytes = 0;
    int code = TB_OK;
    *self = NULL;
    if (program->dimension < 1 || program->dimension > TB_GAUSSIAN_DIMENSIONS) return TB_ERR_DIMENSION;
    if (program->ddof > 1) return TB_ERR_DDOF;
    if (program->generations > INT32_MAX) return TB_ERR_PROGRAM;
    code = check_reference(program);
    if (!code) code = check_generations(program);
    if (!code) code = check_draws(program);
    if (code) return code;
    tb_gaussian_plan_t *plan = calloc(1, sizeof *plan);
    if (!plan) return TB_ERR_MEMORY;
    plan->program = *program;
    plan->kernels = kernels;
    plan->hoard = tb_gaussian_has_hoard(program);
    plan->triangle = tb_corner(program->dimension);
    plan->reference = tb_take(plan->triangle * TB_ROW, sizeof(double), &bytes);
    plan->unit = tb_take(program->dimension, sizeof(double), &bytes);
    plan->width = tb_take(program->dimension, sizeof(double), &bytes);
    plan->scale = tb_take(program->dimension, sizeof(double), &bytes);
    if (!plan->reference || !plan->unit || !plan->width || !plan->scale) {
        tb_gaussian_plan_free(plan);
        return TB_ERR_MEMORY;
    }
    fill_reference(plan);
    plan->state_bytes = tb_gaussian_block_bytes(program);
    *self = plan;
    return TB_OK;
}

/* SPDX-License-Identifier: MIT */
/* What a program implies, worked out once: tables of the reference, and which sums its variables need. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fmath.h"

const char *tb_strerror(int code) {
    switch (code) {
    case TB_OK:
        return "no error";
    case TB_ERR_MEMORY:
        return "out of memory";
    case TB_ERR_CANCELLED:
        return "cancelled";
    default:
        return "unknown error";
    }
}

void tb_plan_free(tb_plan_t *self) {
    if (!self) return;
    tb_give(self->weight);
    tb_give(self->log_q);
    tb_give(self->batch.levels[1]);
    tb_give(self->batch.cell);
    tb_give(self->single.cell);
    tb_give(self->poisson);
    free(self->state_bytes);
    free(self);
}

size_t tb_plan_shared_bytes(const tb_plan_t *self) {
    return self->shared_bytes;
}

size_t tb_plan_state_bytes(const tb_plan_t *self) {
    return *self->state_bytes;
}

static void choose_sums(tb_plan_t *self, const tb_output_t *want) {
    if (want->survivors || want->gini_simpson || want->largest_share) self->sums |= TB_SUM_PRESENT;
    if (want->lost || want->revived) self->sums |= TB_SUM_PRESENT, self->wants |= TB_WANT_CHANGES;
    if (want->entropy || want->kl) self->sums |= TB_SUM_ENTROPY;
    if (want->tail_survivors || want->tail_mass) self->sums |= TB_SUM_EDGES;
    if (want->band_survivors || want->band_mass) self->sums |= TB_SUM_EDGES;
    if (want->coverage || want->kl || want->total_variation || want->brier) self->sums |= TB_SUM_REFERENCE;
    if (want->survivors_output) self->wants |= TB_WANT_OUTPUT;
    if (want->forgotten) self->wants |= TB_WANT_FORGOTTEN;
}

/* The edge at 0 comes last but one and is the whole; the tail's edge is the last. Only those asked for are kept. */
static void choose_edges(tb_plan_t *self, const tb_output_t *want) {
    const tb_program_t *program = &self->program;
    size_t bands = want->band_survivors || want->band_mass ? program->band_count : 0;
    memcpy(self->edges, program->band_start, bands * sizeof *self->edges);
    self->edges[bands] = program->tail_start;
    self->yardstick.edges = self->edges;
    self->yardstick.edge_count = bands + 1;
}

static int any(const uint64_t *values, size_t count) {
    for (size_t i = 0; values && i < count; i++) {
        if (values[i]) return 1;
    }
    return 0;
}

/* Whether a category absent from a training set can be in a later one. */
static int can_return(const tb_program_t *program) {
    if (program->draw || any(program->fresh, program->generations + 1)) return 1;
    for (size_t i = 0; i < program->age_count; i++) {
        if (program->ages[i] == 0) return 1;
    }
    for (size_t i = 1; i <= program->generations; i++) {
        if (program->kept && program->from_kept[i] < program->kept) return 1;
    }
    return 0;
}

static void choose_ways(tb_plan_t *self) {
    const tb_program_t *program = &self->program;
    uint64_t most_fresh = 0;
    for (size_t i = 0; i <= program->generations; i++) {
        if (program->fresh[i] > most_fresh) most_fresh = program->fresh[i];
    }
    self->fresh = most_fresh > 0;
    self->dense = most_fresh > program->categories / 4;
    self->returns = can_return(program);
    int newest = program->age_count == 1 && program->ages[0] == 1;
    self->packable = newest && !program->kept && !most_fresh && !program->draw && !program->item_weights;
}

static int fill_reference(tb_plan_t *self) {
    const size_t count = self->program.categories;
    self->weight = tb_take(self->padded, sizeof(double), &self->shared_bytes);
    if (!self->weight) return TB_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        self->weight[i] = (double)self->program.weights[i];
        self->total += self->weight[i];
    }
    if (self->sums & TB_SUM_REFERENCE) {
        self->log_q = tb_take(self->padded, sizeof(double), &self->shared_bytes);
        if (!self->log_q) return TB_ERR_MEMORY;
        for (size_t i = 0; i < count; i++) self->log_q[i] = tb_log(self->weight[i] / self->total);
    }
    return TB_OK;
}

/* `head` is even or all there is, so no pair of the first level reaches beyond it. */
static int fill_tree(tb_plan_t *self, tb_source_t *source) {
    size_t length = source->head;
    double *room = tb_take(tb_padded(length) + TB_MAX_HEIGHT * TB_PAD, sizeof(double), &self->shared_bytes);
    const double *below = self->weight;
    source->levels[1] = room;
    if (!room) return TB_ERR_MEMORY;
    while (length > 1) {
        length = (length + 1) / 2;
        const size_t padded = (length + TB_PAD - 1) / TB_PAD * TB_PAD;
        self->kernels->sum_pairs(below, (length + TB_PAD / 2 - 1) / (TB_PAD / 2) * (TB_PAD / 2), room);
        memset(room + length, 0, (padded - length) * sizeof *room);
        below = source->levels[++source->height] = room;
        room += padded;
    }
    source->head_total = below[0];
    return TB_OK;
}

/* Fewer than half an item is expected of each category from `head` on. */
static int fill_source(tb_plan_t *self, tb_source_t *source, size_t head) {
    source->head = head;
    source->total = self->total;
    source->cells = self->program.categories - head;
    int code = head ? fill_tree(self, source) : TB_OK;
    if (code || source->cells == 0) return code;
    source->cell = tb_take(source->cells, sizeof *source->cell, &self->shared_bytes);
    if (!source->cell) return TB_ERR_MEMORY;
    return tb_alias_fill(source->cell, self->program.weights + head, source->cells,
                         (uint64_t)(source->total - source->head_total));
}

static size_t choose_head(const tb_plan_t *self) {
    const double least = self->total / (2.0 * (double)self->program.samples[0]);
    size_t head = 0;
    while (head < self->program.categories && self->weight[head] >= least) head++;
    return head + (head % 2 && head < self->program.categories);
}

/* In the order in which observe adds, so that the reference's distance to itself is 0. */
static double squares(const tb_plan_t *self) {
    double lane[TB_ROW] = {0}, per_total = 1.0 / self->total;
    for (size_t i = 0; i < self->program.categories; i++) {
        double q = self->weight[i] * per_total;
        lane[i % TB_ROW] += q * q;
    }
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* Every lineage begins with the same record of generation 0. */
static int sum_reference(tb_plan_t *self) {
    size_t unused = 0;
    uint32_t *id = tb_take(self->padded, sizeof *id, &unused);
    if (!id) return TB_ERR_MEMORY;
    for (size_t i = 0; i < self->program.categories; i++) id[i] = (uint32_t)i;
    tb_add_up(self, self->weight, id, self->program.categories, self->total, &self->reference);
    tb_give(id);
    return TB_OK;
}

/* Synthetic items for each item of the training set before, half-way through the run. Any rate gives the exact law; this
 * one leaves the fewest items to be added or removed. Beyond 1 the tables would be too short. */
static double choose_rate(const tb_plan_t *self) {
    const tb_program_t *program = &self->program;
    const size_t at = program->generations / 2;
    if (at == 0 || program->item_weights || program->draw || program->age_count != 1 || program->ages[0] != 1) return 1.0;
    const uint64_t synthetic = program->samples[at] - program->fresh[at] - program->from_kept[at];
    const double rate = (double)synthetic / (double)program->samples[at - 1];
    return rate > 0.0 && rate < 1.0 ? rate : 1.0;
}

static int fill(tb_plan_t *self) {
    int code = fill_reference(self);
    if (code) return code;
    self->sum_squares = squares(self);
    self->yardstick.weight = self->weight;
    self->yardstick.log_q = self->log_q;
    self->yardstick.total = self->total;
    self->yardstick.terms = self->terms;
    self->kernels->entropy_terms(TB_TERMS, self->terms);
    self->poisson = tb_take(1, sizeof *self->poisson, &self->shared_bytes);
    self->state_bytes = calloc(1, sizeof *self->state_bytes);
    if (!self->poisson || !self->state_bytes) return TB_ERR_MEMORY;
    tb_poisson_fill(self->poisson, choose_rate(self));
    code = sum_reference(self);
    if (code) return code;
    code = fill_source(self, &self->batch, choose_head(self));
    if (code || !self->fresh || self->dense) return code;
    return fill_source(self, &self->single, 0);
}

int tb_plan_alloc(tb_plan_t **self, const tb_program_t *program, const tb_kernels_t *kernels, const tb_output_t *wanted) {
    tb_plan_t *plan = calloc(1, sizeof *plan);
    if (!plan) return TB_ERR_MEMORY;
    plan->program = *program;
    plan->kernels = kernels;
    plan->padded = tb_padded(program->categories);
    choose_sums(plan, wanted);
    choose_edges(plan, wanted);
    choose_ways(plan);
    int code = fill(plan);
    if (code) {
        tb_plan_free(plan);
        plan = NULL;
    }
    *self = plan;
    return code;
}

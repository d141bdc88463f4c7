/* SPDX-License-Identifier: MIT */
/* What a program implies, worked out once: tables of the reference, and which sums its variables need. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "decode.h"
#include "fmath.h"
#include "model.h"

const char *tb_strerror(int code) {
    switch (code) {
    case TB_OK:
        return "no error";
    case TB_ERR_MEMORY:
        return "out of memory";
    case TB_ERR_CANCELLED:
        return "cancelled";
    case TB_ERR_NOTHING:
        return "curation accepts nothing of what a model puts out";
    case TB_ERR_RULE:
        return "a rule compiled elsewhere failed";
    case TB_ERR_PROGRAM:
        return "more bands, groups, generations or categories than there is room for";
    default:
        return "unknown error";
    }
}

void tb_cancel(tb_control_t *self) { __atomic_store_n(&self->cancel, 1, __ATOMIC_RELAXED); }

int tb_is_cancelled(const tb_control_t *self) { return __atomic_load_n(&self->cancel, __ATOMIC_RELAXED); }

uint64_t tb_progress(const tb_control_t *self) { return __atomic_load_n(&self->generations, __ATOMIC_RELAXED); }

uint64_t tb_survivors(const tb_control_t *self) { return __atomic_load_n(&self->survivors, __ATOMIC_RELAXED); }

void tb_plan_free(tb_plan_t *self) {
    if (!self) return;
    tb_give(self->weight);
    tb_give(self->log_q);
    tb_give(self->levels[1]);
    tb_give(self->batch.cell);
    tb_give(self->batch.remainder);
    tb_give(self->single.cell);
    tb_give(self->single.remainder);
    tb_give(self->poisson);
    tb_give(self->powers);
    if (self->first != self) tb_plan_free(self->first);
    if (self->later != self) tb_plan_free(self->later);
    free(self->state_bytes);
    free(self);
}

size_t tb_plan_shared_bytes(const tb_plan_t *self) { return self->shared_bytes; }

size_t tb_plan_state_bytes(const tb_plan_t *self) { return *self->state_bytes; }

static void choose_sums(tb_plan_t *self, const tb_output_t *want) {
    if (want->survivors) self->sums |= TB_SUM_PRESENT;
    if (want->gini_simpson || want->largest_share) self->sums |= TB_SUM_SHARES;
    if (want->lost || want->revived) self->sums |= TB_SUM_PRESENT, self->wants |= TB_WANT_CHANGES;
    if (want->entropy || want->kl) self->sums |= TB_SUM_ENTROPY;
    if (want->tail_survivors || want->tail_mass) self->sums |= TB_SUM_EDGES;
    if (want->band_survivors || want->band_mass) self->sums |= TB_SUM_EDGES;
    if (want->coverage || want->kl || want->total_variation || want->brier) self->sums |= TB_SUM_REFERENCE;
    if (want->survivors_output) self->wants |= TB_WANT_OUTPUT;
    if (want->forgotten) self->wants |= TB_WANT_FORGOTTEN;
    if (want->wrong_mass || want->real_share || want->real_share_crawled || want->real_discarded ||
        want->band_real_discarded) {
        self->wants |= TB_WANT_SOURCES;
    }
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

static int gives_unseen(const tb_estimator_t *by) {
    return by->kind != TB_MAXIMUM_LIKELIHOOD && by->amount != 0.0 && !(by->kind == TB_SHRINKAGE && by->smoothed);
}

/* Whether models are drawn by classes where all categories are listed. Few categories are not worth the tables. */
static int hangs_on_counts(const tb_plan_t *self) {
    if (self->bent || self->program.error_rate > 0.0 || self->program.categories <= TB_PACK_MOST) return 0;
    return gives_unseen(&self->program.estimator);
}

/* Whether a category absent from a training set can be in a later one. */
static int can_return(const tb_program_t *program) {
    if (gives_unseen(&program->estimator)) return 1;
    if (program->crawled) return 1;
    if (program->draw || any(program->fresh, program->generations + 1)) return 1;
    for (size_t i = 0; i < program->age_count; i++) {
        if (program->ages[i] == 0) return 1;
    }
    for (size_t i = 1; i <= program->generations; i++) {
        if (program->kept && program->from_kept[i] < program->kept) return 1;
    }
    return 0;
}

static int fill_reference(tb_plan_t *self) {
    const size_t count = self->program.categories;
    self->weight = tb_take(self->padded, sizeof(double), &self->shared_bytes);
    if (!self->weight) return TB_ERR_MEMORY;
    uint64_t total = 0; /* at most 2^53, as all its parts */
    for (size_t i = 0; i < count; i++) {
        self->weight[i] = (double)(int64_t)self->program.weights[i];
        total += self->program.weights[i];
    }
    self->total = (double)total;
    if (self->sums & TB_SUM_REFERENCE) {
        self->log_q = tb_take(self->padded, sizeof(double), &self->shared_bytes);
        if (!self->log_q) return TB_ERR_MEMORY;
        for (size_t i = 0; i < count; i++) self->log_q[i] = tb_log(self->weight[i] / self->total);
        self->sum_log_q = tb_sum(self->log_q, count);
    }
    return TB_OK;
}

static int fill_tree(tb_plan_t *self) {
    size_t length = self->program.categories;
    double *room = tb_take(self->padded + TB_MAX_HEIGHT * TB_PAD, sizeof(double), &self->shared_bytes);
    const double *below = self->weight;
    self->levels[1] = room;
    if (!room) return TB_ERR_MEMORY;
    while (length > 1) {
        length = (length + 1) / 2;
        self->kernels->sum_pairs(below, (length + TB_PAD / 2 - 1) / (TB_PAD / 2) * (TB_PAD / 2), room);
        below = self->levels[++self->height] = room;
        room += (length + TB_PAD - 1) / TB_PAD * TB_PAD;
    }
    return TB_OK;
}

/* A source whose head has at least `least` categories. */
static int fill_source(tb_plan_t *self, tb_source_t *source, size_t least) {
    const size_t count = self->program.categories;
    while (source->height < self->height && (size_t)1 << source->height < least) source->height++;
    source->head = source->height == self->height ? count : (size_t)1 << source->height;
    if (least == 0 && count > 1) source->head = 0;
    if (source->head == count) source->height = self->height;
    if (source->head > 0) source->head_total = source->height ? self->levels[source->height][0] : self->weight[0];
    source->total = self->total;
    source->cells = count - source->head;
    if (source->cells == 0) return TB_OK;
    source->cell = tb_take(source->cells, sizeof *source->cell, &self->shared_bytes);
    source->remainder = tb_take(source->cells, sizeof *source->remainder, &self->shared_bytes);
    if (!source->cell || !source->remainder) return TB_ERR_MEMORY;
    return tb_alias_fill(source->cell, source->remainder, self->program.weights + source->head, source->cells,
                         (uint64_t)(source->total - source->head_total));
}

/* Categories of which so many human items may be expected to hold four or more: for fewer, picks cost less than splits.
 */
static size_t count_common(const tb_plan_t *self, uint64_t items) {
    const double least = 4.0 * self->total / (double)items;
    size_t common = 0;
    while (common < self->program.categories && self->weight[common] >= least) common++;
    return common;
}

/* Whether generation 1 is the only batch of human items, and needs no table. */
static int needs_no_table(const tb_plan_t *self) {
    const tb_program_t *program = &self->program;
    if (self->fresh || program->kept || program->copies || program->first_weights) return 0;
    return tb_human_by_means(self, program->samples[0]);
}

static uint64_t first_fresh(const tb_program_t *program) {
    for (size_t i = 0; i <= program->generations; i++) {
        if (program->fresh[i]) return program->fresh[i];
        if (i && program->crawled && program->crawled[i] > 0.0) {
            return 1 + (uint64_t)(program->crawled[i] * (double)program->samples[i]);
        }
    }
    return 1;
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

/* Of these, the share that is drawn by the counts, as far as the training set's size tells it. */
static double counted_share(const tb_program_t *program) {
    const tb_estimator_t *by = &program->estimator;
    const double added = by->kind == TB_ADD_K ? by->amount * (double)program->categories : 0.0;
    const double even = by->kind == TB_SHRINKAGE && !by->smoothed && by->amount > 0.0 ? by->amount : 0.0;
    return (1.0 - program->error_rate) * (1.0 - even) / (1.0 + added / (double)program->samples[0]);
}

/* The share of synthetic items in what is kept of a crawl. */
static double kept_share(const tb_program_t *program, size_t i) {
    const double human = program->crawled[i] * program->human_kept;
    const double model = (1.0 - program->crawled[i]) * program->synthetic_kept;
    return model > 0.0 ? model / (human + model) : 0.0;
}

/* Synthetic items of generation 2 for each item of generation 1. Any rate gives the exact law; this one leaves the
 * fewest items to be added or removed while neither share nor size changes. Beyond 1 the tables would be too short. */
static double choose_rate(const tb_plan_t *self) {
    const tb_program_t *program = &self->program;
    double synthetic = (double)(program->samples[1] - program->fresh[1] - program->from_kept[1]);
    if (program->crawled) synthetic *= kept_share(program, 1);
    const double rate = counted_share(program) * synthetic / (double)program->samples[0];
    return rate > 0.0 && rate < 1.0 ? rate : 1.0;
}

/* Human items of another law than the reference's are drawn by a plan that has only tables. */
static int fill_human(tb_plan_t *self, const uint64_t *weights, tb_plan_t **law) {
    tb_plan_t *to = *law = weights ? calloc(1, sizeof *to) : self;
    if (!weights) return TB_OK;
    if (!to) return TB_ERR_MEMORY;
    to->first = to->later = to;
    to->program = self->program;
    to->program.weights = weights;
    to->kernels = self->kernels;
    to->padded = self->padded;
    int code = fill_reference(to);
    if (!code) code = fill_tree(to);
    if (!code) code = fill_source(to, &to->batch, count_common(to, self->program.samples[0]));
    if (!code) code = fill_source(to, &to->whole, self->program.categories);
    if (!code) code = fill_source(to, &to->single, count_common(to, self->first_fresh));
    self->shared_bytes += to->shared_bytes;
    return code;
}

/* Counts repeat from generation to generation, and so do their powers. */
static int fill_powers(tb_plan_t *self) {
    tb_decoding_t *decoding = &self->program.decoding;
    decoding->powers = NULL;
    if (decoding->temperature == 1.0 || self->program.estimator.kind != TB_MAXIMUM_LIKELIHOOD) return TB_OK;
    self->powers = tb_take(TB_POWERS, sizeof *self->powers, &self->shared_bytes);
    if (!self->powers) return TB_ERR_MEMORY;
    if (tb_fill_powers(decoding->temperature, self->powers)) decoding->powers = self->powers;
    return TB_OK;
}

static int fill(tb_plan_t *self, const tb_judged_t *judged) {
    int code = fill_reference(self);
    if (!code) code = fill_powers(self);
    if (code) return code;
    self->sum_squares = squares(self);
    self->yardstick.weight = self->weight;
    self->yardstick.log_q = self->log_q;
    self->yardstick.total = self->total;
    self->yardstick.terms = self->terms;
    self->kernels->entropy_terms(TB_TERMS, self->terms);
    self->state_bytes = calloc(1, sizeof *self->state_bytes);
    if (!self->state_bytes) return TB_ERR_MEMORY;
    if (self->program.categories > TB_PACK_MOST) { /* fewer never draw from these tables, which take a millisecond */
        self->poisson = tb_take(1, sizeof *self->poisson, &self->shared_bytes);
        if (!self->poisson) return TB_ERR_MEMORY;
        tb_poisson_fill(self->poisson, choose_rate(self));
    }
    code = sum_reference(self);
    if (code) return code;
    tb_bench_fill(self, judged);
    code = fill_tree(self);
    if (!code && !needs_no_table(self)) {
        code = fill_source(self, &self->batch, count_common(self, self->program.samples[0]));
    }
    if (!code) code = fill_source(self, &self->whole, self->program.categories);
    if (!code && self->fresh) code = fill_source(self, &self->single, count_common(self, self->first_fresh));
    if (!code) code = fill_human(self, self->program.first_weights, &self->first);
    return code ? code : fill_human(self, self->program.kept_weights, &self->later);
}

int tb_plan_alloc(tb_plan_t **self, const tb_program_t *program, const tb_kernels_t *kernels,
                  const tb_output_t *wanted) {
    *self = NULL;
    if (program->band_count + 1 > TB_MAX_EDGES || program->judge.groups > TB_MAX_GROUPS) return TB_ERR_PROGRAM;
    if (program->generations > INT32_MAX || program->categories >> TB_ALIAS_BITS) return TB_ERR_PROGRAM;
    tb_plan_t *plan = calloc(1, sizeof *plan);
    if (!plan) return TB_ERR_MEMORY;
    plan->program = *program;
    plan->kernels = kernels;
    plan->padded = tb_padded(program->categories + 2); /* with what is wrong, and what is not listed */
    choose_sums(plan, wanted);
    choose_edges(plan, wanted);
    plan->fresh = program->crawled || any(program->fresh, program->generations + 1);
    plan->first_fresh = first_fresh(program);
    plan->returns = can_return(program);
    plan->bent = tb_decodes(&program->decoding) || program->rules.decoding || program->curation.kind != TB_CURATE_NOT ||
                 program->band_kept;
    plan->smoothed = program->estimator.kind != TB_MAXIMUM_LIKELIHOOD || program->error_rate > 0.0;
    plan->shaped = plan->bent || plan->smoothed;
    plan->by_count = hangs_on_counts(plan);
    plan->dense = !program->plain && !plan->shaped && !program->crawled && !program->first_weights &&
                  !program->copies && program->categories <= TB_DENSE_MOST;
    int code = fill(plan, &wanted->judged);
    if (code) {
        tb_plan_free(plan);
        plan = NULL;
    }
    *self = plan;
    return code;
}

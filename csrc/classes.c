/* SPDX-License-Identifier: MIT */
/* Batches of models in which a category's weight hangs on its count alone, what was not seen included. All categories
 * are listed, each at the place of its id, and draw from one table for each count.
 *
 * Weights are whole numbers, as everywhere, in three parts, each with a share of the items by exact binomial
 * quantiles: what counts without a table weigh (by tree); of every other weight a multiple of one step (Poisson counts
 * whose means are the same multiples of another step, then mended to their total); and what that leaves of it. A rule
 * may weigh categories of one count unlike: the least of their weights is the class's, the tree has the rest. */
#include <stdlib.h>
#include <string.h>

#include "lineage.h"
#include "quantile.h"

/* Poisson tables by steps of their mean, made when they are first asked for; and those of this generation's classes. */
struct tb_grid {
    unsigned char made[TB_CLASS_LARGEST * TB_CLASS_STEPS + 1];
    uint32_t entry[(TB_CLASS_LARGEST * TB_CLASS_STEPS + 1) * TB_CLASS_CELLS];
    uint64_t remainder[(TB_CLASS_LARGEST * TB_CLASS_STEPS + 1) * TB_CLASS_CELLS];
    tb_classes_t classes;
};

size_t tb_grid_size(void) { return sizeof(tb_grid_t); }

/* How the weights of a generation are shared out. All but the thresholds are whole numbers. */
typedef struct {
    double often[TB_CLASSES], weight[TB_CLASSES];
    uint64_t steps[TB_CLASSES], rest[TB_CLASSES]; /* weight = steps * step + rest */
    uint64_t step;
    double scale;                        /* of the model's weights to whole ones */
    double listed, by_tree;              /* categories without a table; the weight that the tree has */
    size_t leaves;                       /* of the tree, where categories of one count differ */
    double all_steps, all_rest, highest; /* sums over the others; the largest rest */
} tb_share_out_t;

static double whole(double x) { return (x + 0x1p52) - 0x1p52; }

/* What present categories weigh beside the least of their counts. Their weights become whole numbers. */
static double sum_beside(tb_lineage_t *self, double scale) {
    const tb_spectrum_t *by = &self->spectrum;
    tb_model_t *model = &self->model;
    double least = 0.0;
    for (size_t i = 0; i < model->length; i++) model->weight[i] = whole(model->weight[i] * scale);
    for (size_t i = 0; i < by->count; i++) least += by->often[i] * whole(by->worth[i] * scale);
    return tb_sum(model->weight, model->length) - least;
}

/* Of each small count how many categories have it, and their weight; what larger ones weigh in all. */
static void collect(tb_lineage_t *self, tb_share_out_t *to) {
    const tb_spectrum_t *from = &self->spectrum;
    const double categories = (double)self->plan->program.categories;
    const double unseen = categories - tb_sum(from->often, from->count);
    double total = unseen * self->model.other;
    memset(to, 0, sizeof *to);
    for (size_t i = 0; i < from->count && !from->least; i++) total += from->often[i] * from->worth[i];
    if (from->least) total += tb_sum(self->model.weight, self->model.length);
    to->scale = 0x1p52 / total;
    if (from->least) to->by_tree = sum_beside(self, to->scale);
    to->often[0] = unseen;
    to->weight[0] = whole(self->model.other * to->scale);
    for (size_t i = 0; i < from->count; i++) {
        const double weight = whole(from->worth[i] * to->scale);
        if (from->value[i] < (double)TB_CLASSES) {
            to->often[(size_t)from->value[i]] = from->often[i];
            to->weight[(size_t)from->value[i]] = weight;
        } else {
            to->listed += from->often[i];
            to->by_tree += from->often[i] * weight;
        }
    }
}

/* Means are some standard deviations of a batch larger than n asks for, so that the Poisson counts add up to too much
 * nearly always: items are taken away sooner than they are added. */
static double enough(double n) { return n + 2.0 * __builtin_sqrt(n); }

/* The classes below the first whose mean is too large have tables. Returns that count. */
static uint32_t share_out(tb_share_out_t *self, double n) {
    double total = self->by_tree;
    uint32_t limit = 0;
    for (size_t c = 0; c < TB_CLASSES; c++) total += self->often[c] * self->weight[c];
    self->step = (uint64_t)(total / ((double)TB_CLASS_STEPS * enough(n)));
    for (; limit < TB_CLASSES; limit++) {
        const uint64_t weight = (uint64_t)self->weight[limit];
        const double often = self->often[limit];
        self->steps[limit] = weight / self->step;
        self->rest[limit] = weight % self->step;
        if (self->steps[limit] > TB_CLASS_LARGEST * TB_CLASS_STEPS) break;
        self->all_steps += often * (double)self->steps[limit];
        self->all_rest += often * (double)self->rest[limit];
        if (often > 0.0 && (double)self->rest[limit] > self->highest) self->highest = (double)self->rest[limit];
    }
    for (size_t c = limit; c < TB_CLASSES; c++) {
        self->listed += self->often[c];
        self->by_tree += self->often[c] * self->weight[c];
        self->steps[c] = self->rest[c] = 0;
    }
    return limit;
}

static void fill_tables(tb_grid_t *grid, const tb_share_out_t *from, uint32_t limit) {
    tb_classes_t *to = &grid->classes;
    to->limit = limit;
    for (uint32_t c = 0; c <= limit; c++) {
        const size_t steps = c < limit && from->often[c] > 0.0 ? (size_t)from->steps[c] : 0;
        const size_t at = steps * TB_CLASS_CELLS, put = c * (size_t)TB_CLASS_CELLS;
        if (!grid->made[steps]) tb_class_fill((unsigned)steps, grid->entry + at, grid->remainder + at);
        grid->made[steps] = 1;
        memcpy(to->entry + put, grid->entry + at, TB_CLASS_CELLS * sizeof *to->entry);
        memcpy(to->remainder + put, grid->remainder + at, TB_CLASS_CELLS * sizeof *to->remainder);
    }
}

/* Elements by class; the limit stands for all counts from it on. */
static uint32_t class_of(const tb_lineage_t *self, size_t i, uint32_t limit) {
    const double count = self->weight[i], most = (double)limit;
    return (uint32_t)(count < most ? count : most);
}

/* To each element what its class has; those without a table have nothing. */
static void spread(const tb_lineage_t *self, const uint64_t *by_class, uint32_t limit, double *out) {
    double each[TB_CLASSES + 1] = {0};
    for (uint32_t c = 0; c < limit; c++) each[c] = (double)by_class[c];
    for (size_t i = 0; i < self->length; i++) out[i] = each[class_of(self, i, limit)];
    memset(out + self->length, 0, TB_PAD * sizeof *out);
}

static int draw_steps(tb_lineage_t *self, const tb_share_out_t *by, double n, tb_address_t at, size_t *listed) {
    tb_scratch_t *scratch = self->scratch;
    const tb_plan_t *plan = self->plan;
    const tb_classes_t *classes = &scratch->grid->classes;
    const tb_address_t fix = tb_at(at, TB_FOR_FIX, 0);
    const size_t length = self->length;
    const double sum = plan->kernels->draw_classes(self->weight, length, self->batch, scratch->sums, classes,
                                                   scratch->listed, listed, &at);
    if (sum >= n) {
        if (sum == n) return TB_OK;
        const tb_counted_t drawn = {self->batch, scratch->sums, length, sum, __builtin_inf()};
        return tb_pick_items(plan, scratch, &drawn, (uint64_t)(sum - n), 1, fix, -1.0, self->batch);
    }
    double *steps = self->model.weight;
    spread(self, by->steps, classes->limit, steps);
    const tb_counted_t wanted = {steps, NULL, length, by->all_steps, __builtin_inf()};
    return tb_pick_items(plan, scratch, &wanted, (uint64_t)(n - sum), 0, fix, 1.0, self->batch);
}

/* Items by what the steps leave, where that is too little to be found at random. */
static int pick_rest(tb_lineage_t *self, const tb_share_out_t *by, uint64_t n, uint32_t limit, tb_address_t at) {
    double *rest = self->model.weight;
    spread(self, by->rest, limit, rest);
    const tb_counted_t left = {rest, NULL, self->length, by->all_rest, __builtin_inf()};
    return tb_pick_items(self->plan, self->scratch, &left, n, 0, at, 1.0, self->batch);
}

/* Tries use a slot each: the upper half of its first word chooses a category, its second word whether the try counts.
 * They go on until n do. */
static void try_rest(tb_lineage_t *self, const tb_share_out_t *by, uint64_t n, uint32_t limit, tb_address_t at) {
    enum { SOME = TB_SOME / 2 };
    __extension__ typedef unsigned __int128 u128;
    const uint32_t categories = (uint32_t)self->plan->program.categories, floor = (0 - categories) % categories;
    uint64_t accept[TB_CLASSES + 1] = {0}, word[2 * SOME + 2 * TB_ROW];
    uint32_t id[SOME];
    for (uint32_t c = 0; c < limit; c++) {
        const u128 share = ((u128)by->rest[c] << 64) / (uint64_t)by->highest;
        accept[c] = share >> 64 ? UINT64_MAX : (uint64_t)share;
    }
    for (uint32_t slot = 0; n > 0; slot += SOME) {
        self->plan->kernels->fill_words(&at, slot, SOME, word);
        for (size_t i = 0; i < SOME; i++) {
            id[i] = (uint32_t)((word[2 * i] >> 32) * categories >> 32);
            __builtin_prefetch(&self->weight[id[i]]);
            __builtin_prefetch(&self->batch[id[i]], 1);
        }
        for (size_t i = 0; i < SOME && n > 0; i++) {
            const int fair = (uint32_t)((word[2 * i] >> 32) * categories) >= floor;
            const int counts = fair & (word[2 * i + 1] < accept[class_of(self, id[i], limit)]);
            self->batch[id[i]] += (double)counts;
            n -= (uint64_t)counts;
        }
    }
}

/* Each try finds an item with a share of the largest rest. */
static int add_rest(tb_lineage_t *self, const tb_share_out_t *by, uint64_t n, uint32_t limit, tb_address_t at) {
    const double tries = by->highest * (double)self->plan->program.categories;
    const tb_address_t here = tb_at(at, TB_FOR_REST, 0);
    if (n == 0) return TB_OK;
    if (tries > 64.0 * by->all_rest) return pick_rest(self, by, n, limit, here);
    try_rest(self, by, n, limit, here);
    return TB_OK;
}

/* Categories without a table. Both columns stand in the model's, which has room for all categories. */
static int draw_listed(tb_lineage_t *self, const tb_share_out_t *by, double n, size_t listed, tb_address_t at) {
    const uint32_t *where = self->scratch->listed;
    double *weight = self->model.weight, *count = weight + tb_padded(listed);
    if (listed == 0 || n == 0.0) return TB_OK;
    memset(weight, 0, 2 * tb_padded(listed) * sizeof *weight);
    for (size_t i = 0; i < listed; i++)
        weight[i] = whole(tb_worth(&self->spectrum, self->weight[where[i]]) * by->scale);
    int code = tb_draw_batch(self->plan, self->scratch, weight, listed, by->by_tree, n, at, count);
    for (size_t i = 0; !code && i < listed; i++) self->batch[where[i]] += count[i];
    return code;
}

/* What the tree has of the present categories where those of one count differ. Their counts make room for it. */
static void list_leaves(tb_lineage_t *self, tb_share_out_t *by, uint32_t limit) {
    tb_scratch_t *scratch = self->scratch;
    const tb_model_t *model = &self->model;
    double *leaf = scratch->beside;
    for (size_t i = 0; i < model->length; i++) {
        const double least = leaf[i] < (double)limit ? by->weight[(size_t)leaf[i]] : 0.0;
        leaf[i] = model->weight[i] - least;
    }
    by->leaves = self->plan->kernels->compact(scratch->present, leaf, model->length, scratch->present, leaf);
    memset(leaf + by->leaves, 0, TB_PAD * sizeof *leaf);
}

/* Which leaves are picked stays in the scratch; what they are counted in is no more needed. */
static int pick_leaves(tb_lineage_t *self, const tb_share_out_t *by, uint64_t n, tb_address_t at) {
    tb_scratch_t *scratch = self->scratch;
    const tb_counted_t leaves = {scratch->beside, NULL, by->leaves, by->by_tree, __builtin_inf()};
    int code = tb_pick_items(self->plan, scratch, &leaves, n, 0, at, 1.0, self->model.weight);
    for (uint64_t i = 0; !code && i < n; i++) self->batch[scratch->present[scratch->chosen[i]]] += 1.0;
    return code;
}

/* A few items are put in their places one by one, where a tree would have many more leaves. */
static int draw_leaves(tb_lineage_t *self, const tb_share_out_t *by, double n, tb_address_t at) {
    tb_scratch_t *scratch = self->scratch;
    double *count = self->model.weight;
    if (n == 0.0) return TB_OK;
    self->uneven = 4.0 * n >= (double)by->leaves && 8 * by->leaves > self->length;
    if (4.0 * n < (double)by->leaves) return pick_leaves(self, by, (uint64_t)n, tb_at(at, TB_FOR_BESIDE, 0));
    int code = tb_draw_batch(self->plan, scratch, scratch->beside, by->leaves, by->by_tree, n, at, count);
    for (size_t i = 0; !code && i < by->leaves; i++) self->batch[scratch->present[i]] += count[i];
    return code;
}

static double part(double n, double share, double all, tb_address_t at, uint32_t purpose, uint32_t attempt) {
    const tb_address_t here = tb_at(at, purpose, attempt);
    uint64_t word[2];
    if (share == 0.0) return 0.0;
    tb_philox(&here, 0, word);
    return (double)tb_binomial_quantile(n, share < all ? share / all : 1.0, word[0]);
}

/* Where many counts have no table the tree serves all. */
static int pays(const tb_lineage_t *self, const tb_share_out_t *by) {
    const size_t listed = (size_t)by->listed;
    return 8 * listed <= self->length && 2 * tb_padded(listed) <= self->plan->padded;
}

int tb_draw_classes(tb_lineage_t *self, uint64_t n, tb_address_t at, int *drawn) {
    tb_share_out_t by;
    size_t listed = 0;
    *drawn = 0;
    int code = tb_estimate_classes(self);
    if (code) return code;
    collect(self, &by);
    const uint32_t limit = share_out(&by, (double)n);
    if (!pays(self, &by)) return TB_OK;
    *drawn = 1;
    if (self->spectrum.least) list_leaves(self, &by, limit);
    fill_tables(self->scratch->grid, &by, limit);
    const double steps = by.all_steps * (double)by.step, in_classes = steps + by.all_rest;
    const double apart = part((double)n, by.by_tree, by.by_tree + in_classes, at, TB_FOR_LISTED, 0);
    const double beside = part((double)n - apart, by.all_rest, in_classes, at, TB_FOR_REST, 1);
    code = draw_steps(self, &by, (double)n - apart - beside, at, &listed);
    if (!code) code = add_rest(self, &by, (uint64_t)beside, limit, at);
    if (code) return code;
    return self->spectrum.least ? draw_leaves(self, &by, apart, at) : draw_listed(self, &by, apart, listed, at);
}

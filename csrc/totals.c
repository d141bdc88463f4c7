/* SPDX-License-Identifier: MIT */
/* The loop over generations of eight lineages by their sums. What is uniform over lanes (sizes, weights) is followed
 * once. */
#include "totals.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gaussian_kernels.h"
#include "quantile_poisson.h"
#include "totals_core.h"

/* --- Draws --- */

static void draw_counts(tb_totals_block_t *self, uint32_t purpose, const tb_total_t *from, uint64_t n,
                        tb_total_t *out) {
    const double share = (double)n / from->weight; /* 1 for a batch as large as the training set: then it is exact */
    for (size_t l = 0; l < self->count; l++) {
        const tb_address_t at = {self->plan->program.key, self->generation + 1, (uint32_t)self->lanes.replicate[l],
                                 purpose};
        const double mean = from->sum[l] * share;
        uint64_t word[2];
        if (mean > TB_POISSON_LARGEST) {
            self->code = TB_ERR_TOTALS_GROWN;
            return;
        }
        tb_philox(&at, 0, word);
        out->sum[l] = mean > 0.0 ? (double)tb_poisson_quantile(mean, word[0]) : 0.0;
    }
}

/* Gamma(n) is half the square of a chi variate of 2 n degrees of freedom. */
static void draw_times(tb_totals_block_t *self, uint32_t purpose, const tb_total_t *from, uint64_t n, tb_total_t *out) {
    const double shape = (double)n - 1.0 / 3.0;
    const tb_chi_t law = {shape, 1.0 / (3.0 * sqrt(shape)), sqrt(2.0 * shape)};
    double chi[TB_ROW];
    self->plan->kernels->gaussian->fill_lane_chis(&self->lanes, self->plan->program.key, purpose, 0, &law, 1, chi);
    for (size_t l = 0; l < TB_ROW; l++) {
        out->sum[l] = from->sum[l] / from->weight * (0.5 * (chi[l] * chi[l]));
        out->exponent[l] = from->exponent[l];
    }
}

/* The sum of n items of the law that was fitted to `from`. */
static void draw(tb_totals_block_t *self, uint32_t purpose, const tb_total_t *from, uint64_t n, tb_total_t *out) {
    out->weight = (double)n;
    if (self->plan->program.law == TB_POISSON) {
        draw_counts(self, purpose, from, n, out);
    } else {
        draw_times(self, purpose, from, n, out);
    }
}

/* --- Training sets --- */

static void clear(tb_total_t *self) { memset(self, 0, sizeof *self); }

/* Sums are kept within 2^-256..2^256. */
static void rescale(tb_total_t *self) {
    for (size_t l = 0; l < TB_ROW; l++) {
        const int by = self->sum[l] >= 0x1p256                         ? TB_RANGE
                       : self->sum[l] > 0.0 && self->sum[l] < 0x1p-256 ? -TB_RANGE
                                                                       : 0;
        self->sum[l] = tb_scaled(self->sum[l], -by);
        self->exponent[l] += by;
    }
}

/* Items of `part` join, each with this weight. */
static void add(tb_total_t *self, const tb_total_t *part, double weight) {
    if (weight == 0.0 || part->weight == 0.0) return;
    for (size_t l = 0; l < TB_ROW; l++) {
        const int theirs = part->exponent[l];
        const int most = self->weight == 0.0 || self->exponent[l] < theirs ? theirs : self->exponent[l];
        self->sum[l] =
            tb_scaled(self->sum[l], self->exponent[l] - most) + weight * tb_scaled(part->sum[l], theirs - most);
        self->exponent[l] = most;
    }
    self->weight += weight * part->weight;
    rescale(self);
}

/* The batch of generation t joins `into`: synthetic items of `model`, fresh and kept ones. */
static void add_batch(tb_totals_block_t *self, tb_total_t *into, const tb_total_t *model, const double weight[3]) {
    const tb_totals_t *program = &self->plan->program;
    const size_t i = self->generation;
    const uint64_t fresh = program->fresh[i], kept = program->from_kept[i];
    const uint64_t synthetic = program->samples[i] - fresh - kept;
    tb_total_t made;
    clear(&made);
    if (synthetic && weight[0] > 0.0) draw(self, TB_FOR_TOTAL, model, synthetic, &made);
    add(into, &made, weight[0]);
    if (fresh && weight[1] > 0.0) {
        draw(self, TB_FOR_TOTAL_FRESH, &self->reference, fresh, &self->part);
        add(into, &self->part, weight[1]);
    }
    if (kept) add(into, &self->kept, weight[2]);
}

/* --- Generations --- */

static void merge_ages(tb_totals_block_t *self) {
    clear(&self->training);
    for (size_t k = 0; k < self->plan->past_count; k++) {
        add(&self->training, &self->past[k], (double)self->plan->program.ages[k]);
    }
}

/* The newest batch comes first and the oldest is forgotten. */
static void remember(tb_totals_block_t *self, const tb_total_t *newest) {
    memmove(self->past + 1, self->past, (self->plan->past_count - 1) * sizeof *self->past);
    self->past[0] = *newest;
    merge_ages(self);
}

/* Human data are one stream: generation 1 trains on its beginning, and the kept set is its beginning too. */
static void first(tb_totals_block_t *self) {
    const tb_totals_t *program = &self->plan->program;
    const uint64_t n = program->samples[0], kept = program->kept ? program->kept : n;
    const uint64_t both = n < kept ? n : kept, more = n < kept ? kept - n : n - kept;
    draw(self, TB_FOR_TOTAL_HUMAN, &self->reference, both, &self->part);
    clear(&self->training);
    clear(&self->kept);
    add(&self->training, &self->part, 1.0);
    add(&self->kept, &self->part, 1.0);
    if (more) {
        draw(self, TB_FOR_TOTAL_HUMAN_MORE, &self->reference, more, &self->part);
        add(n < kept ? &self->kept : &self->training, &self->part, 1.0);
    }
    if (self->plan->past_count) {
        const tb_total_t batch = self->training;
        for (size_t k = 0; k < self->plan->past_count; k++) clear(&self->past[k]);
        remember(self, &batch);
    }
}

static void step(tb_totals_block_t *self) {
    const tb_totals_t *program = &self->plan->program;
    double weight[3] = {1.0, 1.0, 1.0};
    tb_total_t next;
    for (size_t s = 0; program->item_weights && s < 3; s++) {
        weight[s] = (double)program->item_weights[3 * self->generation + s];
    }
    clear(&next);
    if (program->age_count == 0) {
        const tb_total_t model = self->training;
        add_batch(self, &self->training, &model, weight);
        return;
    }
    add_batch(self, &next, &self->training, weight);
    if (self->plan->past_count) {
        remember(self, &next);
    } else {
        self->training = next;
    }
}

/* Eight lineages from the reference to the last record. */
static int run_block(tb_totals_block_t *self, const tb_totals_output_t *output, size_t row, tb_control_t *control) {
    const tb_totals_t *program = &self->plan->program;
    size_t record = 0;
    self->generation = 0;
    self->training = self->reference;
    if (program->at_count && program->at[0] == 0) tb_totals_record(self, output, row, record++);
    while (self->generation < program->generations && record < program->at_count) {
        if (tb_is_cancelled(control)) return TB_ERR_CANCELLED;
        for (size_t l = 0; l < TB_ROW; l++) self->lanes.generation[l] = self->generation + 1;
        if (self->generation == 0) {
            first(self);
        } else {
            step(self);
        }
        if (self->code) return self->code;
        self->generation++;
        tb_count_generations(control, self->count);
        if (program->at[record] == self->generation) tb_totals_record(self, output, row, record++);
    }
    return TB_OK;
}

static void begin(tb_totals_block_t *self, const tb_totals_plan_t *plan, uint32_t first_replicate, size_t count) {
    self->plan = plan;
    self->count = count;
    clear(&self->reference);
    self->reference.weight = 1.0;
    for (size_t l = 0; l < TB_ROW; l++) {
        self->lanes.replicate[l] = (uint64_t)first_replicate + l;
        self->reference.sum[l] = plan->program.law == TB_POISSON ? plan->program.reference : 1.0;
    }
}

int tb_totals_run(const tb_totals_plan_t *plan, uint32_t first_replicate, uint32_t count,
                  const tb_totals_output_t *output, tb_control_t *control) {
    tb_totals_block_t block;
    int code = TB_OK;
    memset(&block, 0, sizeof block);
    block.past = calloc(plan->past_count + 1, sizeof *block.past);
    if (!block.past) return TB_ERR_MEMORY;
    for (uint32_t done = 0; !code && done < count; done += TB_ROW) {
        const uint32_t left = count - done;
        begin(&block, plan, first_replicate + done, left < TB_ROW ? left : TB_ROW);
        code = run_block(&block, output, done, control);
    }
    free(block.past);
    return code;
}

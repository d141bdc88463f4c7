/* SPDX-License-Identifier: MIT */
/* From sums over the survivors to the values that are recorded. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fmath.h"

static void fold(double lane[TB_ROW]) {
    lane[0] = ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

void tb_add_up(const tb_plan_t *plan, const double *weight, const uint32_t *id, size_t length, double total,
               tb_sums_t *sums) {
    double inverse[TB_ROW];
    for (size_t i = 0; i < TB_ROW; i++) inverse[i] = 1.0 / total;
    plan->kernels->observe(weight, id, (length + TB_ROW - 1) / TB_ROW, inverse, plan->sums, &plan->yardstick, sums);
    if (plan->sums & TB_SUM_PRESENT) fold(sums->present);
    if (plan->sums & TB_SUM_SHARES) {
        fold(sums->square);
        for (size_t i = 1; i < TB_ROW; i++) {
            if (sums->largest[i] > sums->largest[0]) sums->largest[0] = sums->largest[i];
        }
    }
    if (plan->sums & TB_SUM_ENTROPY) fold(sums->entropy);
    if (plan->sums & TB_SUM_REFERENCE) {
        fold(sums->covered);
        fold(sums->cross);
        fold(sums->variation);
        fold(sums->brier);
    }
    for (size_t i = 0; plan->sums & TB_SUM_EDGES && i < plan->yardstick.edge_count; i++) {
        fold(sums->edge_present[i]);
        fold(sums->edge_weight[i]);
    }
}

static double log_total(tb_recorder_t *self, double total) {
    if (total != self->last_total) {
        self->last_total = total;
        self->last_log = tb_log(total);
    }
    return self->last_log;
}

/* The records of lineages side by side: where each goes. */
typedef struct {
    const tb_plan_t *plan;
    const tb_output_t *out;
    size_t count, at[TB_ROW];
    double total, log_total;
} rows_t;

static void write_counts(const rows_t *rows, const double *sum, int32_t *out) {
    for (size_t l = 0; l < rows->count; l++) out[rows->at[l]] = (int32_t)sum[l];
}

/* Beyond an edge lie this band and all rarer ones. */
static void write_bands(const rows_t *rows, const tb_sums_t *sums) {
    const tb_output_t *out = rows->out;
    const size_t bands = rows->plan->program.band_count;
    for (size_t l = 0; l < rows->count; l++) {
        const size_t at = rows->at[l] * bands;
        double present = 0.0, weight = 0.0;
        for (size_t b = 0; b < bands; b++) {
            if (out->band_survivors) out->band_survivors[at + b] = (int32_t)(sums->edge_present[b][l] - present);
            if (out->band_mass) out->band_mass[at + b] = (sums->edge_weight[b][l] - weight) / rows->total;
            present = sums->edge_present[b][l];
            weight = sums->edge_weight[b][l];
        }
    }
}

static void write_edges(const rows_t *rows, const tb_sums_t *sums) {
    const tb_output_t *out = rows->out;
    const size_t tail = rows->plan->yardstick.edge_count - 1;
    if (out->tail_survivors) write_counts(rows, sums->edge_present[tail], out->tail_survivors);
    if (out->tail_mass) {
        for (size_t l = 0; l < rows->count; l++) {
            out->tail_mass[rows->at[l]] = sums->edge_weight[tail][l] / rows->total;
        }
    }
    if (tail > 0) write_bands(rows, sums);
}

static void write_reference(const rows_t *rows, const tb_sums_t *sums) {
    const tb_output_t *out = rows->out;
    for (size_t l = 0; l < rows->count; l++) {
        const size_t at = rows->at[l];
        if (out->coverage) out->coverage[at] = sums->covered[l] / rows->plan->total;
        if (out->total_variation) out->total_variation[at] = sums->variation[l];
        if (out->brier) out->brier[at] = sums->brier[l] + rows->plan->sum_squares;
        if (!out->kl) continue;
        const double kl = (sums->entropy[l] - sums->cross[l]) / rows->total - rows->log_total;
        out->kl[at] = kl <= 0.0 ? 0.0 : kl; /* a divergence is not negative; the rounding of its sum may be */
    }
}

static void write_own(const rows_t *rows, const tb_sums_t *sums) {
    const tb_output_t *out = rows->out;
    const double total = rows->total;
    if (out->survivors) write_counts(rows, sums->present, out->survivors);
    for (size_t l = 0; out->largest_share && l < rows->count; l++) {
        out->largest_share[rows->at[l]] = sums->largest[l] / total;
    }
    for (size_t l = 0; out->gini_simpson && l < rows->count; l++) {
        out->gini_simpson[rows->at[l]] = 1.0 - sums->square[l] / total / total;
    }
    for (size_t l = 0; out->entropy && l < rows->count; l++) {
        out->entropy[rows->at[l]] = rows->log_total - sums->entropy[l] / total;
    }
}

static void write_changes(const rows_t *rows, tb_cursor_t *const cursor[], const tb_sums_t *sums, const int32_t *back) {
    const tb_output_t *out = rows->out;
    for (size_t l = 0; l < rows->count; l++) {
        const int32_t present = (int32_t)sums->present[l], returned = back && back[l] > 0 ? back[l] : 0;
        if (out->lost) out->lost[rows->at[l]] = cursor[l]->present - (present - returned);
        if (out->revived) out->revived[rows->at[l]] = returned;
        cursor[l]->present = present;
    }
}

/* What is the same in all lineages. All is human up to generation 1, where no detector is asked. */
static void write_sources(const tb_recorder_t *self, size_t at, uint32_t generation) {
    const tb_program_t *program = &self->plan->program;
    const tb_output_t *out = self->output;
    const int lost = generation > 1 && program->band_lost;
    const size_t i = generation > 1 ? generation - 1 : 0, bands = program->band_count;
    double real = 1.0;
    if (generation > 1) real = (double)(program->fresh[i] + program->from_kept[i]) / (double)program->samples[i];
    if (out->wrong_mass) out->wrong_mass[at] = 0.0; /* this and the next unless tb_write_levers says otherwise */
    if (out->real_share) out->real_share[at] = real;
    if (generation > 1 && program->crawled) real = program->crawled[i];
    if (out->real_share_crawled) out->real_share_crawled[at] = real;
    if (out->real_discarded) out->real_discarded[at] = lost ? 1.0 - program->human_kept : 0.0;
    for (size_t b = 0; out->band_real_discarded && b < bands; b++) {
        out->band_real_discarded[at * bands + b] = lost ? program->band_lost[b] : 0.0;
    }
}

void tb_write_records(tb_recorder_t *self, tb_cursor_t *const cursor[], size_t count, const tb_sums_t *sums,
                      double total, const int32_t *back) {
    const tb_plan_t *plan = self->plan;
    rows_t rows = {plan, self->output, count, {0}, total, log_total(self, total)};
    for (size_t l = 0; l < count; l++) rows.at[l] = cursor[l]->lineage * plan->program.at_count + cursor[l]->next++;
    for (size_t l = 0; plan->wants & TB_WANT_SOURCES && l < count; l++) {
        write_sources(self, rows.at[l], plan->program.at[cursor[l]->next - 1]);
    }
    write_own(&rows, sums);
    if (plan->sums & TB_SUM_REFERENCE) write_reference(&rows, sums);
    if (plan->sums & TB_SUM_EDGES) write_edges(&rows, sums);
    if (plan->wants & TB_WANT_CHANGES) write_changes(&rows, cursor, sums, back);
}

void tb_write_levers(tb_recorder_t *self, const tb_cursor_t *cursor, double wrong, double real) {
    const size_t at = cursor->lineage * self->plan->program.at_count + cursor->next - 1;
    if (self->output->wrong_mass) self->output->wrong_mass[at] = wrong;
    if (self->output->real_share) self->output->real_share[at] = real;
}

void tb_write_judgement(tb_recorder_t *self, const tb_cursor_t *cursor, const tb_list_t *present,
                        const tb_list_t *model) {
    tb_verdict_t verdict;
    tb_judge(self->plan, present, model, &verdict);
    tb_write_verdict(self->plan, &self->output->judged, cursor->lineage * self->plan->program.at_count + cursor->next,
                     &verdict);
}

size_t tb_find(const uint32_t *values, size_t count, uint32_t least) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (values[middle] < least) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Where `generation` stands among the recorded ones, or at_count. */
static size_t row_of(const tb_program_t *program, uint32_t generation) {
    const size_t at = tb_find(program->at, program->at_count, generation);
    return at < program->at_count && program->at[at] == generation ? at : program->at_count;
}

void tb_write_output(tb_recorder_t *self, size_t lineage, uint32_t generation, const double *batch, size_t length) {
    const tb_program_t *program = &self->plan->program;
    if (!self->output->survivors_output) return;
    size_t row = row_of(program, generation);
    if (row == program->at_count) return;
    int32_t present = 0;
    for (size_t i = 0; i < length; i++) present += batch[i] > 0.0;
    self->output->survivors_output[lineage * program->at_count + row] = present;
}

int tb_is_snapshot(const tb_program_t *program, uint32_t generation) {
    const size_t at = tb_find(program->snapshots, program->snapshot_count, generation);
    return at < program->snapshot_count && program->snapshots[at] == generation;
}

/* The last generation that any record, snapshot or date of forgetting needs. */
uint32_t tb_last_needed(const tb_plan_t *plan) {
    const tb_program_t *program = &plan->program;
    uint32_t last = program->at_count ? program->at[program->at_count - 1] : 0;
    if (program->snapshot_count && program->snapshots[program->snapshot_count - 1] > last) {
        last = program->snapshots[program->snapshot_count - 1];
    }
    return plan->wants & TB_WANT_FORGOTTEN ? (uint32_t)program->generations : last;
}

uint32_t tb_end(const tb_plan_t *plan) {
    const tb_program_t *program = &plan->program;
    const uint32_t last = tb_last_needed(plan);
    const int drawn = plan->wants & TB_WANT_OUTPUT && row_of(program, last) < program->at_count;
    return drawn && program->samples[last] > 0 ? last + 1 : last;
}

static int grow(tb_snapshots_t *self, size_t more) {
    if (self->count + more <= self->capacity) return TB_OK;
    size_t capacity = 2 * (self->count + more);
    void *replicate = realloc(self->replicate, capacity * sizeof *self->replicate);
    if (replicate) self->replicate = replicate;
    void *generation = realloc(self->generation, capacity * sizeof *self->generation);
    if (generation) self->generation = generation;
    void *id = realloc(self->id, capacity * sizeof *self->id);
    if (id) self->id = id;
    void *weight = realloc(self->weight, capacity * sizeof *self->weight);
    if (weight) self->weight = weight;
    if (!replicate || !generation || !id || !weight) return TB_ERR_MEMORY;
    self->capacity = capacity;
    return TB_OK;
}

int tb_write_snapshot(tb_recorder_t *self, uint32_t replicate, uint32_t generation, const double *weight,
                      const uint32_t *id, size_t length) {
    tb_snapshots_t *to = self->snapshots;
    int code = grow(to, length);
    if (code) return code;
    for (size_t i = 0; i < length; i++) {
        if (weight[i] == 0.0 || id[i] == self->plan->program.categories) continue;
        to->replicate[to->count] = replicate;
        to->generation[to->count] = generation;
        to->id[to->count] = id[i];
        to->weight[to->count++] = (uint64_t)weight[i];
    }
    return TB_OK;
}

void tb_snapshots_free(tb_snapshots_t *self) {
    free(self->replicate);
    free(self->generation);
    free(self->id);
    free(self->weight);
    memset(self, 0, sizeof *self);
}

/* SPDX-License-Identifier: MIT */
/* The loop over generations of a lineage, and over the lineages of a run. */
#include "lineage.h"

#include <stdlib.h>
#include <string.h>

void tb_lineage_free(tb_lineage_t *self) {
    if (self->batch != self->next) tb_give(self->batch);
    tb_give(self->next);
    tb_give(self->weight);
    tb_give(self->id);
    tb_give(self->other);
    tb_give(self->pool);
    tb_give(self->kept);
    tb_give(self->place);
    tb_give(self->model.weight);
    tb_give(self->before);
    tb_give(self->spectrum.value);
    tb_give(self->spectrum.often);
    tb_give(self->spectrum.worth);
    tb_give(self->stamp);
    for (size_t i = 0; i < self->columns; i++) tb_give(self->column[i]);
    free(self->column);
    memset(self, 0, sizeof *self);
}

static int take(tb_lineage_t *self, void *where, size_t size, int wanted) {
    void *p = NULL;
    if (wanted) {
        p = tb_take(self->plan->padded, size, &self->bytes);
        memcpy(where, &p, sizeof p);
    }
    return wanted && !p;
}

int tb_lineage_init(tb_lineage_t *self, const tb_plan_t *plan, tb_recorder_t *recorder, tb_scratch_t *scratch) {
    const tb_program_t *program = &plan->program;
    const int newest = tb_trains_on_newest(program), pool = program->draw != NULL;
    memset(self, 0, sizeof *self);
    self->plan = plan;
    self->recorder = recorder;
    self->scratch = scratch;
    int missing = take(self, &self->id, sizeof *self->id, 1);
    missing |= take(self, &self->weight, sizeof(double), 1);
    missing |= take(self, &self->next, sizeof(double), 1);
    missing |= take(self, &self->other, sizeof(double), plan->fresh || program->kept);
    missing |= take(self, &self->pool, sizeof(double), pool);
    missing |= take(self, &self->kept, sizeof(double), program->kept > 0);
    missing |= take(self, &self->place, sizeof *self->place, plan->fresh || plan->shaped);
    missing |= take(self, &self->model.weight, sizeof(double), plan->shaped);
    missing |= take(self, &self->before, sizeof(double),
                    program->estimator.kind == TB_SHRINKAGE && program->estimator.smoothed);
    missing |= take(self, &self->stamp, sizeof *self->stamp, plan->returns && plan->wants & TB_WANT_CHANGES);
    if (newest && !pool) {
        self->batch = self->next;
    } else {
        missing |= take(self, &self->batch, sizeof(double), 1);
    }
    if (!newest && program->age_count > 0) {
        self->column = calloc(program->age_count, sizeof *self->column);
        if (!self->column) return TB_ERR_MEMORY;
        for (; self->columns < program->age_count; self->columns++) {
            missing |= take(self, &self->column[self->columns], sizeof(double), 1);
        }
    }
    self->peak = self->bytes;
    return missing ? TB_ERR_MEMORY : TB_OK;
}

static int is_empty(const tb_lineage_t *self, size_t i) {
    if (self->weight[i] > 0.0 || (self->pool && self->pool[i] > 0.0) || (self->kept && self->kept[i] > 0.0)) return 0;
    if (self->before && self->before[i] > 0.0) return 0;
    for (size_t c = 0; c < self->columns; c++) {
        if (self->column[c][i] > 0.0) return 0;
    }
    return 1;
}

static void move(tb_lineage_t *self, size_t to, size_t from) {
    self->id[to] = self->id[from];
    self->weight[to] = self->weight[from];
    if (self->pool) self->pool[to] = self->pool[from];
    if (self->kept) self->kept[to] = self->kept[from];
    if (self->before) self->before[to] = self->before[from];
    for (size_t c = 0; c < self->columns; c++) self->column[c][to] = self->column[c][from];
}

static void clear_from(double *column, size_t from, size_t to) {
    if (column) memset(column + from, 0, (to - from) * sizeof *column);
}

/* Where each survivor will be, where weights are the only column. */
static void place_survivors(tb_lineage_t *self) {
    uint32_t to = 0;
    for (size_t i = 0; self->place && i < self->length; i++) {
        const uint32_t alive = self->weight[i] > 0.0;
        self->place[self->id[i]] = to | (alive - 1u); /* TB_NOWHERE for the others */
        to += alive;
    }
}

/* How many elements stay before the first that is dropped. Generation 1's have no places yet. */
static size_t count_kept(const tb_lineage_t *self) {
    size_t kept = 0;
    while (self->generation > 1 && kept < self->length && !is_empty(self, kept)) kept++;
    return kept;
}

/* Drops what is empty in every column. The compressing kernel serves regimes with no column but the weights. */
static void compact(tb_lineage_t *self) {
    const size_t before = self->length;
    if (!self->pool && !self->kept && !self->columns && !self->before) {
        place_survivors(self);
        self->length = self->plan->kernels->compact(self->id, self->weight, before, self->id, self->weight);
    } else {
        const size_t same = count_kept(self);
        self->length = same;
        for (size_t i = same; i < before; i++) {
            const int gone = is_empty(self, i);
            if (self->place) self->place[self->id[i]] = gone ? TB_NOWHERE : (uint32_t)self->length;
            if (!gone) move(self, self->length++, i);
        }
    }
    const size_t end = self->place ? before + TB_ROW : tb_padded(self->length);
    clear_from(self->weight, self->length, end);
    clear_from(self->next, self->length, end);
    if (self->batch != self->next) clear_from(self->batch, self->length, end);
    clear_from(self->other, self->length, end);
    clear_from(self->pool, self->length, end);
    clear_from(self->kept, self->length, end);
    clear_from(self->before, self->length, end);
    for (size_t c = 0; c < self->columns; c++) clear_from(self->column[c], self->length, end);
    if (self->plan->program.error_rate > 0.0) tb_place_of(self, (uint32_t)self->plan->program.categories);
    self->base = self->length;
    self->compacted = self->generation;
}

static int never_compacts(const tb_lineage_t *self) { return self->pool || self->plan->program.age_count == 0; }

static size_t count_present(const tb_lineage_t *self) {
    return self->plan->kernels->count_beyond(self->weight, self->length, 0.0);
}

/* While more than an eighth of the categories is present, and as many items are drawn, what is absent is drawn with
 * the rest: that costs less than to find places for those that come back. Of an estimator that mixes counts with the
 * even law only the latter's items come back: a fifth as many as there are categories make up for it. What a rule makes
 * of the next training set is not known yet; what it made of the last one is. */
static int serves_full(const tb_lineage_t *self, size_t present) {
    const tb_program_t *program = &self->plan->program;
    const size_t i = self->generation, categories = program->categories;
    if (!self->plan->by_count || never_compacts(self)) return 0;
    const uint64_t items = program->samples[i] - program->fresh[i] - program->from_kept[i];
    const double even = program->estimator.kind == TB_BY_RULE ? self->even : tb_even_share(self);
    if (self->uneven || (even >= 0.0 && even * (double)items <= (double)categories / 5.0)) return 0;
    return present > categories / 8 && items > categories / 8;
}

static void settle(tb_lineage_t *self, size_t present) {
    self->full = 1;
    self->base = present;
    self->compacted = self->generation;
}

/* From the first training set on, which lists all. */
static void compact_first(tb_lineage_t *self) {
    const size_t present = self->plan->by_count ? count_present(self) : 0;
    if (!serves_full(self, present)) {
        self->full = 0;
        compact(self);
        return;
    }
    for (size_t i = 0; i < self->length; i++) self->place[i] = (uint32_t)i;
    settle(self, present);
}

/* Every category at the place of its id; counts are the only column. */
static void list_all(tb_lineage_t *self) {
    const size_t categories = self->plan->program.categories;
    memset(self->next, 0, categories * sizeof *self->next);
    for (size_t i = 0; i < self->length; i++) self->next[self->id[i]] = self->weight[i];
    double *listed = self->next;
    self->next = self->weight;
    if (self->batch == listed) self->batch = self->next;
    self->weight = listed;
    for (size_t i = 0; i < categories; i++) {
        self->id[i] = (uint32_t)i;
        self->place[i] = (uint32_t)i;
    }
    const size_t present = self->length;
    self->length = categories;
    settle(self, present);
}

static void check_full(tb_lineage_t *self) {
    const size_t present = count_present(self);
    self->full = serves_full(self, present);
    if (self->full) {
        settle(self, present);
    } else {
        compact(self);
    }
}

/* On schedule, and where many categories have arrived. */
static void compact_when_due(tb_lineage_t *self) {
    if (never_compacts(self)) return; /* nothing ever dies */
    if (self->full) {
        if (self->generation >= tb_next_compaction(self->compacted)) check_full(self);
        return;
    }
    const int crowded = self->length > self->base + self->base / 4 + TB_PAD;
    if (crowded || self->generation >= tb_next_compaction(self->compacted)) compact(self);
    if (self->compacted == self->generation && !self->kept && !self->columns && serves_full(self, self->length))
        list_all(self);
}

static int32_t count_back(tb_lineage_t *self) {
    int32_t back = 0;
    if (!self->stamp) return 0;
    const uint32_t now = (uint32_t)self->cursor.next + 1;
    for (size_t i = 0; i < self->length; i++) {
        if (self->weight[i] == 0.0 || self->id[i] == self->plan->program.categories) continue;
        back += self->stamp[self->id[i]] != now - 1;
        self->stamp[self->id[i]] = now;
    }
    return back;
}

static void judge(tb_lineage_t *self, double total) {
    tb_list_t present = {self->weight, self->id, self->length, 1, total, 0.0, 0.0}, model = present;
    if (self->plan->shaped) tb_list_shaped(self, total, &present, &model);
    tb_write_judgement(self->recorder, &self->cursor, &present, &model);
}

static int record(tb_lineage_t *self) {
    const tb_program_t *program = &self->plan->program;
    if (program->snapshot_count && tb_is_snapshot(program, self->generation)) {
        int code =
            tb_write_snapshot(self->recorder, self->replicate, self->generation, self->weight, self->id, self->length);
        if (code) return code;
    }
    if (self->cursor.next == program->at_count || program->at[self->cursor.next] != self->generation) return TB_OK;
    tb_sums_t sums;
    double total = self->total;
    int code = TB_OK;
    if (self->plan->smoothed) {
        code = tb_add_up_shaped(self, &sums, &total);
        if (code) return code;
    } else {
        tb_add_up(self->plan, self->weight, self->id, self->length, total, &sums);
    }
    if (self->plan->bench.any) judge(self, total);
    tb_write_record(self->recorder, &self->cursor, &sums, total, count_back(self));
    if (self->plan->program.crawled || self->plan->shaped)
        tb_write_levers(self->recorder, &self->cursor, tb_wrong(self) / self->total, self->real);
    return TB_OK;
}

/* Row 0 is the reference. */
static int record_reference(tb_lineage_t *self) {
    const tb_plan_t *plan = self->plan;
    const tb_program_t *program = &plan->program;
    self->cursor.present = (int32_t)program->categories;
    if (self->recorder->output->survivors_output) {
        int32_t *row = self->recorder->output->survivors_output + self->cursor.lineage * program->at_count;
        for (size_t i = 0; i < program->at_count; i++) row[i] = -1;
    }
    for (size_t i = 0; self->stamp && i < program->categories; i++) {
        self->stamp[i] = program->at_count && program->at[0] == 0;
    }
    if (program->at_count && program->at[0] == 0) {
        const size_t row = self->cursor.lineage * program->at_count;
        tb_write_verdict(plan, &self->recorder->output->judged, row, &plan->bench.reference);
        tb_write_record(self->recorder, &self->cursor, &plan->reference, plan->total, 0);
    }
    if (!program->snapshot_count || !tb_is_snapshot(program, 0)) return TB_OK;
    for (size_t i = 0; i < program->categories; i++) self->id[i] = (uint32_t)i;
    return tb_write_snapshot(self->recorder, self->replicate, 0, plan->weight, self->id, program->categories);
}

/* After the first training set: everything not in it is absent from generation 1 on. */
static void begin_dates(tb_lineage_t *self) {
    int64_t *date = self->recorder->output->forgotten;
    const size_t count = self->plan->program.categories;
    if (!date) return;
    date += self->cursor.lineage * count;
    for (size_t i = 0; i < count; i++) date[i] = self->weight[i] == 0.0;
}

/* A date stands where nothing can bring the category back; else its sign is turned. */
static void end_dates(tb_lineage_t *self) {
    int64_t *date = self->recorder->output->forgotten;
    const size_t count = self->plan->program.categories;
    if (!date) return;
    date += self->cursor.lineage * count;
    if (self->plan->returns && (self->plan->fresh || self->plan->shaped)) {
        for (size_t i = 0; i < count; i++) date[i] = -date[i];
        return;
    }
    for (size_t i = 0; i < self->length; i++) {
        if (self->id[i] < count && !is_empty(self, i)) date[self->id[i]] = -date[self->id[i]];
    }
}

int tb_lineage_begin(tb_lineage_t *self, size_t row, uint32_t replicate) {
    memset(&self->cursor, 0, sizeof self->cursor);
    self->cursor.lineage = row;
    self->replicate = replicate;
    self->even = -1.0;
    self->uneven = 0;
    int code = record_reference(self);
    if (!code) code = tb_lineage_first(self);
    if (code) return code;
    begin_dates(self);
    if (!self->plan->dense) compact_first(self);
    tb_count_generations(self->scratch->control, 1);
    tb_count_survivors(self->scratch->control, 1, self->full ? self->base : self->length);
    return record(self);
}

/* Hands a lineage with few survivors over to the packs. */
static int hand_over(tb_lineage_t *self, tb_few_t *few) {
    size_t bytes = 0;
    few->cursor = self->cursor;
    few->replicate = self->replicate;
    few->generation = self->generation;
    few->length = (uint32_t)self->length;
    few->id = tb_take(self->length, sizeof *few->id, &bytes);
    few->weight = tb_take(self->length, sizeof *few->weight, &bytes);
    few->bytes = bytes;
    self->bytes += bytes;
    if (self->bytes > self->peak) self->peak = self->bytes;
    if (!few->id || !few->weight) return TB_ERR_MEMORY;
    memcpy(few->id, self->id, self->length * sizeof *few->id);
    memcpy(few->weight, self->weight, self->length * sizeof *few->weight);
    return TB_OK;
}

/* Runs on until the end, or until few enough survive to run beside others. The batch after the last generation is drawn
 * where its size is a variable. */
static int run_alone(tb_lineage_t *self, tb_control_t *control, int *few) {
    const uint32_t last = tb_last_needed(self->plan), end = tb_end(self->plan);
    while (self->generation < end) {
        *few = self->plan->program.plain && self->length <= TB_PACK_MOST && self->compacted == self->generation;
        if (*few) return TB_OK;
        if (tb_is_cancelled(control)) return TB_ERR_CANCELLED;
        const int stop = self->generation >= last;
        int code = tb_lineage_step(self, stop);
        if (code) return code;
        if (stop) break;
        compact_when_due(self);
        tb_count_generations(control, 1);
        tb_count_survivors(control, 1, self->full ? self->base : self->length);
        code = record(self);
        if (code) return code;
    }
    end_dates(self);
    return TB_OK;
}

static void note_peak(const tb_plan_t *plan, size_t bytes) {
    size_t seen = __atomic_load_n(plan->state_bytes, __ATOMIC_RELAXED);
    while (bytes > seen &&
           !__atomic_compare_exchange_n(plan->state_bytes, &seen, bytes, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

static int run_some(tb_lineage_t *lineage, size_t row, uint32_t first, uint32_t count, tb_control_t *control) {
    tb_few_t few[TB_TOGETHER];
    size_t waiting = 0;
    int code = TB_OK;
    for (uint32_t i = 0; !code && i < count; i++) {
        int left = 0;
        if (tb_is_cancelled(control)) code = TB_ERR_CANCELLED;
        if (!code) code = tb_lineage_begin(lineage, row + i, first + i);
        if (!code) code = run_alone(lineage, control, &left);
        if (!code && left) {
            memset(&few[waiting], 0, sizeof few[waiting]);
            code = hand_over(lineage, &few[waiting++]);
        }
    }
    if (!code && waiting) code = tb_run_packs(lineage->recorder, few, waiting, lineage->scratch, control);
    for (size_t i = 0; i < waiting; i++) {
        lineage->bytes -= few[i].bytes;
        tb_give(few[i].id);
        tb_give(few[i].weight);
    }
    return code;
}

int tb_run(const tb_plan_t *plan, uint32_t first, uint32_t count, const tb_output_t *output, tb_snapshots_t *snapshots,
           tb_control_t *control) {
    tb_recorder_t recorder = {plan, output, snapshots, 0.0, 0.0};
    tb_scratch_t *scratch = calloc(1, sizeof *scratch);
    tb_lineage_t lineage;
    memset(&lineage, 0, sizeof lineage);
    int code = scratch ? TB_OK : TB_ERR_MEMORY;
    if (!code) code = tb_scratch_init(scratch, plan, control);
    if (!code) code = tb_lineage_init(&lineage, plan, &recorder, scratch);
    for (uint32_t done = 0; !code && done < count; done += TB_TOGETHER) {
        const uint32_t some = count - done < TB_TOGETHER ? count - done : TB_TOGETHER;
        code = plan->dense ? tb_run_dense(&lineage, done, first + done, some, control)
                           : run_some(&lineage, done, first + done, some, control);
    }
    if (scratch) note_peak(plan, scratch->bytes + lineage.peak);
    tb_lineage_free(&lineage);
    if (scratch) tb_scratch_free(scratch);
    free(scratch);
    return code;
}

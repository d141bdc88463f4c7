/* SPDX-License-Identifier: MIT */
/* Lineages over few categories, trained on more than the newest synthetic batch, eight to a register: each lane is a
 * lineage. Nothing is compacted, for few of few categories are gone for good, and one that keeps its place can come
 * back to it. A lineage runs so alone, too, beside idle lanes: no bit depends on who runs next to it. */
#include <stdlib.h>
#include <string.h>

#include "lineage.h"

enum { MOST_LANES = TB_PACKS * TB_ROW };

/* Every array has rows of eight lanes, one row for each category, pack after pack; see tb_lineage_t for their names. */
typedef struct {
    const tb_plan_t *plan;
    tb_recorder_t *recorder;
    tb_scratch_t *scratch;
    tb_cursor_t cursor[MOST_LANES];
    uint32_t replicate[MOST_LANES];
    size_t rows, room_for; /* lineages, at most */
    size_t lanes, packs;   /* in use */
    size_t cells;          /* of all packs in use */
    uint32_t generation;
    double *weight, total;
    double *batch, *next, *other;
    double *pool, pool_total;
    double *kept;
    double **column;
    size_t columns;
    double *seen;         /* above zero: present at the record before */
    double *levels;       /* of the trees */
    double *flat, *drawn; /* of one lineage, densely */
    uint32_t *id;         /* of rows of lanes */
    const uint32_t *ids;  /* of rows */
    size_t bytes;
} dense_t;

static size_t lineages_beside(const tb_plan_t *plan) {
    enum { SIDE_BY_SIDE = 128 }; /* rows of all packs: they stay in the first-level cache */
    const size_t packs = SIDE_BY_SIDE / plan->program.categories;
    return (packs < 1 ? 1 : packs < TB_PACKS ? packs : TB_PACKS) * TB_ROW;
}

static int take(dense_t *self, void *where, size_t count, size_t size, int wanted) {
    void *p = NULL;
    if (wanted) {
        p = tb_take(count, size, &self->bytes);
        memcpy(where, &p, sizeof p);
    }
    return wanted && !p;
}

static void drop(dense_t *self) {
    if (self->batch != self->next) tb_give(self->batch);
    tb_give(self->next);
    tb_give(self->weight);
    tb_give(self->other);
    tb_give(self->pool);
    tb_give(self->kept);
    tb_give(self->seen);
    tb_give(self->levels);
    tb_give(self->flat);
    tb_give(self->drawn);
    tb_give(self->id);
    for (size_t i = 0; i < self->columns; i++) tb_give(self->column[i]);
    free(self->column);
}

static int take_columns(dense_t *self, size_t cells) {
    const tb_program_t *program = &self->plan->program;
    int missing = 0;
    if (tb_trains_on_newest(program) || program->age_count == 0) return 0;
    self->column = calloc(program->age_count, sizeof *self->column);
    if (!self->column) return 1;
    for (; self->columns < program->age_count; self->columns++) {
        missing |= take(self, &self->column[self->columns], cells, sizeof(double), 1);
    }
    return missing;
}

static int make_room(dense_t *self) {
    const tb_plan_t *plan = self->plan;
    const tb_program_t *program = &plan->program;
    const size_t packs = (self->room_for + TB_ROW - 1) / TB_ROW, cells = packs * self->rows * TB_ROW;
    const int alone = program->draw || program->kept || program->snapshot_count || plan->wants & TB_WANT_OUTPUT;
    int missing = take(self, &self->weight, cells, sizeof(double), 1);
    missing |= take(self, &self->next, cells, sizeof(double), 1);
    missing |= take(self, &self->other, cells, sizeof(double), plan->fresh);
    missing |= take(self, &self->pool, cells, sizeof(double), program->draw != NULL);
    missing |= take(self, &self->kept, cells, sizeof(double), program->kept > 0);
    missing |= take(self, &self->seen, cells, sizeof(double), plan->returns && plan->wants & TB_WANT_CHANGES);
    missing |= take(self, &self->levels, cells + packs * TB_MAX_HEIGHT * TB_ROW, sizeof(double), 1);
    missing |= take(self, &self->id, self->rows * TB_ROW, sizeof *self->id, 1);
    missing |= take(self, &self->flat, plan->padded, sizeof(double), alone);
    missing |= take(self, &self->drawn, plan->padded, sizeof(double), alone);
    missing |= take_columns(self, cells);
    if (tb_trains_on_newest(program) && !program->draw) {
        self->batch = self->next;
    } else {
        missing |= take(self, &self->batch, cells, sizeof(double), 1);
    }
    for (size_t i = 0; !missing && i < self->rows * TB_ROW; i++) self->id[i] = (uint32_t)(i / TB_ROW);
    return missing ? TB_ERR_MEMORY : TB_OK;
}

/* Where a lane's elements begin; they are TB_ROW apart. */
static size_t first_of(const dense_t *self, size_t lane) { return lane / TB_ROW * self->rows * TB_ROW + lane % TB_ROW; }

static void scatter(const dense_t *self, size_t lane, const double *from, double *to) {
    to += first_of(self, lane);
    for (size_t i = 0; from && i < self->rows; i++) to[i * TB_ROW] = from[i];
}

static void gather(const dense_t *self, size_t lane, const double *from, double *to) {
    from += first_of(self, lane);
    for (size_t i = 0; i < self->rows; i++) to[i] = from[i * TB_ROW];
}

static tb_address_t address(const dense_t *self, size_t lane, uint32_t generation) {
    return (tb_address_t){self->plan->program.key, generation, self->replicate[lane], 0};
}

/* Generation 1, of one lineage after the other. */
static int begin(dense_t *self, tb_lineage_t *lineage, size_t row, uint32_t replicate) {
    for (size_t l = 0; l < self->lanes; l++) {
        int code = tb_lineage_begin(lineage, row + l, replicate + (uint32_t)l);
        if (code) return code;
        self->cursor[l] = lineage->cursor;
        self->replicate[l] = lineage->replicate;
        scatter(self, l, lineage->weight, self->weight);
        scatter(self, l, lineage->pool, self->pool);
        scatter(self, l, lineage->kept, self->kept);
        if (self->columns) scatter(self, l, lineage->column[0], self->column[0]);
    }
    for (size_t c = 1; c < self->columns; c++) memset(self->column[c], 0, self->cells * sizeof(double));
    self->generation = 1;
    self->total = lineage->total;
    self->pool_total = lineage->pool_total;
    if (self->seen) {
        const tb_program_t *program = &self->plan->program;
        const size_t next = self->cursor[0].next;
        const int recorded = next > 0 && program->at[next - 1] == 1;
        for (size_t i = 0; i < self->cells; i++) self->seen[i] = recorded ? self->weight[i] : 1.0;
    }
    return TB_OK;
}

/* A multinomial batch of n items for each lane, in the place of its weights. */
static void split(dense_t *self, double *leaf, size_t rows, double n, uint32_t purpose) {
    tb_lanes_t lanes[TB_PACKS];
    memset(lanes, 0, self->packs * sizeof *lanes);
    for (size_t l = 0; l < self->lanes; l++) {
        lanes[l / TB_ROW].n[l % TB_ROW] = n;
        lanes[l / TB_ROW].generation[l % TB_ROW] = self->generation + 1;
        lanes[l / TB_ROW].replicate[l % TB_ROW] = self->replicate[l];
    }
    self->plan->kernels->split_packs(leaf, rows, self->packs, self->levels, lanes, purpose, self->plan->program.key,
                                     &self->scratch->work);
}

static void draw_synthetic(dense_t *self, double n) {
    memcpy(self->batch, self->weight, self->cells * sizeof *self->batch);
    split(self, self->batch, self->rows, n, TB_FOR_TREE);
    for (size_t l = 0; self->plan->wants & TB_WANT_OUTPUT && l < self->lanes; l++) {
        gather(self, l, self->batch, self->drawn);
        tb_write_output(self->recorder, self->cursor[l].lineage, self->generation, self->drawn, self->rows);
    }
}

typedef struct {
    double *batch, step;
} target_t;

static void put_fresh(void *context, const uint32_t *id, size_t count) {
    const target_t *to = context;
    for (size_t i = 0; i < count; i++) to->batch[id[i] * TB_ROW] += to->step;
}

/* Fresh human items join the batch: of the source's head by tree, in which all the rest is one more leaf; of the rest
 * one by one. */
static void add_fresh(dense_t *self, uint64_t count, double step) {
    const tb_plan_t *plan = self->plan;
    const tb_source_t *source = tb_fresh_source(plan, count);
    const size_t head = source->head, rows = head + (source->cells > 0);
    for (size_t p = 0; p < self->packs; p++) {
        double *to = self->other + p * rows * TB_ROW;
        for (size_t i = 0; i < rows * TB_ROW; i++) {
            to[i] = i < head * TB_ROW ? plan->weight[i / TB_ROW] : source->total - source->head_total;
        }
    }
    split(self, self->other, rows, (double)count, TB_FOR_REFERENCE);
    for (size_t p = 0; p < self->packs; p++) {
        const double *from = self->other + p * rows * TB_ROW;
        double *to = self->batch + p * self->rows * TB_ROW;
        for (size_t i = 0; i < head * TB_ROW; i++) to[i] += step * from[i];
    }
    for (size_t l = 0; rows > head && l < self->lanes; l++) {
        const double picks = self->other[(l / TB_ROW * rows + head) * TB_ROW + l % TB_ROW];
        target_t to = {self->batch + first_of(self, l), step};
        tb_pick_human(plan, source, (uint64_t)picks, tb_at(address(self, l, self->generation + 1), TB_FOR_ALIAS, 0),
                      put_fresh, &to);
    }
}

/* The kept set, or some of its items, joins the batch. */
static int add_kept(dense_t *self, uint64_t count, double step) {
    const uint64_t all = self->plan->program.kept;
    for (size_t i = 0; count == all && i < self->cells; i++) self->batch[i] += step * self->kept[i];
    for (size_t l = 0; count < all && l < self->lanes; l++) {
        double *to = self->batch + first_of(self, l);
        gather(self, l, self->kept, self->flat);
        int code = tb_draw_without(self->plan, self->scratch, self->flat, self->rows, (double)all, (double)count,
                                   address(self, l, self->generation + 1), TB_FOR_KEPT, TB_FOR_KEPT_FIX, self->drawn);
        if (code) return code;
        for (size_t i = 0; i < self->rows; i++) to[i * TB_ROW] += step * self->drawn[i];
    }
    return TB_OK;
}

static int draw_from_pool(dense_t *self, double draw) {
    for (size_t l = 0; l < self->lanes; l++) {
        gather(self, l, self->pool, self->flat);
        int code = tb_draw_without(self->plan, self->scratch, self->flat, self->rows, self->pool_total, draw,
                                   address(self, l, self->generation + 1), TB_FOR_SUBSAMPLE, TB_FOR_SUBSAMPLE_FIX,
                                   self->drawn);
        if (code) return code;
        scatter(self, l, self->drawn, self->next);
    }
    return TB_OK;
}

/* From the batch to the next training set. */
static int compose(dense_t *self) {
    const tb_program_t *program = &self->plan->program;
    const size_t to = self->generation; /* an index: from 0 */
    if (self->pool) {
        for (size_t i = 0; i < self->cells; i++) self->pool[i] += self->batch[i];
        self->pool_total += (double)program->samples[to];
        return draw_from_pool(self, (double)program->draw[to]);
    }
    if (self->columns) {
        tb_add_ages(program, self->column, self->weight, self->batch, self->next, self->cells);
    } else if (program->age_count == 0) {
        for (size_t i = 0; i < self->cells; i++) self->next[i] = self->weight[i] + self->batch[i];
    }
    return TB_OK;
}

static int64_t *dates_of(const dense_t *self, size_t lane) {
    return self->recorder->output->forgotten + self->cursor[lane].lineage * self->rows;
}

static void date_losses(const dense_t *self) {
    if (!self->recorder->output->forgotten || self->generation > self->plan->program.generations) return;
    for (size_t l = 0; l < self->lanes; l++) {
        const double *old = self->weight + first_of(self, l), *new = self->next + first_of(self, l);
        int64_t *date = dates_of(self, l);
        for (size_t i = 0; i < self->rows; i++) {
            const int was = old[i * TB_ROW] > 0.0;
            if (was != (new[i * TB_ROW] > 0.0)) date[i] = was ? self->generation : 0;
        }
    }
}

static int can_return(const dense_t *self, size_t at) {
    if (self->plan->fresh || self->weight[at] > 0.0) return 1;
    if ((self->pool && self->pool[at] > 0.0) || (self->kept && self->kept[at] > 0.0)) return 1;
    for (size_t c = 0; c < self->columns; c++) {
        if (self->column[c][at] > 0.0) return 1;
    }
    return 0;
}

/* A date stands where nothing can bring the category back; else its sign is turned. */
static void end_dates(const dense_t *self) {
    for (size_t l = 0; self->recorder->output->forgotten && l < self->lanes; l++) {
        int64_t *date = dates_of(self, l);
        for (size_t i = 0; i < self->rows; i++) {
            if (can_return(self, first_of(self, l) + i * TB_ROW)) date[i] = -date[i];
        }
    }
}

/* How many of a pack's categories are present that were absent at the record before, lane by lane. */
static void count_back(dense_t *self, size_t pack, int32_t *back) {
    const size_t first = pack * self->rows * TB_ROW;
    for (size_t i = first; self->seen && i < first + self->rows * TB_ROW; i++) {
        back[i % TB_ROW] += self->weight[i] > 0.0 && self->seen[i] == 0.0;
        self->seen[i] = self->weight[i];
    }
}

static void judge(const dense_t *self, size_t lane) {
    const double *weight = self->weight + first_of(self, lane);
    const tb_list_t counts = {weight, NULL, self->rows, TB_ROW, self->total, 0.0, 0.0};
    tb_write_judgement(self->recorder, &self->cursor[lane], &counts, &counts);
}

static void record_all(dense_t *self) {
    const tb_plan_t *plan = self->plan;
    double inverse[TB_ROW];
    tb_sums_t sums;
    for (size_t l = 0; l < TB_ROW; l++) inverse[l] = 1.0 / self->total;
    for (size_t p = 0; p < self->packs; p++) {
        const size_t first = p * TB_ROW, left = self->lanes - first, count = left < TB_ROW ? left : TB_ROW;
        tb_cursor_t *cursor[TB_ROW];
        int32_t back[TB_ROW] = {0};
        plan->kernels->observe(self->weight + first * self->rows, self->id, self->rows, inverse, plan->sums,
                               &plan->yardstick, &sums);
        count_back(self, p, back);
        for (size_t l = 0; l < count; l++) cursor[l] = &self->cursor[first + l];
        for (size_t l = 0; plan->bench.any && l < count; l++) judge(self, first + l);
        tb_write_records(self->recorder, cursor, count, &sums, self->total, back);
    }
}

static int record(dense_t *self) {
    const tb_program_t *program = &self->plan->program;
    const size_t next = self->cursor[0].next;
    const int snapshot = program->snapshot_count && tb_is_snapshot(program, self->generation);
    for (size_t l = 0; snapshot && l < self->lanes; l++) {
        gather(self, l, self->weight, self->flat);
        int code =
            tb_write_snapshot(self->recorder, self->replicate[l], self->generation, self->flat, self->ids, self->rows);
        if (code) return code;
    }
    if (next < program->at_count && program->at[next] == self->generation) record_all(self);
    return TB_OK;
}

/* The next batch of every lane, and unless only that is wanted, the next training set. */
static int step(dense_t *self, int stop) {
    const tb_program_t *program = &self->plan->program;
    const size_t i = self->generation;
    const uint64_t fresh = program->fresh[i], from_kept = program->from_kept[i];
    const uint64_t synthetic = program->samples[i] - fresh - from_kept;
    const uint64_t *item = program->item_weights ? program->item_weights + 3 * i : NULL;
    int code = TB_OK;
    if (synthetic > 0) {
        draw_synthetic(self, (double)synthetic);
    } else {
        memset(self->batch, 0, self->cells * sizeof *self->batch);
    }
    if (stop) return TB_OK;
    for (size_t j = 0; item && item[0] != 1 && j < self->cells; j++) self->batch[j] *= (double)item[0];
    if (fresh) add_fresh(self, fresh, item ? (double)item[1] : 1.0);
    if (from_kept) code = add_kept(self, from_kept, item ? (double)item[2] : 1.0);
    if (!code) code = compose(self);
    if (code) return code;
    self->total = tb_training_total(self->plan, i + 1, self->total);
    self->generation++;
    date_losses(self);
    double *old = self->weight;
    self->weight = self->next;
    if (self->batch == self->next) self->batch = old;
    self->next = old;
    return record(self);
}

static uint64_t count_present(const dense_t *self) {
    uint64_t present = 0;
    for (size_t l = 0; l < self->lanes; l++) {
        const double *weight = self->weight + first_of(self, l);
        for (size_t i = 0; i < self->rows; i++) present += weight[i * TB_ROW] > 0.0;
    }
    return present;
}

static int run(dense_t *self, tb_control_t *control) {
    enum { SOME = 16 }; /* generations that are counted together */
    const uint32_t last = tb_last_needed(self->plan), end = tb_end(self->plan);
    uint32_t counted = self->generation;
    while (self->generation < end) {
        const int stop = self->generation >= last;
        if (tb_is_cancelled(control)) return TB_ERR_CANCELLED;
        int code = step(self, stop);
        if (code) return code;
        if (stop) break;
        if (self->generation % SOME && self->generation < last) continue;
        tb_count_generations(control, (uint64_t)(self->generation - counted) * self->lanes);
        tb_count_survivors(control, self->generation - counted, count_present(self));
        counted = self->generation;
    }
    end_dates(self);
    return TB_OK;
}

int tb_run_dense(tb_lineage_t *lineage, size_t row, uint32_t first, uint32_t count, tb_control_t *control) {
    const tb_plan_t *plan = lineage->plan;
    const size_t most = lineages_beside(plan);
    dense_t self;
    memset(&self, 0, sizeof self);
    self.plan = plan;
    self.recorder = lineage->recorder;
    self.scratch = lineage->scratch;
    self.rows = plan->program.categories;
    self.ids = lineage->id;
    self.room_for = count < most ? count : most;
    int code = make_room(&self);
    for (uint32_t done = 0; !code && done < count; done += (uint32_t)self.lanes) {
        self.lanes = count - done < most ? count - done : most;
        self.packs = (self.lanes + TB_ROW - 1) / TB_ROW;
        self.cells = self.packs * self.rows * TB_ROW;
        code = begin(&self, lineage, row + done, first + done);
        if (!code) code = run(&self, control);
    }
    if (lineage->bytes + self.bytes > lineage->peak) lineage->peak = lineage->bytes + self.bytes;
    drop(&self);
    return code;
}

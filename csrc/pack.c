/* SPDX-License-Identifier: MIT */
/* Lineages with few survivors, eight to a register: each lane is a lineage. A tree's nodes have the same addresses
 * however many empty rows follow, so lineages of any length share a pack and the grouping changes no bit. All of a pack
 * are at the same generation; they part and are grouped anew by length wherever a lineage is compacted. A short pack
 * waits more than it works, so several run side by side. */
#include <string.h>

#include "core.h"

typedef struct {
    tb_recorder_t *recorder;
    tb_scratch_t *scratch;
    tb_few_t *lane[TB_PACKS * TB_ROW]; /* of one pack after the other; only the
                                          last ones idle */
    size_t lanes, rows;
    double *leaf, *before, *room;
    uint32_t *id;
    uint32_t generation, last, end;
} pack_t;

/* Rows of all packs that run side by side: they stay in the first-level cache. */
enum { SIDE_BY_SIDE = 128 };

/* Where a lane's column begins; its elements are TB_ROW apart. */
static size_t column(const pack_t *self, size_t lane) { return lane / TB_ROW * self->rows * TB_ROW + lane % TB_ROW; }

static void load(pack_t *self, size_t lane, tb_few_t *few) {
    double *leaf = self->leaf + column(self, lane);
    uint32_t *id = self->id + column(self, lane);
    self->lane[lane] = few;
    for (size_t i = 0; i < self->rows; i++) {
        const int used = few && i < few->length;
        leaf[i * TB_ROW] = used ? few->weight[i] : 0.0;
        id[i * TB_ROW] = used ? few->id[i] : 0;
    }
}

/* Writes the survivors back, densely. */
static void unload(pack_t *self, size_t lane) {
    const double *leaf = self->leaf + column(self, lane);
    const uint32_t *id = self->id + column(self, lane);
    tb_few_t *few = self->lane[lane];
    uint32_t length = 0;
    for (size_t i = 0; i < self->rows; i++) {
        if (leaf[i * TB_ROW] > 0.0) {
            few->weight[length] = leaf[i * TB_ROW];
            few->id[length++] = id[i * TB_ROW];
        }
    }
    few->length = length;
    few->generation = self->generation;
}

static void date_losses(const pack_t *self, size_t lane) {
    const tb_few_t *few = self->lane[lane];
    const size_t first = column(self, lane), end = first + self->rows * TB_ROW;
    int64_t *date = self->recorder->output->forgotten;
    date += few->cursor.lineage * self->recorder->plan->program.categories;
    for (size_t i = first; i < end; i += TB_ROW) {
        if (self->before[i] > 0.0 && self->leaf[i] == 0.0) date[self->id[i]] = self->generation;
    }
}

/* A lane's column, and its ids. */
static void read_lane(const pack_t *self, size_t lane, double *weight, uint32_t *id) {
    const size_t first = column(self, lane);
    for (size_t i = 0; i < self->rows; i++) {
        weight[i] = self->leaf[first + i * TB_ROW];
        id[i] = self->id[first + i * TB_ROW];
    }
}

static int write_snapshot(pack_t *self, size_t lane) {
    double weight[TB_PACK_MOST];
    uint32_t id[TB_PACK_MOST];
    read_lane(self, lane, weight, id);
    return tb_write_snapshot(self->recorder, self->lane[lane]->replicate, self->generation, weight, id, self->rows);
}

static void write_output(pack_t *self, size_t lane) {
    double weight[TB_PACK_MOST];
    uint32_t id[TB_PACK_MOST];
    read_lane(self, lane, weight, id);
    tb_write_output(self->recorder, self->lane[lane]->cursor.lineage, self->generation, weight, self->rows);
}

static void judge(const pack_t *self, size_t lane, double total) {
    const size_t first = column(self, lane);
    const tb_list_t counts = {self->leaf + first, self->id + first, self->rows, TB_ROW, total, 0.0, 0.0};
    tb_write_judgement(self->recorder, &self->lane[lane]->cursor, &counts, &counts);
}

/* Lanes of a pack are at one generation, and so at one record. */
static void record(pack_t *self, double total) {
    const tb_plan_t *plan = self->recorder->plan;
    const size_t next = self->lane[0]->cursor.next;
    double inverse[TB_ROW];
    tb_sums_t sums;
    if (next == plan->program.at_count || plan->program.at[next] != self->generation) return;
    for (size_t l = 0; l < TB_ROW; l++) inverse[l] = 1.0 / total;
    for (size_t first = 0; first < self->lanes; first += TB_ROW) {
        const size_t at = first * self->rows, end = first + TB_ROW < self->lanes ? first + TB_ROW : self->lanes;
        plan->kernels->observe(self->leaf + at, self->id + at, self->rows, inverse, plan->sums, &plan->yardstick,
                               &sums);
        tb_cursor_t *cursor[TB_ROW];
        for (size_t l = first; l < end; l++) cursor[l - first] = &self->lane[l]->cursor;
        for (size_t l = first; plan->bench.any && l < end; l++) judge(self, l, total);
        tb_write_records(self->recorder, cursor, end - first, &sums, total, NULL);
    }
}

/* One generation of every lane. */
static int step(pack_t *self) {
    const tb_plan_t *plan = self->recorder->plan;
    const tb_program_t *program = &plan->program;
    const int dated = self->recorder->output->forgotten != NULL;
    const double total = (double)program->samples[self->generation];
    const size_t packs = (self->lanes + TB_ROW - 1) / TB_ROW;
    tb_lanes_t lanes[TB_PACKS];
    memset(lanes, 0, packs * sizeof *lanes);
    for (size_t l = 0; l < self->lanes; l++) {
        lanes[l / TB_ROW].n[l % TB_ROW] = total;
        lanes[l / TB_ROW].generation[l % TB_ROW] = self->generation + 1;
        lanes[l / TB_ROW].replicate[l % TB_ROW] = self->lane[l]->replicate;
    }
    if (dated) memcpy(self->before, self->leaf, packs * self->rows * TB_ROW * sizeof(double));
    plan->kernels->split_packs(self->leaf, self->rows, packs, self->room, lanes, TB_FOR_TREE, program->key,
                               &self->scratch->work);
    for (size_t l = 0; plan->wants & TB_WANT_OUTPUT && l < self->lanes; l++) write_output(self, l);
    if (++self->generation > self->last) return TB_OK; /* that batch was all that was wanted */
    const int snapshot = program->snapshot_count && tb_is_snapshot(program, self->generation);
    for (size_t l = 0; (dated || snapshot) && l < self->lanes; l++) {
        int code = snapshot ? write_snapshot(self, l) : TB_OK;
        if (code) return code;
        if (dated) date_losses(self, l);
    }
    record(self, total);
    return TB_OK;
}

/* Runs lineages side by side to generation `to`; the first is the longest. */
static int run_group(pack_t *self, tb_few_t **group, size_t count, uint32_t to, tb_control_t *control) {
    self->rows = group[0]->length;
    self->generation = group[0]->generation;
    self->lanes = count;
    for (size_t l = 0; l < (count + TB_ROW - 1) / TB_ROW * TB_ROW; l++) load(self, l, l < count ? group[l] : NULL);
    while (self->generation < to) {
        if (tb_is_cancelled(control)) return TB_ERR_CANCELLED;
        int code = step(self);
        if (code) return code;
    }
    const uint32_t reached = to < self->last ? to : self->last;
    const uint32_t done = reached - group[0]->generation;
    uint64_t alive = 0;
    for (size_t l = 0; l < count; l++) alive += group[l]->length;
    tb_count_generations(control, (uint64_t)done * count);
    tb_count_survivors(control, done, alive);
    for (size_t l = 0; l < count; l++) unload(self, l);
    return TB_OK;
}

/* One category left holds everything for ever: only what is asked for is visited. */
static int finish_single(const pack_t *self, tb_few_t *few, tb_control_t *control) {
    const tb_plan_t *plan = self->recorder->plan;
    const tb_program_t *program = &plan->program;
    double weight[TB_ROW] = {1.0}, summed = 0.0;
    uint32_t id[TB_ROW] = {few->id[0]};
    tb_sums_t sums;
    for (size_t i = tb_find(program->at, program->at_count, few->generation); i < program->at_count; i++) {
        if (program->at[i] >= self->end) break;
        tb_write_output(self->recorder, few->cursor.lineage, program->at[i], weight, 1);
    }
    for (size_t i = tb_find(program->snapshots, program->snapshot_count, few->generation + 1);
         i < program->snapshot_count; i++) {
        weight[0] = (double)program->samples[program->snapshots[i] - 1];
        int code = tb_write_snapshot(self->recorder, few->replicate, program->snapshots[i], weight, id, 1);
        if (code) return code;
    }
    while (few->cursor.next < program->at_count) {
        weight[0] = (double)program->samples[program->at[few->cursor.next] - 1];
        if (weight[0] != summed) tb_add_up(plan, weight, id, 1, weight[0], &sums);
        summed = weight[0];
        const tb_list_t counts = {weight, id, 1, 1, summed, 0.0, 0.0};
        if (plan->bench.any) tb_write_judgement(self->recorder, &few->cursor, &counts, &counts);
        tb_write_record(self->recorder, &few->cursor, &sums, summed, 0);
    }
    if (self->last > few->generation) {
        tb_count_generations(control, self->last - few->generation);
        tb_count_survivors(control, self->last - few->generation, 1);
    }
    few->generation = self->end;
    return tb_is_cancelled(control) ? TB_ERR_CANCELLED : TB_OK;
}

/* The lineages at generation `at`, longest first. */
static size_t gather(tb_few_t *few, size_t count, uint32_t at, tb_few_t **group) {
    size_t start[TB_PACK_MOST + 2] = {0}, members = 0;
    for (size_t i = 0; i < count; i++) {
        if (few[i].generation == at) start[few[i].length]++, members++;
    }
    for (size_t length = TB_PACK_MOST + 1; length-- > 0;) start[length] += start[length + 1];
    for (size_t i = count; i-- > 0;) {
        if (few[i].generation == at) group[--start[few[i].length]] = &few[i];
    }
    return members;
}

static uint32_t first_generation(const tb_few_t *few, size_t count) {
    uint32_t first = UINT32_MAX;
    for (size_t i = 0; i < count; i++) {
        if (few[i].generation < first) first = few[i].generation;
    }
    return first;
}

static int make_room(tb_scratch_t *scratch) {
    const size_t cells = TB_PACK_MOST * TB_ROW;
    if (scratch->pack.id) return TB_OK;
    scratch->pack.leaf = tb_take(cells, sizeof(double), &scratch->bytes);
    scratch->pack.before = tb_take(cells, sizeof(double), &scratch->bytes);
    scratch->pack.room = tb_take(cells + TB_MAX_HEIGHT * TB_ROW, sizeof(double), &scratch->bytes);
    scratch->pack.id = tb_take(cells, sizeof(uint32_t), &scratch->bytes);
    return scratch->pack.leaf && scratch->pack.before && scratch->pack.room && scratch->pack.id ? TB_OK : TB_ERR_MEMORY;
}

static size_t lineages_beside(size_t length) {
    const size_t packs = SIDE_BY_SIDE / length;
    return (packs < 1 ? 1 : packs < TB_PACKS ? packs : TB_PACKS) * TB_ROW;
}

int tb_run_packs(tb_recorder_t *recorder, tb_few_t *few, size_t count, tb_scratch_t *scratch, tb_control_t *control) {
    pack_t self;
    tb_few_t *group[TB_TOGETHER];
    int code = make_room(scratch);
    if (code) return code;
    memset(&self, 0, sizeof self);
    self.recorder = recorder;
    self.scratch = scratch;
    self.last = tb_last_needed(recorder->plan);
    self.end = tb_end(recorder->plan);
    self.leaf = scratch->pack.leaf;
    self.before = scratch->pack.before;
    self.room = scratch->pack.room;
    self.id = scratch->pack.id;
    for (uint32_t at; (at = first_generation(few, count)) < self.end;) {
        const uint32_t next = tb_next_compaction(at), to = next < self.end ? next : self.end;
        size_t members = gather(few, count, at, group);
        for (; members > 0 && group[members - 1]->length == 1; members--) {
            code = finish_single(&self, group[members - 1], control);
            if (code) return code;
        }
        for (size_t i = 0, some; i < members; i += some) {
            some = lineages_beside(group[i]->length);
            if (some > members - i) some = members - i;
            code = run_group(&self, group + i, some, to, control);
            if (code) return code;
        }
    }
    return TB_OK;
}

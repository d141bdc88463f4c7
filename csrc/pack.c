/* SPDX-License-Identifier: MIT */
/* Lineages with few survivors, eight to a register: each lane is a lineage, at a generation of its own. A lineage stays in
 * a pack until it fits a smaller one; the sizes and the generations of the check depend on nothing but the lineage. */
#include <string.h>

#include "core.h"

/* Rows of a pack; a lineage runs in the smallest that holds it. Part of the stream. */
static const uint32_t ROWS[] = {512, 384, 256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1};
enum { CHECK_EVERY = 8 };

typedef struct {
    tb_recorder_t *recorder;
    tb_scratch_t *scratch;
    tb_few_t *lane[TB_ROW]; /* NULL: idle */
    size_t rows, floor;     /* lineages with at most `floor` survivors leave */
    double *leaf, *before, *room;
    uint32_t *id;
    uint32_t last, end;
} pack_t;

static void load(pack_t *self, size_t lane, tb_few_t *few) {
    self->lane[lane] = few;
    for (size_t i = 0; i < self->rows; i++) {
        const int used = few && i < few->length;
        self->leaf[i * TB_ROW + lane] = used ? few->weight[i] : 0.0;
        self->id[i * TB_ROW + lane] = used ? few->id[i] : 0;
    }
}

/* Writes the survivors back, densely. */
static void unload(pack_t *self, size_t lane) {
    tb_few_t *few = self->lane[lane];
    uint32_t length = 0;
    for (size_t i = 0; i < self->rows; i++) {
        if (self->leaf[i * TB_ROW + lane] > 0.0) {
            few->weight[length] = self->leaf[i * TB_ROW + lane];
            few->id[length++] = self->id[i * TB_ROW + lane];
        }
    }
    few->length = length;
}

static void count_present(const pack_t *self, int32_t present[TB_ROW]) {
    double sum[TB_ROW] = {0};
    for (size_t i = 0; i < self->rows; i++) {
        for (size_t l = 0; l < TB_ROW; l++) sum[l] += self->leaf[i * TB_ROW + l] > 0.0 ? 1.0 : 0.0;
    }
    for (size_t l = 0; l < TB_ROW; l++) present[l] = (int32_t)sum[l];
}

static void date_losses(const pack_t *self, size_t lane) {
    const tb_few_t *few = self->lane[lane];
    int64_t *date = self->recorder->output->forgotten;
    date += few->cursor.lineage * self->recorder->plan->program.categories;
    for (size_t i = lane; i < self->rows * TB_ROW; i += TB_ROW) {
        if (self->before[i] > 0.0 && self->leaf[i] == 0.0) date[self->id[i]] = few->generation;
    }
}

static int write_snapshot(pack_t *self, size_t lane) {
    tb_few_t *few = self->lane[lane];
    unload(self, lane);
    return tb_write_snapshot(self->recorder, few->replicate, few->generation, few->weight, few->id, few->length);
}

static void write_output(pack_t *self, size_t lane, uint32_t generation) {
    double column[TB_PACK_MOST];
    for (size_t i = 0; i < self->rows; i++) column[i] = self->leaf[i * TB_ROW + lane];
    tb_write_output(self->recorder, self->lane[lane]->cursor.lineage, generation, column, self->rows);
}

static int due(const pack_t *self, size_t lane) {
    const tb_program_t *program = &self->recorder->plan->program;
    const tb_few_t *few = self->lane[lane];
    return few && few->cursor.next < program->at_count && program->at[few->cursor.next] == few->generation;
}

static void record(pack_t *self) {
    const tb_plan_t *plan = self->recorder->plan;
    double inverse[TB_ROW];
    tb_sums_t sums;
    int any = 0;
    for (size_t l = 0; l < TB_ROW; l++) {
        inverse[l] = self->lane[l] ? 1.0 / self->lane[l]->total : 0.0;
        any |= due(self, l);
    }
    if (!any) return;
    plan->kernels->observe(self->leaf, self->id, self->rows, inverse, plan->sums, &plan->yardstick, &sums);
    for (size_t l = 0; l < TB_ROW; l++) {
        if (due(self, l)) {
            tb_write_record(self->recorder, &self->lane[l]->cursor, &sums, l, self->lane[l]->total, 0);
        }
    }
}

/* One generation of every lane. */
static int step(pack_t *self) {
    const tb_plan_t *plan = self->recorder->plan;
    const tb_program_t *program = &plan->program;
    const int dated = self->recorder->output->forgotten != NULL;
    tb_lanes_t lanes;
    memset(&lanes, 0, sizeof lanes);
    for (size_t l = 0; l < TB_ROW; l++) {
        const tb_few_t *few = self->lane[l];
        if (!few) continue;
        lanes.n[l] = (double)program->samples[few->generation];
        lanes.generation[l] = few->generation + 1;
        lanes.replicate[l] = few->replicate;
    }
    if (dated) memcpy(self->before, self->leaf, self->rows * TB_ROW * sizeof(double));
    plan->kernels->split_pack(self->leaf, self->rows, self->room, &lanes, program->key, &self->scratch->work);
    for (size_t l = 0; l < TB_ROW; l++) {
        tb_few_t *few = self->lane[l];
        if (!few) continue;
        if (plan->wants & TB_WANT_OUTPUT) write_output(self, l, few->generation);
        few->generation++;
        few->total = lanes.n[l];
        if (few->generation > self->last) continue; /* that batch was all that was wanted */
        if (dated) date_losses(self, l);
        if (program->snapshot_count && tb_is_snapshot(program, few->generation)) {
            int code = write_snapshot(self, l);
            if (code) return code;
        }
    }
    record(self);
    return TB_OK;
}

/* Lanes that are done, or fit a smaller pack, make room. Returns how many stay. */
static size_t retire(pack_t *self) {
    int32_t present[TB_ROW];
    size_t staying = 0;
    int counted = 0;
    for (size_t l = 0; l < TB_ROW; l++) {
        tb_few_t *few = self->lane[l];
        if (!few) continue;
        int leaves = few->generation >= self->end;
        if (!leaves && few->generation % CHECK_EVERY == 0) {
            if (!counted) count_present(self, present);
            counted = 1;
            leaves = present[l] <= (int32_t)self->floor;
        }
        if (leaves) {
            unload(self, l);
            load(self, l, NULL);
        }
        staying += !leaves;
    }
    return staying;
}

static int belongs(const pack_t *self, const tb_few_t *few) {
    return few->length > self->floor && few->length <= self->rows && few->generation < self->end;
}

static int run_class(pack_t *self, tb_few_t *few, size_t count, tb_control_t *control) {
    size_t next = 0, staying = 0;
    for (;;) {
        for (size_t l = 0; l < TB_ROW && next < count; l++) {
            while (!self->lane[l] && next < count) {
                if (belongs(self, &few[next])) load(self, l, &few[next]), staying++;
                next++;
            }
        }
        if (staying == 0) return TB_OK;
        if (control->cancel) return TB_ERR_CANCELLED;
        int code = step(self);
        if (code) return code;
        tb_count_generations(control, staying);
        staying = retire(self);
    }
}

/* One category left holds everything for ever: what is recorded changes with the size of the training set alone. */
static int finish_single(const pack_t *self, tb_few_t *few) {
    const tb_plan_t *plan = self->recorder->plan;
    const tb_program_t *program = &plan->program;
    double weight[TB_ROW] = {0};
    uint32_t id[TB_ROW] = {few->id[0]};
    tb_sums_t sums;
    double summed = 0.0;
    for (; few->generation < self->end; few->generation++) {
        weight[0] = 1.0;
        tb_write_output(self->recorder, few->cursor.lineage, few->generation, weight, 1);
        if (few->generation >= self->last) continue;
        const double total = (double)program->samples[few->generation];
        weight[0] = total;
        if (program->snapshot_count && tb_is_snapshot(program, few->generation + 1)) {
            int code = tb_write_snapshot(self->recorder, few->replicate, few->generation + 1, weight, id, 1);
            if (code) return code;
        }
        if (few->cursor.next == program->at_count || program->at[few->cursor.next] != few->generation + 1) continue;
        if (total != summed) tb_add_up(plan, weight, id, 1, total, &sums);
        summed = total;
        tb_write_record(self->recorder, &few->cursor, &sums, 0, total, 0);
    }
    return TB_OK;
}

int tb_run_packs(tb_recorder_t *recorder, tb_few_t *few, size_t count, tb_scratch_t *scratch, tb_control_t *control) {
    pack_t self;
    memset(&self, 0, sizeof self);
    self.recorder = recorder;
    self.scratch = scratch;
    self.last = tb_last_needed(recorder->plan);
    self.end = tb_end(recorder->plan);
    self.leaf = scratch->pack.leaf;
    self.before = scratch->pack.before;
    self.room = scratch->pack.room;
    self.id = scratch->pack.id;
    int code = TB_OK;
    for (size_t i = 0; !code && ROWS[i] > 1; i++) {
        self.rows = ROWS[i];
        self.floor = ROWS[i + 1];
        code = run_class(&self, few, count, control);
    }
    for (size_t i = 0; !code && i < count; i++) {
        if (few[i].generation < self.end) code = finish_single(&self, &few[i]);
    }
    return code;
}

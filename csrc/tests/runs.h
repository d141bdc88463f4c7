/* SPDX-License-Identifier: MIT */
/* Whole runs: room for all they record, and comparison to the bit. */
#ifndef TB_RUNS_H
#define TB_RUNS_H
#include "programs.h"

enum {
    SURVIVORS,
    OUTPUT,
    LOST,
    REVIVED,
    TAIL_SURVIVORS,
    BAND_SURVIVORS,
    COVERAGE,
    ENTROPY,
    GINI,
    LARGEST_SHARE,
    KL,
    VARIATION,
    BRIER,
    TAIL_MASS,
    BAND_MASS,
    FORGOTTEN,
    VARIABLES
};

enum { INTEGERS = COVERAGE }; /* the first few are 32 bits wide, the others 64 */

#define EVERY_VARIABLE ((1u << VARIABLES) - 1)

typedef struct {
    const setup_t *setup;
    uint32_t lineages;
    void *values[VARIABLES]; /* NULL: not asked for */
    size_t bytes[VARIABLES];
    tb_output_t output;
    tb_snapshots_t snapshots;
    tb_control_t control;
} records_t;

static inline size_t values_of(const tb_program_t *program, int variable) {
    if (variable == FORGOTTEN) return program->categories;
    return program->at_count * (variable == BAND_SURVIVORS || variable == BAND_MASS ? program->band_count : 1);
}

/* The rows from `lineage` on. */
static inline tb_output_t output_from(const records_t *self, uint32_t lineage) {
    void *at[VARIABLES];
    tb_output_t out;

    for (int v = 0; v < VARIABLES; v++) {
        at[v] = self->values[v] ? (char *)self->values[v] + self->bytes[v] / self->lineages * lineage : NULL;
    }
    memset(&out, 0, sizeof out);
    out.survivors = at[SURVIVORS];
    out.survivors_output = at[OUTPUT];
    out.lost = at[LOST];
    out.revived = at[REVIVED];
    out.tail_survivors = at[TAIL_SURVIVORS];
    out.band_survivors = at[BAND_SURVIVORS];
    out.coverage = at[COVERAGE];
    out.entropy = at[ENTROPY];
    out.gini_simpson = at[GINI];
    out.largest_share = at[LARGEST_SHARE];
    out.kl = at[KL];
    out.total_variation = at[VARIATION];
    out.brier = at[BRIER];
    out.tail_mass = at[TAIL_MASS];
    out.band_mass = at[BAND_MASS];
    out.forgotten = at[FORGOTTEN];
    return out;
}

/* Filled with a pattern that no record has. */
static inline records_t *new_records(const setup_t *setup, uint32_t lineages, unsigned asked) {
    records_t *self = checked_memory(1, sizeof *self);

    self->setup = setup;
    self->lineages = lineages;
    for (int v = 0; v < VARIABLES; v++) {
        if (!(asked >> v & 1)) continue;
        self->bytes[v] = lineages * values_of(&setup->program, v) * (v < INTEGERS ? sizeof(int32_t) : sizeof(double));
        self->values[v] = checked_memory(1, self->bytes[v]);
        memset(self->values[v], 0xa5, self->bytes[v]);
    }
    self->output = output_from(self, 0);
    return self;
}

static inline void drop_records(records_t *self) {
    for (int v = 0; v < VARIABLES; v++) free(self->values[v]);
    tb_snapshots_free(&self->snapshots);
    free(self);
}

/* Runs all lineages, `each` to a call. Returns the first error. */
static inline int run_records(records_t *self, const tb_plan_t *plan, uint32_t each) {
    int code = TB_OK;

    for (uint32_t first = 0; !code && first < self->lineages; first += each) {
        const uint32_t left = self->lineages - first;
        const tb_output_t output = output_from(self, first);

        code = tb_run(plan, first, left < each ? left : each, &output, &self->snapshots, &self->control);
    }
    return code;
}

/* Weights by lineage, generation and id; all generations from 0 on are kept, or none. */
static inline uint64_t *dense_snapshots(const records_t *self) {
    const size_t rows = self->setup->program.snapshot_count, categories = self->setup->program.categories;
    const tb_snapshots_t *from = &self->snapshots;
    uint64_t *weights = checked_memory(self->lineages * rows * categories, sizeof *weights);
    int once = 1;

    for (size_t i = 0; i < from->count; i++) {
        uint64_t *to = weights + (from->replicate[i] * rows + from->generation[i]) * categories + from->id[i];

        once &= *to == 0 && from->weight[i] > 0;
        *to = from->weight[i];
    }
    CHECK(once);
    return weights;
}

static inline int same_snapshots(const records_t *a, const records_t *b) {
    const tb_program_t *program = &a->setup->program;
    uint64_t *x = dense_snapshots(a), *y = dense_snapshots(b);
    int same = memcmp(x, y, a->lineages * program->snapshot_count * program->categories * sizeof *x) == 0;

    free(x);
    free(y);
    return same;
}

/* The variables that both have. */
static inline int same_records(const records_t *a, const records_t *b) {
    for (int v = 0; v < VARIABLES; v++) {
        if (a->values[v] && b->values[v] && memcmp(a->values[v], b->values[v], a->bytes[v])) return 0;
    }
    return same_snapshots(a, b);
}

static inline records_t *run_setup(const setup_t *setup, const tb_kernels_t *kernels, uint32_t lineages, uint32_t each,
                                   unsigned asked) {
    records_t *records = new_records(setup, lineages, asked);
    tb_plan_t *plan = NULL;

    CHECK(tb_plan_alloc(&plan, &setup->program, kernels, &records->output) == TB_OK);
    CHECK(run_records(records, plan, each) == TB_OK);
    CHECK(tb_plan_shared_bytes(plan) > 0 && tb_plan_state_bytes(plan) > 0);
    tb_plan_free(plan);
    return records;
}
#endif

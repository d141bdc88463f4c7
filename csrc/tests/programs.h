/* SPDX-License-Identifier: MIT */
/* Small programs of every regime, built by hand, and plans for tests of single draws. */
#ifndef TB_PROGRAMS_H
#define TB_PROGRAMS_H
#include "checks.h"
#include "core.h"
#include "machine.h"

enum { MOST_CATEGORIES = 6000, MOST_GENERATIONS = 96, BANDS = 4 };

typedef struct {
    tb_program_t program;
    uint64_t weights[MOST_CATEGORIES];
    uint64_t samples[MOST_GENERATIONS + 1], fresh[MOST_GENERATIONS + 1], from_kept[MOST_GENERATIONS + 1];
    uint64_t draw[MOST_GENERATIONS + 1], item_weights[3 * (MOST_GENERATIONS + 1)], ages[4];
    uint32_t at[MOST_GENERATIONS + 1], snapshots[MOST_GENERATIONS + 1], band_start[BANDS];
} setup_t;

/* Weights as of Zipf's law, the whole recorded at every generation, the newest batch trained on. */
static inline setup_t *new_setup(size_t categories, size_t generations, uint64_t samples, uint64_t key) {
    setup_t *self = checked_memory(1, sizeof *self);
    tb_program_t *program = &self->program;

    for (size_t i = 0; i < categories; i++) self->weights[i] = 1 + 100000 / (i + 1);
    for (size_t t = 0; t <= generations; t++) {
        self->samples[t] = samples;
        self->at[t] = self->snapshots[t] = (uint32_t)t;
    }
    self->ages[0] = 1;
    for (size_t b = 0; b + 1 < BANDS; b++) self->band_start[b] = (uint32_t)(categories >> b);
    *program = (tb_program_t){.key = key, .categories = categories, .generations = generations, .age_count = 1};
    program->decoding = (tb_decoding_t){.temperature = 1.0, .top_p = 1.0};
    program->weights = self->weights;
    program->samples = self->samples;
    program->fresh = self->fresh;
    program->from_kept = self->from_kept;
    program->ages = self->ages;
    program->at = self->at;
    program->at_count = generations + 1;
    program->snapshots = self->snapshots;
    program->snapshot_count = generations + 1;
    program->band_start = self->band_start;
    program->band_count = BANDS;
    program->tail_start = (uint32_t)(categories - categories / 3);
    return self;
}

static inline void set_from_second(uint64_t *column, size_t generations, uint64_t value) {
    for (size_t t = 1; t <= generations; t++) column[t] = value;
}

static inline void weigh_items(setup_t *self, uint64_t synthetic, uint64_t fresh, uint64_t kept) {
    for (size_t t = 0; t <= self->program.generations; t++) {
        self->item_weights[3 * t] = t ? synthetic : 1;
        self->item_weights[3 * t + 1] = t ? fresh : 1;
        self->item_weights[3 * t + 2] = t ? kept : 1;
    }
    self->program.item_weights = self->item_weights;
}

enum regime {
    REPLACE,
    GROWING,
    SHRINKING,
    ACCUMULATE,
    SUBSAMPLE,
    FRESH_FEW,
    FRESH_MANY,
    FRESH_HALF,
    FRESH_RISING,
    FIXED,
    FIXED_LARGE,
    HOARD,
    WINDOW,
    AGES,
    REAL_ONLY,
    MIX,
    WEIGHTED_MIX,
    REGIMES
};

static const char *const REGIME_NAMES[REGIMES] = {
    "replace",    "growing",    "shrinking",    "accumulate", "subsample",   "fresh few",
    "fresh many", "fresh half", "fresh rising", "fixed",      "fixed large", "hoard",
    "window",     "ages",       "real only",    "mix",        "weighted mix"};

static inline void keep(setup_t *self, uint64_t size, uint64_t joining) {
    self->program.kept = size;
    set_from_second(self->from_kept, self->program.generations, joining);
}

static inline void set_sizes(setup_t *self, int regime) {
    const uint64_t n = self->samples[0];

    for (size_t t = 0; t <= self->program.generations; t++) {
        if (regime == GROWING) self->samples[t] = n + n * t / 10;
        if (regime == SHRINKING) self->samples[t] = 1 + n / (t + 1);
        if (regime == SUBSAMPLE) self->draw[t] = t % 3 == 0 ? n : 1 + n / (t % 3 + 1);
    }
    self->samples[self->program.generations] =
        regime == WINDOW ? 0 : n; /* not every regime knows the batch beyond the end */
}

/* `samples` at least 40. */
static inline setup_t *new_regime(int regime, size_t categories, size_t generations, uint64_t samples, uint64_t key) {
    setup_t *self = new_setup(categories, generations, samples, key);
    tb_program_t *program = &self->program;
    const uint64_t few = categories / 8 < samples / 4 ? categories / 8 : samples / 4;

    set_sizes(self, regime);
    program->plain = regime == REPLACE || regime == GROWING || regime == SHRINKING;
    if (regime == ACCUMULATE || regime == SUBSAMPLE) program->age_count = 0;
    if (regime == SUBSAMPLE) program->draw = self->draw;
    if (regime == FRESH_FEW || regime == MIX) set_from_second(self->fresh, generations, few);
    if (regime == FRESH_MANY) set_from_second(self->fresh, generations, samples - samples / 8);
    if (regime == FRESH_HALF || regime == WEIGHTED_MIX) set_from_second(self->fresh, generations, samples / 2);
    for (size_t t = 1; regime == FRESH_RISING && t <= generations; t++)
        self->fresh[t] = samples * t / (MOST_GENERATIONS + 1);
    if (regime == REAL_ONLY) set_from_second(self->fresh, generations, samples);
    if (regime == FIXED) keep(self, samples / 4, samples / 4);
    if (regime == FIXED_LARGE) keep(self, samples, samples);
    if (regime == HOARD) keep(self, 2 * samples, samples / 3);
    if (regime == MIX || regime == WEIGHTED_MIX) keep(self, samples / 3, samples / 5);
    if (regime == WEIGHTED_MIX) weigh_items(self, 3, 2, 5);
    if (regime == WINDOW || regime == AGES) {
        static const uint64_t unequal[] = {2, 0, 3};

        program->age_count = 3;
        for (size_t a = 0; a < 3; a++) self->ages[a] = regime == AGES ? unequal[a] : 1;
    }
    return self;
}

/* A plan that records nothing. */
static inline tb_plan_t *plain_plan(const setup_t *setup, const tb_kernels_t *kernels) {
    const tb_output_t nothing = {0};
    tb_plan_t *plan = NULL;

    if (tb_plan_alloc(&plan, &setup->program, kernels, &nothing)) abort();
    return plan;
}

static inline tb_scratch_t *new_scratch(const tb_plan_t *plan) {
    static tb_control_t never; /* cancelled */
    tb_scratch_t *scratch = checked_memory(1, sizeof *scratch);

    if (tb_scratch_init(scratch, plan, &never)) abort();
    return scratch;
}

static inline void drop_scratch(tb_scratch_t *scratch) {
    tb_scratch_free(scratch);
    free(scratch);
}

/* A rule: the built-in add-one's formula, operation by operation. */
static inline int32_t add_one(double *weight, const uint32_t *id, size_t length, double others, double *other,
                              uint32_t generation) {
    double total = 0.0;
    const double categories = (double)length + others;

    (void)id;
    (void)generation;
    for (size_t i = 0; i < length; i++) total += weight[i];
    const double share = categories / (total + categories), even = share * total / categories;
    for (size_t i = 0; i < length; i++) weight[i] = (1.0 - share) * weight[i] + even;
    *other = even;
    return 0;
}
#endif

/* SPDX-License-Identifier: MIT */
/* What runs record, worked out anew from the counts they keep: totals to the item, the rest to 1e-12. */
#include <math.h>

#include "checks.h"
#include "machine.h"
#include "programs.h"
#include "runs.h"

enum { LINEAGES = 6 };

/* The weight of generation t's training set. */
static uint64_t training_total(const setup_t *self, size_t t) {
    const tb_program_t *program = &self->program;
    const uint64_t *samples = self->samples - 1, *item = self->item_weights + 3 * (t - 1);
    uint64_t total = 0;

    if (program->draw) return self->draw[t - 1];
    if (program->item_weights) {
        const uint64_t fresh = self->fresh[t - 1], kept = self->from_kept[t - 1];

        return item[0] * (samples[t] - fresh - kept) + item[1] * fresh + item[2] * kept;
    }
    for (size_t age = 0; age < t; age++) {
        if (program->age_count == 0) total += samples[t - age];
        if (age < program->age_count) total += self->ages[age] * samples[t - age];
    }
    return total;
}

/* One lineage at one generation, all categories in place. */
typedef struct {
    const setup_t *setup;
    const records_t *records;
    const uint64_t *now, *before; /* before: at the record before, or the reference */
    size_t row;                   /* of the records, lineage counted */
} view_t;

static int32_t integer(const view_t *self, int variable, size_t column, size_t columns) {
    return ((const int32_t *)self->records->values[variable])[self->row * columns + column];
}

static int close_to(const view_t *self, int variable, size_t column, size_t columns, long double exact,
                    long double size) {
    const double got = ((const double *)self->records->values[variable])[self->row * columns + column];
    const int close = fabsl((long double)got - exact) <= 1e-12L * (size + 1e-3L);

    if (!close) printf("variable %d: %.17g, not %.17Lg\n", variable, got, exact);
    return close;
}

static long double sum_of(const uint64_t *weights, size_t from, size_t to) {
    long double total = 0.0L;

    for (size_t i = from; i < to; i++) total += (long double)weights[i];
    return total;
}

static int32_t count_of(const uint64_t *weights, size_t from, size_t to) {
    int32_t count = 0;

    for (size_t i = from; i < to; i++) count += weights[i] > 0;
    return count;
}

static void check_counts(const view_t *self) {
    const tb_program_t *program = &self->setup->program;
    const size_t k = program->categories;
    const long double total = sum_of(self->now, 0, k);
    int32_t lost = 0, revived = 0;

    for (size_t i = 0; i < k; i++) {
        lost += self->before[i] > 0 && self->now[i] == 0;
        revived += self->before[i] == 0 && self->now[i] > 0;
    }
    CHECK(integer(self, SURVIVORS, 0, 1) == count_of(self->now, 0, k));
    CHECK(integer(self, LOST, 0, 1) == lost && integer(self, REVIVED, 0, 1) == revived);
    CHECK(integer(self, TAIL_SURVIVORS, 0, 1) == count_of(self->now, program->tail_start, k));
    CHECK(close_to(self, TAIL_MASS, 0, 1, sum_of(self->now, program->tail_start, k) / total, 1));
    for (size_t b = 0; b < BANDS; b++) {
        const size_t from = program->band_start[b], to = b ? program->band_start[b - 1] : k;

        CHECK(integer(self, BAND_SURVIVORS, b, BANDS) == count_of(self->now, from, to));
        CHECK(close_to(self, BAND_MASS, b, BANDS, sum_of(self->now, from, to) / total, 1));
    }
}

static void check_measures(const view_t *self) {
    const size_t k = self->setup->program.categories;
    const long double total = sum_of(self->now, 0, k), reference_total = sum_of(self->setup->weights, 0, k);
    long double entropy = 0, squares = 0, largest = 0, covered = 0, kl = 0, cross = 0, variation = 0, brier = 0;

    for (size_t i = 0; i < k; i++) {
        const long double p = (long double)self->now[i] / total,
                          q = (long double)self->setup->weights[i] / reference_total;

        brier += (p - q) * (p - q);
        variation += p > q ? p - q : 0;
        if (self->now[i] == 0) continue;
        squares += p * p;
        covered += q;
        largest = fmaxl(largest, p);
        entropy -= p * logl(p);
        cross -= p * logl(q);
        kl += p * logl(p / q);
    }
    CHECK(close_to(self, COVERAGE, 0, 1, covered, 1));
    CHECK(close_to(self, ENTROPY, 0, 1, entropy, logl(total)));
    CHECK(close_to(self, GINI, 0, 1, 1 - squares, 1));
    CHECK(close_to(self, LARGEST_SHARE, 0, 1, largest, 1));
    CHECK(close_to(self, KL, 0, 1, kl, cross + logl(total)));
    CHECK(((const double *)self->records->values[KL])[self->row] >= 0.0);
    CHECK(close_to(self, VARIATION, 0, 1, variation, 1));
    CHECK(close_to(self, BRIER, 0, 1, brier, 1));
}

static int is_plain(int regime) { return regime == REPLACE || regime == GROWING || regime == SHRINKING; }

/* Categories in the batch drawn from the model of generation t. */
static void check_output(const view_t *self, int regime, size_t t, const uint64_t *next) {
    const size_t k = self->setup->program.categories;
    const uint64_t size = self->setup->samples[t];
    const uint64_t synthetic = t ? size - self->setup->fresh[t] - self->setup->from_kept[t] : size;
    const int32_t got = integer(self, OUTPUT, 0, 1);

    if (synthetic == 0) {
        CHECK(got == -1);
        return;
    }
    CHECK(got >= 1 && got <= integer(self, SURVIVORS, 0, 1) && (uint64_t)got <= synthetic);
    if (is_plain(regime) && next) CHECK(got == count_of(next, 0, k));
}

static int brings_human_items(const setup_t *setup) {
    uint64_t fresh = 0;

    for (size_t t = 0; t < setup->program.generations; t++) fresh += setup->fresh[t];
    return fresh > 0;
}

/* 0 present at the end; else the first generation of the last absence, negative where it may end. */
static void check_dates(const records_t *records, int regime, uint32_t lineage, const uint64_t *weights) {
    const tb_program_t *program = &records->setup->program;
    const int64_t *dates = (const int64_t *)records->values[FORGOTTEN] + lineage * program->categories;
    int right = 1;

    for (size_t i = 0; i < program->categories; i++) {
        int64_t date = 0;

        for (size_t t = program->generations; t > 0 && weights[t * program->categories + i] == 0; t--)
            date = (int64_t)t;
        right &= (dates[i] < 0 ? -dates[i] : dates[i]) == date;
        if (date && brings_human_items(records->setup)) right &= dates[i] < 0;
        if (date && (is_plain(regime) || regime == ACCUMULATE || regime == FIXED)) right &= dates[i] > 0;
    }
    CHECK(right);
}

static void check_lineage(const records_t *records, int regime, uint32_t lineage, const uint64_t *weights) {
    const setup_t *setup = records->setup;
    const size_t k = setup->program.categories, generations = setup->program.generations;

    CHECK(memcmp(weights, setup->weights, k * sizeof *weights) == 0);
    for (size_t t = 0; t <= generations; t++) {
        const uint64_t *now = weights + t * k;
        const view_t view = {setup, records, now, t ? now - k : now, lineage * (generations + 1) + t};

        if (t) CHECK(sum_of(now, 0, k) == (long double)training_total(setup, t));
        check_counts(&view);
        check_measures(&view);
        check_output(&view, regime, t, t < generations ? now + k : NULL);
    }
    check_dates(records, regime, lineage, weights);
}

static void test_regime(int regime, size_t categories, size_t generations, uint64_t samples) {
    setup_t *setup = new_regime(regime, categories, generations, samples, 1851);
    records_t *records = run_setup(setup, tb_isa_best(), LINEAGES, LINEAGES, EVERY_VARIABLE);
    uint64_t *weights = dense_snapshots(records);
    const int failed_before = failed;

    for (uint32_t lineage = 0; lineage < LINEAGES; lineage++) {
        check_lineage(records, regime, lineage, weights + lineage * (generations + 1) * categories);
    }
    if (failed > failed_before) printf("%s, %zu categories\n", REGIME_NAMES[regime], categories);
    free(weights);
    drop_records(records);
    free(setup);
}

int main(void) {
    for (int regime = 0; regime < REGIMES; regime++) {
        test_regime(regime, 1, 5, 40);
        test_regime(regime, 2, 12, 50);
        test_regime(regime, 40, 60, 100);
        test_regime(regime, 700, 12, 90);
        test_regime(regime, 1500, 20, 6000);
        test_regime(regime, 3000, 4, 400000);
    }
    return finish();
}

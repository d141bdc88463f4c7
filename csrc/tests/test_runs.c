/* SPDX-License-Identifier: MIT */
/* Whole runs of every regime: the same bits by every instruction set, in calls of any size, whatever else is recorded,
 * and in a longer run. */
#include "checks.h"
#include "machine.h"
#include "programs.h"
#include "runs.h"

enum { LINEAGES = 12 };

static machine_t machine;

typedef struct {
    size_t categories, generations;
    uint64_t samples;
} size_case_t;

/* One category; fewer items than categories; lanes from the first generation on; Poisson draws; the large tables. */
static const size_case_t SIZES[] = {{1, 5, 40},       {2, 12, 50},       {60, 40, 100},  {700, 16, 90},
                                    {1500, 24, 6000}, {3000, 5, 400000}, {5200, 8, 9000}};
enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES };

static setup_t *setup_of(int regime, const size_case_t *size) {
    return new_regime(regime, size->categories, size->generations, size->samples, 1851);
}

/* Nothing left of the pattern. */
static int is_filled(const records_t *records) {
    const uint64_t pattern = UINT64_C(0xa5a5a5a5a5a5a5a5);

    for (int v = 0; v < VARIABLES; v++) {
        const size_t width = v < INTEGERS ? sizeof(int32_t) : sizeof(double);

        for (size_t at = 0; at < records->bytes[v]; at += width) {
            if (memcmp((const char *)records->values[v] + at, &pattern, width) == 0) return 0;
        }
    }
    return 1;
}

static void check_same(const records_t *a, const records_t *b, int regime, const char *what) {
    const int same = same_records(a, b);

    if (!same) printf("%s, %zu categories: %s\n", REGIME_NAMES[regime], a->setup->program.categories, what);
    CHECK(same);
}

static void test_instruction_sets(int regime, const size_case_t *size) {
    setup_t *setup = setup_of(regime, size);
    records_t *first = run_setup(setup, machine.set[0], LINEAGES, LINEAGES, EVERY_VARIABLE);

    CHECK(is_filled(first));
    for (size_t s = 1; s < machine.count; s++) {
        records_t *other = run_setup(setup, machine.set[s], LINEAGES, LINEAGES, EVERY_VARIABLE);

        check_same(first, other, regime, machine.set[s]->name);
        drop_records(other);
    }
    drop_records(first);
    free(setup);
}

/* One call of all, calls of one, and of a number that leaves lanes idle. */
static void test_calls(int regime, const size_case_t *size) {
    setup_t *setup = setup_of(regime, size);
    records_t *all = run_setup(setup, tb_isa_best(), LINEAGES, LINEAGES, EVERY_VARIABLE);
    records_t *singly = run_setup(setup, tb_isa_best(), LINEAGES, 1, EVERY_VARIABLE);
    records_t *by_seven = run_setup(setup, tb_isa_best(), LINEAGES, 7, EVERY_VARIABLE);

    check_same(all, singly, regime, "one by one");
    check_same(all, by_seven, regime, "seven at a time");
    drop_records(all);
    drop_records(singly);
    drop_records(by_seven);
    free(setup);
}

/* Each variable alone. */
static void test_variables(int regime, const size_case_t *size) {
    setup_t *setup = setup_of(regime, size);
    records_t *all = run_setup(setup, tb_isa_best(), 5, 5, EVERY_VARIABLE);

    for (int v = 0; v < VARIABLES; v++) {
        records_t *one = run_setup(setup, tb_isa_best(), 5, 5, 1u << v);

        CHECK(is_filled(one));
        check_same(all, one, regime, "one variable alone");
        drop_records(one);
    }
    drop_records(all);
    free(setup);
}

/* Row `from` of one against row `to` of the other, but for what counts from record to record. */
static int same_row(const records_t *a, size_t from, const records_t *b, size_t to, uint32_t lineage) {
    for (int v = 0; v < FORGOTTEN; v++) {
        const size_t width = values_of(&a->setup->program, v) / a->setup->program.at_count * (v < INTEGERS ? 4 : 8);
        const size_t rows_a = a->setup->program.at_count, rows_b = b->setup->program.at_count;

        if (v == LOST || v == REVIVED) continue;
        if (memcmp((const char *)a->values[v] + (lineage * rows_a + from) * width,
                   (const char *)b->values[v] + (lineage * rows_b + to) * width, width)) {
            return 0;
        }
    }
    return 1;
}

/* Some generations alone, the first and the last not among them. */
static void test_fewer_records(int regime, const size_case_t *size) {
    setup_t *whole = setup_of(regime, size), *some = setup_of(regime, size);
    records_t *all, *few;
    size_t rows = 0;

    for (uint32_t t = 1; t < size->generations; t += 2 + t / 3) some->at[rows++] = t;
    some->program.at_count = rows;
    some->program.snapshot_count = 0;
    all = run_setup(whole, tb_isa_best(), 9, 9, EVERY_VARIABLE);
    few = run_setup(some, tb_isa_best(), 9, 9, EVERY_VARIABLE);
    for (uint32_t lineage = 0; lineage < 9; lineage++) {
        int same = 1;

        for (size_t row = 0; row < rows; row++) same &= same_row(all, some->at[row], few, row, lineage);
        if (!same) printf("%s, %zu categories: fewer records\n", REGIME_NAMES[regime], size->categories);
        CHECK(same);
    }
    drop_records(all);
    drop_records(few);
    free(whole);
    free(some);
}

/* Once for each regime: whether a category said to be able to come back did. */
static int came_back[REGIMES];

/* What is dated as gone for good in the shorter run is never seen again in the longer one. */
static void check_no_return(const records_t *shorter, int regime, const uint64_t *longer, size_t rows) {
    const size_t categories = shorter->setup->program.categories, end = shorter->setup->program.generations;
    const int64_t *dates = shorter->values[FORGOTTEN];
    int gone_for_good = 1;

    for (size_t i = 0; i < shorter->lineages * categories; i++) {
        const uint64_t *weights = longer + i / categories * rows * categories + i % categories;
        int back = 0;

        for (size_t t = end + 1; dates[i] && t < rows; t++) back |= weights[t * categories] > 0;
        gone_for_good &= dates[i] < 0 || !back;
        came_back[regime] |= dates[i] < 0 && back;
    }
    CHECK(gone_for_good);
}

static int same_beginning(const records_t *a, const records_t *b) {
    const size_t categories = a->setup->program.categories, rows = a->setup->program.snapshot_count;
    const size_t more = b->setup->program.snapshot_count;
    uint64_t *x = dense_snapshots(a), *y = dense_snapshots(b);
    int same = 1;

    for (uint32_t lineage = 0; lineage < a->lineages; lineage++) {
        same &= memcmp(x + lineage * rows * categories, y + lineage * more * categories,
                       rows * categories * sizeof *x) == 0;
        for (size_t row = 0; row < rows; row++) same &= same_row(a, row, b, row, lineage);
    }
    free(x);
    free(y);
    return same;
}

/* A longer run begins as a shorter one does. */
static void test_longer_runs(int regime, const size_case_t *size) {
    const size_case_t longer = {size->categories, 2 * size->generations, size->samples};
    setup_t *one = setup_of(regime, size), *two = setup_of(regime, &longer);
    records_t *a, *b;
    uint64_t *weights;
    int same;

    one->samples[size->generations] =
        two->samples[size->generations]; /* the batch beyond the end, where it is defined */
    a = run_setup(one, tb_isa_best(), 3, 3, EVERY_VARIABLE);
    b = run_setup(two, tb_isa_best(), 3, 3, EVERY_VARIABLE);
    same = same_beginning(a, b);
    if (!same) printf("%s, %zu categories: longer run\n", REGIME_NAMES[regime], size->categories);
    CHECK(same);
    weights = dense_snapshots(b);
    check_no_return(a, regime, weights, two->program.snapshot_count);
    free(weights);
    drop_records(a);
    drop_records(b);
    free(one);
    free(two);
}

/* No lineages, no records, no generations: nothing to do, and done. */
static void test_nothing_to_do(void) {
    setup_t *setup = new_regime(REPLACE, 10, 3, 50, 1);
    records_t *none, *silent;

    none = run_setup(setup, tb_isa_best(), 1, 1, 0);
    drop_records(none);
    setup->program.at_count = setup->program.snapshot_count = 0;
    silent = run_setup(setup, tb_isa_best(), 3, 3, EVERY_VARIABLE);
    drop_records(silent);
    setup->program.generations = 0;
    silent = run_setup(setup, tb_isa_best(), 3, 3, EVERY_VARIABLE);
    drop_records(silent);
    free(setup);
}

int main(void) {
    machine = this_machine();
    for (int regime = 0; regime < REGIMES; regime++) {
        for (size_t s = 0; s < SIZE_COUNT; s++) {
            test_instruction_sets(regime, &SIZES[s]);
            test_calls(regime, &SIZES[s]);
            if (s == 2 || s == 3) test_variables(regime, &SIZES[s]);
            test_fewer_records(regime, &SIZES[s]);
            test_longer_runs(regime, &SIZES[s]);
        }
    }
    CHECK(came_back[SUBSAMPLE] && came_back[HOARD] && came_back[AGES] && came_back[FRESH_FEW] && came_back[FRESH_MANY]);
    test_nothing_to_do();
    return finish();
}

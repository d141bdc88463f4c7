/* SPDX-License-Identifier: MIT */
/* Runs that are cancelled, and runs in several threads over one plan. */
#include <pthread.h>

#include "checks.h"
#include "machine.h"
#include "programs.h"
#include "runs.h"

enum { LINEAGES = 20, THREADS = 4 };

static tb_plan_t *new_plan(const setup_t *setup, const records_t *records) {
    tb_plan_t *plan = NULL;

    CHECK(tb_plan_alloc(&plan, &setup->program, tb_isa_best(), &records->output) == TB_OK);
    return plan;
}

/* Alone, and in packs. */
static void test_cancelled_at_once(void) {
    static const size_t sizes[] = {2, 60, 1500};

    for (int regime = 0; regime < REGIMES; regime++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            setup_t *setup = new_regime(regime, sizes[s], 20, 5000, 3);
            records_t *records = new_records(setup, LINEAGES, EVERY_VARIABLE);
            tb_plan_t *plan = new_plan(setup, records);

            tb_cancel(&records->control);
            CHECK(run_records(records, plan, LINEAGES) == TB_ERR_CANCELLED);
            tb_plan_free(plan);
            drop_records(records);
            free(setup);
        }
    }
}

/* Waits for the first generations, then raises the flag. */
static void *cancel_later(void *argument) {
    tb_control_t *control = argument;

    while (tb_progress(control) < 1000) {
    }
    tb_cancel(control);
    return NULL;
}

/* Seconds of work, of which little is done. */
static void test_cancelled_under_way(int regime, size_t categories) {
    setup_t *setup = new_regime(regime, categories, MOST_GENERATIONS, 200000, 4);
    const uint32_t lineages = 100000;
    records_t *records = new_records(setup, 1, 1u << SURVIVORS);
    tb_plan_t *plan;
    pthread_t thread;
    tb_output_t nothing;

    setup->program.snapshot_count = 0;
    plan = new_plan(setup, records);
    memset(&nothing, 0, sizeof nothing);
    CHECK(pthread_create(&thread, NULL, cancel_later, &records->control) == 0);
    CHECK(tb_run(plan, 0, lineages, &nothing, &records->snapshots, &records->control) == TB_ERR_CANCELLED);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(records->control.generations < (uint64_t)lineages * MOST_GENERATIONS / 2);
    tb_plan_free(plan);
    drop_records(records);
    free(setup);
}

typedef struct {
    const tb_plan_t *plan;
    records_t *records;
    uint32_t first, count;
    tb_snapshots_t snapshots;
    int code;
} work_t;

static void *run_part(void *argument) {
    work_t *self = argument;
    const tb_output_t output = output_from(self->records, self->first);

    self->code = tb_run(self->plan, self->first, self->count, &output, &self->snapshots, &self->records->control);
    return NULL;
}

static void test_threads(int regime, size_t categories, size_t generations, uint64_t samples) {
    setup_t *setup = new_regime(regime, categories, generations, samples, 5);
    records_t *whole, *parts;
    tb_plan_t *plan;
    pthread_t thread[THREADS];
    work_t work[THREADS];

    setup->program.snapshot_count = 0;
    whole = run_setup(setup, tb_isa_best(), LINEAGES, LINEAGES, EVERY_VARIABLE);
    parts = new_records(setup, LINEAGES, EVERY_VARIABLE);
    plan = new_plan(setup, parts);
    memset(work, 0, sizeof work);
    for (uint32_t i = 0; i < THREADS; i++) {
        work[i].plan = plan;
        work[i].records = parts;
        work[i].count = LINEAGES / THREADS;
        work[i].first = i * work[i].count;
        CHECK(pthread_create(&thread[i], NULL, run_part, &work[i]) == 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) CHECK(pthread_join(thread[i], NULL) == 0 && work[i].code == TB_OK);
    CHECK(same_records(whole, parts));
    CHECK(parts->control.generations == whole->control.generations);
    tb_plan_free(plan);
    drop_records(whole);
    drop_records(parts);
    free(setup);
}

/* Generations but the first, which is drawn with what is set up. */
static void test_progress_reaches_the_end(int regime, size_t categories) {
    enum { GENERATIONS = 40 };
    setup_t *setup = new_regime(regime, categories, GENERATIONS, 300, 6);
    records_t *records = run_setup(setup, tb_isa_best(), LINEAGES, LINEAGES, 1u << SURVIVORS);
    const uint64_t all = (uint64_t)LINEAGES * GENERATIONS, done = records->control.generations;

    if (done > all || done < all - LINEAGES) {
        printf("%s, %zu categories: %llu of %llu\n", REGIME_NAMES[regime], categories, (unsigned long long)done,
               (unsigned long long)all);
    }
    CHECK(done <= all && done >= all - LINEAGES);
    drop_records(records);
    free(setup);
}

static void test_strings(void) {
    CHECK(strcmp(tb_strerror(TB_OK), tb_strerror(TB_ERR_MEMORY)) && strlen(tb_strerror(TB_ERR_CANCELLED)) > 0);
    CHECK(strlen(tb_strerror(-1234)) > 0);
    tb_plan_free(NULL);
}

int main(void) {
    test_strings();
    test_cancelled_at_once();
    test_cancelled_under_way(REPLACE, 300);
    test_cancelled_under_way(REPLACE, 6000);
    test_cancelled_under_way(HOARD, 1500);
    for (int regime = 0; regime < REGIMES; regime++) {
        test_threads(regime, 50, 30, 200);
        test_threads(regime, 1500, 12, 6000);
        test_progress_reaches_the_end(regime, 3);
        test_progress_reaches_the_end(regime, 700);
    }
    return finish();
}

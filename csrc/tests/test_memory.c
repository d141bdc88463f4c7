/* SPDX-License-Identifier: MIT */
/* The n-th allocation fails, for every n: an error code, nothing lost, and no crash. */
#include "allocations.h"
#include "checks.h"
#include "machine.h"
#include "programs.h"
#include "runs.h"

enum { LINEAGES = 3 };

/* Plan, run and release with the n-th allocation refused. Returns the error. */
static int run_once(const setup_t *setup, records_t *records, long n) {
    tb_plan_t *plan = NULL;
    int code;

    watch(n);
    code = tb_plan_alloc(&plan, &setup->program, tb_isa_best(), &records->output);
    if (code) CHECK(plan == NULL);
    if (!code) code = run_records(records, plan, LINEAGES);
    tb_plan_free(plan);
    unwatch();
    return code;
}

static void release(records_t *records) {
    watched = 1;
    tb_snapshots_free(&records->snapshots);
    watched = 0;
    CHECK(live == 0);
    drop_records(records);
}

/* What a refusal interrupts leaves nothing behind; a run that then gets its memory is the run as it was. */
static void test_every_refusal(const setup_t *setup, const char *name, long least) {
    records_t *whole = run_setup(setup, tb_isa_best(), LINEAGES, LINEAGES, EVERY_VARIABLE);
    long n = 0;

    for (;; n++) {
        records_t *records = new_records(setup, LINEAGES, EVERY_VARIABLE);
        const int code = run_once(setup, records, n);

        if (failures == 0) {
            CHECK(code == TB_OK && same_records(whole, records));
            release(records);
            break;
        }
        CHECK(code == TB_ERR_MEMORY);
        release(records);
    }
    if (n < least) printf("%s: %ld allocations\n", name, n);
    CHECK(n >= least);
    drop_records(whole);
}

static void test_every_allocation(int regime, size_t categories, uint64_t samples, long least) {
    setup_t *setup = new_regime(regime, categories, 6, samples, 2);

    test_every_refusal(setup, REGIME_NAMES[regime], least);
    free(setup);
}

/* The same where models smooth, and all categories are drawn by their counts. */
static void test_smoothing(void) {
    static const tb_estimator_t by[] = {{TB_ADD_K, 1.0, 0}, {TB_GOOD_TURING, -1.0, 1}};

    for (size_t e = 0; e < 2; e++) {
        setup_t *setup = new_setup(900, 6, 1500, 2);

        setup->program.estimator = by[e];
        test_every_refusal(setup, "smoothing", 15);
        free(setup);
    }
}

/* Poisson totals that are too large: room for the items to be removed is refused. */
static void test_room_for_picks(void) {
    enum { LENGTH = 1000, EACH = 20, BATCHES = 300 };
    setup_t *setup = new_setup(LENGTH, 1, LENGTH * EACH, 1);
    tb_plan_t *plan = plain_plan(setup, tb_isa_best());
    double *weight = doubles(LENGTH), *out = doubles(LENGTH);
    long refused = 0;

    for (size_t i = 0; i < LENGTH; i++) weight[i] = EACH;
    for (uint32_t i = 0; i < BATCHES; i++) {
        tb_scratch_t *scratch = new_scratch(plan);
        int code;

        watch(0);
        code =
            tb_draw_batch(plan, scratch, weight, LENGTH, LENGTH * EACH, LENGTH * EACH, (tb_address_t){1, 2, i, 0}, out);
        unwatch();
        CHECK(code == (failures ? TB_ERR_MEMORY : TB_OK));
        refused += failures;
        drop_scratch(scratch);
    }
    CHECK(refused > 0);
    tb_plan_free(plan);
    free(weight);
    free(out);
    free(setup);
}

int main(void) {
    for (int regime = 0; regime < REGIMES; regime++) {
        test_every_allocation(regime, 60, 200, 12);
        test_every_allocation(regime, 900, 4000, 12);
    }
    test_smoothing();
    test_room_for_picks();
    return finish();
}

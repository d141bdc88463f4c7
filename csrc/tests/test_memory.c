/* SPDX-License-Identifier: MIT */
/* The n-th allocation fails, for every n: an error code, nothing lost, and no crash. Linked with -Wl,--wrap (see
 * Makefile). */
#include "checks.h"
#include "machine.h"
#include "programs.h"
#include "runs.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

enum { LINEAGES = 3, NEVER = -1 };

static int watched;         /* inside the core */
static long left = NEVER;   /* allocations before the one that fails */
static long live, failures; /* blocks held, and how often memory was refused */

static int fails(void) {
    if (!watched || left == NEVER || left-- > 0) return 0;
    left = NEVER;
    failures++;
    return 1;
}

static void *counted(void *p) {
    live += watched && p;
    return p;
}

void *__wrap_malloc(size_t size) { return fails() ? NULL : counted(__real_malloc(size)); }

void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : counted(__real_calloc(count, size)); }

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *p, size_t size) {
    if (fails()) return NULL;
    live -= watched && p;
    return counted(__real_realloc(p, size));
}

void __wrap_free(void *p) {
    live -= watched && p;
    __real_free(p);
}

/* Plan, run and release with the n-th allocation refused. Returns the error. */
static int run_once(const setup_t *setup, records_t *records, long n) {
    tb_plan_t *plan = NULL;
    int code;

    left = n;
    live = failures = 0;
    watched = 1;
    code = tb_plan_alloc(&plan, &setup->program, tb_isa_best(), &records->output);
    if (code) CHECK(plan == NULL);
    if (!code) code = run_records(records, plan, LINEAGES);
    tb_plan_free(plan);
    watched = 0;
    left = NEVER;
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
static void test_every_allocation(int regime, size_t categories, uint64_t samples, long least) {
    setup_t *setup = new_regime(regime, categories, 6, samples, 2);
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
    if (n < least) printf("%s: %ld allocations\n", REGIME_NAMES[regime], n);
    CHECK(n >= least);
    drop_records(whole);
    free(setup);
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

        left = 0;
        failures = 0;
        watched = 1;
        code =
            tb_draw_batch(plan, scratch, weight, LENGTH, LENGTH * EACH, LENGTH * EACH, (tb_address_t){1, 2, i, 0}, out);
        watched = 0;
        left = NEVER;
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
    test_room_for_picks();
    return finish();
}

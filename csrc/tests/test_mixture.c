/* SPDX-License-Identifier: MIT */
/* Whole runs of the mixture engine: the same bits from every instruction set, in any blocks, with any memory; what is
 * refused; stops; and every allocation that may fail. */
#include "mixture.h"

#include "allocations.h"
#include "checks.h"
#include "machine.h"

enum { T = 5, LINEAGES = 3, D = 3, K = 3, NUMBERS = 1 + D + D * (D + 1) / 2 };
enum { REPLACE, FRESH, FIXED, LONG_KEPT, HOARD, WEIGHTED, ACCUMULATE, WINDOW, AGES, SUBSAMPLE, REGIMES };

static machine_t machine;

typedef struct {
    tb_mixture_t program;
    uint64_t samples[T + 1], fresh[T + 1], from_kept[T + 1], draw[T + 1], item_weights[3 * (T + 1)], ages[4];
    uint32_t at[T + 1];
    double weight[K], mean[K * D], factor[K * D * D];
} setup_t;

static void fill_regime(setup_t *setup, int regime, uint64_t n) {
    static const uint64_t ages[] = {3, 0, 2, 1};
    tb_mixture_t *program = &setup->program;

    for (size_t i = 0; i <= T; i++) {
        setup->samples[i] = n + 3 * i;
        setup->draw[i] = n / 2 + i;
        setup->at[i] = (uint32_t)i;
        if (i > 0 && (regime == FRESH || regime == WEIGHTED || regime == WINDOW)) setup->fresh[i] = n / 3;
        if (i > 0 && regime == FIXED) setup->from_kept[i] = n / 2;
        if (i > 0 && regime == LONG_KEPT) setup->from_kept[i] = n + 2;
        if (i > 0 && regime == HOARD) setup->from_kept[i] = n / 3;
        setup->item_weights[3 * i] = i ? 2 : 1;
        setup->item_weights[3 * i + 1] = i ? 7 : 1;
        setup->item_weights[3 * i + 2] = 1;
    }
    program->kept = regime == FIXED ? n / 2 : regime == LONG_KEPT ? n + 2 : regime == HOARD ? 2 * n : 0;
    for (size_t a = 0; a < 4; a++) setup->ages[a] = regime == AGES ? ages[a] : 1;
    program->age_count = regime == ACCUMULATE || regime == SUBSAMPLE ? 0
                         : regime == WINDOW                          ? 2
                         : regime == AGES                            ? 4
                                                                     : 1;
    program->item_weights = regime == WEIGHTED ? setup->item_weights : NULL;
    program->draw = regime == SUBSAMPLE ? setup->draw : NULL;
}

static setup_t *new_setup(int regime, enum tb_covariance covariance, size_t d, uint64_t n) {
    setup_t *setup = checked_memory(1, sizeof *setup);
    tb_mixture_t *program = &setup->program;
    uint64_t state = 31;

    program->key = 7;
    program->em = (tb_em_settings_t){d, K, covariance, 1e-6, 1e-3, 4};
    program->generations = T;
    program->samples = setup->samples;
    program->fresh = setup->fresh;
    program->from_kept = setup->from_kept;
    program->ages = setup->ages;
    program->at = setup->at;
    program->at_count = T + 1;
    program->reference = (tb_em_law_t){setup->weight, setup->mean, setup->factor};
    for (size_t k = 0; k < K; k++) setup->weight[k] = k == 0 ? 0.5 : 0.25;
    for (size_t i = 0; i < K * d; i++) setup->mean[i] = 8.0 * next_unit(&state);
    for (size_t i = 0; i < K * d * d; i++) setup->factor[i] = 0.5 + next_unit(&state);
    fill_regime(setup, regime, n);
    return setup;
}

typedef struct {
    tb_mixture_output_t output;
    double number[LINEAGES * (T + 1)][K * NUMBERS + 2];
    int32_t whole[4][LINEAGES * (T + 1)];
} records_t;

/* Every variable of lineages `row`.. of the whole. */
static tb_mixture_output_t output_from(const setup_t *setup, records_t *records, size_t row) {
    enum { ROWS = LINEAGES * (T + 1) };
    double *number = &records->number[0][0];
    const size_t from = row * (T + 1);
    const size_t width = tb_em_factor_count(&setup->program.em) * tb_em_factor_length(&setup->program.em);

    return (tb_mixture_output_t){number + from * K,
                                 number + ROWS * K + from * K * D,
                                 number + ROWS * K * (1 + D) + from * width,
                                 number + ROWS * K * NUMBERS + from,
                                 records->whole[0] + from,
                                 records->whole[1] + from,
                                 records->whole[2] + from,
                                 records->whole[3] + from,
                                 number + ROWS * (K * NUMBERS + 1) + from};
}

static records_t *run(const setup_t *setup, const tb_kernels_t *kernels, uint32_t block) {
    records_t *records = checked_memory(1, sizeof *records);
    tb_mixture_plan_t *plan = NULL;
    tb_control_t control = {0};

    CHECK(tb_mixture_plan_alloc(&plan, &setup->program, kernels) == TB_OK);
    for (uint32_t first = 0; first < LINEAGES; first += block) {
        const uint32_t some = LINEAGES - first < block ? LINEAGES - first : block;
        const tb_mixture_output_t output = output_from(setup, records, first);

        CHECK(tb_mixture_run(plan, first, some, &output, &control) == TB_OK);
    }
    CHECK(tb_progress(&control) == (uint64_t)LINEAGES * T);
    tb_mixture_plan_free(plan);
    return records;
}

static int same_records(const records_t *a, const records_t *b) {
    return !memcmp(a->number, b->number, sizeof a->number) && !memcmp(a->whole, b->whole, sizeof a->whole);
}

/* In three dimensions, as the output is laid out for these. */
static void check_bits(setup_t *setup) {
    records_t *whole = run(setup, machine.set[0], LINEAGES);

    CHECK(whole->whole[0][T] > 0 && whole->whole[2][T] > 0);
    for (size_t s = 0; s < machine.count; s++) {
        records_t *other;

        setup->program.memory = s % 2 ? 1 : 6000;
        other = run(setup, machine.set[s], 1 + (uint32_t)s % 2);
        CHECK(same_records(whole, other));
        free(other);
    }
    setup->program.memory = 0;
    free(whole);
}

static void test_bits(void) {
    for (int regime = 0; regime < REGIMES; regime++) {
        for (int covariance = TB_SPHERICAL; covariance <= TB_FULL; covariance++) {
            setup_t *setup = new_setup(regime, (enum tb_covariance)covariance, D, 150);

            check_bits(setup);
            setup->program.start = TB_MIXTURE_SEEDS;
            check_bits(setup);
            free(setup);
        }
    }
}

/* Batches of one item and of fewer than a row; more components than items. */
static void test_small_batches(void) {
    for (uint64_t n = 2; n < 11; n++) {
        for (int regime = 0; regime < REGIMES; regime++) {
            setup_t *setup = new_setup(regime, TB_FULL, D, n);

            setup->program.start = n % 2 ? TB_MIXTURE_SEEDS : TB_MIXTURE_WARM;
            check_bits(setup);
            free(setup);
        }
    }
}

static int refusal(const setup_t *setup) {
    tb_mixture_plan_t *plan = NULL;
    const int code = tb_mixture_plan_alloc(&plan, &setup->program, machine.set[0]);

    if (code) CHECK(plan == NULL && strcmp(tb_mixture_strerror(code), "unknown error") != 0);
    tb_mixture_plan_free(plan);
    return code;
}

#define REFUSED(regime, change, error)                                                                                 \
    do {                                                                                                               \
        setup_t *setup = new_setup(regime, TB_FULL, D, 50);                                                            \
        tb_mixture_t *program = &setup->program;                                                                       \
        CHECK(refusal(setup) == TB_OK);                                                                                \
        change;                                                                                                        \
        CHECK(program->key == 7 && refusal(setup) == (error));                                                         \
        free(setup);                                                                                                   \
    } while (0)

static void test_refusals(void) {
    REFUSED(REPLACE, program->em.dimension = 33, TB_ERR_EM_DIMENSION);
    REFUSED(REPLACE, program->em.dimension = 0, TB_ERR_EM_DIMENSION);
    REFUSED(REPLACE, program->em.components = 65, TB_ERR_EM_COMPONENTS);
    REFUSED(REPLACE, program->em.covariance = (enum tb_covariance)4, TB_ERR_EM_COVARIANCE);
    REFUSED(REPLACE, program->em.floor = 0.0, TB_ERR_EM_FLOOR);
    REFUSED(REPLACE, program->em.floor = 1e201, TB_ERR_EM_FLOOR);
    REFUSED(REPLACE, program->em.tolerance = 0.0 / 0.0, TB_ERR_EM_TOLERANCE);
    REFUSED(REPLACE, program->em.iterations = 0, TB_ERR_EM_ITERATIONS);
    REFUSED(REPLACE, setup->weight[1] = 0.3, TB_ERR_EM_WEIGHTS);
    REFUSED(REPLACE, setup->weight[1] = -0.25, TB_ERR_EM_WEIGHTS);
    REFUSED(REPLACE, setup->mean[4] = -1.1e100, TB_ERR_EM_MEANS);
    REFUSED(REPLACE, setup->mean[4] = 0.0 / 0.0, TB_ERR_EM_MEANS);
    REFUSED(REPLACE, setup->factor[5] = 0.0, TB_ERR_EM_FACTORS);
    REFUSED(REPLACE, setup->factor[4] = 0.0 / 0.0, TB_ERR_EM_FACTORS);
    REFUSED(REPLACE, program->start = (enum tb_mixture_start)2, TB_ERR_MIXTURE_START);
    REFUSED(REPLACE, setup->samples[2] = 0, TB_ERR_MIXTURE_SAMPLES);
    REFUSED(REPLACE, setup->samples[2] = TB_MIXTURE_SAMPLES + 1, TB_ERR_MIXTURE_SAMPLES);
    REFUSED(FRESH, setup->fresh[2] = 57, TB_ERR_MIXTURE_SAMPLES);
    REFUSED(HOARD, program->kept = 15, TB_ERR_MIXTURE_KEPT);
    REFUSED(FIXED, program->age_count = 2, TB_ERR_MIXTURE_KEPT);
    REFUSED(SUBSAMPLE, setup->draw[0] = 0, TB_ERR_MIXTURE_DRAW);
    REFUSED(SUBSAMPLE, setup->draw[1] = 104, TB_ERR_MIXTURE_DRAW);
    REFUSED(REPLACE, setup->at[2] = 1, TB_ERR_MIXTURE_AT);
    REFUSED(REPLACE, setup->at[T] = T + 1, TB_ERR_MIXTURE_AT);
}

static void test_cancel(void) {
    setup_t *setup = new_setup(REPLACE, TB_FULL, D, 50);
    records_t *records = checked_memory(1, sizeof *records);
    const tb_mixture_output_t output = output_from(setup, records, 0);
    tb_mixture_plan_t *plan = NULL;
    tb_control_t control = {0};

    CHECK(tb_mixture_plan_alloc(&plan, &setup->program, machine.set[0]) == TB_OK);
    tb_cancel(&control);
    CHECK(tb_mixture_run(plan, 0, 1, &output, &control) == TB_ERR_CANCELLED && tb_progress(&control) == 0);
    CHECK(tb_mixture_state_bytes(plan) > sizeof(setup_t));
    tb_mixture_plan_free(plan);
    free(records);
    free(setup);
}

/* The n-th allocation fails, for every n: an error, or items made anew; nothing lost. */
static void test_every_allocation(int regime, enum tb_mixture_start start) {
    setup_t *setup = new_setup(regime, TB_FULL, D, 50);
    records_t *whole, *records = checked_memory(1, sizeof *records);
    const tb_mixture_output_t output = output_from(setup, records, 0);
    long n = 0, refused = 1;

    setup->program.start = start;
    whole = run(setup, machine.set[0], LINEAGES);
    for (; refused; n++) {
        tb_mixture_plan_t *plan = NULL;
        tb_control_t control = {0};
        int code;

        watch(n);
        code = tb_mixture_plan_alloc(&plan, &setup->program, machine.set[0]);
        if (!code) code = tb_mixture_run(plan, 0, LINEAGES, &output, &control);
        tb_mixture_plan_free(plan);
        unwatch();
        refused = failures;
        CHECK(live == 0 && (code == TB_OK || (code == TB_ERR_MEMORY && refused)));
        if (!code) CHECK(same_records(whole, records));
    }
    CHECK(n > 5);
    free(whole);
    free(records);
    free(setup);
}

int main(void) {
    machine = this_machine();
    test_bits();
    test_small_batches();
    test_refusals();
    test_cancel();
    test_every_allocation(REPLACE, TB_MIXTURE_WARM);
    test_every_allocation(HOARD, TB_MIXTURE_WARM);
    test_every_allocation(LONG_KEPT, TB_MIXTURE_SEEDS);
    test_every_allocation(ACCUMULATE, TB_MIXTURE_SEEDS);
    test_every_allocation(SUBSAMPLE, TB_MIXTURE_WARM);
    return finish();
}

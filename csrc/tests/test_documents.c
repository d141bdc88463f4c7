/* SPDX-License-Identifier: MIT */
/* Whole runs of mixtures of categorical laws: the same bits from every instruction set and in any blocks; what is
 * refused; stops; and every allocation that may fail. */
#include "documents.h"

#include "allocations.h"
#include "checks.h"
#include "machine.h"

enum { T = 4, LINEAGES = 3, K = 9, C = 21, ROWS = LINEAGES * (T + 1), NUMBERS = K * (C + 5) + 2 };
enum { REPLACE, FRESH, FIXED, LONG_KEPT, HOARD, WEIGHTED, ACCUMULATE, AGES, SUBSAMPLE, REGIMES };

static machine_t machine;

typedef struct {
    tb_documents_program_t program;
    uint64_t samples[T + 1], fresh[T + 1], from_kept[T + 1], draw[T + 1], item_weights[3 * (T + 1)], ages[3];
    uint32_t at[T + 1], lengths[2];
    double weight[K], probability[K * C];
} setup_t;

static void fill_regime(setup_t *setup, int regime, uint64_t n) {
    static const uint64_t ages[] = {3, 0, 2};
    tb_documents_program_t *program = &setup->program;

    memcpy(setup->ages, ages, sizeof ages);
    for (size_t i = 0; i <= T; i++) {
        setup->samples[i] = n + 3 * i;
        setup->draw[i] = n / 2 + i;
        setup->at[i] = (uint32_t)i;
        if (i > 0 && (regime == FRESH || regime == WEIGHTED || regime == AGES)) setup->fresh[i] = n / 3;
        if (i > 0 && regime == FIXED) setup->from_kept[i] = n / 2;
        if (i > 0 && regime == LONG_KEPT) setup->from_kept[i] = n + 2;
        if (i > 0 && regime == HOARD) setup->from_kept[i] = n / 3;
        setup->item_weights[3 * i] = i ? 2 : 1;
        setup->item_weights[3 * i + 1] = i ? 7 : 1;
        setup->item_weights[3 * i + 2] = 1;
    }
    program->kept = regime == FIXED ? n / 2 : regime == LONG_KEPT ? n + 2 : regime == HOARD ? 2 * n : 0;
    program->age_count = regime == ACCUMULATE || regime == SUBSAMPLE ? 0 : regime == AGES ? 3 : 1;
    program->item_weights = regime == WEIGHTED ? setup->item_weights : NULL;
    program->draw = regime == SUBSAMPLE ? setup->draw : NULL;
}

/* Each component has categories of its own and some that all have; one has a single category. */
static setup_t *new_setup(int regime, uint64_t n) {
    setup_t *setup = checked_memory(1, sizeof *setup);
    tb_documents_program_t *program = &setup->program;

    program->key = 7;
    program->fit = (tb_documents_settings_t){K, C, 1e-6, 1e-3, 6};
    program->generations = T;
    program->samples = setup->samples;
    program->fresh = setup->fresh;
    program->from_kept = setup->from_kept;
    program->ages = setup->ages;
    program->at = setup->at;
    program->at_count = T + 1;
    program->lengths = setup->lengths;
    program->length_count = 2;
    program->weight = setup->weight;
    program->probability = setup->probability;
    setup->lengths[0] = 5;
    setup->lengths[1] = 30;
    for (size_t k = 0; k < K; k++) {
        double *row = setup->probability + k * C;

        setup->weight[k] = k ? 0.0625 : 0.5;
        row[2 * k] = k == 3 ? 1.0 : 0.5;
        row[2 * k + 1] = k == 3 ? 0.0 : 0.25;
        for (size_t j = C - 2; j < C; j++) row[j] = k == 3 ? 0.0 : 0.125;
    }
    fill_regime(setup, regime, n);
    return setup;
}

typedef struct {
    double number[ROWS * NUMBERS];
    int32_t whole[ROWS * (K + 3)];
} records_t;

/* Every variable of lineages `row`.. of the whole. */
static tb_documents_output_t output_from(records_t *records, size_t row) {
    const size_t from = row * (T + 1);
    double *wide = records->number, *single = wide + (size_t)ROWS * K * (C + 5);

    return (tb_documents_output_t){.weight = wide + from * K,
                                   .entropy = wide + ROWS * K + from * K,
                                   .largest_share = wide + 2 * ROWS * K + from * K,
                                   .total_variation = wide + 3 * ROWS * K + from * K,
                                   .kl = wide + 4 * ROWS * K + from * K,
                                   .probability = wide + 5 * ROWS * K + from * K * C,
                                   .log_likelihood = single + from,
                                   .mutual_information = single + ROWS + from,
                                   .survivors = records->whole + from * K,
                                   .iterations = records->whole + ROWS * K + from,
                                   .converged = records->whole + ROWS * (K + 1) + from,
                                   .alive = records->whole + ROWS * (K + 2) + from};
}

static records_t *run(const setup_t *setup, const tb_kernels_t *kernels, uint32_t block) {
    records_t *records = checked_memory(1, sizeof *records);
    tb_documents_plan_t *plan = NULL;
    tb_control_t control = {0};

    CHECK(tb_documents_plan_alloc(&plan, &setup->program, kernels) == TB_OK);
    for (uint32_t first = 0; first < LINEAGES; first += block) {
        const uint32_t some = LINEAGES - first < block ? LINEAGES - first : block;
        const tb_documents_output_t output = output_from(records, first);

        CHECK(tb_documents_run(plan, first, some, &output, &control) == TB_OK);
    }
    CHECK(tb_progress(&control) == (uint64_t)LINEAGES * T);
    tb_documents_plan_free(plan);
    return records;
}

static int same_records(const records_t *a, const records_t *b) { return memcmp(a, b, sizeof *a) == 0; }

static void test_bits(void) {
    for (int regime = 0; regime < REGIMES; regime++) {
        for (uint64_t n = 6; n < 200; n *= 5) {
            setup_t *setup = new_setup(regime, n);
            records_t *whole = run(setup, machine.set[0], LINEAGES);

            CHECK(whole->whole[ROWS * K + T] > 0 && whole->whole[ROWS * (K + 2) + T] > 0);
            for (size_t s = 0; s < machine.count; s++) {
                records_t *other = run(setup, machine.set[s], 1 + (uint32_t)s % 2);

                CHECK(same_records(whole, other));
                free(other);
            }
            free(whole);
            free(setup);
        }
    }
}

static int refusal(const setup_t *setup) {
    tb_documents_plan_t *plan = NULL;
    const int code = tb_documents_plan_alloc(&plan, &setup->program, machine.set[0]);

    if (code) CHECK(plan == NULL && strcmp(tb_documents_strerror(code), tb_documents_strerror(1)) != 0);
    tb_documents_plan_free(plan);
    return code;
}

#define REFUSED(regime, change, error)                                                                                 \
    do {                                                                                                               \
        setup_t *setup = new_setup(regime, 50);                                                                        \
        tb_documents_program_t *program = &setup->program;                                                             \
        CHECK(refusal(setup) == TB_OK);                                                                                \
        change;                                                                                                        \
        CHECK(program->key == 7 && refusal(setup) == (error));                                                         \
        free(setup);                                                                                                   \
    } while (0)

static void test_refusals(void) {
    REFUSED(REPLACE, program->fit.components = 65, TB_ERR_DOCUMENTS_SIZE);
    REFUSED(REPLACE, program->fit.categories = 0, TB_ERR_DOCUMENTS_SIZE);
    REFUSED(REPLACE, program->fit.floor = 0.0, TB_ERR_DOCUMENTS_FIT);
    REFUSED(REPLACE, program->fit.tolerance = -1.0, TB_ERR_DOCUMENTS_FIT);
    REFUSED(REPLACE, program->fit.iterations = 0, TB_ERR_DOCUMENTS_FIT);
    REFUSED(REPLACE, setup->weight[1] = 0.3, TB_ERR_DOCUMENTS_LAW);
    REFUSED(REPLACE, setup->probability[4] = -0.1, TB_ERR_DOCUMENTS_LAW);
    REFUSED(REPLACE, setup->probability[4] = 0.0 / 0.0, TB_ERR_DOCUMENTS_LAW);
    REFUSED(REPLACE, setup->lengths[1] = 0, TB_ERR_DOCUMENTS_LENGTH);
    REFUSED(REPLACE, program->length_count = 0, TB_ERR_DOCUMENTS_LENGTH);
    REFUSED(REPLACE, setup->samples[2] = 0, TB_ERR_DOCUMENTS_SAMPLES);
    REFUSED(REPLACE, setup->samples[2] = TB_DOCUMENT_SAMPLES + 1, TB_ERR_DOCUMENTS_SAMPLES);
    REFUSED(FRESH, setup->fresh[2] = 57, TB_ERR_DOCUMENTS_SAMPLES);
    REFUSED(HOARD, program->kept = 15, TB_ERR_DOCUMENTS_KEPT);
    REFUSED(FIXED, program->age_count = 2, TB_ERR_DOCUMENTS_KEPT);
    REFUSED(SUBSAMPLE, setup->draw[0] = 0, TB_ERR_DOCUMENTS_DRAW);
    REFUSED(SUBSAMPLE, setup->draw[1] = 104, TB_ERR_DOCUMENTS_DRAW);
    REFUSED(REPLACE, setup->at[2] = 1, TB_ERR_DOCUMENTS_AT);
    REFUSED(REPLACE, setup->at[T] = T + 1, TB_ERR_DOCUMENTS_AT);
}

static void test_fits(void) {
    const tb_documents_settings_t settings = {1, 2, 1e-6, 0.0, 1};
    const uint32_t category[] = {0, 1}, number[] = {3, 1};
    const tb_document_t documents[] = {{category, number, 2, 1.0}, {category, number, 0, 1.0}};
    const tb_document_t nothing = {category, number, 2, 0.0};
    double weight[] = {1.0}, probability[] = {0.5, 0.5};
    tb_documents_result_t result;
    const tb_control_t control = {0};

    CHECK(tb_documents_fit(&settings, machine.set[0], documents, 1, weight, probability, &result, &control) == TB_OK);
    CHECK(weight[0] == 1.0 && probability[0] == 0.75 && probability[1] == 0.25 && result.iterations == 1);
    CHECK(tb_documents_fit(&settings, machine.set[0], documents, 2, weight, probability, &result, &control) ==
          TB_ERR_DOCUMENTS_EMPTY);
    CHECK(tb_documents_fit(&settings, machine.set[0], &nothing, 1, weight, probability, &result, &control) ==
          TB_ERR_DOCUMENTS_EMPTY);
}

static void test_cancel(void) {
    setup_t *setup = new_setup(REPLACE, 50);
    records_t *records = checked_memory(1, sizeof *records);
    const tb_documents_output_t output = output_from(records, 0);
    tb_documents_plan_t *plan = NULL;
    tb_control_t control = {0};

    CHECK(tb_documents_plan_alloc(&plan, &setup->program, machine.set[0]) == TB_OK);
    tb_cancel(&control);
    CHECK(tb_documents_run(plan, 0, 1, &output, &control) == TB_ERR_CANCELLED && tb_progress(&control) == 0);
    CHECK(tb_documents_state_bytes(plan) > K * C * sizeof(double));
    tb_documents_plan_free(plan);
    free(records);
    free(setup);
}

/* The n-th allocation fails, for every n: an error, or more memory held than is needed; nothing lost. */
static void test_every_allocation(int regime) {
    setup_t *setup = new_setup(regime, 20);
    records_t *whole = run(setup, machine.set[0], LINEAGES), *records = checked_memory(1, sizeof *records);
    const tb_documents_output_t output = output_from(records, 0);
    long n = 0, refused = 1;

    for (; refused; n++) {
        tb_documents_plan_t *plan = NULL;
        tb_control_t control = {0};
        int code;

        watch(n);
        code = tb_documents_plan_alloc(&plan, &setup->program, machine.set[0]);
        if (!code) code = tb_documents_run(plan, 0, LINEAGES, &output, &control);
        tb_documents_plan_free(plan);
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
    test_refusals();
    test_fits();
    test_cancel();
    for (int regime = 0; regime < REGIMES; regime++) test_every_allocation(regime);
    return finish();
}

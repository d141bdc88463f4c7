/* SPDX-License-Identifier: MIT */
/* Rules compiled elsewhere: the bits of built-in ones, and every way to fail. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runs.h"

enum { CATEGORIES = 600, GENERATIONS = 12, LINEAGES = 5, WHEN = 7 };

static int32_t cut(double *weight, const uint32_t *id, size_t length, double others, double *other,
                   uint32_t generation) {
    double most = 0.0;

    (void)id;
    (void)generation;
    for (size_t i = 0; i < length; i++) most = weight[i] > most ? weight[i] : most;
    if (others > 0.0 && *other > most) most = *other;
    for (size_t i = 0; i < length; i++) weight[i] = weight[i] < 0.1 * most ? 0.0 : weight[i];
    if (*other < 0.1 * most) *other = 0.0;
    return 0;
}

static int32_t give_up(double *weight, const uint32_t *id, size_t length, double others, double *other,
                       uint32_t generation) {
    (void)weight;
    (void)id;
    (void)length;
    (void)others;
    (void)other;
    return generation == WHEN;
}

static double put;

/* All weights become one number. */
static int32_t put_all(double *weight, const uint32_t *id, size_t length, double others, double *other,
                       uint32_t generation) {
    (void)id;
    (void)others;
    for (size_t i = 0; generation == WHEN && i < length; i++) weight[i] = put;
    if (generation == WHEN) *other = put;
    return 0;
}

static setup_t *new_case(void) {
    setup_t *setup = new_setup(CATEGORIES, GENERATIONS, 300, 9);

    setup->program.snapshot_count = 0;
    setup->program.decoding = (tb_decoding_t){.temperature = 1.0, .top_p = 1.0};
    return setup;
}

static int run_case(setup_t *setup, records_t *records, tb_failure_t *failure) {
    tb_plan_t *plan = NULL;
    tb_output_t output = records->output;
    int code;

    CHECK(tb_plan_alloc(&plan, &setup->program, tb_isa_best(), &output) == TB_OK);
    output.failure = failure;
    code = tb_run(plan, 0, LINEAGES, &output, &records->snapshots, &records->control);
    tb_plan_free(plan);
    return code;
}

static void test_same(const tb_program_t *one, const tb_program_t *other) {
    setup_t *first = new_case(), *second = new_case();
    records_t *a, *b;
    tb_failure_t failure = {0};

    first->program.estimator = one->estimator;
    first->program.decoding = one->decoding;
    first->program.rules = one->rules;
    second->program.estimator = other->estimator;
    second->program.decoding = other->decoding;
    a = new_records(first, LINEAGES, EVERY_VARIABLE);
    b = new_records(second, LINEAGES, EVERY_VARIABLE);
    CHECK(run_case(first, a, &failure) == TB_OK);
    CHECK(run_case(second, b, &failure) == TB_OK);
    CHECK(failure.problem == 0);
    CHECK(same_records(a, b));
    drop_records(a);
    drop_records(b);
    free(first);
    free(second);
}

static void test_failure(tb_rules_t rules, int problem) {
    setup_t *setup = new_case();
    records_t *records;
    tb_failure_t failure = {0};

    setup->program.rules = rules;
    if (rules.estimator) setup->program.estimator = (tb_estimator_t){TB_BY_RULE, -1.0, 0};
    records = new_records(setup, LINEAGES, EVERY_VARIABLE);
    CHECK(run_case(setup, records, &failure) == TB_ERR_RULE);
    CHECK(failure.problem == problem);
    CHECK(failure.decoding == (rules.decoding != NULL));
    CHECK(failure.generation == WHEN && failure.replicate == 0);
    CHECK(run_case(setup, records, NULL) == TB_ERR_RULE);
    drop_records(records);
    free(setup);
}

/* Curation that accepts one half: a lineage ends where the other is gone, and says where. */
static void test_nothing_accepted(void) {
    static uint32_t level[CATEGORIES + 1];
    static const double rates[] = {1.0, 0.0};
    setup_t *setup = new_case();
    records_t *records;
    tb_failure_t failure = {0};

    for (size_t i = 0; i < CATEGORIES; i++) level[i] = i > 1; /* the two commonest are accepted */
    setup->program.weights = memset(setup->weights, 0, sizeof setup->weights);
    for (size_t i = 0; i < CATEGORIES; i++) setup->weights[i] = 1;
    setup->samples[0] = 1;
    setup->program.curation = (tb_curation_t){TB_CURATE_WEIGH, 0, 2, level, rates, NULL};
    records = new_records(setup, LINEAGES, EVERY_VARIABLE);
    CHECK(run_case(setup, records, &failure) == TB_ERR_NOTHING);
    CHECK(failure.problem == TB_NOTHING_ACCEPTED && failure.generation == 1 && failure.replicate < LINEAGES);
    CHECK(run_case(setup, records, NULL) == TB_ERR_NOTHING);
    drop_records(records);
    free(setup);
}

int main(void) {
    const tb_decoding_t all = {.temperature = 1.0, .top_k = CATEGORIES, .top_p = 1.0};
    const tb_decoding_t none = {.temperature = 1.0, .top_p = 1.0},
                        tenth = {.temperature = 1.0, .top_p = 1.0, .min_p = 0.1};
    const double wrong[] = {-1.0, NAN, INFINITY, 0x1p801};

    test_same(&(tb_program_t){.estimator = {TB_BY_RULE, -1.0, 0}, .decoding = all, .rules = {add_one, NULL}},
              &(tb_program_t){.estimator = {TB_ADD_K, 1.0, 0}, .decoding = all});
    test_same(&(tb_program_t){.estimator = {TB_BY_RULE, -1.0, 0}, .decoding = none, .rules = {add_one, NULL}},
              &(tb_program_t){.estimator = {TB_ADD_K, 1.0, 0}, .decoding = none}); /* by classes */
    test_same(&(tb_program_t){.decoding = none, .rules = {NULL, cut}}, &(tb_program_t){.decoding = tenth});
    test_failure((tb_rules_t){give_up, NULL}, TB_RULE_GAVE_UP);
    test_failure((tb_rules_t){NULL, give_up}, TB_RULE_GAVE_UP);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put = wrong[i];
        test_failure((tb_rules_t){put_all, NULL}, TB_RULE_WRONG_WEIGHT);
        test_failure((tb_rules_t){NULL, put_all}, TB_RULE_WRONG_WEIGHT);
    }
    put = -0.0;
    test_failure((tb_rules_t){put_all, NULL}, TB_RULE_NOTHING);
    test_failure((tb_rules_t){NULL, put_all}, TB_RULE_NOTHING);
    test_nothing_accepted();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Sums of Poisson and exponential laws: tails against long sums, the same bits from every instruction set and in any
 * blocks, what is refused, and what stops. */
#include "totals.h"

#include <math.h>

#include "checks.h"
#include "machine.h"

enum { T = 6, LINEAGES = 11, NUMBERS = 4 + 2 * TB_TOTALS_LEVELS };
enum { REPLACE, FRESH, FIXED, LONG_KEPT, WEIGHTED, ACCUMULATE, AGES, REGIMES };

typedef struct {
    tb_totals_t program;
    uint64_t samples[T + 1], fresh[T + 1], from_kept[T + 1], item_weights[3 * (T + 1)], ages[3];
    uint32_t at[T + 1];
} setup_t;

static void fill(setup_t *setup, enum tb_totals_law law, int regime) {
    static const uint64_t ages[] = {3, 0, 2};
    tb_totals_t *program = &setup->program;

    memset(setup, 0, sizeof *setup);
    memcpy(setup->ages, ages, sizeof ages);
    for (size_t i = 0; i <= T; i++) {
        const int human = regime == FRESH || regime == WEIGHTED || regime == AGES;

        setup->samples[i] = 9 + i;
        setup->at[i] = (uint32_t)i;
        setup->fresh[i] = i && human ? 4 : 0;
        setup->from_kept[i] = i && regime == FIXED ? 5 : i && regime == LONG_KEPT ? 10 : 0;
        setup->item_weights[3 * i] = i ? 2 : 1;
        setup->item_weights[3 * i + 1] = i ? 7 : 1;
        setup->item_weights[3 * i + 2] = 1;
    }
    *program = (tb_totals_t){.key = 77, .law = law, .generations = T, .samples = setup->samples, .fresh = setup->fresh};
    program->from_kept = setup->from_kept;
    program->kept = regime == FIXED ? 5 : regime == LONG_KEPT ? 10 : 0;
    program->item_weights = regime == WEIGHTED ? setup->item_weights : NULL;
    program->ages = setup->ages;
    program->age_count = regime == ACCUMULATE ? 0 : regime == AGES ? 3 : 1;
    program->at = setup->at;
    program->at_count = T + 1;
    program->reference = 0.75;
}

typedef struct {
    double number[NUMBERS * LINEAGES * (T + 1)];
    int32_t absorbed[LINEAGES * (T + 1)];
} results_t;

static tb_totals_output_t into(results_t *results, size_t row) {
    const size_t cells = LINEAGES * (T + 1), at = row * (T + 1);
    double *x = results->number;

    return (tb_totals_output_t){.mean = x + at,
                                .log_mean = x + cells + at,
                                .kl = x + 2 * cells + at,
                                .squared_mean_error = x + 3 * cells + at,
                                .mass_above = x + 4 * cells + at * TB_TOTALS_LEVELS,
                                .mass_below = x + (4 + TB_TOTALS_LEVELS) * cells + at * TB_TOTALS_LEVELS,
                                .absorbed = results->absorbed + at};
}

/* All lineages, in blocks of `some`. */
static void run(const setup_t *setup, const tb_kernels_t *kernels, uint32_t some, results_t *results) {
    tb_totals_plan_t *plan = NULL;
    tb_control_t control = {0};

    CHECK(tb_totals_plan_alloc(&plan, &setup->program, kernels) == TB_OK);
    for (uint32_t first = 0; plan && first < LINEAGES; first += some) {
        const tb_totals_output_t output = into(results, first);
        const uint32_t left = LINEAGES - first;

        CHECK(tb_totals_run(plan, first, left < some ? left : some, &output, &control) == TB_OK);
    }
    CHECK(tb_progress(&control) == LINEAGES * T);
    tb_totals_plan_free(plan);
}

static void test_bits(const machine_t *machine) {
    static results_t plain, other;

    for (int law = TB_POISSON; law <= TB_EXPONENTIAL; law++) {
        for (int regime = 0; regime < REGIMES; regime++) {
            setup_t setup;

            fill(&setup, (enum tb_totals_law)law, regime);
            run(&setup, machine->set[0], LINEAGES, &plain);
            for (size_t i = 0; i < machine->count; i++) {
                memset(&other, 0, sizeof other);
                run(&setup, machine->set[i], i ? LINEAGES : 3, &other);
                CHECK(memcmp(&plain, &other, sizeof plain) == 0);
            }
        }
    }
}

static long double term(long double k, long double mean) { return expl(k * logl(mean) - mean - lgammal(k + 1.0L)); }

static long double between(long double from, long double to, long double mean) {
    long double sum = 0.0L;

    for (long double k = to; k >= from; k--) sum += term(k, mean);
    return sum;
}

static int close_to(double x, long double y) { return fabsl(x - y) <= 1e-11L * y; }

static void test_tails(void) {
    static const double means[] = {1e-3, 0.3, 1.0, 4.7, 30.0, 900.0};

    for (size_t i = 0; i < sizeof means / sizeof *means; i++) {
        const double mean = means[i], width = 6.0 * sqrt(mean) + 3.0;
        const double far = mean + 40.0 * sqrt(mean) + 60.0;

        for (double k = floor(mean > width ? mean - width : 0.0); k < mean + width; k++) {
            CHECK(close_to(tb_poisson_above(k, mean), between(k + 1.0, floor(far), mean)));
            CHECK(close_to(tb_poisson_below(k, mean), k > 0.0 ? between(0.0, k - 1.0, mean) : 0.0L));
        }
    }
    CHECK(tb_poisson_above(0.0, 0.0) == 0.0 && tb_poisson_below(0.0, 0.0) == 0.0 && tb_poisson_below(1.0, 0.0) == 1.0);
    CHECK(tb_poisson_above(1e6, 1.0) == 0.0 && tb_poisson_below(10.0, 1e6) == 0.0);
}

static int refusal(const setup_t *setup, const tb_kernels_t *kernels) {
    tb_totals_plan_t *plan = NULL;
    const int code = tb_totals_plan_alloc(&plan, &setup->program, kernels);

    CHECK((plan == NULL) == (code != TB_OK));
    tb_totals_plan_free(plan);
    return code;
}

static void test_refusals(const tb_kernels_t *kernels) {
    setup_t setup;

    fill(&setup, TB_POISSON, REPLACE);
    CHECK(refusal(&setup, kernels) == TB_OK);
    setup.program.reference = 2e6;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_REFERENCE);
    setup.program.law = TB_EXPONENTIAL;
    CHECK(refusal(&setup, kernels) == TB_OK);
    setup.program.reference = NAN;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_REFERENCE);
    fill(&setup, TB_POISSON, REPLACE);
    setup.samples[3] = 0;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_SAMPLES);
    setup.samples[3] = TB_TOTALS_SAMPLES + 1;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_SAMPLES);
    fill(&setup, TB_POISSON, FRESH);
    setup.fresh[2] = 12;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_SAMPLES);
    fill(&setup, TB_POISSON, FIXED);
    setup.from_kept[4] = 4;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_KEPT);
    fill(&setup, TB_POISSON, FIXED);
    setup.program.age_count = 2;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_KEPT);
    fill(&setup, TB_POISSON, REPLACE);
    setup.at[2] = 1;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_AT);
    setup.at[2] = T + 1;
    CHECK(refusal(&setup, kernels) == TB_ERR_TOTALS_AT);
    for (int code = TB_ERR_TOTALS_GROWN; code <= TB_ERR_TOTALS_REFERENCE; code++) {
        CHECK(strcmp(tb_totals_strerror(code), tb_totals_strerror(1)) != 0);
    }
}

static void test_stops(const tb_kernels_t *kernels) {
    static results_t results;
    tb_totals_plan_t *plan = NULL;
    tb_control_t control = {0};
    setup_t setup;
    const tb_totals_output_t output = into(&results, 0);

    fill(&setup, TB_POISSON, REPLACE);
    setup.program.reference = 1e6;
    for (size_t i = 0; i < T; i++) setup.samples[i] = i ? TB_TOTALS_SAMPLES : 1;
    CHECK(tb_totals_plan_alloc(&plan, &setup.program, kernels) == TB_OK);
    CHECK(tb_totals_run(plan, 0, LINEAGES, &output, &control) == TB_ERR_TOTALS_GROWN);
    tb_cancel(&control);
    CHECK(tb_totals_run(plan, 0, LINEAGES, &output, &control) == TB_ERR_CANCELLED);
    CHECK(tb_totals_state_bytes(plan) > 0);
    tb_totals_plan_free(plan);
}

int main(void) {
    const machine_t machine = this_machine();

    test_tails();
    test_bits(&machine);
    test_refusals(machine.set[0]);
    test_stops(machine.set[0]);
    return finish();
}

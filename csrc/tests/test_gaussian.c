/* SPDX-License-Identifier: MIT */
/* Whole Gaussian runs: against a plain lineage in extended precision, over every regime; the same bits from every
 * instruction set, in any blocks; collapse far below the double's range. */
#include "gaussian.h"

#include <math.h>
#include <pthread.h>

#include "allocations.h"
#include "checks.h"
#include "gaussian_oracle.h"
#include "machine.h"

enum { MOST = 40, LINEAGES = 21, VARIABLES = 12 };

enum {
    REPLACE,
    FRESH,
    FIXED,
    LONG_KEPT,
    WEIGHTED,
    ACCUMULATE,
    ACCUMULATE_FRESH,
    WINDOW,
    AGES,
    WEANED,
    SUBSAMPLE,
    HOARD,
    LONG_HOARD,
    REGIMES
};

typedef struct {
    tb_gaussian_t program;
    uint64_t samples[MOST + 1], fresh[MOST + 1], from_kept[MOST + 1], item_weights[3 * (MOST + 1)], ages[4];
    uint64_t draw[MOST + 1];
    uint32_t at[MOST + 1];
    double mean[ORACLE_MOST], factor[ORACLE_MOST * (ORACLE_MOST + 1) / 2];
} setup_t;

/* Coordinates in units that differ by many orders of magnitude. */
static void fill_reference(setup_t *setup, size_t d) {
    uint64_t state = 31;

    for (size_t i = 0; i < d; i++) {
        const double unit = i % 3 == 1 ? 1e-30 : i % 3 == 2 ? 1e20 : 1.0;

        setup->mean[i] = unit * (3.0 + (double)i);
        for (size_t j = 0; j < i; j++) setup->factor[i * (i + 1) / 2 + j] = unit * (next_unit(&state) - 0.5);
        setup->factor[i * (i + 1) / 2 + i] = unit * (0.5 + next_unit(&state));
    }
}

static void fill_regime(setup_t *setup, int regime, uint64_t n) {
    tb_gaussian_t *program = &setup->program;
    static const uint64_t ages[] = {3, 0, 2, 1};

    for (size_t i = 0; i <= program->generations; i++) {
        setup->samples[i] = regime == WEANED ? n + 3 * i : n;
        if (i == 0) continue;
        if (regime == FRESH || regime == WEIGHTED || regime == ACCUMULATE_FRESH) setup->fresh[i] = n / 3;
        if (regime == WEANED && i < 4) setup->fresh[i] = 4 - i;
        if (regime == FIXED) setup->from_kept[i] = program->kept = n / 2 + 1;
        if (regime == LONG_KEPT) setup->from_kept[i] = program->kept = n + n / 2;
        if (regime == LONG_KEPT) setup->samples[i] = 2 * n;
        if (regime == HOARD) setup->from_kept[i] = n / 3, program->kept = n / 2 + 1;
        if (regime == LONG_HOARD) setup->from_kept[i] = n / 3 + i % 2, program->kept = n + n / 2;
        setup->item_weights[3 * i] = 2;
        setup->item_weights[3 * i + 1] = 7;
        setup->item_weights[3 * i + 2] = 1;
    }
    for (size_t i = 0; i <= program->generations; i++) setup->draw[i] = n - n / 3;
    program->draw = regime == SUBSAMPLE ? setup->draw : NULL;
    for (size_t a = 0; a < 4; a++) setup->ages[a] = regime == AGES ? ages[a] : 1;
    program->age_count = regime == AGES ? 4 : regime == WINDOW ? 3 : 1;
    if (regime == ACCUMULATE || regime == ACCUMULATE_FRESH || regime == SUBSAMPLE) program->age_count = 0;
    program->item_weights = regime == WEIGHTED ? setup->item_weights : NULL;
}

static setup_t *new_setup(int regime, size_t d, uint64_t n, unsigned ddof, size_t generations) {
    setup_t *setup = checked_memory(1, sizeof *setup);
    tb_gaussian_t *program = &setup->program;

    program->key = UINT64_C(0x1234567890abcdef) + (uint64_t)regime;
    program->dimension = d;
    program->ddof = ddof;
    program->generations = generations;
    fill_regime(setup, regime, n);
    fill_reference(setup, d);
    program->samples = setup->samples;
    program->fresh = setup->fresh;
    program->from_kept = setup->from_kept;
    program->ages = setup->ages;
    for (uint32_t t = 0; t <= generations; t++) setup->at[t] = t;
    program->at = setup->at;
    program->at_count = generations + 1;
    program->mean = setup->mean;
    program->factor = setup->factor;
    return setup;
}

/* Everything that can be asked for. */
typedef struct {
    size_t width[VARIABLES], records;
    void *column[VARIABLES];
    tb_gaussian_output_t output;
    tb_control_t control;
} records_t;

static void point(records_t *records, size_t row) {
    tb_gaussian_output_t *to = &records->output;
    double **real[] = {&to->mean,
                       &to->factor,
                       NULL,
                       NULL,
                       &to->log_det,
                       &to->log_pseudo_det,
                       &to->log_trace,
                       &to->effective_rank,
                       &to->squared_mean_error,
                       &to->w2_squared,
                       &to->kl,
                       &to->mass_beyond};

    for (size_t v = 0; v < VARIABLES; v++) {
        const size_t at = row * records->records * records->width[v];

        if (real[v]) *real[v] = (double *)records->column[v] + at;
    }
    to->exponent = (int64_t *)records->column[2] + row * records->records * records->width[2];
    to->rank = (int32_t *)records->column[3] + row * records->records;
}

static size_t element(size_t variable) { return variable == 3 ? sizeof(int32_t) : 8; }

static records_t *new_records(const setup_t *setup, size_t lineages) {
    records_t *records = checked_memory(1, sizeof *records);
    const size_t d = setup->program.dimension;

    records->records = setup->program.at_count;
    for (size_t v = 0; v < VARIABLES; v++) {
        records->width[v] = v == 1 ? d * (d + 1) / 2 : v == 0 || v == 2 ? d : v == 11 ? TB_GAUSSIAN_LEVELS : 1;
        records->column[v] = checked_memory(lineages * records->records * records->width[v], element(v));
    }
    point(records, 0);
    return records;
}

static void drop_records(records_t *records) {
    for (size_t v = 0; v < VARIABLES; v++) free(records->column[v]);
    free(records);
}

/* Lineages 0..count-1, some at a time. */
static records_t *run(const setup_t *setup, const tb_kernels_t *kernels, uint32_t count, uint32_t some) {
    records_t *records = new_records(setup, count);
    tb_gaussian_plan_t *plan = NULL;

    CHECK(tb_gaussian_plan_alloc(&plan, &setup->program, kernels) == TB_OK);
    for (uint32_t first = 0; plan && first < count; first += some) {
        const uint32_t now = count - first < some ? count - first : some;

        point(records, first);
        CHECK(tb_gaussian_run(plan, first, now, &records->output, &records->control) == TB_OK);
    }
    point(records, 0);
    tb_gaussian_plan_free(plan);
    return records;
}

static int same_records(const records_t *a, const records_t *b, size_t lineages) {
    int same = 1;

    for (size_t v = 0; v < VARIABLES; v++) {
        same &= !memcmp(a->column[v], b->column[v], lineages * a->records * a->width[v] * element(v));
    }
    return same;
}

/* Largest error of a record, in deviations of the reference and of the model. */
static double distance(const oracle_t *oracle, const records_t *records, size_t record, const setup_t *setup) {
    const size_t d = setup->program.dimension, triangle = d * (d + 1) / 2;
    const double *factor = records->output.factor + record * triangle, *mean = records->output.mean + record * d;
    const int64_t *exponent = records->output.exponent + record * d;
    double worst = 0.0;

    for (size_t i = 0; i < d; i++) {
        const double wide = setup->factor[i * (i + 1) / 2 + i];

        worst = fmax(worst, fabs((double)((real_t)mean[i] - oracle->mean[i])) / wide);
        for (size_t j = 0; j <= i; j++) {
            const real_t scale = sqrtl(oracle->covariance[i][i] * oracle->covariance[j][j]);
            real_t sum = 0.0L;

            for (size_t k = 0; k <= j; k++) {
                sum += ldexpl((real_t)factor[i * (i + 1) / 2 + k], (int)exponent[k]) *
                       ldexpl((real_t)factor[j * (j + 1) / 2 + k], (int)exponent[k]);
            }
            sum = fabsl(sum - oracle->covariance[i][j]);
            if (sum > 0.0L) worst = fmax(worst, (double)(sum / scale));
        }
    }
    return worst;
}

static void check_against_oracle(int regime, size_t d, uint64_t n, unsigned ddof) {
    enum { SOME = 10 };
    const size_t generations = n < 20 ? 4 : 12; /* while the oracle, which squares, has digits enough */
    setup_t *setup = new_setup(regime, d, n, ddof, generations);
    records_t *records = run(setup, tb_isa_best(), SOME, SOME);
    double worst = 0.0;
    matrix_t unused;
    int ranks = 1;

    for (uint32_t r = 0; r < SOME; r++) {
        oracle_t oracle;

        oracle_first(&oracle, &setup->program, r);
        for (size_t t = 1; t <= generations; t++) {
            const size_t record = r * (generations + 1) + t;

            worst = fmax(worst, distance(&oracle, records, record, setup));
            ranks &= (size_t)records->output.rank[record] == oracle_cholesky(d, oracle.covariance, unused);
            if (t < generations) oracle_step(&oracle);
        }
    }
    if (worst > 1e-10 || !ranks) printf("regime %d, d %zu, n %d, ddof %u: %g\n", regime, d, (int)n, ddof, worst);
    CHECK(worst <= 1e-10 && ranks);
    drop_records(records);
    free(setup);
}

static void test_against_oracle(void) {
    static const size_t dimensions[] = {1, 2, 3, 5, 8};

    for (int regime = 0; regime < REGIMES; regime++) {
        for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
            check_against_oracle(regime, dimensions[i], 1000, 0);
            check_against_oracle(regime, dimensions[i], 40, 1);
            check_against_oracle(regime, dimensions[i], 6, 1);
            if (regime < WEANED) check_against_oracle(regime, dimensions[i], 3, 0);
        }
    }
    check_against_oracle(REPLACE, 4, UINT64_C(1000000000000000), 1);
    check_against_oracle(ACCUMULATE, 4, UINT64_C(1000000000000), 1);
}

/* The reference is generation 0, to the last bit. */
static void test_first_record(void) {
    setup_t *setup = new_setup(REPLACE, 6, 50, 1, 3);
    records_t *records = run(setup, tb_isa_best(), LINEAGES, LINEAGES);

    for (size_t r = 0; r < LINEAGES; r++) {
        CHECK(same_doubles(records->output.mean + r * 4 * 6, setup->mean, 6));
        CHECK(same_doubles(records->output.factor + r * 4 * 21, setup->factor, 21));
        CHECK(records->output.w2_squared[r * 4] <= 1e-28 * 1e40 && records->output.kl[r * 4] == 0.0);
        CHECK(fabs(records->output.mass_beyond[r * 4 * TB_GAUSSIAN_LEVELS] - 0.02) < 1e-15);
    }
    drop_records(records);
    free(setup);
}

static void test_same_bits(void) {
    static const size_t dimensions[] = {1, 2, 7, 8};
    const machine_t machine = this_machine();

    for (int regime = 0; regime < REGIMES; regime++) {
        for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
            setup_t *setup = new_setup(regime, dimensions[i], i % 2 ? 9 : 60, (unsigned)i % 2, 9);
            records_t *first = run(setup, machine.set[0], LINEAGES, LINEAGES);

            for (size_t m = 0; m < machine.count; m++) {
                records_t *records = run(setup, machine.set[m], LINEAGES, 1 + 4 * (uint32_t)m);

                CHECK(same_records(first, records, LINEAGES));
                CHECK(records->control.generations == LINEAGES * 9);
                drop_records(records);
            }
            drop_records(first);
            free(setup);
        }
    }
}

/* A longer run extends a shorter one, and what is not recorded changes nothing. */
static void test_length(void) {
    setup_t *longer = new_setup(AGES, 3, 20, 1, 12), *shorter = new_setup(AGES, 3, 20, 1, 5);
    records_t *a, *b;

    shorter->at[0] = 5;
    shorter->program.at_count = 1;
    a = run(longer, tb_isa_best(), 1, 1);
    b = run(shorter, tb_isa_best(), 1, 1);
    CHECK(same_doubles(a->output.factor + 5 * 6, b->output.factor, 6));
    CHECK(a->output.kl[5] == b->output.kl[0] && a->output.w2_squared[5] == b->output.w2_squared[0]);
    drop_records(a);
    drop_records(b);
    free(longer);
    free(shorter);
}

/* Under replace the log-determinant is a sum of logarithms of chi variates, whatever the double's range. */
static void test_collapse(void) {
    enum { GENERATIONS = 30000, DIMENSION = 4, SAMPLES = 6 };
    setup_t *setup = new_setup(REPLACE, DIMENSION, SAMPLES, 1, 1);
    uint64_t *samples = checked_memory(GENERATIONS + 1, 8), *nothing = checked_memory(GENERATIONS + 1, 8);
    oracle_t oracle;
    real_t sum = 0.0L;
    records_t *records;

    for (size_t i = 0; i <= GENERATIONS; i++) samples[i] = SAMPLES;
    setup->program.generations = GENERATIONS;
    setup->program.samples = samples;
    setup->program.fresh = setup->program.from_kept = nothing;
    setup->at[0] = GENERATIONS;
    setup->program.at_count = 1;
    records = run(setup, tb_isa_best(), 1, 1);
    memset(&oracle, 0, sizeof oracle);
    oracle.program = &setup->program;
    for (size_t j = 0; j < DIMENSION; j++) sum += 2.0L * logl((real_t)setup->factor[j * (j + 1) / 2 + j]);
    for (uint32_t t = 1; t <= GENERATIONS; t++) {
        oracle.generation = t;
        for (size_t j = 0; j < DIMENSION; j++) {
            const uint32_t purpose = t == 1 ? TB_FOR_GAUSSIAN_HUMAN : TB_FOR_GAUSSIAN;

            sum += 2.0L * logl(oracle_chi(&oracle, purpose, j, SAMPLES - 1 - j)) - logl(SAMPLES - 1.0L);
        }
    }
    CHECK(sum < -80000.0L && fabsl((real_t)records->output.log_det[0] / sum - 1.0L) < 1e-13L);
    CHECK(records->output.rank[0] == DIMENSION && records->output.exponent[3] < -30000);
    CHECK(records->output.exponent[0] > records->output.exponent[3] + 10000);
    CHECK(isfinite(records->output.log_trace[0]) && records->output.effective_rank[0] == 1.0);
    CHECK(isfinite(records->output.kl[0]) && isfinite(records->output.w2_squared[0]));
    drop_records(records);
    free(samples);
    free(nothing);
    free(setup);
}

static int code_of(const setup_t *setup) {
    tb_gaussian_plan_t *plan = NULL;
    const int code = tb_gaussian_plan_alloc(&plan, &setup->program, tb_isa_best());

    CHECK((plan == NULL) == (code != TB_OK));
    tb_gaussian_plan_free(plan);
    return code;
}

static void test_refusals(void) {
    setup_t *setup = new_setup(FIXED, 3, 20, 1, 5);
    tb_gaussian_t good = setup->program;

    CHECK(code_of(setup) == TB_OK);
    setup->program.dimension = 0;
    CHECK(code_of(setup) == TB_ERR_DIMENSION);
    setup->program.dimension = TB_GAUSSIAN_DIMENSIONS + 1;
    CHECK(code_of(setup) == TB_ERR_DIMENSION);
    setup->program = good;
    setup->program.ddof = 2;
    CHECK(code_of(setup) == TB_ERR_DDOF);
    setup->program = good;
    setup->program.draw = setup->samples; /* but batches are not plain */
    CHECK(code_of(setup) == TB_ERR_SUBSAMPLE);
    setup->program = good;
    setup->program.age_count = 0;
    setup->draw[1] = 41;
    setup->program.draw = setup->draw;
    CHECK(code_of(setup) == TB_ERR_SUBSAMPLE);
    setup->program = good;
    setup->from_kept[2]++;
    CHECK(code_of(setup) == TB_ERR_HOARD);
    setup->program.kept = UINT64_C(1) << 34;
    CHECK(code_of(setup) == TB_ERR_ITEMS);
    setup->program = good;
    setup->from_kept[2]--;
    setup->samples[3] = 0;
    CHECK(code_of(setup) == TB_ERR_SAMPLES);
    setup->samples[3] = TB_GAUSSIAN_SAMPLES + 1;
    CHECK(code_of(setup) == TB_ERR_SAMPLES);
    setup->samples[3] = 10;
    CHECK(code_of(setup) == TB_ERR_SAMPLES);
    setup->samples[3] = 20;
    setup->at[2] = 1;
    CHECK(code_of(setup) == TB_ERR_AT);
    setup->at[2] = 2;
    setup->factor[2] = 0.0;
    CHECK(code_of(setup) == TB_ERR_REFERENCE);
    setup->factor[2] = 1.0;
    setup->mean[0] = (double)INFINITY;
    CHECK(code_of(setup) == TB_ERR_REFERENCE);
    for (int code = TB_ERR_ITEMS; code <= TB_ERR_DIMENSION; code++) {
        CHECK(strlen(tb_gaussian_strerror(code)) > 20 && strcmp(tb_gaussian_strerror(code), tb_strerror(code)));
    }
    CHECK(!strcmp(tb_gaussian_strerror(TB_ERR_MEMORY), tb_strerror(TB_ERR_MEMORY)));
    free(setup);
}

static void *cancel_later(void *control) {
    while (tb_progress(control) == 0) {
    }
    tb_cancel(control);
    return NULL;
}

/* Four items out of some 10^9: a generation that looks at all of them stops on the way. */
static void test_cancel_under_way(void) {
    setup_t *setup = new_setup(SUBSAMPLE, 2, 6, 1, 30);
    tb_gaussian_plan_t *plan = NULL;
    const tb_gaussian_output_t nothing = {0};
    tb_control_t control = {0};
    pthread_t thread;

    for (size_t i = 1; i < 30; i++) setup->samples[i] = UINT64_C(200000000);
    CHECK(tb_gaussian_plan_alloc(&plan, &setup->program, tb_isa_best()) == TB_OK);
    CHECK(pthread_create(&thread, NULL, cancel_later, &control) == 0);
    CHECK(tb_gaussian_run(plan, 0, 8, &nothing, &control) == TB_ERR_CANCELLED);
    CHECK(pthread_join(thread, NULL) == 0 && tb_progress(&control) == 8);
    tb_gaussian_plan_free(plan);
    free(setup);
}

static void test_cancel(void) {
    setup_t *setup = new_setup(REPLACE, 3, 20, 1, 5);
    tb_gaussian_plan_t *plan = NULL;
    const tb_gaussian_output_t nothing = {0};
    tb_control_t control = {0};

    CHECK(tb_gaussian_plan_alloc(&plan, &setup->program, tb_isa_best()) == TB_OK);
    CHECK(tb_gaussian_run(plan, 0, 30, &nothing, &control) == TB_OK && tb_progress(&control) == 150);
    tb_cancel(&control);
    CHECK(tb_gaussian_run(plan, 0, 30, &nothing, &control) == TB_ERR_CANCELLED && tb_progress(&control) == 150);
    CHECK(tb_gaussian_state_bytes(plan) > 1000);
    tb_gaussian_plan_free(plan);
    tb_gaussian_plan_free(NULL);
    free(setup);
}

/* An error code for each refusal, and nothing left behind. */
static void test_memory(int regime) {
    setup_t *setup = new_setup(regime, 3, 20, 1, 5);
    records_t *records = new_records(setup, LINEAGES);
    int code = TB_ERR_MEMORY;
    long n = 0;

    for (; code; n++) {
        tb_gaussian_plan_t *plan = NULL;

        watch(n);
        code = tb_gaussian_plan_alloc(&plan, &setup->program, tb_isa_best());
        if (!code) code = tb_gaussian_run(plan, 0, LINEAGES, &records->output, &records->control);
        tb_gaussian_plan_free(plan);
        unwatch();
        CHECK(live == 0 && code == (failures ? TB_ERR_MEMORY : TB_OK));
    }
    CHECK(n > 8);
    drop_records(records);
    free(setup);
}

int main(void) {
    for (int regime = 0; regime < REGIMES; regime++) test_memory(regime);
    test_against_oracle();
    test_first_record();
    test_same_bits();
    test_length();
    test_collapse();
    test_refusals();
    test_cancel();
    test_cancel_under_way();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Fixed runs whose instructions are counted under callgrind: count_runs ISA WORKLOAD TIMES. What is counted is all that
 * happens inside `counted`; programs are built before. Prints the compiler, as figures of another say nothing. */
#include <stdio.h>

#include "gaussian.h"
#include "mixture.h"
#include "runs.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

typedef struct {
    const char *name;
    int regime;
    size_t categories, generations;
    uint64_t samples, fresh;
    uint32_t lineages;
} categorical_t;

static const categorical_t CATEGORICAL[] = {{"replace", REPLACE, 6000, 90, 6000, 0, 8},
                                            {"sweep", REPLACE, 100, 90, 1000, 0, 128},
                                            {"anchored", REPLACE, 6000, 90, 6000, 60, 4},
                                            {"anchored-small", REPLACE, 100, 90, 1000, 20, 64},
                                            {"nothing-dies", REPLACE, 2000, 20, 1000000000, 0, 4},
                                            {"window", WINDOW, 100, 90, 1000, 0, 64},
                                            {"subsample", SUBSAMPLE, 500, 40, 2000, 0, 8}};
enum { CATEGORICAL_COUNT = sizeof CATEGORICAL / sizeof *CATEGORICAL, D = 2, K = 3, ROWS = 101 };
enum { LACKING = 3 }; /* the processor has no such instruction set: not a failure of the run */

/* A run, and what it is made of. */
typedef struct {
    const tb_kernels_t *kernels;
    const categorical_t *of; /* NULL: a normal law or a mixture */
    setup_t *setup;
    tb_gaussian_t gaussian;
    tb_mixture_t mixture;
    uint64_t samples[ROWS], none[ROWS], ages[1];
    uint32_t at[ROWS];
    double weight[K], mean[K * D], factor[K * D * (D + 1) / 2];
    int failed;
} run_t;

/* Known to callgrind by its name, so not static. */
void counted(run_t *self);

static void set_laws(run_t *self, uint64_t samples, size_t generations) {
    for (size_t t = 0; t <= generations; t++) {
        self->samples[t] = samples;
        self->at[t] = (uint32_t)t;
    }
    self->ages[0] = 1;
    for (size_t k = 0; k < K; k++) {
        self->weight[k] = 1.0 / (double)K;
        self->mean[k * D] = 3.0 * (double)k;
        self->factor[k * 3] = self->factor[k * 3 + 2] = 1.0;
    }
}

static void set_gaussian(run_t *self) {
    set_laws(self, 1000, ROWS - 1);
    self->gaussian = (tb_gaussian_t){.key = 1851, .dimension = D, .generations = ROWS - 1, .age_count = 1};
    self->gaussian.samples = self->samples;
    self->gaussian.fresh = self->gaussian.from_kept = self->none;
    self->gaussian.ages = self->ages;
    self->gaussian.at = self->at;
    self->gaussian.at_count = ROWS;
    self->gaussian.mean = self->mean;
    self->gaussian.factor = self->factor;
}

static void set_mixture(run_t *self) {
    tb_mixture_t *to = &self->mixture;

    set_laws(self, 4000, 5);
    *to = (tb_mixture_t){.key = 1851, .start = TB_MIXTURE_WARM, .generations = 5, .age_count = 1};
    to->em = (tb_em_settings_t){.dimension = D, .components = K, .covariance = TB_FULL, .floor = 1e-6};
    to->em.tolerance = 1e-3;
    to->em.iterations = 20;
    to->samples = self->samples;
    to->fresh = to->from_kept = self->none;
    to->ages = self->ages;
    to->at = self->at;
    to->at_count = 6;
    to->reference = (tb_em_law_t){self->weight, self->mean, self->factor};
    to->memory = TB_MIXTURE_MEMORY;
}

static void set_categorical(run_t *self) {
    const categorical_t *of = self->of;

    self->setup = new_regime(of->regime, of->categories, of->generations, of->samples, 1851);
    self->setup->program.snapshot_count = 0;
    set_from_second(self->setup->fresh, of->generations, of->fresh);
    self->setup->program.plain = of->regime == REPLACE && of->fresh == 0;
}

static int run_gaussian(const run_t *self) {
    tb_gaussian_plan_t *plan = NULL;
    tb_gaussian_output_t none = {0};
    tb_control_t control = {0};
    int code = tb_gaussian_plan_alloc(&plan, &self->gaussian, self->kernels);

    if (!code) code = tb_gaussian_run(plan, 0, 64, &none, &control);
    tb_gaussian_plan_free(plan);
    return code;
}

static int run_mixture(const run_t *self) {
    tb_mixture_plan_t *plan = NULL;
    tb_mixture_output_t none = {0};
    tb_control_t control = {0};
    int code = tb_mixture_plan_alloc(&plan, &self->mixture, self->kernels);

    if (!code) code = tb_mixture_run(plan, 0, 2, &none, &control);
    tb_mixture_plan_free(plan);
    return code;
}

void counted(run_t *self) {
    const unsigned asked = 1u << SURVIVORS | 1u << ENTROPY | 1u << TAIL_MASS;

    if (self->of)
        drop_records(run_setup(self->setup, self->kernels, self->of->lineages, self->of->lineages, asked));
    else
        self->failed |= self->gaussian.dimension ? run_gaussian(self) : run_mixture(self);
}

static int is_known(run_t *self, const char *name) {
    for (size_t i = 0; i < CATEGORICAL_COUNT; i++) {
        if (!strcmp(name, CATEGORICAL[i].name)) self->of = &CATEGORICAL[i];
    }
    if (self->of)
        set_categorical(self);
    else if (!strcmp(name, "gaussian"))
        set_gaussian(self);
    else if (!strcmp(name, "mixture"))
        set_mixture(self);
    else
        return 0;
    return 1;
}

int main(int argc, char **argv) {
    static run_t run;

    if (argc != 4 || !is_known(&run, argv[2])) {
        fprintf(stderr, "usage: count_runs ISA WORKLOAD TIMES\n");
        return 2;
    }
    run.kernels = tb_isa_find(argv[1]);
    if (!run.kernels) return LACKING;
    for (long i = 0; i < atol(argv[3]); i++) counted(&run);
    free(run.setup);
    puts(COMPILER);
    return run.failed || failed ? 1 : 0;
}

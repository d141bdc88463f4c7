/* SPDX-License-Identifier: MIT */
/* What is recorded of Poisson and exponential models. */
#include <math.h>

#include "fmath.h"
#include "quantile_poisson.h"
#include "totals_core.h"

#define LN_2 0x1.62e42fefa39efp-1
#define TWO_PI 0x1.921fb54442d18p+2

static const double LEVEL[TB_TOTALS_LEVELS] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6};

/* --- The Poisson law's tails --- */

/* d - log(1 + d), without cancellation where d is small. */
static double log_rest(double d) {
    double sum = 0.0;
    if (fabs(d) > 0.25) return d - tb_log1p(d);
    for (int k = 27; k >= 2; k--) sum = (k % 2 ? -1.0 : 1.0) / k + sum * d;
    return sum * (d * d);
}

/* x log(x / m) + m - x. */
static double deviance(double x, double m) { return x * log_rest((m - x) / x); }

/* Probability of k (Loader 2000, "Fast and accurate computation of binomial probabilities"). */
static double probability(double k, double mean) {
    if (k == 0.0) return tb_exp(-mean);
    return tb_exp(-tb_stirling_error(k) - deviance(k, mean)) / sqrt(TWO_PI * k);
}

/* From k upward, for k above the mean; from k downward, for k below it: terms fall from the first. */
static double sum_up(double k, double mean) {
    double term = probability(k, mean), sum = term;
    while (term > sum * 0x1p-60) sum += term *= mean / ++k;
    return sum;
}

static double sum_down(double k, double mean) {
    double term = probability(k, mean), sum = term;
    for (; k > 0.0 && term > sum * 0x1p-60; k--) sum += term *= k / mean;
    return sum;
}

double tb_poisson_above(double k, double mean) {
    if (mean == 0.0) return 0.0;
    return k + 1.0 > mean ? sum_up(k + 1.0, mean) : 1.0 - sum_down(k, mean);
}

double tb_poisson_below(double k, double mean) {
    if (k == 0.0) return 0.0;
    if (mean == 0.0) return 1.0;
    return k - 1.0 < mean ? sum_down(k - 1.0, mean) : 1.0 - sum_up(k, mean);
}

/* --- The reference's quantiles --- */

/* Upper: the least k with no more than the level above it; lower: the largest with no more below it. In units of the
 * mean for the exponential law. */
void tb_totals_quantiles(tb_totals_plan_t *plan) {
    const double mean = plan->program.reference;
    for (size_t i = 0; i < TB_TOTALS_LEVELS; i++) {
        if (plan->program.law == TB_EXPONENTIAL) {
            plan->upper[i] = -tb_log(LEVEL[i]);
            plan->lower[i] = -tb_log1p(-LEVEL[i]);
        } else {
            plan->upper[i] = (double)tb_poisson_quantile(mean, (uint64_t)((1.0 - LEVEL[i]) * 0x1p64));
            plan->lower[i] = (double)tb_poisson_quantile(mean, (uint64_t)(LEVEL[i] * 0x1p64));
        }
    }
}

void tb_totals_masses(const tb_totals_plan_t *plan, double mean, double log_ratio, double *above, double *below) {
    const double inverse = tb_exp(-log_ratio);
    for (size_t i = 0; i < TB_TOTALS_LEVELS; i++) {
        if (plan->program.law == TB_EXPONENTIAL) {
            above[i] = tb_exp(-plan->upper[i] * inverse);
            below[i] = -tb_expm1(-plan->lower[i] * inverse);
        } else {
            above[i] = tb_poisson_above(plan->upper[i], mean);
            below[i] = tb_poisson_below(plan->lower[i], mean);
        }
    }
}

void tb_totals_reference_mass(const tb_totals_plan_t *self, double *above, double *below) {
    tb_totals_masses(self, self->program.reference, 0.0, above, below);
}

/* --- Records --- */

/* One model. A scale's is in units of the reference's, and may be far below the doubles. */
typedef struct {
    double mean, log_mean, log_ratio, kl;
} model_t;

static model_t poisson_model(double rate, double reference) {
    const double log_rate = tb_log(rate);
    return (model_t){rate, log_rate, log_rate - tb_log(reference), rate > 0.0 ? deviance(rate, reference) : reference};
}

static model_t exponential_model(double scale, int exponent, double reference) {
    const double log_ratio = tb_log(scale) + LN_2 * (double)exponent, ratio = tb_scaled(scale, exponent);
    const double kl = fabs(ratio - 1.0) <= 0.25 ? log_rest(ratio - 1.0) : (ratio - 1.0) - log_ratio;
    return (model_t){ratio * reference, log_ratio + tb_log(reference), log_ratio, kl};
}

static void record_lane(const tb_totals_block_t *self, const tb_totals_output_t *output, size_t lane, size_t row) {
    const tb_totals_t *program = &self->plan->program;
    const double own = self->training.sum[lane] / self->training.weight, reference = program->reference;
    const model_t model = program->law == TB_POISSON ? poisson_model(own, reference)
                                                     : exponential_model(own, self->training.exponent[lane], reference);
    const double error = model.mean - reference;
    double above[TB_TOTALS_LEVELS], below[TB_TOTALS_LEVELS];
    if (output->mean) output->mean[row] = model.mean;
    if (output->log_mean) output->log_mean[row] = model.log_mean;
    if (output->kl) output->kl[row] = model.kl;
    if (output->squared_mean_error) output->squared_mean_error[row] = error * error;
    if (output->absorbed) output->absorbed[row] = own == 0.0;
    if (!output->mass_above && !output->mass_below) return;
    tb_totals_masses(self->plan, model.mean, model.log_ratio, above, below);
    for (size_t i = 0; i < TB_TOTALS_LEVELS; i++) {
        if (output->mass_above) output->mass_above[row * TB_TOTALS_LEVELS + i] = above[i];
        if (output->mass_below) output->mass_below[row * TB_TOTALS_LEVELS + i] = below[i];
    }
}

void tb_totals_record(const tb_totals_block_t *self, const tb_totals_output_t *output, size_t row, size_t record) {
    for (size_t l = 0; l < self->count; l++) {
        record_lane(self, output, l, (row + l) * self->plan->program.at_count + record);
    }
}

/* SPDX-License-Identifier: MIT */
/* What is recorded of mixtures of categorical laws. Runs at recorded generations only. */
#include <math.h>
#include <string.h>

#include "documents_core.h"
#include "fmath.h"

/* Sums over the categories of one component. */
typedef struct {
    double entropy, largest, variation, kl;
    int32_t survivors;
} drift_t;

/* The least probability of a category of which a component holds half a token, in units of the mean document. */
static double half_a_token(const tb_documents_state_t *self, size_t k) {
    double weight = 0.0;
    if (self->generation == 0) return 0.0;
    for (size_t i = 0; i < self->training_count; i++) weight += self->training[i].weight;
    return 0.5 * (weight / (double)self->training_count) / self->fit.token_total[k];
}

static drift_t drift_of(const tb_documents_state_t *self, size_t k) {
    const size_t lanes = self->plan->lanes;
    const double floor = self->plan->program.fit.floor, least = half_a_token(self, k);
    const int alive = self->fit.law.weight[k] > 0.0;
    drift_t sums = {0.0, 0.0, 0.0, 0.0, 0};
    for (size_t i = k; i < self->fit.cells; i += lanes) {
        const double p = self->fit.law.probability[i], q = self->plan->reference.probability[i];
        sums.variation += fabs(p - q);
        if (!(p > 0.0)) continue;
        const double log_p = tb_log(p);
        sums.entropy -= p * log_p;
        sums.kl += p * (log_p - tb_log(q > floor ? q : floor));
        sums.largest = p > sums.largest ? p : sums.largest;
        sums.survivors += alive && p >= least;
    }
    return sums;
}

static double mutual_information(const tb_documents_state_t *self) {
    const size_t lanes = self->plan->lanes, components = self->plan->program.fit.components;
    double sum = 0.0;
    for (size_t i = 0; i < self->fit.cells; i += lanes) {
        const double *p = self->fit.law.probability + i, *weight = self->fit.law.weight;
        double mean = 0.0;
        for (size_t k = 0; k < components; k++) mean += weight[k] * p[k];
        if (!(mean > 0.0)) continue;
        const double log_mean = tb_log(mean);
        for (size_t k = 0; k < components; k++) {
            const double own = weight[k] * p[k];
            if (own > 0.0) sum += own * (tb_log(p[k]) - log_mean);
        }
    }
    return sum > 0.0 ? sum : 0.0;
}

static void put_law(const tb_documents_state_t *self, double *weight, double *probability) {
    const size_t lanes = self->plan->lanes, categories = self->plan->program.fit.categories;
    for (size_t k = 0; k < self->plan->program.fit.components; k++) {
        if (weight) weight[k] = self->fit.law.weight[k];
        for (size_t j = 0; probability && j < categories; j++) {
            probability[k * categories + j] = self->fit.law.probability[j * lanes + k];
        }
    }
}

static void put_drifts(const tb_documents_state_t *self, const tb_documents_output_t *output, size_t row) {
    const size_t components = self->plan->program.fit.components;
    if (!output->survivors && !output->entropy && !output->largest_share && !output->total_variation && !output->kl) {
        return;
    }
    for (size_t k = 0; k < components; k++) {
        const drift_t drift = drift_of(self, k);
        const size_t at = row * components + k;
        if (output->survivors) output->survivors[at] = drift.survivors;
        if (output->entropy) output->entropy[at] = drift.entropy;
        if (output->largest_share) output->largest_share[at] = drift.largest;
        if (output->total_variation) output->total_variation[at] = 0.5 * drift.variation;
        if (output->kl) output->kl[at] = drift.kl;
    }
}

void tb_documents_record(const tb_documents_state_t *self, const tb_documents_output_t *output, size_t row) {
    const size_t components = self->plan->program.fit.components,
                 cells = components * self->plan->program.fit.categories;
    put_law(self, output->weight ? output->weight + row * components : NULL,
            output->probability ? output->probability + row * cells : NULL);
    if (output->log_likelihood) output->log_likelihood[row] = self->result.log_likelihood;
    if (output->iterations) output->iterations[row] = (int32_t)self->result.iterations;
    if (output->converged) output->converged[row] = self->result.converged;
    if (output->alive) output->alive[row] = (int32_t)self->result.alive;
    if (output->mutual_information) output->mutual_information[row] = mutual_information(self);
    put_drifts(self, output, row);
}

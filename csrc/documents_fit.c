/* SPDX-License-Identifier: MIT */
/* Fits of mixtures of categorical laws by expectation and maximisation (Dempster, Laird & Rubin 1977). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "documents_core.h"
#include "fmath.h"

/* Documents between two looks at the control. */
enum { PIECE = 1024 };

int tb_documents_check(const tb_documents_settings_t *settings) {
    if (settings->components < 1 || settings->components > TB_DOCUMENT_COMPONENTS) return TB_ERR_DOCUMENTS_SIZE;
    if (settings->categories < 1 || settings->categories > TB_DOCUMENT_CATEGORIES) return TB_ERR_DOCUMENTS_SIZE;
    if (!(settings->floor >= 1e-300 && settings->floor <= 1.0)) return TB_ERR_DOCUMENTS_FIT;
    return settings->tolerance >= 0.0 && settings->iterations > 0 ? TB_OK : TB_ERR_DOCUMENTS_FIT;
}

static int is_law(const double *p, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!(p[i] >= 0.0)) return 0;
        total += p[i];
    }
    return fabs(total - 1.0) <= 1e-9;
}

int tb_documents_check_law(const tb_documents_settings_t *settings, const double *weight, const double *probability) {
    int good = is_law(weight, settings->components);
    for (size_t k = 0; k < settings->components; k++) {
        good &= is_law(probability + k * settings->categories, settings->categories);
    }
    return good ? TB_OK : TB_ERR_DOCUMENTS_LAW;
}

static size_t doubles_of(const tb_documents_settings_t *settings) {
    const size_t lanes = tb_document_lanes(settings->components);
    return 3 * settings->categories * lanes + 4 * lanes;
}

size_t tb_documents_fit_bytes(const tb_documents_settings_t *settings) { return doubles_of(settings) * sizeof(double); }

int tb_documents_fit_init(tb_documents_fit_t *self, const tb_documents_settings_t *settings,
                          const tb_kernels_t *kernels) {
    size_t unused = 0;
    memset(self, 0, sizeof *self);
    self->settings = settings;
    self->kernels = kernels->documents;
    self->lanes = tb_document_lanes(settings->components);
    self->cells = settings->categories * self->lanes;
    double *room = tb_take(doubles_of(settings), sizeof(double), &unused);
    if (!room) return TB_ERR_MEMORY;
    self->law.probability = room;
    self->logs = room + self->cells;
    self->sums.tokens = room + 2 * self->cells;
    self->sums.documents = room + 3 * self->cells; /* right after the tokens: cleared together */
    self->law.weight = self->sums.documents + self->lanes;
    self->level = self->law.weight + self->lanes;
    self->token_total = self->level + self->lanes;
    return TB_OK;
}

void tb_documents_fit_free(tb_documents_fit_t *self) { tb_give(self->law.probability); }

void tb_documents_lay(const tb_documents_settings_t *settings, const double *weight, const double *probability,
                      const tb_documents_law_t *law) {
    const size_t lanes = tb_document_lanes(settings->components);
    for (size_t k = 0; k < settings->components; k++) {
        law->weight[k] = weight[k];
        for (size_t j = 0; j < settings->categories; j++) {
            law->probability[j * lanes + k] = probability[k * settings->categories + j];
        }
    }
}

static int expect(tb_documents_fit_t *self, const tb_document_t *documents, size_t count, const tb_control_t *control) {
    const tb_document_terms_t terms = {self->lanes, self->level, self->logs};
    for (size_t k = 0; k < self->lanes; k++) {
        const double weight = self->law.weight[k];
        self->level[k] = weight > 0.0 ? tb_log(weight) * 0x1.71547652b82fep+0 : TB_DOCUMENT_NEVER;
    }
    self->kernels->logs(self->law.probability, self->cells, self->settings->floor, self->logs);
    memset(self->sums.tokens, 0, (self->cells + self->lanes) * sizeof(double));
    self->sums.likelihood = 0.0;
    for (size_t first = 0; first < count; first += PIECE) {
        if (tb_is_cancelled(control)) return TB_ERR_CANCELLED;
        self->kernels->expect(&terms, documents + first, count - first < PIECE ? count - first : PIECE, &self->sums);
    }
    return TB_OK;
}

/* The law that maximises the expected likelihood. Returns how many components are alive. */
static uint32_t maximise(tb_documents_fit_t *self, double total) {
    const size_t lanes = self->lanes;
    uint32_t alive = 0;
    memset(self->token_total, 0, lanes * sizeof(double));
    for (size_t i = 0; i < self->cells; i += lanes) {
        for (size_t k = 0; k < lanes; k++) self->token_total[k] += self->sums.tokens[i + k];
    }
    for (size_t k = 0; k < self->settings->components; k++) {
        const double weight = self->sums.documents[k] / total;
        self->law.weight[k] = weight >= 0x1p-53 ? weight : 0.0;
        alive += self->law.weight[k] > 0.0;
    }
    for (size_t i = 0; i < self->cells; i += lanes) {
        for (size_t k = 0; k < self->settings->components; k++) {
            if (self->law.weight[k] > 0.0) {
                self->law.probability[i + k] = self->sums.tokens[i + k] / self->token_total[k];
            }
        }
    }
    return alive;
}

int tb_documents_improve(tb_documents_fit_t *self, const tb_document_t *documents, size_t count,
                         tb_documents_result_t *result, const tb_control_t *control) {
    double before = 0.0, total = 0.0;
    memset(result, 0, sizeof *result);
    for (size_t i = 0; i < count; i++) {
        if (documents[i].length == 0) return TB_ERR_DOCUMENTS_EMPTY;
        total += documents[i].weight;
    }
    if (!(total > 0.0)) return TB_ERR_DOCUMENTS_EMPTY;
    while (!result->converged && result->iterations < self->settings->iterations) {
        const int code = expect(self, documents, count, control);
        if (code) return code;
        result->log_likelihood = self->sums.likelihood / total;
        result->alive = maximise(self, total);
        result->converged = result->iterations > 0 && fabs(result->log_likelihood - before) < self->settings->tolerance;
        before = result->log_likelihood;
        result->iterations++;
    }
    return TB_OK;
}

int tb_documents_fit(const tb_documents_settings_t *settings, const tb_kernels_t *kernels,
                     const tb_document_t *documents, size_t count, double *weight, double *probability,
                     tb_documents_result_t *result, const tb_control_t *control) {
    const size_t categories = settings->categories, lanes = tb_document_lanes(settings->components);
    tb_documents_fit_t fit;
    int code = tb_documents_check(settings);
    if (!code) code = tb_documents_check_law(settings, weight, probability);
    if (!code) code = tb_documents_fit_init(&fit, settings, kernels);
    if (code) return code;
    tb_documents_lay(settings, weight, probability, &fit.law);
    code = tb_documents_improve(&fit, documents, count, result, control);
    for (size_t k = 0; k < settings->components; k++) {
        weight[k] = fit.law.weight[k];
        for (size_t j = 0; j < categories; j++) probability[k * categories + j] = fit.law.probability[j * lanes + k];
    }
    tb_documents_fit_free(&fit);
    return code;
}

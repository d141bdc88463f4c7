/* SPDX-License-Identifier: MIT */
/* What the files of mixtures of categorical laws share. Laws are held with components as lanes: the probability of
 * category j under component k is at j * lanes + k. */
#ifndef TB_DOCUMENTS_CORE_H
#define TB_DOCUMENTS_CORE_H
#include "core.h"
#include "documents.h"

typedef struct {
    double *weight, *probability; /* lanes, and categories x lanes */
} tb_documents_law_t;

/* A fit: its law, and what its steps need. */
typedef struct {
    const tb_documents_settings_t *settings;
    const tb_document_kernels_t *kernels;
    size_t lanes, cells; /* cells: categories x lanes */
    tb_documents_law_t law;
    double *logs, *level, *token_total; /* tokens of each component in the last fit */
    tb_document_sums_t sums;
} tb_documents_fit_t;

/* Documents that were drawn together. Document i has the categories offset[i]..offset[i + 1]. */
typedef struct {
    uint64_t count;
    uint32_t generation;
    int source; /* 0 synthetic, 1 fresh human, 2 kept */
    uint64_t *offset;
    uint32_t *category, *number;
} tb_documents_batch_t;

struct tb_documents_plan {
    tb_documents_program_t program;
    const tb_kernels_t *kernels;
    size_t lanes;
    uint32_t longest;
    tb_documents_law_t reference;
    size_t state_bytes;
};

/* Exact quantiles of one component's law, found by a guide. */
typedef struct {
    uint64_t total;
    uint64_t *end;   /* of each category's weight, summed */
    uint32_t *first; /* where the search begins, by the upper bits of what is looked for */
    unsigned shift;
} tb_sampler_t;

typedef struct {
    const tb_documents_plan_t *plan;
    tb_control_t *control;
    uint32_t replicate, generation;
    tb_documents_fit_t fit;
    tb_documents_result_t result;
    tb_documents_batch_t *held; /* that training sets hold, or may hold, oldest first */
    size_t held_count, held_capacity;
    tb_documents_batch_t kept[2];
    size_t kept_count;
    tb_document_t *training;
    size_t training_count, training_capacity;
    tb_sampler_t sampler[TB_DOCUMENT_COMPONENTS];
    uint64_t *samplers, *whole, *words; /* room: of samplers, of weights, of words */
    double *values;
    uint32_t *tally, *guides;
} tb_documents_state_t;

static inline size_t tb_document_lanes(size_t components) { return (components + TB_ROW - 1) / TB_ROW * TB_ROW; }

int tb_documents_check(const tb_documents_settings_t *settings);
int tb_documents_check_law(const tb_documents_settings_t *settings, const double *weight, const double *probability);
int tb_documents_fit_init(tb_documents_fit_t *self, const tb_documents_settings_t *settings,
                          const tb_kernels_t *kernels);
void tb_documents_fit_free(tb_documents_fit_t *self);
size_t tb_documents_fit_bytes(const tb_documents_settings_t *settings);
int tb_documents_improve(tb_documents_fit_t *self, const tb_document_t *documents, size_t count,
                         tb_documents_result_t *result, const tb_control_t *control);
void tb_documents_lay(const tb_documents_settings_t *settings, const double *weight, const double *probability,
                      const tb_documents_law_t *law);

/* `count` documents of a law, by address. */
int tb_documents_draw(tb_documents_state_t *self, const tb_documents_law_t *law, uint64_t count, tb_address_t at,
                      tb_documents_batch_t *out);
void tb_documents_batch_free(tb_documents_batch_t *self);
unsigned tb_documents_guide_bits(size_t categories);

/* The training set of the next generation. */
int tb_documents_train(tb_documents_state_t *self);
void tb_documents_forget_all(tb_documents_state_t *self);
void tb_documents_record(const tb_documents_state_t *self, const tb_documents_output_t *output, size_t row);
#endif

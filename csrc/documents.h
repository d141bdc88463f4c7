/* SPDX-License-Identifier: MIT */
/* Recursive fitting and resampling of a mixture of categorical laws (latent classes): items are documents of a stated
 * number of tokens, all of one component. Like tailbiter.h: no globals, no threads of its own, one plan for many
 * threads.
 *
 * A document's component and its tokens are exact quantiles, at 64-bit words of its own address, of the laws whose
 * weights are scaled by a power of two to a total of at most 2^53 and rounded half up (zero stays zero). Models are
 * fitted by expectation and maximisation from the model before: no smoothing, so that a category which no document
 * holds has the probability 0. Only the expectation takes probabilities below `floor` for the floor, so that human
 * documents may bring back what was lost. A component whose weight falls below 2^-53 is dead: its weight is 0 from then
 * on, its probabilities stay as they were last. There is no sufficient statistic: the documents of all batches that may
 * be trained on are held. */
#ifndef TB_DOCUMENTS_H
#define TB_DOCUMENTS_H
#include "document_kernels.h"
#include "tailbiter.h"

#define TB_DOCUMENT_SAMPLES 1000000000u
#define TB_DOCUMENT_CATEGORIES 1000000u
#define TB_DOCUMENT_TOKENS 1000000u

enum {
    TB_ERR_DOCUMENTS_LAW = -80,     /* weights or probabilities are negative or do not sum to 1 to within 1e-9 */
    TB_ERR_DOCUMENTS_SIZE = -81,    /* not 1..64 components or 1..10^6 categories */
    TB_ERR_DOCUMENTS_LENGTH = -82,  /* documents have no tokens, or more than 10^6 */
    TB_ERR_DOCUMENTS_FIT = -83,     /* a floor that is not from 1e-300 to 1, a negative tolerance, or no iterations */
    TB_ERR_DOCUMENTS_SAMPLES = -84, /* a batch without documents, with too many, or with more human ones than all */
    TB_ERR_DOCUMENTS_KEPT = -85, /* more are drawn from the kept set than it holds, or it stands beside older batches */
    TB_ERR_DOCUMENTS_DRAW = -86, /* no document is drawn from a pool, or more than it holds */
    TB_ERR_DOCUMENTS_AT = -87,   /* generations to record that do not ascend, or lie beyond the end */
    TB_ERR_DOCUMENTS_EMPTY = -88 /* no document to fit to has a weight, or one has no tokens */
};
const char *tb_documents_strerror(int code);

typedef struct {
    size_t components, categories;
    double floor, tolerance; /* change of the mean log-likelihood of a document below which iterations end */
    uint32_t iterations;     /* at most so many */
} tb_documents_settings_t;

typedef struct {
    double log_likelihood; /* mean over documents of the law before the last iteration, in nats */
    uint32_t iterations, alive;
    int converged;
} tb_documents_result_t;

/* Improves weights [components] and probabilities [components x categories] until they converge or iterations run out.
 */
int tb_documents_fit(const tb_documents_settings_t *settings, const tb_kernels_t *kernels,
                     const tb_document_t *documents, size_t count, double *weight, double *probability,
                     tb_documents_result_t *result, const tb_control_t *control);

/* All arrays are borrowed; those over generations are indexed by t-1 for the batch and training set of generation t, as
 * in tb_program_t. */
typedef struct {
    uint64_t key;
    tb_documents_settings_t fit;
    const uint32_t *lengths; /* document i of a batch has lengths[i % length_count] tokens */
    size_t length_count;
    size_t generations;
    const uint64_t *samples, *fresh, *from_kept;
    uint64_t kept;
    const uint64_t *item_weights;
    const uint64_t *ages;
    size_t age_count;
    const uint64_t *draw;
    const uint32_t *at;
    size_t at_count;
    const double *weight, *probability; /* of the reference */
} tb_documents_program_t;

/* Where records go; a NULL pointer: not asked for. Rows are lineages, then records. What is said of a dead component is
 * said of its last law, but that it has no survivors. */
typedef struct {
    double *weight;      /* x components */
    double *probability; /* x components x categories */
    double *log_likelihood;
    int32_t *iterations, *converged, *alive;
    int32_t *survivors;         /* x components: categories of which the fit gives it half a token or more */
    double *entropy;            /* x components, in nats */
    double *largest_share;      /* x components */
    double *total_variation;    /* x components: to the reference's component */
    double *kl;                 /* x components: from the reference's component */
    double *mutual_information; /* of a token's component and its category, in nats */
} tb_documents_output_t;

typedef struct tb_documents_plan tb_documents_plan_t;
int tb_documents_plan_alloc(tb_documents_plan_t **self, const tb_documents_program_t *program,
                            const tb_kernels_t *kernels);
void tb_documents_plan_free(tb_documents_plan_t *self);
/* Bytes that one call of tb_documents_run may hold. */
size_t tb_documents_state_bytes(const tb_documents_plan_t *self);
/* Runs lineages first..first+count-1. Row i of `output` is lineage first + i. */
int tb_documents_run(const tb_documents_plan_t *self, uint32_t first, uint32_t count,
                     const tb_documents_output_t *output, tb_control_t *control);
#endif

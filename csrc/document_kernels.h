/* SPDX-License-Identifier: MIT */
/* Kernels of mixtures of categorical laws, behind a table of functions like those of kernels.h. Components are lanes,
 * `lanes` of them, a multiple of TB_ROW; what there is of each category is a row of lanes. Documents are summed one
 * after the other, and so nothing depends on the width. */
#ifndef TB_DOCUMENT_KERNELS_H
#define TB_DOCUMENT_KERNELS_H
#include "kernels.h"

enum { TB_DOCUMENT_COMPONENTS = 64 };
#define TB_DOCUMENT_NEVER (-1e300) /* log2 of the weight of what is dead, or no component */

/* A document in a training set: its different categories, how often it holds each, and its weight. */
typedef struct {
    const uint32_t *category, *count;
    size_t length;
    double weight;
} tb_document_t;

/* Logarithms to base 2: of weights, and of probabilities row by row. */
typedef struct {
    size_t lanes;
    const double *level, *logs;
} tb_document_terms_t;

/* What expectations add up to: tokens of each category and documents, by component; and the log-likelihood, in nats. */
typedef struct {
    double *tokens, *documents, likelihood;
} tb_document_sums_t;

struct tb_document_kernels {
    /* out <- log2 of the larger of each element and the floor; `count` is a multiple of TB_ROW. */
    void (*logs)(const double *x, size_t count, double floor, double *out);
    /* Adds the expectations of documents to the sums. */
    void (*expect)(const tb_document_terms_t *terms, const tb_document_t *documents, size_t count,
                   tb_document_sums_t *sums);
};
typedef struct tb_document_kernels tb_document_kernels_t;
#endif

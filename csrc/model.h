/* SPDX-License-Identifier: MIT */
/* A model as estimators, decoding and curation change it, before it is sampled. */
#ifndef TB_MODEL_H
#define TB_MODEL_H
#include "core.h"

/* A law over categories: a weight for each that is listed, one and the same for each that is not. */
typedef struct {
    size_t length;        /* listed categories, the first of the lineage's columns */
    uint32_t *id;         /* of each */
    double *weight;       /* in any unit, at most 2^900; 0 is never drawn. Room for all, padded */
    double others, other; /* how many are not listed; the weight of each */
    uint32_t *place;      /* element of each id, TB_NOWHERE where not listed */
    size_t categories;    /* K; with an error rate, id K is the wrong one, always listed, never among the others */
    int whole;            /* weights are whole numbers, the sum at most 2^53 */
} tb_model_t;

/* Lists the `count` lowest ids not yet listed (all: others) with weight `other`. */
void tb_model_list(tb_model_t *self, size_t count);
/* Sum of all weights, the others' included, in an order of its own. */
double tb_model_total(const tb_model_t *self);
double tb_model_largest(const tb_model_t *self);
/* Whole weights instead of real ones: times 2^52 / sum, rounded to nearest (ties to even). What has less than 2^-53 of
 * the sum becomes 0; the largest never does. `lump` becomes the weight of all others together. Returns the total, at
 * most 2^53. */
double tb_model_quantise(tb_model_t *self, const tb_kernels_t *kernels, double *lump);
/* Adds up in eight partial sums, so that no width changes a bit. */
double tb_sum(const double *x, size_t count);
#endif

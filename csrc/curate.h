/* SPDX-License-Identifier: MIT */
#ifndef TB_CURATE_H
#define TB_CURATE_H
#include "model.h"

/* Changes the weights of a model that lists all its categories. Room for three doubles a level. */
void tb_curate(const tb_curation_t *self, tb_model_t *model, double *room);

/* The level at which the best `keep` items of a batch end, and how many of that level are among them. */
typedef struct {
    uint32_t level;
    double total, keep; /* items of that level; how many of them stay */
} tb_best_t;
tb_best_t tb_find_best(const tb_curation_t *self, const uint32_t *id, const double *batch, size_t length, double keep,
                       double *room);
#endif

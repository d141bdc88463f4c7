/* SPDX-License-Identifier: MIT */
/* Curation: what is kept of a model's output for its quality. Categories of one reward fare alike, so everything is
 * worked out by level of reward. */
#ifndef TB_CURATE_H
#define TB_CURATE_H
#include "model.h"

enum {
    TB_CURATE_NOT = 0,
    TB_CURATE_WEIGH = 1,   /* weights times the level's factor: a verifier, and a choice among without limit */
    TB_CURATE_CHOICE = 2,  /* one of `candidates`, with probability proportional to the level's factor */
    TB_CURATE_BEST_OF = 3, /* the first among the best of `candidates` */
    TB_CURATE_TOP = 4      /* the best of `drawn` items: no matter of the model, see tb_keep_best */
};

typedef struct {
    int kind;
    uint64_t candidates;
    size_t levels;
    const uint32_t *level; /* of each category, from the lowest reward (0) up; of the wrong one, too */
    const double *factor;  /* of each level */
    const uint64_t *drawn; /* by generation: items drawn, of which the batch keeps the best */
} tb_curation_t;

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

/* SPDX-License-Identifier: MIT */
/* Decoding: how a model is sampled. The cuts are those of text generators, one after the other in the order of the
 * fields; each sees what the one before has left. */
#ifndef TB_DECODE_H
#define TB_DECODE_H
#include "model.h"

typedef struct {
    double temperature; /* 1: as fitted */
    uint64_t top_k;     /* 0: all */
    double top_p;       /* 1: all */
    double min_p;       /* 0: all */
    double epsilon;     /* 0: all */
} tb_decoding_t;

int tb_decodes(const tb_decoding_t *self); /* whether it changes anything */

/* Changes the model's weights. Room for as many doubles as the model may list categories, padded. Among equal weights
 * a cut keeps the lowest ids, which are the commonest of the reference. */
void tb_decode(const tb_decoding_t *self, tb_model_t *model, double *room);
#endif

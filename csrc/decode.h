/* SPDX-License-Identifier: MIT */
#ifndef TB_DECODE_H
#define TB_DECODE_H
#include "model.h"

enum { TB_POWERS = 4096 };

/* Whole numbers to the power 1 / temperature; whether the largest that a count can have is far from overflow. */
int tb_fill_powers(double temperature, double *powers);

int tb_decodes(const tb_decoding_t *self); /* whether it changes anything */

/* Changes the model's weights. Room for as many doubles as the model may list categories, padded. Among equal weights
 * a cut keeps the lowest ids, which are the commonest of the reference. */
void tb_decode(const tb_decoding_t *self, tb_model_t *model, double *room);
#endif

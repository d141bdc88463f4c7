/* SPDX-License-Identifier: MIT */
/* Batches drawn from a mixture, by address: counts of components, then items in any piece and any order; and choices of
 * items without replacement. */
#ifndef TB_BATCH_H
#define TB_BATCH_H
#include "em_core.h"

/* Items of one source. The law is borrowed, and is what the items are made from. */
typedef struct {
    const tb_em_settings_t *settings;
    const tb_kernels_t *kernels;
    tb_em_law_t law;
    tb_address_t at;                       /* with the purpose */
    uint64_t count, end[TB_EM_COMPONENTS]; /* items up to and with each component */
} tb_batch_t;

/* Exact in law for the weights as they are quantised. */
void tb_batch_init(tb_batch_t *self, const tb_em_settings_t *settings, const tb_kernels_t *kernels,
                   const tb_em_law_t *law, uint64_t count, tb_address_t at);
void tb_quantise(const double *weight, size_t count, uint64_t *out);
/* Rows of items, the last padded with zeros; `x` has room for a row of lanes more. */
void tb_batch_fill(const void *batch, uint64_t row, size_t rows, double *x);

/* Items `index` of several batches in a row, `total` of them before each batch counted in `before`: gathers them into
 * rows, the last padded with zeros. */
void tb_batch_gather(const tb_batch_t *const *batches, const uint64_t *before, size_t count, const uint64_t *index,
                     size_t items, double *x);

/* `some` different ones of `total` items, every set of them equally likely; not in order. `room` is for the search. */
int tb_choose_items(uint64_t total, uint64_t some, const tb_address_t *at, uint64_t *out, const tb_control_t *control);
/* Bytes that this takes beside `out`. */
size_t tb_choose_bytes(uint64_t total, uint64_t some);
#endif

/* SPDX-License-Identifier: MIT */
/* Alias tables (Walker 1977, Vose 1991, doi:10.1109/32.92917) in integers, so that their laws have no rounding. */
#ifndef TB_TABLES_H
#define TB_TABLES_H
#include "tailbiter.h"

/* 0 < rate <= 1. */
void tb_poisson_fill(tb_poisson_t *self, double rate);

/* Cells for integer weights with a total of at most 2^53. What lies below a threshold's last bit, to 64 bits more, goes
 * to `remainder`. */
int tb_alias_fill(tb_alias_t *cells, uint64_t *remainder, const uint64_t *weights, size_t count, uint64_t total);
#endif

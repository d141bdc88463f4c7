/* SPDX-License-Identifier: MIT */
/* Alias tables (Walker 1977, Vose 1991, doi:10.1109/32.92917) in integers, so that their laws have no rounding. */
#ifndef TB_TABLES_H
#define TB_TABLES_H
#include "tailbiter.h"

/* One cell of an alias table over the reference, exact in integers: a threshold of 8 bits, below which the cell's own
 * category is taken, and above the alias. What equals it is decided by further bits. Cells are read at random, so
 * their size matters. */
typedef uint32_t tb_alias_t;
enum { TB_ALIAS_BITS = 24 };
static inline uint32_t tb_alias_of(tb_alias_t cell) { return cell & (((uint32_t)1 << TB_ALIAS_BITS) - 1); }
static inline uint32_t tb_threshold_of(tb_alias_t cell) { return cell >> TB_ALIAS_BITS; }

/* 0 < rate <= 1. */
void tb_poisson_fill(tb_poisson_t *self, double rate);

/* The table of a class: the Poisson law of mean steps / TB_CLASS_STEPS, at most TB_CLASS_LARGEST. */
void tb_class_fill(unsigned steps, uint32_t *entry, uint64_t *remainder);

/* Fewer than 2^24 cells for integer weights with a total of at most 2^53. What lies below a threshold's last bit, to 64
 * bits more, goes to `remainder`. */
int tb_alias_fill(tb_alias_t *cells, uint64_t *remainder, const uint64_t *weights, size_t count, uint64_t total);
#endif

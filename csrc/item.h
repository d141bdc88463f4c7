/* SPDX-License-Identifier: MIT */
/* The draws of one item, one after the other, for rules that are compiled elsewhere. An item has a place in the address
 * (its slot); its words are those of the calls 0, 1, 2, ... at that place, counted in the 24 bits above the purpose.
 * Nothing is shared between items, so that any of them can be made again alone.
 *
 * The state is seven words, laid out by shifts: whoever calls from another language need know no C struct.
 *     0  key
 *     1  generation, replicate << 32
 *     2  purpose, slot << 32
 *     3  calls made, words left of the last one << 32
 *     4  the words of the last call
 *     5
 *     6  the normal at word 5, as bits, or 0: read while one call is made and one of its words left
 */
#ifndef TB_ITEM_H
#define TB_ITEM_H
#include "tailbiter.h"

enum { TB_ITEM_WORDS = 7 };

void tb_item_init(uint64_t *item, uint64_t key, uint32_t generation, uint32_t replicate, uint32_t purpose,
                  uint32_t slot);
/* The first calls of `count` items from slot `first` on, two words each, and the normals at the second of them;
 * `word` has room for 16 calls more, `normal` for 16 numbers. */
void tb_item_first(const tb_kernels_t *kernels, uint64_t key, uint32_t generation, uint32_t replicate, uint32_t purpose,
                   uint32_t first, uint64_t count, uint64_t *word, double *normal);

/* The next word. After 2^25 of them they begin anew. */
uint64_t tb_item_word(uint64_t *item);
/* Uniform in (0, 1): the middle of one of 2^52 cells. */
double tb_item_uniform(uint64_t *item);
/* Quantiles at one 64-bit word: of the standard normal law, and of the exponential law of mean 1. */
double tb_item_normal(uint64_t *item);
double tb_item_exponential(uint64_t *item);
/* The gamma law of scale 1, by the rejection of Marsaglia & Tsang 2000 (doi:10.1145/358407.358414). shape > 0. */
double tb_item_gamma(uint64_t *item, double shape);
/* Exact quantiles at one word; see quantile.h. n at most 2^53, p in [0, 1], 0 <= mean <= 2^53. */
int64_t tb_item_binomial(uint64_t *item, int64_t n, double p);
int64_t tb_item_poisson(uint64_t *item, double mean);
/* Uniform on 0..n-1 (Lemire 2019, doi:10.1145/3230636). n > 0. */
int64_t tb_item_below(uint64_t *item, int64_t n);
#endif

/* SPDX-License-Identifier: MIT */
/* What kernels and trees must give, one word and one call of the quantile at a time; and weights to try them on. */
#ifndef TB_ORACLE_H
#define TB_ORACLE_H
#include "checks.h"
#include "machine.h"
#include "quantile.h"

static inline tb_address_t next_address(uint64_t *state) {
    tb_address_t at = {next_word(state), 0, 0, 0};

    at.generation = (uint32_t)next_word(state);
    at.replicate = (uint32_t)next_word(state);
    at.purpose = (uint32_t)next_word(state);
    return at;
}

/* A whole number of any size: `least` to least + span - 1 of 64 bits are shifted out. */
static inline uint64_t next_number(uint64_t *state, unsigned least, unsigned span) {
    uint64_t word = next_word(state);

    return word >> (least + word % span);
}

/* Word `index` of the stream that begins at `slot`: two words to a slot. */
static inline uint64_t word_at(tb_address_t at, uint32_t slot, size_t index) {
    uint64_t word[2];

    tb_philox(&at, slot + (uint32_t)(index / 2), word);
    return word[index % 2];
}

/* How many of n items go to the left of two parts of weights a and b. */
static inline double left_part(double n, double a, double b, uint64_t word) {
    if (n == 0.0 || a == 0.0) return 0.0;
    if (b == 0.0) return n;
    if (b < a) return n - (double)tb_binomial_quantile_half(n, b / (a + b), ~word);
    return (double)tb_binomial_quantile_half(n, a / (a + b), word);
}

/* Batch of n items by the splitting tree over `length` weights, from the root down; `weight` becomes the counts. */
static inline void split_tree(double *weight, size_t length, double n, tb_address_t at) {
    double *level[TB_PAD];
    size_t size[TB_PAD], height = 0;

    level[0] = weight;
    size[0] = length;
    for (; size[height] > 1; height++) {
        size[height + 1] = (size[height] + 1) / 2;
        level[height + 1] = checked_memory(size[height + 1], sizeof(double));
        for (size_t i = 0; i < size[height]; i++) level[height + 1][i / 2] += level[height][i];
    }
    level[height][0] = n;
    while (height-- > 0) {
        for (size_t j = 0; j < size[height + 1]; j++) {
            double *left = &level[height][2 * j], *right = 2 * j + 1 < size[height] ? left + 1 : NULL;
            double count = level[height + 1][j];

            *left = left_part(count, *left, right ? *right : 0.0, word_at(at, tb_slot(height), j));
            if (right) *right = count - *left;
        }
        free(level[height + 1]);
    }
}

/* Weights that have broken such code before: an adversary's, not a user's. */
enum { ALL_DEAD, ONES, SINGLE, LAST, SMALL, SPARSE, WIDE, LARGEST, KINDS };

static inline double weight_of(int kind, size_t i, size_t length, uint64_t *state) {
    uint64_t word = next_word(state);

    switch (kind) {
    case ONES:
        return 1.0;
    case SINGLE:
        return i == length / 2 ? 1.0 + (double)(word >> 12) : 0.0;
    case LAST:
        return i + 1 == length ? 1.0 : 0.0;
    case SMALL:
        return (double)(word % 5);
    case SPARSE:
        return word % 16 == 0 ? (double)(word >> 40) : 0.0;
    case WIDE: /* 1 to 2^40, as many of each size */
        return (double)(UINT64_C(1) << word % 40) + (double)(word >> 20 & 1);
    case LARGEST: /* a total just below 2^53 */
        return (double)((UINT64_C(1) << 53) / length);
    default:
        return 0.0;
    }
}

/* Returns the total. */
static inline double fill_weights(int kind, double *weight, size_t length, uint64_t *state) {
    double total = 0.0;

    for (size_t i = 0; i < length; i++) total += weight[i] = weight_of(kind, i, length, state);
    return total;
}

/* Around every multiple that some width or block cares for. */
static const size_t LENGTHS[] = {1,  2,  3,  4,  5,  7,  8,  9,  15, 16,  17,  23,  24, 25,
                                 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 500};
enum { LENGTH_COUNT = sizeof LENGTHS / sizeof *LENGTHS };
#endif

/* SPDX-License-Identifier: MIT */
/* The vector kernels behind one table of functions. Each instruction set fills the table from the same source, and
 * every entry gives the same bits in all of them. Arrays are padded with zeros to a multiple of TB_PAD elements. */
#ifndef TB_KERNELS_H
#define TB_KERNELS_H
#include <stddef.h>
#include <stdint.h>

#include "philox.h"

enum {
    TB_ROW = 8,           /* virtual lanes: reductions keep this many partial sums at every width */
    TB_PAD = 64,          /* padding of arrays, in elements */
    TB_FAN = 16,          /* entries of an index that are compared at a time */
    TB_PACKS = 8,         /* packs of eight lineages that are drawn side by side, at most */
    TB_SOME = 128,        /* items that are drawn one by one go so many at a time */
    TB_QUEUE = 512,       /* draws put off before they are worked off together */
    TB_POISSON_STEP = 48, /* a weight up to this has a table of its own */
    TB_POISSON_CELLS = 128,
    TB_POISSON_HIGH = 10, /* and so many multiples of it have one, for weights up to the next multiple */
    TB_POISSON_HIGH_CELLS = 512,
    TB_POISSON_MOST = TB_POISSON_STEP * (TB_POISSON_HIGH + 1), /* the largest weight that has tables */
    TB_TERMS = 8192,                                           /* weights whose w log w is looked up */
    TB_MAX_EDGES = 256
};

/* Draws that the straight path cannot settle: small means, and those too near a step of the distribution function. */
typedef struct {
    size_t count;
    double n[TB_QUEUE + 2 * TB_ROW], p[TB_QUEUE + 2 * TB_ROW];
    uint64_t word[TB_QUEUE + 2 * TB_ROW], where[TB_QUEUE + 2 * TB_ROW];
} tb_queue_t;

typedef struct {
    tb_queue_t small, hard;
} tb_work_t;

/* Alias tables of the Poisson laws with means rate * weight. A draw for a weight beyond the step is the sum of two. */
typedef struct {
    double rate;                                                  /* at most 1 */
    double step;                                                  /* TB_POISSON_STEP * rate */
    uint32_t entry[(TB_POISSON_STEP + 1) * TB_POISSON_CELLS];     /* threshold (9 bits) << 16 | alias << 8 | own */
    uint64_t remainder[(TB_POISSON_STEP + 1) * TB_POISSON_CELLS]; /* what is below the threshold's last bit */
    /* threshold (23 bits) << 9 | alias; own is the cell; values count from the base, max(0, floor(multiple * step) -
     * half the cells) */
    uint32_t high_entry[(TB_POISSON_HIGH + 1) * TB_POISSON_HIGH_CELLS];
    uint64_t high_remainder[(TB_POISSON_HIGH + 1) * TB_POISSON_HIGH_CELLS];
    uint32_t high_base[16]; /* of TB_POISSON_HIGH + 1 */
} tb_poisson_t;

enum {
    TB_SMALL = 1024,      /* counts below it are looked up */
    TB_CLASSES = 64,      /* counts below it may have an alias table each */
    TB_CLASS_CELLS = 64,  /* of so many cells, */
    TB_CLASS_STEPS = 64,  /* with a mean that is a multiple of 1 / TB_CLASS_STEPS */
    TB_CLASS_LARGEST = 8, /* and at most so large */
};

/* Alias tables of Poisson laws, one for each small count. */
typedef struct {
    uint32_t limit;                                        /* counts from 1 to TB_CLASSES on have none */
    uint32_t entry[(TB_CLASSES + 1) * TB_CLASS_CELLS];     /* threshold (10 bits) << 16 | alias << 8 | own */
    uint64_t remainder[(TB_CLASSES + 1) * TB_CLASS_CELLS]; /* what is below the threshold's last bit */
} tb_classes_t;

enum { TB_MEAN_MOST = 12 }; /* larger Poisson means are not searched for from zero */

/* Poisson laws whose means are rate * weight, up to weights of `most`. */
typedef struct {
    double rate, most;
    uint32_t bits_for, ties_for; /* purposes */
    double *weights, *counts;    /* out: sums of each TB_PAD weights that are not larger, and of their counts */
    uint32_t *large;             /* out: elements of larger ones; room for TB_ROW more */
    size_t large_count;
} tb_means_t;

/* counted * counts + share * weights of the model before; what is less than `least` is left out. */
typedef struct {
    double counted, share, least, unit;
} tb_mixing_t;

/* end[0][i]: the sum of elements 0..i; end[l+1] has every TB_FAN-th entry of end[l]; the last level has at most TB_FAN.
 * Behind its last entry each level is padded to a multiple of that with what no item reaches. */
typedef struct {
    size_t height;
    double *end[8];
} tb_index_t;

/* What observe may add up. */
enum {
    TB_SUM_PRESENT = 1,
    TB_SUM_SHARES = 2,     /* square, largest */
    TB_SUM_ENTROPY = 4,    /* w log w */
    TB_SUM_EDGES = 8,      /* at or beyond each edge: how many present, and their weight */
    TB_SUM_REFERENCE = 16, /* coverage, cross entropy, variation, Brier */
};

typedef struct {
    double present[TB_ROW], square[TB_ROW], largest[TB_ROW], entropy[TB_ROW];
    double covered[TB_ROW], cross[TB_ROW], variation[TB_ROW], brier[TB_ROW];
    double edge_present[TB_MAX_EDGES][TB_ROW], edge_weight[TB_MAX_EDGES][TB_ROW];
} tb_sums_t;

typedef struct {
    const double *weight; /* integer weights of the reference */
    const double *log_q;  /* log of its probabilities */
    double total;
    const double *terms;   /* w log w of the first TB_TERMS integers */
    const uint32_t *edges; /* ids from which on a band or the tail begins */
    size_t edge_count;
} tb_yardstick_t;

/* Eight lineages side by side, one to a lane. */
typedef struct {
    double n[TB_ROW]; /* size of the batch to draw, 0 for an idle lane */
    uint64_t generation[TB_ROW], replicate[TB_ROW];
} tb_lanes_t;

static inline size_t tb_index_room(size_t length) { return length + length / (TB_FAN - 1) + 8 * TB_FAN; }

struct tb_gaussian_kernels;
struct tb_em_kernels;
struct tb_document_kernels;

typedef struct {
    const char *name;
    const struct tb_gaussian_kernels *gaussian;
    const struct tb_em_kernels *em;
    const struct tb_document_kernels *documents;
    /* Both words of `calls` consecutive slots, in order. `out` has room for a multiple of 2 * TB_ROW. */
    void (*fill_words)(const tb_address_t *at, uint32_t slot, size_t calls, uint64_t *out);
    double (*sum)(const double *x, size_t count);
    /* How many are more than `most`, which is not negative. */
    size_t (*count_beyond)(const double *x, size_t length, double most);
    /* Where items are, counting them along x but for elements of more than `most`. `room` is for tb_index_room(length)
     * entries. */
    tb_index_t (*index_items)(const double *x, size_t length, double most, double *room);
    /* The elements that hold some items. */
    void (*find_items)(const tb_index_t *index, const double *item, size_t count, uint32_t *where);
    void (*sum_pairs)(const double *child, size_t parents, double *parent);
    /* One level of a splitting tree: parent counts to child counts in proportion to child weights. `child` may be
     * `weight`. */
    void (*split_level)(const double *weight, const double *parent, size_t parents, double *child, uint32_t slot,
                        const tb_address_t *at, tb_work_t *work);
    /* taken[i] ~ Binomial(count[i], chosen / (chosen + rest)). */
    void (*thin)(const double *count, size_t length, double chosen, double rest, double *taken, const tb_address_t *at,
                 tb_work_t *work);
    /* Whole trees for packs of eight lineages: leaf[pack][row][lane] weights are replaced by counts that add up to
     * n[lane] of each pack. */
    void (*split_packs)(double *leaf, size_t rows, size_t packs, double *scratch, const tb_lanes_t *lanes,
                        uint32_t purpose, uint64_t key, tb_work_t *work);
    /* x[i] ~ Poisson(rate * weight[i]); returns their sum. Where a weight is beyond all tables x is 0, and its index
     * goes to `large`. */
    double (*poisson)(const double *weight, size_t length, double *x, const tb_poisson_t *tables, uint32_t *large,
                      size_t *large_count, const tb_address_t *at);
    /* x[i] ~ Poisson(rate * weight[i]), 0 where that is larger than TB_MEAN_MOST; returns their sum. */
    double (*poisson_means)(const double *weight, size_t length, double *x, tb_means_t *law, const tb_address_t *at);
    /* How often each count from 1 to TB_SMALL - 1 occurs; the larger ones, of which it returns how many, go to `large`,
     * which has room for all counts and TB_ROW more. */
    size_t (*tally)(const double *count, size_t length, uint32_t *often, double *large);
    /* x[i]: Poisson counts by the table of count[i]; returns their sum, and in `sums` that of each TB_PAD of them.
     * Elements whose count has no table get 0 and are listed. */
    double (*draw_classes)(const double *count, size_t length, double *x, double *sums, const tb_classes_t *classes,
                           uint32_t *listed, size_t *listed_count, const tb_address_t *at);
    /* Of the probabilities p = per_item * count: the sum of p^2, and their squared distance from those before. */
    void (*compare_models)(const double *count, const double *before, size_t length, double per_item, double *squares,
                           double *distance);
    /* The mixture goes to `kept`, which may be `before`, if that is not NULL; and times the unit to `out`. */
    void (*mix_models)(const double *count, const double *before, size_t length, const tb_mixing_t *by, double *kept,
                       double *out);
    /* To the nearest whole number after scaling, up to 2^52: beyond, doubles are whole. Returns their sum. */
    double (*make_whole)(double *weight, size_t length, double scale);
    /* The elements whose weight is not zero, in order; returns how many. What they are written to has room for whole
     * rows, and may be what is read. */
    size_t (*compact)(const uint32_t *id, const double *weight, size_t length, uint32_t *to_id, double *to_weight);
    /* Cells of an alias table, or aliases, of at most TB_SOME items; without a table just the cells. Those that more
     * bits are to decide are listed, some perhaps twice; returns how many. All have room for whole registers. */
    size_t (*pick_cells)(const uint64_t *word, size_t count, uint32_t cells, const uint32_t *table, uint32_t *out,
                         uint32_t *doubt);
    /* Multiplies weights by what bands keep, which begin at descending ids, and adds up eight parts of them before and
     * after. */
    void (*keep_bands)(double *weight, const uint32_t *id, size_t length, const uint32_t *start, const double *kept,
                       size_t bands, double *before, double *after);
    /* Adds up over rows of eight; lanes are elements of one lineage or one lineage each. inverse[lane] = 1 / total
     * weight. */
    void (*observe)(const double *weight, const uint32_t *id, size_t rows, const double *inverse, unsigned what,
                    const tb_yardstick_t *yardstick, tb_sums_t *sums);
    /* out[i] = i log i, as observe adds it up. `count` is a multiple of TB_ROW. */
    void (*entropy_terms)(size_t count, double *out);
    /* out[i] = tb_pow(x[i x_step], y[i y_step]); a step is 0 or 1. */
    void (*powers)(const double *x, size_t x_step, const double *y, size_t y_step, size_t count, double *out);
    /* elements gathered from a table, for the floor that benchmarks show */
    double (*gather_floor)(const double *table, const uint32_t *id, size_t length);
} tb_kernels_t;

extern const tb_kernels_t tb_kernels_plain;
#if defined(__x86_64__)
extern const tb_kernels_t tb_kernels_sse2, tb_kernels_avx2, tb_kernels_avx512;
#endif

#endif

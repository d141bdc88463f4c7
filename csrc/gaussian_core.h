/* SPDX-License-Identifier: MIT */
/* What the files of the Gaussian engine share. Arrays are lanes: rows of TB_ROW elements, one lane a lineage. */
#ifndef TB_GAUSSIAN_CORE_H
#define TB_GAUSSIAN_CORE_H
#include <string.h>

#include "core.h"
#include "gaussian.h"
#include "gaussian_kernels.h"

struct tb_gaussian_plan {
    tb_gaussian_t program;
    const tb_kernels_t *kernels;
    int hoard;          /* some generation takes a part of the kept set */
    size_t triangle;    /* d (d + 1) / 2 */
    double *reference;  /* the reference's factor in lanes, row i divided by 2^unit[i] */
    double *unit;       /* by which everything that is carried is divided: nothing depends on units of measurement */
    double *scale;      /* 2^unit */
    double *width;      /* in these units: deviation of each coordinate of the reference */
    size_t state_bytes; /* of one block, without room for records */
};

/* Statistics of weighted items: their number counted by weight and by squared weight, and in lanes the mean, less the
 * model's, and the factor of the scatter; both times 2^exponent. */
typedef struct {
    double total, squares;
    size_t rank; /* columns of the factor */
    double exponent[TB_ROW];
    double *offset, *factor;
} tb_moments_t;

/* Choices looked at together, and items added together. */
enum { TB_CHOICES = 512, TB_ITEMS = 8 };

/* One lane's way through the items of a pool, some of which are drawn. */
typedef struct {
    uint64_t next, left, wanted; /* item to look at; not looked at yet, and still to be drawn */
    uint64_t batch, before;      /* the batch it belongs to, from 0, and items of the batches before */
    uint64_t word[TB_CHOICES];
} tb_walk_t;

/* Items that are made one by one: the models that batches were drawn from, in lanes, the first of them the reference;
 * and what the drawn ones add up to, a triangle whose first row counts them. */
typedef struct {
    tb_walk_t *walk;
    double *mean, *factor; /* one model after the other */
    double *triangle, *more;
} tb_items_t;

/* Eight lineages. The model has a mean, less the reference's, and a factor whose column j is times 2^exponent[j]. */
typedef struct {
    const tb_gaussian_plan_t *plan;
    tb_control_t *control;
    int code; /* of what stopped a generation half-way */
    tb_lanes_t lanes;
    uint32_t generation;
    size_t rank;
    int graded;     /* some exponent of some lane is not 0 */
    int holds_kept; /* the model was fitted to the kept set, among others */
    double *mean, *factor, *exponent;
    tb_moments_t part, training, kept;
    tb_moments_t *past;       /* the last batches, newest first */
    size_t past_count, reach; /* so many of them; dimensions that they span together */
    double *z, *below, *diagonal, *more, *work;
    struct {
        uint64_t samples; /* that the laws are for */
        tb_chi_t *law;
    } chi[2];
    tb_items_t items;
    double *room; /* for records; NULL where they need none */
} tb_gaussian_block_t;

static inline size_t tb_corner(size_t i) { return i * (i + 1) / 2; }

/* 2^e for whole e: 0 below the normal numbers. */
static inline double tb_power_of_two(double e) {
    uint64_t bits;
    double x;
    if (e < -1022.0) return 0.0;
    bits = (uint64_t)((int64_t)(e > 1023.0 ? 1023.0 : e) + 1023) << 52;
    memcpy(&x, &bits, sizeof x);
    return x;
}

size_t tb_gaussian_block_bytes(const tb_gaussian_t *program);

/* Whether some generation takes a part of the kept set. */
int tb_gaussian_has_hoard(const tb_gaussian_t *program);
/* Models whose items may be made again. */
size_t tb_gaussian_models(const tb_gaussian_t *program);

/* Rows of lanes that records need beside the block's own. */
size_t tb_gaussian_room(const tb_gaussian_plan_t *plan, const tb_gaussian_output_t *output);
/* Writes record `record` of the block's `count` lineages, the first of which is row `row`. */
void tb_gaussian_record(tb_gaussian_block_t *block, const tb_gaussian_output_t *output, size_t row, size_t count,
                        size_t record);
/* Whether the run is to stop, asked within a long generation. */
static inline int tb_gaussian_stops(tb_gaussian_block_t *self) {
    if (tb_is_cancelled(self->control)) self->code = TB_ERR_CANCELLED;
    return self->code;
}

/* Keeps the model as the one that batch `batch` (from 0) is drawn from. */
void tb_gaussian_keep_model(tb_gaussian_block_t *block, size_t batch);
/* Statistics of `wanted` items drawn without replacement from the first `batches` batches, of these sizes, less the
 * model's mean. */
void tb_gaussian_draw_items(tb_gaussian_block_t *block, const uint64_t *sizes, size_t batches, uint64_t wanted,
                            tb_moments_t *out);
#endif

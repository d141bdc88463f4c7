/* SPDX-License-Identifier: MIT */
/* What the files of the engine of sums share. Arrays are lanes: one lane a lineage. */
#ifndef TB_TOTALS_CORE_H
#define TB_TOTALS_CORE_H
#include <math.h>

#include "core.h"
#include "totals.h"

struct tb_totals_plan {
    tb_totals_t program;
    const tb_kernels_t *kernels;
    size_t past_count;                                       /* batches that are remembered one by one */
    double upper[TB_TOTALS_LEVELS], lower[TB_TOTALS_LEVELS]; /* the reference's quantiles */
};

/* The weighted sum of items, and of their weights: the sum is times 2^exponent. Scales are in units of the
 * reference's. */
typedef struct {
    double weight, sum[TB_ROW];
    int exponent[TB_ROW];
} tb_total_t;

typedef struct {
    const tb_totals_plan_t *plan;
    int code; /* of what stopped a generation half-way */
    tb_lanes_t lanes;
    size_t count; /* lanes in use */
    uint32_t generation;
    tb_total_t reference, training, kept, part;
    tb_total_t *past; /* the last batches, newest first */
} tb_totals_block_t;

/* x 2^exponent: 0 far below the doubles. */
static inline double tb_scaled(double x, int exponent) {
    return exponent ? ldexp(x, exponent < -2200 ? -2200 : exponent) : x;
}

/* Writes record `record` of the block's lineages, the first of which is row `row`. */
void tb_totals_record(const tb_totals_block_t *block, const tb_totals_output_t *output, size_t row, size_t record);
/* The law's mass beyond each of the reference's quantiles; `log_ratio` is the logarithm of the mean over the
 * reference's. */
void tb_totals_masses(const tb_totals_plan_t *plan, double mean, double log_ratio, double *above, double *below);
void tb_totals_quantiles(tb_totals_plan_t *plan);
#endif

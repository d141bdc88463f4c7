/* SPDX-License-Identifier: MIT */
/* Recursive fitting and resampling of a law whose one parameter is its mean, and whose sufficient statistic is the sum
 * of the items: the Poisson law (the mean is the rate) and the exponential law (the mean is the scale). Like
 * tailbiter.h: no globals, no threads of its own, one plan for many threads.
 *
 * A batch of n items has a sum that is Poisson(n rate), drawn as the exact quantile at a 64-bit word, or scale times
 * Gamma(n), drawn by Marsaglia and Tsang's attempts: one draw a batch, however many items it has. A training set is the
 * weighted sum of its batches' sums over its items' weights, and that is the model's mean. Sums over some items of a
 * batch that is drawn from again have no such law: the kept set is taken as a whole. */
#ifndef TB_TOTALS_H
#define TB_TOTALS_H
#include "tailbiter.h"

enum { TB_TOTALS_LEVELS = 5 }; /* quantiles 1e-2, 1e-3, ..., 1e-6 */
#define TB_TOTALS_SAMPLES 1000000000000000u
#define TB_POISSON_LARGEST 0x1p53 /* mean of a batch's sum */

enum {
    TB_ERR_TOTALS_REFERENCE = -64, /* a mean that is not from 1e-100 to 1e100, or a rate above 1e6 */
    TB_ERR_TOTALS_SAMPLES = -65,   /* a batch without items, with too many, or with more human items than items */
    TB_ERR_TOTALS_KEPT = -66,      /* a part of the kept set, or kept items beside older batches */
    TB_ERR_TOTALS_AT = -67,        /* generations to record that do not ascend, or lie beyond the end */
    TB_ERR_TOTALS_GROWN = -68      /* a rate has grown until the mean of a batch's sum is above 2^53 */
};
const char *tb_totals_strerror(int code);

enum tb_totals_law { TB_POISSON, TB_EXPONENTIAL };

/* All arrays are borrowed; those over generations are indexed by t-1 for the batch and training set of generation t, as
 * in tb_program_t. */
typedef struct {
    uint64_t key;
    enum tb_totals_law law;
    size_t generations;
    const uint64_t *samples, *fresh, *from_kept;
    uint64_t kept;
    const uint64_t *item_weights;
    const uint64_t *ages;
    size_t age_count;
    const uint32_t *at;
    size_t at_count;
    double reference; /* its mean */
} tb_totals_t;

/* Where records go; a NULL pointer: not asked for. Rows are lineages, then records. */
typedef struct {
    double *mean; /* 0 where a scale is below the normal numbers */
    double *log_mean;
    double *kl; /* of the model from the reference */
    double *squared_mean_error;
    double *mass_above; /* x levels: beyond the reference's upper quantiles, and below its lower ones */
    double *mass_below;
    int32_t *absorbed; /* a rate of 0 */
} tb_totals_output_t;

typedef struct tb_totals_plan tb_totals_plan_t;
int tb_totals_plan_alloc(tb_totals_plan_t **self, const tb_totals_t *program, const tb_kernels_t *kernels);
void tb_totals_plan_free(tb_totals_plan_t *self);
/* The reference's own mass above and below its quantiles. */
void tb_totals_reference_mass(const tb_totals_plan_t *self, double *above, double *below);
/* Bytes that one call of tb_totals_run holds. */
size_t tb_totals_state_bytes(const tb_totals_plan_t *self);
/* Runs lineages first..first+count-1, eight at a time. Row i of `output` is lineage first + i. */
int tb_totals_run(const tb_totals_plan_t *self, uint32_t first, uint32_t count, const tb_totals_output_t *output,
                  tb_control_t *control);

/* P(X > k) and P(X < k) of the Poisson law, to about 1e-12 of themselves, at a cost of some deviations. */
double tb_poisson_above(double k, double mean);
double tb_poisson_below(double k, double mean);
#endif

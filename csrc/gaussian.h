/* SPDX-License-Identifier: MIT */
/* Recursive fitting and resampling of a normal law in `dimension` dimensions, by sufficient statistics: the cost of a
 * generation does not depend on how many samples it has. Like tailbiter.h: no globals, no threads of its own, one plan
 * for many threads.
 *
 * A batch of n items from N(mu, L L') has the mean mu + L z / sqrt n and the scatter (L A)(L A)', A lower triangular
 * with normals below and chi variates (n - 1 - i degrees of freedom) on the diagonal, n - 1 columns where these are
 * fewer (Bartlett's decomposition). Parts of a training set are merged by their (weight, mean, factor of the scatter):
 * the triangle of [F1, F2, between] is found by reflections, never by squaring. A model is the mean and the factor of
 * scatter / (W - ddof V / W), W and V the sums of the items' weights and squared weights.
 *
 * Draws without replacement, from the pool of all batches or from the kept set, have no such statistics. There the
 * items are made one by one, and made again whenever they are drawn: a generation looks at every item of the pool (one
 * word each) and makes those that it draws. Their rank is an upper bound where draws grow after they were fewer than
 * the dimensions. */
#ifndef TB_GAUSSIAN_H
#define TB_GAUSSIAN_H
#include "tailbiter.h"

enum {
    TB_GAUSSIAN_DIMENSIONS = 200,
    TB_GAUSSIAN_LEVELS = 5, /* quantiles 1e-2, 1e-3, ..., 1e-6 */
};
#define TB_GAUSSIAN_SAMPLES 1000000000000000u

enum {
    TB_ERR_DIMENSION = -16, /* not 1..TB_GAUSSIAN_DIMENSIONS */
    TB_ERR_DDOF = -17,      /* neither 0 nor 1 */
    TB_ERR_REFERENCE = -18, /* a mean or factor that is not finite, or a factor without a positive diagonal */
    TB_ERR_SAMPLES = -19,   /* a batch without items, with too many, or with more human items than items */
    TB_ERR_SUBSAMPLE = -20, /* a draw from a pool that is empty, larger than the pool, or not from plain batches */
    TB_ERR_HOARD = -21,     /* more items drawn from the kept set than it has */
    TB_ERR_AT = -22,        /* generations to record that do not ascend, or lie beyond the end */
    TB_ERR_ITEMS = -23      /* draws are to be made from more items than there are addresses for */
};
const char *tb_gaussian_strerror(int code);

/* All arrays are borrowed; those over generations are indexed by t-1 for the batch and training set of generation t, as
 * in tb_program_t. */
typedef struct {
    uint64_t key;
    size_t dimension;
    unsigned ddof;
    size_t generations;
    const uint64_t *samples, *fresh, *from_kept;
    uint64_t kept;
    const uint64_t *item_weights;
    const uint64_t *ages;
    size_t age_count;
    const uint64_t *draw;
    const uint32_t *at;
    size_t at_count;
    const double *mean;   /* of the reference */
    const double *factor; /* its Cholesky factor, lower triangle row by row */
} tb_gaussian_t;

/* Where records go; a NULL pointer: not asked for. Rows are lineages, then records. Column j of a factor is to be
 * multiplied by 2^exponent[j]; exponents are 0 until a diagonal element leaves 2^-256..2^256. */
typedef struct {
    double *mean;      /* x dimension */
    double *factor;    /* x d (d + 1) / 2 */
    int64_t *exponent; /* x dimension */
    int32_t *rank;     /* of the covariance, with probability 1; for draws without replacement a bound */
    double *log_det;   /* natural logarithms; of the covariance, -infinity when the rank is below d */
    double *log_pseudo_det;
    double *log_trace;
    double *effective_rank; /* exp of the entropy of the eigenvalues' shares (Roy & Vetterli 2007); 0 for rank 0 */
    double *squared_mean_error;
    double *w2_squared;  /* to the reference */
    double *kl;          /* of the model from the reference */
    double *mass_beyond; /* x levels: beyond both of the reference's quantiles, mean over coordinates */
} tb_gaussian_output_t;

typedef struct tb_gaussian_plan tb_gaussian_plan_t;
int tb_gaussian_plan_alloc(tb_gaussian_plan_t **self, const tb_gaussian_t *program, const tb_kernels_t *kernels);
void tb_gaussian_plan_free(tb_gaussian_plan_t *self);
/* Bytes that one call of tb_gaussian_run holds. */
size_t tb_gaussian_state_bytes(const tb_gaussian_plan_t *self);

/* Runs lineages first..first+count-1, eight at a time. Row i of `output` is lineage first + i. */
int tb_gaussian_run(const tb_gaussian_plan_t *self, uint32_t first, uint32_t count, const tb_gaussian_output_t *output,
                    tb_control_t *control);
#endif

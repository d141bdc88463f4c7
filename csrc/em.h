/* SPDX-License-Identifier: MIT */
/* Mixtures of normal laws, fitted by expectation and maximisation (Dempster, Laird & Rubin 1977).
 *
 * Each covariance gets `floor` added to its diagonal (scikit-learn's reg_covar), which must be positive: then no pivot
 * of its Cholesky factor is below the floor, and one that rounding has put there is lifted to it, so that a singular
 * component is a component of the floor's width. A component whose weight falls below 2^-53 is dead: its weight is 0
 * from then on, its mean and factor stay as they were last. */
#ifndef TB_EM_H
#define TB_EM_H
#include "em_kernels.h"
#include "tailbiter.h"

enum tb_covariance { TB_SPHERICAL, TB_DIAGONAL, TB_TIED, TB_FULL };

enum {
    TB_ERR_EM_DIMENSION = -32,  /* not 1..TB_EM_DIMENSIONS */
    TB_ERR_EM_COMPONENTS = -33, /* not 1..TB_EM_COMPONENTS */
    TB_ERR_EM_COVARIANCE = -34, /* no such type of covariance */
    TB_ERR_EM_FLOOR = -35,      /* not from 1e-200 to 1e200 */
    TB_ERR_EM_TOLERANCE = -36,  /* negative, or not a number */
    TB_ERR_EM_ITERATIONS = -37, /* none */
    TB_ERR_EM_WEIGHTS = -38,    /* a law's weights are negative or not finite, or do not sum to 1 to within 1e-9 */
    TB_ERR_EM_MEANS = -39,      /* a mean beyond TB_EM_LARGEST, or not a number */
    TB_ERR_EM_FACTORS = -40,    /* the same of a factor, or a diagonal below 1 / TB_EM_LARGEST */
    TB_ERR_EM_EMPTY = -41       /* no item to fit to has a weight */
};
const char *tb_em_strerror(int code);

/* Items, means and factors may be as large: then no square overflows. */
#define TB_EM_LARGEST 1e100

typedef struct {
    size_t dimension, components;
    enum tb_covariance covariance;
    double floor, tolerance; /* change of the mean log-likelihood below which iterations end */
    uint32_t iterations;     /* at most so many */
} tb_em_settings_t;

/* Arrays by component. Factors are standard deviations (spherical: 1, diagonal: d for each component) or lower Cholesky
 * factors row by row: one for each component, or one for all where covariances are tied. */
typedef struct {
    double *weight, *mean, *factor;
} tb_em_law_t;

/* Items to fit to, all of the same weight or, with `items`, each of its own besides. They are at `x`, in rows, the last
 * of them padded with finite numbers; or, where `x` is NULL, made anew by `fill` for every pass. */
typedef struct {
    uint64_t count;
    double weight;
    const double *x, *items;
    void (*fill)(const void *context, uint64_t row, size_t rows, double *x); /* `x` has room for a row more */
    const void *context;
} tb_em_part_t;

typedef struct {
    double log_likelihood; /* mean over items of the law before the last iteration, in nats */
    uint32_t iterations;
    uint32_t alive; /* components with a weight */
    int converged;
} tb_em_result_t;

size_t tb_em_factor_length(const tb_em_settings_t *settings); /* of one factor */
size_t tb_em_factor_count(const tb_em_settings_t *settings);  /* factors of a law */
int tb_em_check(const tb_em_settings_t *settings);
int tb_em_check_law(const tb_em_settings_t *settings, const tb_em_law_t *law);

/* Rows that are worked on, or made, at a time. Divides the rows of a page of addresses. */
enum { TB_EM_PIECE = 256 };

typedef struct tb_em tb_em_t;
int tb_em_alloc(tb_em_t **self, const tb_em_settings_t *settings, const tb_kernels_t *kernels);
void tb_em_free(tb_em_t *self);
size_t tb_em_bytes(const tb_em_settings_t *settings);

/* Improves a law until it converges or iterations run out. */
int tb_em_fit(tb_em_t *self, const tb_em_part_t *parts, size_t count, tb_em_law_t *law, tb_em_result_t *result,
              const tb_control_t *control);
/* The mean log-likelihood of items under a law. */
int tb_em_score(tb_em_t *self, const tb_em_part_t *parts, size_t count, const tb_em_law_t *law, double *log_likelihood,
                const tb_control_t *control);
/* A law to begin with: k-means++ seeds (Arthur & Vassilvitskii 2007) with words at `at`, then Lloyd's steps, then the
 * moments of the clusters. */
int tb_em_seed(tb_em_t *self, const tb_em_part_t *parts, size_t count, const tb_address_t *at, tb_em_law_t *law,
               const tb_control_t *control);
/* Components with a weight that the floor keeps from being singular: a squared diagonal element of the factor is at
 * most twice the floor. */
uint32_t tb_em_singular(const tb_em_settings_t *settings, const tb_em_law_t *law);
/* The squared L2 distance between two laws, by the integrals of products of normal densities. `room` has space for
 * d (d + 1) / 2 + d numbers. */
double tb_em_l2(const tb_em_settings_t *settings, const tb_em_law_t *a, const tb_em_law_t *b, double *room);
#endif

/* SPDX-License-Identifier: MIT */
/* Recursive fitting and resampling of a mixture of normal laws. Like tailbiter.h: no globals, no threads of its own,
 * one plan for many threads.
 *
 * A batch of n items has exact multinomial counts of components, over weights scaled by a power of two so that their
 * sum is as large as fits 2^53 and rounded half up (zero stays zero), and then normals by address, component after
 * component. There is no sufficient statistic: items of past batches that a training set holds are kept while they fit
 * `memory`, and those that do not are made anew, by address, in every iteration of a fit. Items drawn from a pool or a
 * hoard are made from their addresses, one by one, and held: a generation costs as many as are drawn. */
#ifndef TB_MIXTURE_H
#define TB_MIXTURE_H
#include "em.h"

#define TB_MIXTURE_SAMPLES 1000000000000u
#define TB_MIXTURE_MEMORY ((size_t)256 << 20)

enum {
    TB_ERR_MIXTURE_SAMPLES = -48, /* a batch without items, with too many, or with more human items than items */
    TB_ERR_MIXTURE_KEPT = -49,    /* more items are drawn from the kept set than it holds */
    TB_ERR_MIXTURE_DRAW = -50,    /* no item is drawn from a pool, or more than it holds */
    TB_ERR_MIXTURE_AT = -51,      /* generations to record that do not ascend, or lie beyond the end */
    TB_ERR_MIXTURE_START = -52    /* no such start of a fit */
};
const char *tb_mixture_strerror(int code);

/* Where the fit of a generation begins. */
enum tb_mixture_start {
    TB_MIXTURE_WARM, /* at the law that its batch was drawn from; generation 1 at the reference */
    TB_MIXTURE_SEEDS /* at clusters found anew; components have no identity */
};

/* All arrays are borrowed; those over generations are indexed by t-1 for the batch and training set of generation t, as
 * in tb_program_t. */
typedef struct {
    uint64_t key;
    tb_em_settings_t em;
    enum tb_mixture_start start;
    size_t generations;
    const uint64_t *samples, *fresh, *from_kept;
    uint64_t kept;
    const uint64_t *item_weights;
    const uint64_t *ages;
    size_t age_count;
    const uint64_t *draw;
    const uint32_t *at;
    size_t at_count;
    tb_em_law_t reference;
    size_t memory; /* bytes for items of past batches; no bit depends on it */
} tb_mixture_t;

/* Where records go; a NULL pointer: not asked for. Rows are lineages, then records. Row 0 of a lineage, the reference,
 * has a log-likelihood of NaN and no iterations. */
typedef struct {
    double *weight; /* x components */
    double *mean;   /* x components x dimension */
    double *factor; /* x factors x length of a factor */
    double *log_likelihood;
    int32_t *iterations, *converged;
    int32_t *alive;     /* components with a weight */
    int32_t *singular;  /* of these, kept from being singular by the floor */
    double *l2_squared; /* distance to the reference */
} tb_mixture_output_t;

typedef struct tb_mixture_plan tb_mixture_plan_t;
int tb_mixture_plan_alloc(tb_mixture_plan_t **self, const tb_mixture_t *program, const tb_kernels_t *kernels);
void tb_mixture_plan_free(tb_mixture_plan_t *self);
/* Bytes that one call of tb_mixture_run may hold. */
size_t tb_mixture_state_bytes(const tb_mixture_plan_t *self);
/* Runs lineages first..first+count-1. Row i of `output` is lineage first + i. */
int tb_mixture_run(const tb_mixture_plan_t *self, uint32_t first, uint32_t count, const tb_mixture_output_t *output,
                   tb_control_t *control);
#endif

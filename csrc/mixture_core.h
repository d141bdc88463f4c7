/* SPDX-License-Identifier: MIT */
/* What the files of the mixture's loop share. */
#ifndef TB_MIXTURE_CORE_H
#define TB_MIXTURE_CORE_H
#include "batch.h"
#include "mixture.h"

struct tb_mixture_plan {
    tb_mixture_t program;
    const tb_kernels_t *kernels;
    size_t weights, means, factors; /* numbers in a law */
    size_t state_bytes;
};

/* A batch of the past, or the newest, with a law of its own and, where there is room, its items. */
typedef struct {
    tb_batch_t batch;
    double *law;
    double *x;
    size_t room; /* doubles at x */
} tb_held_t;

typedef struct {
    const tb_mixture_plan_t *plan;
    tb_control_t *control;
    tb_em_t *em;
    uint32_t replicate, generation;
    double *numbers; /* of the law */
    tb_em_law_t law;
    tb_em_result_t result;
    tb_held_t *held; /* batches that training sets hold, or may hold, oldest first */
    size_t held_count, held_capacity;
    tb_held_t kept[2];
    size_t kept_count;
    double *spare; /* items of a batch that is gone: room for the next */
    size_t spare_room;
    size_t held_bytes;
    tb_em_part_t *parts;
    size_t part_count;
    const tb_batch_t **source; /* batches drawn from, and items before each */
    uint64_t *before, *index;
    size_t index_room;
    double *drawn;
    size_t drawn_room;
    double *l2_room;
} tb_mixture_state_t;

static inline size_t tb_law_length(const tb_mixture_plan_t *plan) {
    return plan->weights + plan->means + plan->factors;
}

/* A law whose numbers are at `numbers`. */
static inline tb_em_law_t tb_law_at(const tb_mixture_plan_t *plan, double *numbers) {
    return (tb_em_law_t){numbers, numbers + plan->weights, numbers + plan->weights + plan->means};
}

/* Every training set is the newest batch. */
static inline int tb_mixture_is_newest(const tb_mixture_t *program) { return program->age_count == 1; }

/* The training set of the next generation, as self->parts. */
int tb_mixture_train(tb_mixture_state_t *self);
void tb_held_free(tb_held_t *held, size_t count);
#endif

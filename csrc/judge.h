/* SPDX-License-Identifier: MIT */
/* How a model is judged beside the standard sums: against held-out human data, by group, and by what stages of collapse
 * are told from. One scalar pass in the order of the list, at recorded generations alone: the same bits on every
 * machine, and whether a lineage runs alone or in a pack. */
#ifndef TB_JUDGE_H
#define TB_JUDGE_H
#include <stddef.h>
#include <stdint.h>

enum { TB_MAX_GROUPS = 256, TB_LOGS = 1024 };

/* A probability that the cross-entropy takes for a smaller one. */
#define TB_FLOOR 1e-9

/* What to judge by; borrowed. Held-out data are counts, of which some may lie outside the reference. */
typedef struct {
    const uint64_t *held_out; /* by category; NULL: none */
    uint64_t tokens, types;   /* of all held-out data */
    double squares_outside;   /* sum of squared shares, of those outside */
    const uint32_t *group;    /* of each category; NULL: none */
    size_t groups;
} tb_judge_t;

/* Where judgements go; a NULL pointer: not asked for. Rows are lineages, then records. */
typedef struct {
    double *oov_tokens, *oov_types, *held_out_coverage; /* the last by band */
    double *held_out_brier, *cross_entropy, *cross_entropy_excess, *overconfidence, *top_share_held_out;
    double *tail_coverage, *head_total_variation;
    int32_t *group_survivors;
    double *group_mass;
} tb_judged_t;

/* Weights over categories: those listed, `stride` apart, and one and the same for each of the others. Whoever lists ids
 * beyond the categories leaves them out of the total. */
typedef struct {
    const double *weight;
    const uint32_t *id; /* NULL: all categories, in order */
    size_t length, stride;
    double total;         /* of all weights, whose squares are to be in range */
    double others, other; /* how many are not listed; the weight of each */
} tb_list_t;

/* One row of all of it. */
typedef struct {
    double oov_tokens, oov_types, held_out_brier, cross_entropy, overconfidence, top_share_held_out;
    double tail_coverage, head_total_variation;
    double held_out_coverage[TB_MAX_GROUPS];
    double group_survivors[TB_MAX_GROUPS], group_mass[TB_MAX_GROUPS];
} tb_verdict_t;

/* What verdicts need of a program, worked out once; part of the plan. */
typedef struct {
    int any, presence, scores, variation, by_group; /* which parts are asked for */
    double known;                                   /* held-out tokens of categories in the reference */
    double squares;                                 /* sum of squared held-out shares */
    double head;                                    /* weight of the reference's head */
    double log_of[TB_LOGS];                         /* logarithms of whole numbers: most weights are small ones */
    double band_tokens[TB_MAX_GROUPS], group_size[TB_MAX_GROUPS];
    tb_verdict_t reference; /* of row 0 */
} tb_bench_t;

struct tb_plan;

/* Works out the plan's bench, the reference's own verdict included. The plan's weights are there. */
void tb_bench_fill(struct tb_plan *plan, const tb_judged_t *wanted);
/* `present`: the training set; `model`: what is fitted to it. */
void tb_judge(const struct tb_plan *plan, const tb_list_t *present, const tb_list_t *model, tb_verdict_t *out);
/* Row `row` of the output. */
void tb_write_verdict(const struct tb_plan *plan, const tb_judged_t *to, size_t row, const tb_verdict_t *verdict);
#endif

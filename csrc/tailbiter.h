/* SPDX-License-Identifier: MIT */
/* The core's public face: a program says what every lineage does, an output says where its records go. Knows nothing of
 * Python; no globals, no threads of its own, safe to call from many threads at once on one program. */
#ifndef TAILBITER_H
#define TAILBITER_H
#include <stddef.h>
#include <stdint.h>

#include "judge.h"
#include "kernels.h"

/* Changes only when the same program would give other bits. */
#define TB_STREAM_VERSION 1

enum {
    TB_OK = 0,
    TB_ERR_MEMORY = -1,    /* an allocation failed */
    TB_ERR_CANCELLED = -2, /* the control's flag was raised */
    TB_ERR_PROGRAM = -3,   /* more bands, generations or categories than the core has room for */
    TB_ERR_NOTHING = -4,   /* curation accepts nothing of what a model puts out; the output's failure says where */
    TB_ERR_RULE = -5       /* a rule compiled elsewhere failed; the same */
};
const char *tb_strerror(int code);

/* How a model is fitted to a training set. */
enum {
    TB_MAXIMUM_LIKELIHOOD = 0,
    TB_ADD_K = 1,     /* amount: k items more of every category */
    TB_SHRINKAGE = 2, /* amount: share of the target, uniform or the model before */
    TB_DISCOUNT = 3,  /* amount: what every count is lowered by; interpolated with the uniform law */
    TB_GOOD_TURING = 4,
    TB_BY_RULE = 5
};

typedef struct {
    int kind;
    double amount; /* negative: from the data */
    int smoothed;  /* Good-Turing: log-linear; shrinkage: toward the model before */
} tb_estimator_t;

/* A share as it was written, which a double may not be; 0 of 0: as the double has it. */
typedef struct {
    uint64_t part, of;
} tb_ratio_t;

/* Decoding: how a model is sampled. The cuts are those of text generators, one after the other in the order of the
 * fields; each sees what the one before has left. */
typedef struct {
    double temperature;                                 /* 1: as fitted */
    uint64_t top_k;                                     /* 0: all */
    double top_p;                                       /* 1: all */
    double min_p;                                       /* 0: all */
    double epsilon;                                     /* 0: all */
    tb_ratio_t exact_top_p, exact_min_p, exact_epsilon; /* by which whole weights are judged */
    const double
        *powers; /* the plan's: of the first TB_POWERS whole numbers, to 1 / temperature; NULL: none are kept */
} tb_decoding_t;

/* Curation: what is kept of a model's output for its quality. Categories of one reward fare alike, so everything is
 * worked out by level of reward. */
enum {
    TB_CURATE_NOT = 0,
    TB_CURATE_WEIGH = 1,   /* weights times the level's factor, at most 1 */
    TB_CURATE_CHOICE = 2,  /* one of `candidates`, with probability proportional to e^factor; 0: out of all there is */
    TB_CURATE_BEST_OF = 3, /* the first among the best of `candidates` */
    TB_CURATE_TOP = 4      /* the best of `drawn` items */
};

typedef struct {
    int kind;
    uint64_t candidates;
    size_t levels;
    const uint32_t *level; /* of each category, from the lowest reward (0) up; last, of what is outside the reference */
    const double *factor;  /* of each level */
    const uint64_t *drawn; /* by t-1: items drawn, of which the batch keeps the best */
} tb_curation_t;

/* A rule compiled elsewhere, called by many threads at once. It changes the weights of a model in place: those of the
 * `length` categories listed in `id`, and `other`, the one of each of `others` more. Not 0: it gave up. */
typedef int32_t tb_rule_t(double *weight, const uint32_t *id, size_t length, double others, double *other,
                          uint32_t generation);

typedef struct {
    tb_rule_t *estimator; /* where that is TB_BY_RULE: counts come in. What is outside the reference counts 0 */
    tb_rule_t *decoding;  /* after the cuts; NULL: none */
} tb_rules_t;

enum {
    TB_RULE_GAVE_UP = 1,
    TB_RULE_WRONG_WEIGHT = 2, /* not a number, negative or above 2^800 */
    TB_RULE_NOTHING = 3,      /* weights that add up to less than 2^-800 */
    TB_NOTHING_ACCEPTED = 4   /* by curation, of what a model puts out */
};

/* Where a rule or curation failed, and why. */
typedef struct {
    int problem, decoding; /* one of the above; whether it was the rule of decoding */
    uint32_t replicate, generation;
    double weight; /* the wrong one */
} tb_failure_t;

/* All arrays are borrowed and indexed by t-1 for the batch and training set of generation t = 1..generations+1. */
typedef struct {
    uint64_t key;
    size_t categories;
    const uint64_t *weights; /* of the reference, descending */
    size_t generations;
    const uint64_t *samples;      /* items newly drawn; the last is 0 where undefined */
    const uint64_t *fresh;        /* of these, fresh human items */
    const uint64_t *from_kept;    /* and items out of the kept human set */
    uint64_t kept;                /* its size */
    const uint64_t *item_weights; /* three columns: synthetic, fresh, kept; NULL: every item counts once */
    const uint64_t *ages;         /* item weight by age of the batch */
    size_t age_count;             /* 0: every batch so far, for ever */
    const uint64_t *draw;         /* size of the training set drawn from the pool of all batches; NULL: no pool */
    const uint32_t *at;           /* generations to record, ascending */
    size_t at_count;
    const uint32_t *snapshots; /* generations whose counts are kept */
    size_t snapshot_count;
    const uint32_t *band_start; /* first id of each band, from rare to common */
    size_t band_count;
    uint32_t tail_start; /* first id of the tail; == categories when there is none */
    tb_estimator_t estimator;
    double error_rate; /* share of what models put out that lies outside the reference */
    tb_decoding_t decoding;
    tb_rules_t rules;
    tb_curation_t curation;
    const double *crawled;         /* human share of the crawl that each batch is kept from; NULL: no crawl */
    double human_kept;             /* of human items a detector keeps this share */
    double synthetic_kept;         /* and of synthetic ones this, of such as the reference puts out */
    const double *band_kept;       /* the same by band; NULL: alike */
    const double *band_lost;       /* share of each band's human items thrown away; NULL: no detector */
    const uint64_t *kept_weights;  /* law of the human items kept; NULL: the reference's */
    const uint64_t *first_weights; /* law of generation 1's items; NULL: the reference's */
    uint64_t copies;               /* of each of them; 0: one */
    int plain; /* every training set is the newest batch, all synthetic: whatever `generations` is */
    tb_judge_t judge;
} tb_program_t;

/* Where records go; a NULL pointer: not asked for. Rows are lineages, then records. */
typedef struct {
    int32_t *survivors, *survivors_output, *lost, *revived, *tail_survivors, *band_survivors;
    double *coverage, *entropy, *gini_simpson, *largest_share, *kl, *total_variation, *brier, *tail_mass, *band_mass;
    double *wrong_mass, *real_share, *real_share_crawled, *real_discarded, *band_real_discarded;
    int64_t
        *forgotten; /* lineages x categories: 0 present at the end; t first absent for good; -t the same, may return */
    tb_judged_t judged;
    tb_failure_t *failure; /* of this run */
} tb_output_t;

typedef struct {
    size_t count, capacity;
    uint32_t *replicate, *generation, *id;
    uint64_t *weight;
} tb_snapshots_t;
void tb_snapshots_free(tb_snapshots_t *self);

typedef struct {
    int cancel;           /* read and written by tb_is_cancelled and tb_cancel, from any thread */
    char apart[64];       /* all threads read the one often and write the other: not in one cache line */
    uint64_t generations; /* of all lineages finished so far */
    uint64_t survivors;   /* of all of these, added up; about, for losses are noticed now and then */
} tb_control_t;
void tb_cancel(tb_control_t *self);
int tb_is_cancelled(const tb_control_t *self);
uint64_t tb_progress(const tb_control_t *self);
uint64_t tb_survivors(const tb_control_t *self);

/* What is derived from a program once and shared by all threads. */
typedef struct tb_plan tb_plan_t;
int tb_plan_alloc(tb_plan_t **self, const tb_program_t *program, const tb_kernels_t *kernels,
                  const tb_output_t *wanted);
void tb_plan_free(tb_plan_t *self);
/* Bytes of the shared tables, and of the largest state and scratch that one run held so far. */
size_t tb_plan_shared_bytes(const tb_plan_t *self);
size_t tb_plan_state_bytes(const tb_plan_t *self);

/* Runs lineages first..first+count-1. Row i of `output` is lineage first + i. */
int tb_run(const tb_plan_t *self, uint32_t first, uint32_t count, const tb_output_t *output, tb_snapshots_t *snapshots,
           tb_control_t *control);

/* Instruction sets: "avx512", "avx2", "sse2", "plain"; NULL where this machine lacks it. */
const tb_kernels_t *tb_isa_find(const char *name);
const tb_kernels_t *tb_isa_best(void);
#endif

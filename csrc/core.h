/* SPDX-License-Identifier: MIT */
/* What the core's own files share. */
#ifndef TB_CORE_H
#define TB_CORE_H
#include "tables.h"
#include "tailbiter.h"

#define TB_NOWHERE UINT32_MAX
#define TB_MAX_HEIGHT 32

/* Lineages with at most this many survivors draw by tree always, and may so run eight to a register. Part of the
 * stream. */
enum { TB_PACK_MOST = 512 };

/* References of at most so many categories: lineages that train on more than the newest synthetic batch keep all of
 * them and run eight to a register, too. Part of the stream. */
enum { TB_DENSE_MOST = 256 };

/* Of references of more categories no cache holds the tables of single items: Poisson counts of all categories take
 * less time, and need no tables. Part of the stream. */
enum { TB_WIDE = 131072 };

/* Lineages that wait for a pack are held at the same time, so there are not too many of them. */
enum { TB_TOGETHER = 256 };

/* In generation t about one in t dies, so the gaps between compactions grow with t. Part of the stream: places decide
 * addresses. */
static inline uint32_t tb_next_compaction(uint32_t generation) {
    return generation + (generation < 8 ? 1 : generation / 8);
}

/* Draws without replacement pick the last items singly: so many, and half as many as there are elements. */
enum { TB_FEW = 64 };

/* Variables a run may be asked for, from which the sums to be made follow. */
enum {
    TB_WANT_OUTPUT = 1,    /* categories in the batch drawn from a model */
    TB_WANT_CHANGES = 2,   /* lost and revived */
    TB_WANT_FORGOTTEN = 4, /* when each category was */
    TB_WANT_SOURCES = 8    /* where items come from, and what is wrong */
};

/* The reference as a source of human items: categories up to `head`, a power of two or all there are, by the splitting
 * tree; the rest, of which few items are expected each, one by one from an alias table. */
typedef struct {
    size_t head, height; /* of the subtree that holds the head */
    double head_total, total;
    size_t cells;
    tb_alias_t *cell; /* of the categories from `head` on */
    uint64_t *remainder;
} tb_source_t;

struct tb_plan {
    tb_program_t program;
    const tb_kernels_t *kernels;
    size_t padded;      /* categories, padded */
    double total;       /* of the reference's weights */
    double sum_squares; /* of its probabilities, in the order in which observe adds */
    double *weight, *log_q;
    double *levels[TB_MAX_HEIGHT]; /* sums of the reference's weights, from level 1 up */
    size_t height;
    tb_source_t batch;  /* for batches of about generation 1's size */
    tb_source_t whole;  /* for larger ones: all by tree */
    tb_source_t single; /* for few items, as many as first come in fresh */
    tb_poisson_t *poisson;
    tb_yardstick_t yardstick;
    uint32_t edges[TB_MAX_EDGES];
    double terms[TB_TERMS];
    tb_sums_t reference; /* what row 0 is made of */
    tb_bench_t bench;
    unsigned sums, wants;
    uint64_t first_fresh;          /* size of the first batch of fresh human items, or 1 */
    int dense, fresh, returns;     /* few categories, all kept; fresh human items come in; a category can come back */
    int smoothed;                  /* models are not what was counted */
    int shaped;                    /* nor sampled as they were */
    int bent;                      /* nor as a mixture of counts and the even law */
    int by_count;                  /* models are drawn by classes of equal counts where all categories are listed */
    double sum_log_q;              /* over all categories */
    double *powers;                /* of counts, where there is a temperature */
    struct tb_plan *first, *later; /* laws of human items in generation 1 and after: this plan, or ones of their own */
    size_t shared_bytes;
    size_t *state_bytes; /* high-water mark */
};

typedef struct tb_grid tb_grid_t; /* classes.c */
size_t tb_grid_size(void);

/* Buffers of one thread. */
typedef struct {
    tb_control_t *control; /* asked between the passes of a long draw */
    size_t bytes;
    double *levels;   /* of a tree, or of an index of items */
    uint32_t *chosen; /* elements picked; allocated when first needed, as are those beyond all tables, their weights and
                         counts, and what `seen` knows */
    size_t chosen_capacity;
    uint32_t *large;
    size_t large_capacity;
    double *leaf;
    size_t leaf_capacity;
    double *blocks; /* sums of weights and of counts */
    size_t blocks_capacity;
    uint64_t *seen;
    size_t seen_capacity;
    double *rewards;   /* three values a level of reward */
    tb_grid_t *grid;   /* tables by which classes of categories are drawn, where models have any; */
    uint32_t *listed;  /* elements that have none */
    double *sums;      /* of blocks of what is drawn so */
    uint32_t *present; /* where a rule estimates: what is present among all that are listed, */
    double *beside;    /* and its counts; then what is drawn by tree of what it weighs */
    double *spare[2];  /* for draws without replacement; allocated where a regime needs them */
    double *best;      /* what such a draw keeps of a batch; where the best of it are kept */
    struct {
        double *leaf, *before, *room;
        uint32_t *id;
    } pack; /* lineages side by side; allocated when first needed */
    tb_work_t work;
} tb_scratch_t;

int tb_scratch_init(tb_scratch_t *self, const tb_plan_t *plan, tb_control_t *control);
void tb_scratch_free(tb_scratch_t *self);

/* Zeroed memory in whole cache lines, counted; and its return. */
void *tb_take(size_t count, size_t size, size_t *bytes);
void tb_give(void *p);
static inline size_t tb_padded(size_t count) { return (count + TB_PAD - 1) / TB_PAD * TB_PAD + TB_PAD; }

/* out ~ Multinomial(n, weight / total). Both padded with zeros; they must not overlap. */
int tb_draw_batch(const tb_plan_t *plan, tb_scratch_t *scratch, const double *weight, size_t length, double total,
                  double n, tb_address_t at, double *out);
/* Items of some elements. */
typedef struct {
    const double *count;
    const double *sums; /* of each TB_PAD elements; NULL: not known. Both are padded */
    size_t length;
    double total, most; /* in the elements of at most so many */
} tb_counted_t;
/* Adds `step` to `target`, which may be the count itself, at `picks` items: with replacement, or all different. */
int tb_pick_items(const tb_plan_t *plan, tb_scratch_t *scratch, const tb_counted_t *from, uint64_t picks, int different,
                  tb_address_t at, double step, double *target);
/* out ~ Multinomial(n, reference) over all categories. Purposes for the tree and for single items. */
int tb_draw_human(const tb_plan_t *plan, tb_scratch_t *scratch, uint64_t n, tb_address_t at, uint32_t tree_for,
                  uint32_t pick_for, double *out);
/* Whether so many are drawn without the tables of single items. */
int tb_human_by_means(const tb_plan_t *plan, uint64_t n);
/* How many of n human items fall to the source's head, of which out gets each category's: at least so many elements, in
 * whole TB_PADs, are written. */
double tb_draw_head(const tb_plan_t *plan, tb_scratch_t *scratch, const tb_source_t *source, double n, tb_address_t at,
                    uint32_t tree_for, double *out);
/* Where fresh items come from: as for generation 1. */
static inline const tb_source_t *tb_fresh_source(const tb_plan_t *plan, uint64_t n) {
    return n / 4 <= plan->first_fresh ? &plan->single : &plan->whole;
}
/* Picks items one by one from the source's table, handing categories to `put` some at a time. Fewer than 2^32 of them.
 */
typedef void tb_put_t(void *context, const uint32_t *id, size_t count);
void tb_pick_human(const tb_plan_t *plan, const tb_source_t *source, uint64_t count, tb_address_t at, tb_put_t *put,
                   void *context);
/* out: `draw` of the `total` items in `count`, without replacement. Purposes for thinning and for single items. */
int tb_draw_without(const tb_plan_t *plan, tb_scratch_t *scratch, const double *count, size_t length, double total,
                    double draw, tb_address_t at, uint32_t thin_for, uint32_t fix_for, double *out);

/* Recording. */
typedef struct {
    const tb_plan_t *plan;
    const tb_output_t *output;
    tb_snapshots_t *snapshots;
    double last_total, last_log; /* logarithms repeat: most totals do */
} tb_recorder_t;

typedef struct {
    size_t lineage;  /* row of the output */
    size_t next;     /* first record not yet made */
    int32_t present; /* at the record before */
} tb_cursor_t;

/* Adds up what the plan's variables need. */
void tb_add_up(const tb_plan_t *plan, const double *weight, const uint32_t *id, size_t length, double total,
               tb_sums_t *sums);
/* Sum of the reference's weights of all ids below `end`; the first id whose reference probability lies below p. */
double tb_weight_below(const tb_plan_t *plan, size_t end);
size_t tb_first_below(const tb_plan_t *plan, double p);
/* Judges the model of the record that comes next; where the plan's bench has something to judge by. */
void tb_write_judgement(tb_recorder_t *self, const tb_cursor_t *cursor, const tb_list_t *present,
                        const tb_list_t *model);
/* Writes a record of each of `count` lineages, whose sums are lanes. `back`: how many categories that are present were
 * absent at the record before; NULL where none can come back. */
void tb_write_records(tb_recorder_t *self, tb_cursor_t *const cursor[], size_t count, const tb_sums_t *sums,
                      double total, const int32_t *back);
static inline void tb_write_record(tb_recorder_t *self, tb_cursor_t *cursor, const tb_sums_t *sums, double total,
                                   int32_t back) {
    tb_write_records(self, &cursor, 1, sums, total, &back);
}
/* Beside the record just written: the share of the training set outside the reference, and that of the batch that is
 * human. */
void tb_write_levers(tb_recorder_t *self, const tb_cursor_t *cursor, double wrong, double real);
/* The size of the batch drawn from the model of generation `generation`, where that is recorded. */
void tb_write_output(tb_recorder_t *self, size_t lineage, uint32_t generation, const double *batch, size_t length);
int tb_write_snapshot(tb_recorder_t *self, uint32_t replicate, uint32_t generation, const double *weight,
                      const uint32_t *id, size_t length);
int tb_is_snapshot(const tb_program_t *program, uint32_t generation);
uint32_t tb_last_needed(const tb_plan_t *plan);
/* The same, or one more where the batch drawn from the last model is asked for. */
uint32_t tb_end(const tb_plan_t *plan);
static inline void tb_count_generations(tb_control_t *control, uint64_t more) {
    __atomic_fetch_add(&control->generations, more, __ATOMIC_RELAXED);
}
/* Beside these: so many survivors, in each of so many generations. */
static inline void tb_count_survivors(tb_control_t *control, uint64_t generations, uint64_t survivors) {
    __atomic_fetch_add(&control->survivors, generations * survivors, __ATOMIC_RELAXED);
}
/* The first of ascending `values` that is at least `least`, as an index. */
size_t tb_find(const uint32_t *values, size_t count, uint32_t least);

/* A lineage with few survivors, ready to run beside others. */
typedef struct {
    tb_cursor_t cursor;
    uint32_t replicate, generation;
    uint32_t length;
    uint32_t *id;
    double *weight;
    size_t bytes;
} tb_few_t;

int tb_run_packs(tb_recorder_t *recorder, tb_few_t *few, size_t count, tb_scratch_t *scratch, tb_control_t *control);
#endif

/* SPDX-License-Identifier: MIT */
/* The state of one lineage that runs by itself: ids, current counts, and the columns its regime carries.
 *
 * Every column is zero from `length` to the end of a whole TB_PAD, so that kernels may read whole rows; and, where
 * categories have places, to its own end, so that one that comes back finds nothing. Kernels write zeros there; only a
 * compaction leaves more, up to a row behind the old length, and clears it. */
#ifndef TB_LINEAGE_H
#define TB_LINEAGE_H
#include "model.h"

/* How often each count occurs. */
typedef struct {
    size_t count, capacity;
    double *value, *often, *worth; /* distinct counts, ascending; categories that have them; what each is taken for */
    double small[TB_SMALL];        /* what the smallest counts are taken for */
    int least;                     /* some categories weigh more than others of the same count: the least is meant */
} tb_spectrum_t;

typedef struct {
    const tb_plan_t *plan;
    tb_recorder_t *recorder;
    tb_scratch_t *scratch;
    tb_cursor_t cursor;
    uint32_t replicate, generation;
    size_t length, base; /* elements in use, and how many there were after the last compaction */
    uint32_t compacted;  /* generation of the last compaction */
    int full;            /* all categories are listed, each at the place of its id */
    uint32_t *id;
    double *weight, total; /* the training set of `generation` */
    double real;           /* human share of its batch, where that is left to a crawl */
    double *batch;         /* what was newly drawn */
    double *next;          /* the training set being composed; the batch itself where nothing older counts */
    double *other;         /* a second batch: human items drawn by tree, or out of the kept set */
    double *pool, pool_total;
    double *kept;
    double **column; /* batches of the last age_count generations, newest first */
    size_t columns;
    uint32_t *place;  /* element of each id, where single items come in or models are shaped */
    tb_model_t model; /* what is sampled, where that is not the counts */
    double *before;   /* the model before, where estimators know it */
    tb_spectrum_t spectrum;
    double even;        /* share of the even law in the model of a rule that was sampled last; -1 before the first */
    int uneven;         /* where all were listed it told many categories of one count apart, and by much */
    uint32_t *stamp;    /* record at which each id was last present, where ids come back */
    size_t bytes, peak; /* held now, lineages that wait included; and the most so far */
} tb_lineage_t;

/* Whether every training set is the newest batch, human items included. */
static inline int tb_trains_on_newest(const tb_program_t *program) {
    return program->age_count == 1 && program->ages[0] == 1;
}

int tb_lineage_init(tb_lineage_t *self, const tb_plan_t *plan, tb_recorder_t *recorder, tb_scratch_t *scratch);
void tb_lineage_free(tb_lineage_t *self);

/* estimate.c: the model's weights from the training set's counts, in its unit: they add up to its total. `keep`: it
 * is the generation's model, which the next estimate knows as the one before; else it is only looked at. */
int tb_estimate(tb_lineage_t *self, int keep);
/* Where all categories are listed: the same by count, in the spectrum and for what was not seen. Of a rule's model what
 * is present is left, too: ids and counts in the scratch. */
int tb_estimate_classes(tb_lineage_t *self);
/* What a count is taken for. */
double tb_worth(const tb_spectrum_t *self, double value);
/* Share of an even spread over all categories, where the model is such a mixture with the counts; else negative. */
double tb_even_share(const tb_lineage_t *self);
/* Items of the training set outside the reference; and their element. */
double tb_wrong(const tb_lineage_t *self);
double *tb_wrong_of(const tb_lineage_t *self, double *column);

/* rule.c: changes the model by a rule compiled elsewhere; or says in the output why not. Only weights that can be drawn
 * are let through. */
int tb_apply_rule(tb_lineage_t *self, int decoding);
/* The model that a rule makes of the training set, whose right items weigh `right`. It is shown nothing absent where
 * all categories are listed. */
int tb_weigh_by_rule(tb_lineage_t *self, double right);
/* Where they are: the model of what is present, in the rule's own unit. Ids and counts are left in the scratch, too:
 * `present`, `beside`. */
int tb_weigh_present(tb_lineage_t *self);
/* Says in the output what failed, and where. */
void tb_tell(const tb_lineage_t *self, int problem, int decoding, double weight);

/* shape.c: the batch of n items drawn from the shaped model. Or no batch: the model is only remembered. */
/* Where a detector judges by band the law comes first, and how much of it is kept. */
int tb_shape(tb_lineage_t *self, uint64_t n, tb_address_t at);
int tb_shape_first(tb_lineage_t *self, double *kept);
int tb_remember(tb_lineage_t *self);
/* The category of item `index` of those that fall evenly to all whose place is not below `listed`. `half`: the upper
 * half of its first word. */
uint32_t tb_place_item(const uint32_t *place, size_t listed, uint32_t categories, tb_address_t at, uint64_t index,
                       uint32_t half);

/* classes.c: the batch of n items drawn from a model that lists all categories, by their counts; whether it was, for
 * few items or large counts it does not pay. */
int tb_draw_classes(tb_lineage_t *self, uint64_t n, tb_address_t at, int *drawn);

/* crawl.c: how many of n items kept are human where a share `kept` of what the model puts out is. */
uint64_t tb_crawl(tb_lineage_t *self, uint64_t n, double kept, tb_address_t at);
/* What a detector that judges by band leaves of a model; returns its share. */
double tb_detect(const tb_plan_t *plan, tb_model_t *model);
/* witness.c: the sums over a shaped model that a record is made of, given that it is right; returns their unit. */
int tb_add_up_shaped(tb_lineage_t *self, tb_sums_t *sums, double *total);
/* The same model and its training set as lists, in that unit. */
void tb_list_shaped(const tb_lineage_t *self, double total, tb_list_t *present, tb_list_t *model);

/* The reference, and the training set of generation 1. */
int tb_lineage_begin(tb_lineage_t *self, size_t row, uint32_t replicate);

/* dense.c: runs lineages from `first` on, whose rows begin at `row`. */
int tb_run_dense(tb_lineage_t *lineage, size_t row, uint32_t first, uint32_t count, tb_control_t *control);

/* regime.c: from the training set of one generation to the next. `stop`: only the batch is wanted. */
int tb_lineage_first(tb_lineage_t *self);
size_t tb_place_of(tb_lineage_t *self, uint32_t id);
/* Adds items of some categories to the batch, at most TB_SOME of them. */
void tb_count_items(tb_lineage_t *self, const uint32_t *id, const double *items, size_t count);
int tb_lineage_step(tb_lineage_t *self, int stop);
/* The training set of the batches of the last generations, each with the weight of its age; the newest joins them. */
void tb_add_ages(const tb_program_t *program, double **column, const double *weight, const double *batch, double *next,
                 size_t length);
/* The size of the training set at index `to`, from that before. */
double tb_training_total(const tb_plan_t *plan, size_t to, double before);
#endif

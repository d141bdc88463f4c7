/* SPDX-License-Identifier: MIT */
/* The state of one lineage that runs by itself: ids, current counts, and the columns its regime carries.
 *
 * Every column is zero from `length` to its end, so that kernels may read whole rows and a category that comes back
 * finds nothing. Kernels write zeros there; only a compaction leaves more, up to a row behind the old length, and
 * clears it. */
#ifndef TB_LINEAGE_H
#define TB_LINEAGE_H
#include "core.h"

typedef struct {
    const tb_plan_t *plan;
    tb_recorder_t *recorder;
    tb_scratch_t *scratch;
    tb_cursor_t cursor;
    uint32_t replicate, generation;
    size_t length, base; /* elements in use, and how many there were after the last compaction */
    uint32_t compacted;  /* generation of the last compaction */
    uint32_t *id;
    double *weight, total; /* the training set of `generation` */
    double *batch;         /* what was newly drawn */
    double *next;          /* the training set being composed; the batch itself where nothing older counts */
    double *other;         /* a second batch: human items drawn by tree, or out of the kept set */
    double *pool, pool_total;
    double *kept;
    double **column; /* batches of the last age_count generations, newest first */
    size_t columns;
    uint32_t *place;    /* element of each id, where single human items come in */
    uint32_t *stamp;    /* record at which each id was last present, where ids come back */
    size_t bytes, peak; /* held now, lineages that wait included; and the most so far */
} tb_lineage_t;

int tb_lineage_init(tb_lineage_t *self, const tb_plan_t *plan, tb_recorder_t *recorder, tb_scratch_t *scratch);
void tb_lineage_free(tb_lineage_t *self);

/* regime.c: from the training set of one generation to the next. `stop`: only the batch is wanted. */
int tb_lineage_first(tb_lineage_t *self);
int tb_lineage_step(tb_lineage_t *self, int stop);
void tb_lineage_compact(tb_lineage_t *self);
#endif

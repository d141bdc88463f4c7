/* SPDX-License-Identifier: MIT */
/* Kernels of the mixture engine, behind a table of functions like those of kernels.h. Items are held in rows of TB_ROW:
 * coordinate j of item i is at ((i / TB_ROW) * dimension + j) * TB_ROW + i % TB_ROW. Sums run over eight virtual lanes,
 * within a chunk of TB_EM_CHUNK rows first, and then over chunks in their order, at every width. */
#ifndef TB_EM_KERNELS_H
#define TB_EM_KERNELS_H
#include "kernels.h"

enum {
    TB_EM_CHUNK = 32,                          /* rows. Part of the stream, as the order of sums is */
    TB_EM_COLUMN = (TB_EM_CHUNK + 1) * TB_ROW, /* room for one: not a power of two, so that columns do not share sets */
    TB_EM_DIMENSIONS = 32,
    TB_EM_COMPONENTS = 64,
};

/* How a covariance, or its factor, is held: 1, d or d (d + 1) / 2 numbers. */
enum tb_em_form { TB_EM_ROUND, TB_EM_AXES, TB_EM_TRIANGLE };

/* Components as the expectation step sees them. log2 of weight times density is
 * level - |scale (x - mean)|^2: the scale is the inverse of the factor, times sqrt(log2(e) / 2). */
typedef struct {
    size_t dimension, components;
    enum tb_em_form form;
    const double *mean;  /* components x dimension */
    const double *scale; /* components x form; the round form's is squared */
    const double *level;
} tb_em_terms_t;

static inline size_t tb_em_form_length(enum tb_em_form form, size_t d) {
    return form == TB_EM_ROUND ? 1 : form == TB_EM_AXES ? d : d * (d + 1) / 2;
}

/* Rows of lanes that are summed for each component: the responsibilities r, r z and r times the form of z z', z = x -
 * mean: |z|^2, the squares, or the triangle. */
static inline size_t tb_em_stride(enum tb_em_form form, size_t d) { return 1 + d + tb_em_form_length(form, d); }

/* Columns in which coordinates are worked on, four at a time. */
static inline size_t tb_em_columns(size_t d) { return (d + 3) / 4 * 4; }

/* Rows of lanes that a kernel needs for itself. */
static inline size_t tb_em_room(size_t components, size_t d) {
    return (TB_EM_CHUNK + 1) * (components + 1 + 2 * tb_em_columns(d));
}

/* Items named by their address: eight at a time, each in a part of its own. */
typedef struct {
    uint64_t generation[TB_ROW], purpose[TB_ROW], slot[TB_ROW];
    uint64_t second[TB_ROW]; /* all bits set where the slots' second words are meant, else 0 */
} tb_em_items_t;

struct tb_em_kernels {
    /* One pass of expectations: adds `weight` times the sums of `rows` rows to `sums` (components x stride rows of
     * lanes, then one of log-likelihoods). `items`, unless NULL, are weights of the single items. */
    void (*expect)(const tb_em_terms_t *terms, const double *x, size_t rows, const double *items, double weight,
                   double *sums, double *room);
    /* Squared distance of each item to the nearest of `count` points. */
    void (*nearest)(const double *x, size_t rows, size_t d, const double *points, size_t count, double *out);
    /* Normals to items of one component: x <- mean + factor x. */
    void (*shape)(double *x, size_t rows, size_t d, enum tb_em_form form, const double *mean, const double *factor);
    /* The `d` normals of each of eight items: out[j][lane] is what a dense fill of the item's part has at its place. */
    void (*fetch)(const tb_em_items_t *items, uint64_t key, uint32_t replicate, size_t d, double *out);
};
typedef struct tb_em_kernels tb_em_kernels_t;
#endif

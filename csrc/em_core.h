/* SPDX-License-Identifier: MIT */
/* What the files of the mixture engine share. */
#ifndef TB_EM_CORE_H
#define TB_EM_CORE_H
#include "em.h"

struct tb_em {
    tb_em_settings_t settings;
    enum tb_em_form form;
    const tb_em_kernels_t *kernels;
    size_t alive[TB_EM_COMPONENTS]; /* components that have a weight */
    double level[TB_EM_COMPONENTS], *mean, *scale;
    double *sums, *room;
    double *piece;      /* items that were made for this pass only */
    double *distance;   /* of each of these to the nearest seed */
    double *last_items; /* weights in a row that is not full */
    double *pooled;     /* second moments of all components, where covariances are tied */
    double *totals;     /* sums over lanes for one component */
};

/* The first element of row i of a packed triangle. */
static inline size_t tb_corner(size_t i) { return i * (i + 1) / 2; }

enum tb_em_form tb_em_form(const tb_em_settings_t *settings);
double tb_em_row_sum(const double *lanes);
/* Items of all parts, by weight. */
double tb_em_total(const tb_em_part_t *parts, size_t count);
/* Rows of a part, made if need be. */
const double *tb_em_rows(tb_em_t *self, const tb_em_part_t *part, uint64_t row, size_t rows);
const double *tb_em_last_items(tb_em_t *self, const tb_em_part_t *part);
/* Sums of expectations into self->sums. */
int tb_em_expect(tb_em_t *self, const tb_em_terms_t *terms, const tb_em_part_t *parts, size_t count,
                 const tb_control_t *control);
/* The law that maximises the expected likelihood; `count` components were alive. Returns how many still are. */
size_t tb_em_maximise(tb_em_t *self, size_t count, double total, tb_em_law_t *law);
/* In place, the lower Cholesky factor of a matrix to whose diagonal the floor was added. */
void tb_em_factorise(double *a, size_t d, double floor);
#endif

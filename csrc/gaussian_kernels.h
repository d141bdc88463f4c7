/* SPDX-License-Identifier: MIT */
/* Kernels of the Gaussian engine, behind a table of functions like those of kernels.h. Arrays hold rows of TB_ROW
 * elements, one lane a lineage; packed lower triangles run row by row, element (i, j) at row i (i + 1) / 2 + j. Sums
 * run in the order of their index at every width. */
#ifndef TB_GAUSSIAN_KERNELS_H
#define TB_GAUSSIAN_KERNELS_H
#include "kernels.h"

/* What attempts at a chi variate of so many degrees of freedom need: shape = freedom/2 - 1/3, slope = 1/(3
 * sqrt(shape)), root = sqrt(2 shape), or 0 for one degree. */
typedef struct {
    double shape, slope, root;
} tb_chi_t;

struct tb_gaussian_kernels {
    /* Element i of every lane: the normal at word i mod 2 of slot + i div 2. */
    void (*fill_lane_normals)(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, uint32_t slot, size_t count,
                              double *out);
    /* Element i of every lane: the chi variate of law[i] at slot + i. */
    void (*fill_lane_chis)(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, uint32_t slot, const tb_chi_t *law,
                           size_t count, double *out);
    /* The same where each lane has a slot of its own. */
    void (*fill_item_normals)(const tb_lanes_t *lanes, uint64_t key, uint32_t purpose, const uint64_t *slot,
                              size_t count, double *out);
    /* The same normals for one address; `out` has room for a multiple of 2 * TB_ROW. */
    void (*fill_exact_normals)(const tb_address_t *at, uint32_t slot, size_t count, double *out);
    /* The same normal for one word. */
    double (*normal_of)(uint64_t word);
    /* The words of `calls` slots, two each, and the normals at the second of them; `word` has room for 16 calls more,
     * `normal` for 16 numbers. */
    void (*fill_first)(const tb_address_t *at, uint32_t slot, size_t calls, uint64_t *word, double *normal);
    /* factor (d rows, `rank` columns) <- factor A scale, A lower triangular (`rank` rows, `columns` columns) with
     * `diagonal` and, row by row, what is `below` it. Returns whether a diagonal element of any lane has left
     * 2^-TB_RANGE..2^TB_RANGE. */
    int (*multiply)(double *factor, size_t d, size_t rank, size_t columns, const double *below, const double *diagonal,
                    double scale);
    /* out_i = sum over j < rank of factor_ij z_j. */
    void (*shift)(const double *factor, size_t d, size_t rank, const double *z, double *out);
    /* factor <- the lower triangle L (`rank` columns, no negative diagonal) with L L' = factor factor' + more more'.
     * Row i of `more` has `full` elements, and where `columns` is not 0 i + 1 more: full columns, then a lower triangle
     * of `columns` columns. Elements of `factor` in columns < rank are all read. `more` is overwritten; `work` has room
     * for full + d rows. */
    void (*absorb)(double *factor, size_t d, size_t rank, double *more, size_t full, size_t columns, double *work);
    /* Turns columns (each `rows` elements) until they are orthogonal in every lane, and `also` (columns of `also_rows`)
     * with them. A lane that is done is left as it is. */
    void (*orthogonalise)(double *x, size_t rows, size_t columns, double *also, size_t also_rows);
};
typedef struct tb_gaussian_kernels tb_gaussian_kernels_t;

enum { TB_RANGE = 256 };
#endif

/* SPDX-License-Identifier: MIT */
/* Linear algebra for eight lineages side by side: each lane does what it would do alone. */
#ifndef TB_KERNEL_GAUSSIAN_H
#define TB_KERNEL_GAUSSIAN_H
#include "kernel_normal.h"

SIMD vd at_row(const double *x, size_t row) { return d_load(x + row * TB_ROW); }

static inline size_t corner(size_t i) { return i * (i + 1) / 2; }
static inline size_t strict(size_t i) { return i * (i - 1) / 2; } /* row i of what is below the diagonal */

/* Element (i, j) of the product, by itself. `from` is row i of the factor. */
SIMD vd product_element(const double *from, size_t last, size_t j, const double *below, const double *diagonal) {
    vd sum = at_row(from, j) * at_row(diagonal, j);
    for (size_t k = j + 1; k <= last; k++) sum = sum + at_row(from, k) * at_row(below, strict(k) + j);
    return sum;
}

/* Rows i..i+3 and columns j, j+1 of the product, j + 1 <= i: each element of the left is used for two, each of the
 * right for four. */
SIMD void product_tile(double *factor, size_t i, size_t rank, size_t j, const double *below, const double *diagonal,
                       vd scale) {
    double *row[4];
    vd sum[4][2];
    const size_t common = i < rank ? i : rank - 1;
    vd a = at_row(diagonal, j), b = at_row(below, strict(j + 1) + j), c = at_row(diagonal, j + 1);
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        row[r] = factor + corner(i + r) * TB_ROW;
        sum[r][0] = at_row(row[r], j) * a + at_row(row[r], j + 1) * b;
        sum[r][1] = at_row(row[r], j + 1) * c;
    }
    for (size_t k = j + 2; k <= common; k++) {
        const double *right = below + (strict(k) + j) * TB_ROW;
        a = at_row(right, 0);
        b = at_row(right, 1);
#pragma GCC unroll 4
        for (size_t r = 0; r < 4; r++) {
            vd x = at_row(row[r], k);
            sum[r][0] = sum[r][0] + x * a;
            sum[r][1] = sum[r][1] + x * b;
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        for (size_t k = common + 1; k <= i + r && k < rank; k++) {
            const double *right = below + (strict(k) + j) * TB_ROW;
            vd x = at_row(row[r], k);
            sum[r][0] = sum[r][0] + x * at_row(right, 0);
            sum[r][1] = sum[r][1] + x * at_row(right, 1);
        }
        d_store(row[r] + j * TB_ROW, sum[r][0] * scale);
        d_store(row[r] + (j + 1) * TB_ROW, sum[r][1] * scale);
    }
}

/* One lane group; elements of a row are replaced from left to right, each after its last use. */
SIMD unsigned multiply_lanes(double *factor, size_t d, size_t rank, size_t columns, const double *below,
                             const double *diagonal, vd scale) {
    const vd least = d_set(0x1p-256), most = d_set(0x1p256);
    unsigned out = 0;
    for (size_t i = 0; i < d;) {
        const size_t rows = i > 0 && d - i >= 4 ? 4 : 1;
        size_t j = 0;
        for (; rows == 4 && j + 1 <= i && j + 2 <= columns; j += 2) {
            product_tile(factor, i, rank, j, below, diagonal, scale);
        }
        for (size_t r = i; r < i + rows; r++) {
            double *row = factor + corner(r) * TB_ROW;
            const size_t last = r < rank ? r : rank - 1;
            for (size_t k = j; k <= r && k < columns; k++) {
                vd value = product_element(row, last, k, below, diagonal) * scale;
                d_store(row + k * TB_ROW, value);
                if (k == r) out |= m_bits(m_or(d_lt(value, least), d_lt(most, value)));
            }
        }
        i += rows;
    }
    return out;
}

KERNEL int multiply(double *factor, size_t d, size_t rank, size_t columns, const double *below, const double *diagonal,
                    double scale) {
    unsigned out = 0;
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        out |= multiply_lanes(factor + v, d, rank, columns, below + v, diagonal + v, d_set(scale));
    }
    return out != 0;
}

KERNEL void shift(const double *factor, size_t d, size_t rank, const double *z, double *out) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        for (size_t i = 0; i < d; i++) {
            const double *row = factor + corner(i) * TB_ROW + v;
            vd sum = d_set(0.0);
            for (size_t j = 0; j <= i && j < rank; j++) sum = sum + at_row(row, j) * at_row(z + v, j);
            d_store(out + i * TB_ROW + v, sum);
        }
    }
}

/* The reflection of row j that takes what `more` has there into the pivot: with u = work, what follows in a row changes
 * by t (1, u), t = gain (pivot's column + u . more). Returns the gain, 0 where there is nothing to take. */
SIMD vd reflection(double *pivot, const double *more, size_t count, double *work) {
    vd sigma = d_set(0.0), alpha = d_load(pivot);
    for (size_t c = 0; c < count; c++) sigma = sigma + at_row(more, c) * at_row(more, c);
    vm live = d_lt(d_set(0x1p-900), sigma);
    vd length = d_sqrt(alpha * alpha + sigma);
    vd both = alpha + length, inverse = d_sel(live, both / sigma, d_set(0.0));
    for (size_t c = 0; c < count; c++) d_store(work + c * TB_ROW, d_set(0.0) - at_row(more, c) * inverse);
    d_store(pivot, d_sel(live, length, alpha));
    return d_sel(live, sigma / (length * both), d_set(0.0));
}

SIMD void reflect(double *pivot, double *more, size_t count, const double *work, vd gain) {
    vd x = d_load(pivot), t = x;
    for (size_t c = 0; c < count; c++) t = t + at_row(work, c) * at_row(more, c);
    t = t * gain;
    d_store(pivot, x - t);
    for (size_t c = 0; c < count; c++) d_store(more + c * TB_ROW, at_row(more, c) - t * at_row(work, c));
}

KERNEL void absorb(double *factor, size_t d, size_t rank, double *more, size_t full, size_t columns, double *work) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        for (size_t j = 0; j < rank; j++) {
            const size_t count = full + (j + 1 < columns ? j + 1 : columns);
            double *row = more + (full * j + (columns ? corner(j) : 0)) * TB_ROW + v;
            vd gain = reflection(factor + (corner(j) + j) * TB_ROW + v, row, count, work + v);
            for (size_t i = j + 1; i < d; i++) {
                row = more + (full * i + (columns ? corner(i) : 0)) * TB_ROW + v;
                reflect(factor + (corner(i) + j) * TB_ROW + v, row, count, work + v, gain);
            }
        }
    }
}

/* Turns two columns until they are orthogonal; where they are, nothing changes. */
SIMD unsigned turn(double *p, double *q, size_t rows, double *also_p, double *also_q, size_t also_rows) {
    vd a = d_set(0.0), b = d_set(0.0), g = d_set(0.0);
    const vd zero = d_set(0.0), one = d_set(1.0);
    for (size_t i = 0; i < rows; i++) {
        vd x = at_row(p, i), y = at_row(q, i);
        a = a + x * x;
        b = b + y * y;
        g = g + x * y;
    }
    vm open = d_lt(d_set(0x1p-47) * (d_sqrt(a) * d_sqrt(b)), d_abs(g));
    if (!m_bits(open)) return 0;
    vd zeta = (b - a) / d_sel(open, g + g, one);
    vd t = one / (d_abs(zeta) + d_sqrt(one + zeta * zeta));
    t = d_sel(open, d_sel(d_lt(zeta, zero), zero - t, t), zero);
    vd c = one / d_sqrt(one + t * t), s = c * t;
    for (size_t i = 0; i < rows; i++) {
        vd x = at_row(p, i), y = at_row(q, i);
        d_store(p + i * TB_ROW, c * x - s * y);
        d_store(q + i * TB_ROW, s * x + c * y);
    }
    for (size_t i = 0; i < also_rows; i++) {
        vd x = at_row(also_p, i), y = at_row(also_q, i);
        d_store(also_p + i * TB_ROW, c * x - s * y);
        d_store(also_q + i * TB_ROW, s * x + c * y);
    }
    return m_bits(open);
}

/* One-sided Jacobi (Hestenes 1958), cyclic by rows. Forty sweeps are several times what any matrix takes. */
KERNEL void orthogonalise(double *x, size_t rows, size_t columns, double *also, size_t also_rows) {
    const size_t step = rows * TB_ROW, also_step = also_rows * TB_ROW;
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        unsigned open = 1;
        for (int sweep = 0; open && sweep < 40; sweep++) {
            open = 0;
            for (size_t p = 0; p + 1 < columns; p++) {
                for (size_t q = p + 1; q < columns; q++) {
                    open |= turn(x + p * step + v, x + q * step + v, rows, also + p * also_step + v,
                                 also + q * also_step + v, also_rows);
                }
            }
        }
    }
}

static const tb_gaussian_kernels_t GAUSSIAN_TABLE = {
    .fill_lane_normals = fill_lane_normals,
    .fill_lane_chis = fill_lane_chis,
    .fill_item_normals = fill_item_normals,
    .fill_exact_normals = fill_exact_normals,
    .normal_of = normal_of,
    .fill_first = fill_first,
    .multiply = multiply,
    .shift = shift,
    .absorb = absorb,
    .orthogonalise = orthogonalise,
};
#endif

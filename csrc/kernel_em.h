/* SPDX-License-Identifier: MIT */
/* Expectation steps of mixtures of normal laws, eight items to a row, and what draws their items. */
#ifndef TB_KERNEL_EM_H
#define TB_KERNEL_EM_H
#include "em_kernels.h"
#include "kernel_normal.h"

/* Coefficients from tools/make_coefficients.py: (2^f - 1) / f on [-1/16, 1/16], relative error 4.2e-14 */
static const double EXP2_RATIO[6] = {0.6931471805599737,   0.24022650695910933,   0.05550410853390101,
                                     0.009618129089983269, 0.0013334451888478694, 0.00015404433820020416};
/* The bits of 2^(j/8), less j 2^49. */
static const uint64_t EXP2_EIGHTHS[8] = {0x3ff0000000000000, 0x3fef72b83c7d517b, 0x3fef06fe0a31b715,
                                         0x3feebfdad5362a27, 0x3feea09e667f3bcd, 0x3feeace5422aa0db,
                                         0x3feee89f995ad3ad, 0x3fef5818dcfba487};

/* 2^t for t in [-900, 0]: relative error below 2e-15, and 2^0 is 1. The sum with the large number has eighths in its
 * last bits: what is in them is a place of the table, and, with what is above, moved up, the exponent. */
SIMD vd em_exp2(vd t) {
    const double *c = EXP2_RATIO;
    const vd magic = d_set(0x1.8p49);
    const vd shifted = t + magic;
    const vd f = t - (shifted - magic), f2 = f * f;
    const vd high = d_set(c[4]) + d_set(c[5]) * f, middle = d_set(c[2]) + d_set(c[3]) * f;
    const vd ratio = (d_set(c[0]) + d_set(c[1]) * f) + (middle + high * f2) * f2;
    const vd power = d_of_bits(u_add(u_lookup8(EXP2_EIGHTHS, d_bits(shifted)), u_shl(d_bits(shifted), 49)));
    return power + (power * f) * ratio;
}

/* Registers that are worked on together, so that operations which wait for each other come from more than one. */
enum { EM_WIDTH = LANES == 8 || LANES == 1 ? 1 : 2 };
#define EM_ALL(w) _Pragma("GCC unroll 2") for (size_t w = 0; w < EM_WIDTH; w++)

/* --- Levels: log2 of weight times density, component after component --- */

/* For a dimension known when this is compiled. */
SIMD void em_levels_small(const tb_em_terms_t *q, const double *x, size_t rows, size_t d, enum tb_em_form form,
                          double *t) {
    for (size_t k = 0; k < q->components; k++) {
        const double *mean = q->mean + k * d, *scale = q->scale + k * tb_em_form_length(form, d);
        const vd level = d_set(q->level[k]);
        double *to = t + k * TB_EM_COLUMN;
        for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 8
            for (size_t v = 0; v < TB_ROW; v += LANES) {
                vd z[4], sum = d_set(0.0);
#pragma GCC unroll 4
                for (size_t j = 0; j < d; j++) {
                    z[j] = d_load(x + (r * d + j) * TB_ROW + v) - d_set(mean[j]);
                    vd y = z[j];
                    if (form == TB_EM_AXES) y = y * d_set(scale[j]);
                    if (form == TB_EM_TRIANGLE) {
                        y = z[0] * d_set(scale[j * (j + 1) / 2]);
#pragma GCC unroll 4
                        for (size_t i = 1; i <= j; i++) y = y + z[i] * d_set(scale[j * (j + 1) / 2 + i]);
                    }
                    sum = j ? sum + y * y : y * y;
                }
                if (form == TB_EM_ROUND) sum = sum * d_set(scale[0]);
                d_store(to + r * TB_ROW + v, level - sum);
            }
        }
    }
}

/* Four rows share each coefficient. */
enum { EM_TOGETHER = 4 };

SIMD void em_triangle_rows(const double *z, size_t d, const double *scale, vd level, double *to) {
    vd sum[EM_TOGETHER];
#pragma GCC unroll 4
    for (size_t r = 0; r < EM_TOGETHER; r++) sum[r] = d_set(0.0);
    for (size_t j = 0; j < d; j++) {
        const double *row = scale + j * (j + 1) / 2;
        vd y[EM_TOGETHER];
#pragma GCC unroll 4
        for (size_t r = 0; r < EM_TOGETHER; r++) y[r] = d_load(z + r * TB_ROW) * d_set(row[0]);
        for (size_t i = 1; i <= j; i++) {
            const vd c = d_set(row[i]);
#pragma GCC unroll 4
            for (size_t r = 0; r < EM_TOGETHER; r++) {
                y[r] = y[r] + d_load(z + i * TB_EM_COLUMN + r * TB_ROW) * c;
            }
        }
#pragma GCC unroll 4
        for (size_t r = 0; r < EM_TOGETHER; r++) sum[r] = sum[r] + y[r] * y[r];
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < EM_TOGETHER; r++) d_store(to + r * TB_ROW, level - sum[r]);
}

/* z[j][row] = x - mean. */
SIMD void em_centre(const double *x, size_t rows, size_t d, const double *mean, double *z) {
    for (size_t j = 0; j < d; j++) {
        const vd m = d_set(mean[j]);
        for (size_t r = 0; r < rows; r++) {
            for (size_t v = 0; v < TB_ROW; v += LANES) {
                d_store(z + j * TB_EM_COLUMN + r * TB_ROW + v, d_load(x + (r * d + j) * TB_ROW + v) - m);
            }
        }
    }
}

KERNEL void em_levels_triangle(const tb_em_terms_t *q, const double *x, size_t rows, double *t, double *z) {
    const size_t d = q->dimension, whole = (rows + EM_TOGETHER - 1) / EM_TOGETHER * EM_TOGETHER;
    for (size_t k = 0; k < q->components; k++) {
        const double *scale = q->scale + k * d * (d + 1) / 2;
        double *to = t + k * TB_EM_COLUMN;
        em_centre(x, rows, d, q->mean + k * d, z);
        for (size_t r = 0; r < whole; r += EM_TOGETHER) {
            for (size_t v = 0; v < TB_ROW; v += LANES) {
                em_triangle_rows(z + r * TB_ROW + v, d, scale, d_set(q->level[k]), to + r * TB_ROW + v);
            }
        }
    }
}

KERNEL void em_levels_axes(const tb_em_terms_t *q, const double *x, size_t rows, double *t) {
    const size_t d = q->dimension;
    const int round = q->form == TB_EM_ROUND;
    for (size_t k = 0; k < q->components; k++) {
        const double *mean = q->mean + k * d, *scale = q->scale + k * (round ? 1 : d);
        double *to = t + k * TB_EM_COLUMN;
        for (size_t r = 0; r < rows; r++) {
            for (size_t v = 0; v < TB_ROW; v += LANES) {
                vd sum = d_set(0.0);
                for (size_t j = 0; j < d; j++) {
                    vd z = d_load(x + (r * d + j) * TB_ROW + v) - d_set(mean[j]);
                    if (!round) z = z * d_set(scale[j]);
                    sum = sum + z * z;
                }
                if (round) sum = sum * d_set(scale[0]);
                d_store(to + r * TB_ROW + v, d_set(q->level[k]) - sum);
            }
        }
    }
}

/* --- Shares: levels become 2^(level - largest), and `inverse` one over their sum --- */

/* The largest term is 1, so a product over a chunk stays below 64^32, and a chunk needs one logarithm. The bounds hold
 * where numbers run out: a largest level of -infinity. */
KERNEL void em_shares(double *t, size_t components, size_t rows, const double *items, double *inverse, double weight,
                      double *log_likelihood) {
    const vd log_2 = d_set(0x1.62e42fefa39efp-1), least = d_set(-900.0);
    for (size_t v = 0; v < TB_ROW; v += EM_WIDTH * LANES) {
        vd levels[EM_WIDTH], product[EM_WIDTH], logs[EM_WIDTH];
        EM_ALL(w) {
            levels[w] = logs[w] = d_set(0.0);
            product[w] = d_set(1.0);
        }
        for (size_t r = 0; r < rows; r++) {
            double *at = t + r * TB_ROW + v;
            vd most[EM_WIDTH], sum[EM_WIDTH];
            EM_ALL(w) {
                most[w] = d_set(-1e300);
                sum[w] = d_set(0.0);
            }
            for (size_t k = 0; k < components; k++) {
                EM_ALL(w) most[w] = d_max(d_load(at + k * TB_EM_COLUMN + w * LANES), most[w]);
            }
            for (size_t k = 0; k < components; k++) {
                double *term = at + k * TB_EM_COLUMN;
                EM_ALL(w) {
                    const vd e = em_exp2(d_max(d_load(term + w * LANES) - most[w], least));
                    d_store(term + w * LANES, e);
                    sum[w] = sum[w] + e;
                }
            }
            EM_ALL(w) {
                const vd bounded = d_max(sum[w], d_set(1.0));
                double *to = inverse + r * TB_ROW + v + w * LANES;
                if (items) {
                    const vd own = d_load(items + r * TB_ROW + v + w * LANES);
                    levels[w] = levels[w] + most[w] * own;
                    logs[w] = logs[w] + d_log(bounded) * own;
                    d_store(to, own / sum[w]);
                } else {
                    levels[w] = levels[w] + most[w];
                    product[w] = product[w] * bounded;
                    d_store(to, d_set(1.0) / sum[w]);
                }
            }
        }
        EM_ALL(w) {
            double *to = log_likelihood + v + w * LANES;
            if (!items) logs[w] = d_log(product[w]);
            d_store(to, d_load(to) + d_set(weight) * (levels[w] * log_2 + logs[w]));
        }
    }
}

/* --- Sums --- */

SIMD void em_add(double *sum, vd weight, vd part) { d_store(sum, d_load(sum) + weight * part); }

SIMD void em_sums_small(const tb_em_terms_t *q, const double *x, size_t rows, size_t d, enum tb_em_form form,
                        const double *t, const double *inverse, vd weight, double *sums) {
    const size_t length = tb_em_form_length(form, d);
    for (size_t k = 0; k < q->components; k++) {
        const double *mean = q->mean + k * d, *terms = t + k * TB_EM_COLUMN;
        double *to = sums + k * tb_em_stride(form, d) * TB_ROW;
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            vd n = d_set(0.0), first[4], second[10];
#pragma GCC unroll 4
            for (size_t j = 0; j < d; j++) first[j] = d_set(0.0);
#pragma GCC unroll 10
            for (size_t j = 0; j < length; j++) second[j] = d_set(0.0);
            for (size_t r = 0; r < rows; r++) {
                const vd share = d_load(terms + r * TB_ROW + v) * d_load(inverse + r * TB_ROW + v);
                vd z[4], own[4];
                n = n + share;
#pragma GCC unroll 4
                for (size_t j = 0; j < d; j++) {
                    z[j] = d_load(x + (r * d + j) * TB_ROW + v) - d_set(mean[j]);
                    own[j] = share * z[j];
                    first[j] = first[j] + own[j];
                    if (form == TB_EM_ROUND) second[0] = second[0] + own[j] * z[j];
                    if (form == TB_EM_AXES) second[j] = second[j] + own[j] * z[j];
                    if (form == TB_EM_TRIANGLE) {
#pragma GCC unroll 4
                        for (size_t i = 0; i <= j; i++) {
                            second[j * (j + 1) / 2 + i] = second[j * (j + 1) / 2 + i] + own[j] * z[i];
                        }
                    }
                }
            }
            em_add(to + v, weight, n);
#pragma GCC unroll 4
            for (size_t j = 0; j < d; j++) em_add(to + (1 + j) * TB_ROW + v, weight, first[j]);
#pragma GCC unroll 10
            for (size_t j = 0; j < length; j++) em_add(to + (1 + d + j) * TB_ROW + v, weight, second[j]);
        }
    }
}

/* One coordinate of a component: returns the sum of share z^2. */
SIMD vd em_sum_axis(const double *x, size_t rows, size_t d, const double *share, vd mean, vd *first) {
    vd second = d_set(0.0);
    *first = d_set(0.0);
    for (size_t r = 0; r < rows; r++) {
        const vd z = d_load(x + r * d * TB_ROW) - mean, own = d_load(share + r * TB_ROW) * z;
        *first = *first + own;
        second = second + own * z;
    }
    return second;
}

SIMD vd em_finish_shares(double *share, size_t rows, const double *inverse) {
    vd n = d_set(0.0);
    for (size_t r = 0; r < rows; r++) {
        const vd s = d_load(share + r * TB_ROW) * d_load(inverse + r * TB_ROW);
        d_store(share + r * TB_ROW, s);
        n = n + s;
    }
    return n;
}

KERNEL void em_sums_axes(const tb_em_terms_t *q, const double *x, size_t rows, double *t, const double *inverse,
                         double weight, double *sums) {
    const size_t d = q->dimension, stride = tb_em_stride(q->form, d);
    const vd w = d_set(weight);
    for (size_t k = 0; k < q->components; k++) {
        double *to = sums + k * stride * TB_ROW, *share = t + k * TB_EM_COLUMN;
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            vd squares = d_set(0.0);
            em_add(to + v, w, em_finish_shares(share + v, rows, inverse + v));
            for (size_t j = 0; j < d; j++) {
                vd first,
                    second = em_sum_axis(x + j * TB_ROW + v, rows, d, share + v, d_set(q->mean[k * d + j]), &first);
                em_add(to + (1 + j) * TB_ROW + v, w, first);
                squares = squares + second;
                if (q->form == TB_EM_AXES) em_add(to + (1 + d + j) * TB_ROW + v, w, second);
            }
            if (q->form == TB_EM_ROUND) em_add(to + (1 + d) * TB_ROW + v, w, squares);
        }
    }
}

/* A tile of four by two elements of the triangle: own[i] z[j] summed over rows, those with j <= i added to `to`. */
SIMD void em_tile(const double *own, const double *z, size_t rows, size_t i0, size_t j0, size_t d, vd weight,
                  double *to) {
    vd sum[4][2];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) sum[i][0] = sum[i][1] = d_set(0.0);
    for (size_t r = 0; r < rows; r++) {
        const vd a = d_load(z + j0 * TB_EM_COLUMN + r * TB_ROW), b = d_load(z + (j0 + 1) * TB_EM_COLUMN + r * TB_ROW);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            const vd o = d_load(own + (i0 + i) * TB_EM_COLUMN + r * TB_ROW);
            sum[i][0] = sum[i][0] + o * a;
            sum[i][1] = sum[i][1] + o * b;
        }
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
#pragma GCC unroll 2
        for (size_t j = 0; j < 2; j++) {
            const size_t row = i0 + i, at = j0 + j;
            if (row < d && at <= row) em_add(to + (row * (row + 1) / 2 + at) * TB_ROW, weight, sum[i][j]);
        }
    }
}

/* `z` and `own` have room for d columns, up to a multiple of four. */
KERNEL void em_sums_triangle(const tb_em_terms_t *q, const double *x, size_t rows, double *t, const double *inverse,
                             double weight, double *sums, double *z, double *own) {
    const size_t d = q->dimension, stride = tb_em_stride(q->form, d);
    const vd w = d_set(weight);
    for (size_t k = 0; k < q->components; k++) {
        double *to = sums + k * stride * TB_ROW, *share = t + k * TB_EM_COLUMN;
        em_centre(x, rows, d, q->mean + k * d, z);
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            em_add(to + v, w, em_finish_shares(share + v, rows, inverse + v));
            for (size_t j = 0; j < d; j++) {
                vd first = d_set(0.0);
                for (size_t r = 0; r < rows; r++) {
                    const size_t at = j * TB_EM_COLUMN + r * TB_ROW + v;
                    const vd y = d_load(share + r * TB_ROW + v) * d_load(z + at);
                    d_store(own + at, y);
                    first = first + y;
                }
                em_add(to + (1 + j) * TB_ROW + v, w, first);
            }
            for (size_t i = 0; i < d; i += 4) {
                for (size_t j = 0; j < i + 4 && j < d; j += 2) {
                    em_tile(own + v, z + v, rows, i, j, d, w, to + (1 + d) * TB_ROW + v);
                }
            }
        }
    }
}

/* --- One pass --- */

SIMD void em_pass_small(const tb_em_terms_t *q, const double *x, size_t rows, const double *items, double weight,
                        double *sums, double *room, size_t d, enum tb_em_form form) {
    double *inverse = room + q->components * TB_EM_COLUMN;
    double *log_likelihood = sums + q->components * tb_em_stride(form, d) * TB_ROW;
    for (size_t first = 0; first < rows; first += TB_EM_CHUNK) {
        const size_t some = rows - first < TB_EM_CHUNK ? rows - first : TB_EM_CHUNK;
        const double *from = x + first * d * TB_ROW;
        em_levels_small(q, from, some, d, form, room);
        em_shares(room, q->components, some, items ? items + first * TB_ROW : NULL, inverse, weight, log_likelihood);
        em_sums_small(q, from, some, d, form, room, inverse, d_set(weight), sums);
    }
}

KERNEL void em_pass_any(const tb_em_terms_t *q, const double *x, size_t rows, const double *items, double weight,
                        double *sums, double *room) {
    const size_t d = q->dimension;
    double *inverse = room + q->components * TB_EM_COLUMN, *z = inverse + TB_EM_COLUMN;
    double *own = z + tb_em_columns(d) * TB_EM_COLUMN;
    double *log_likelihood = sums + q->components * tb_em_stride(q->form, d) * TB_ROW;
    for (size_t first = 0; first < rows; first += TB_EM_CHUNK) {
        const size_t some = rows - first < TB_EM_CHUNK ? rows - first : TB_EM_CHUNK;
        const double *from = x + first * d * TB_ROW;
        const int triangle = q->form == TB_EM_TRIANGLE;
        if (triangle) em_levels_triangle(q, from, some, room, z);
        if (!triangle) em_levels_axes(q, from, some, room);
        em_shares(room, q->components, some, items ? items + first * TB_ROW : NULL, inverse, weight, log_likelihood);
        if (triangle) em_sums_triangle(q, from, some, room, inverse, weight, sums, z, own);
        if (!triangle) em_sums_axes(q, from, some, room, inverse, weight, sums);
    }
}

#define EM_PASS(name, d, form)                                                                                         \
    KERNEL void name(const tb_em_terms_t *q, const double *x, size_t rows, const double *items, double weight,         \
                     double *sums, double *room) {                                                                     \
        em_pass_small(q, x, rows, items, weight, sums, room, d, form);                                                 \
    }
EM_PASS(em_pass_1, 1, TB_EM_ROUND)
EM_PASS(em_pass_round_2, 2, TB_EM_ROUND)
EM_PASS(em_pass_axes_2, 2, TB_EM_AXES)
EM_PASS(em_pass_triangle_2, 2, TB_EM_TRIANGLE)
EM_PASS(em_pass_triangle_3, 3, TB_EM_TRIANGLE)
EM_PASS(em_pass_triangle_4, 4, TB_EM_TRIANGLE)

KERNEL void em_expect(const tb_em_terms_t *q, const double *x, size_t rows, const double *items, double weight,
                      double *sums, double *room) {
    const size_t d = q->dimension;
    if (d == 1 && q->form == TB_EM_ROUND) {
        em_pass_1(q, x, rows, items, weight, sums, room);
    } else if (d == 2 && q->form == TB_EM_ROUND) {
        em_pass_round_2(q, x, rows, items, weight, sums, room);
    } else if (d == 2 && q->form == TB_EM_AXES) {
        em_pass_axes_2(q, x, rows, items, weight, sums, room);
    } else if (d == 2) {
        em_pass_triangle_2(q, x, rows, items, weight, sums, room);
    } else if (d == 3 && q->form == TB_EM_TRIANGLE) {
        em_pass_triangle_3(q, x, rows, items, weight, sums, room);
    } else if (d == 4 && q->form == TB_EM_TRIANGLE) {
        em_pass_triangle_4(q, x, rows, items, weight, sums, room);
    } else {
        em_pass_any(q, x, rows, items, weight, sums, room);
    }
}

/* --- Items --- */

KERNEL void em_nearest(const double *x, size_t rows, size_t d, const double *points, size_t count, double *out) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            vd least = d_set(1e300);
            for (size_t k = 0; k < count; k++) {
                vd sum = d_set(0.0);
                for (size_t j = 0; j < d; j++) {
                    const vd z = d_load(x + (r * d + j) * TB_ROW + v) - d_set(points[k * d + j]);
                    sum = sum + z * z;
                }
                least = d_min(sum, least);
            }
            d_store(out + r * TB_ROW + v, least);
        }
    }
}

/* From the last coordinate to the first, in place: coordinate j needs those before it only. */
KERNEL void em_shape(double *x, size_t rows, size_t d, enum tb_em_form form, const double *mean, const double *factor) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            double *z = x + r * d * TB_ROW + v;
            for (size_t j = d; j-- > 0;) {
                const double *row = factor + (form == TB_EM_ROUND ? 0 : form == TB_EM_AXES ? j : j * (j + 1) / 2);
                vd sum = d_load(z + (form == TB_EM_TRIANGLE ? 0 : j) * TB_ROW) * d_set(row[0]);
                for (size_t i = 1; form == TB_EM_TRIANGLE && i <= j; i++) {
                    sum = sum + d_load(z + i * TB_ROW) * d_set(row[i]);
                }
                d_store(z + j * TB_ROW, d_set(mean[j]) + sum);
            }
        }
    }
}

KERNEL void em_fetch(const tb_em_items_t *items, uint64_t key, uint32_t replicate, size_t d, double *out) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        stream_t stream;
        stream_init(&stream, key, u_load(items->generation + v), u_set(replicate), 0);
        stream.purpose = u_load(items->purpose + v);
        const vu second = u_load(items->second + v);
        for (size_t j = 0; j < d; j++) {
            vu a, b;
            stream_words(&stream, u_add(u_load(items->slot + v), u_set(j * TB_ROW / 2)), &a, &b);
            const vu word = u_xor(a, u_and(u_xor(a, b), second));
            d_store(out + j * TB_ROW + v, exact_normal_at(word));
        }
    }
}

static const tb_em_kernels_t EM_TABLE = {
    .expect = em_expect,
    .nearest = em_nearest,
    .shape = em_shape,
    .fetch = em_fetch,
};
#endif

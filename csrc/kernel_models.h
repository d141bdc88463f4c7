/* SPDX-License-Identifier: MIT */
/* Passes over counts and the model before. Sums keep TB_ROW partial ones at every width; beyond the length everything
 * is 0.
 */
#ifndef TB_KERNEL_MODELS_H
#define TB_KERNEL_MODELS_H
#include "kernel_random.h"
#include "kernels.h"

typedef struct {
    vd lane[TB_ROW / LANES];
} partial_t;

SIMD partial_t no_partial(void) {
    partial_t self;
    for (size_t v = 0; v < TB_ROW / LANES; v++) self.lane[v] = d_set(0.0);
    return self;
}

SIMD double sum_partial(const partial_t *self) {
    double x[TB_ROW];
    for (size_t v = 0; v < TB_ROW / LANES; v++) d_store(x + v * LANES, self->lane[v]);
    return ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + (x[6] + x[7]));
}

KERNEL void compare_models(const double *count, const double *before, size_t length, double per_item, double *squares,
                           double *distance) {
    const vd each = d_set(per_item);
    partial_t square = no_partial(), apart = no_partial();
    for (size_t i = 0; i < length; i += TB_ROW) {
        for (size_t v = 0; v < TB_ROW / LANES; v++) {
            const vd p = d_load(count + i + v * LANES) * each, d = p - d_load(before + i + v * LANES);
            square.lane[v] = square.lane[v] + p * p;
            apart.lane[v] = apart.lane[v] + d * d;
        }
    }
    *squares = sum_partial(&square);
    *distance = sum_partial(&apart);
}

KERNEL void mix_models(const double *count, const double *before, size_t length, const tb_mixing_t *by, double *kept,
                       double *out) {
    const vd counted = d_set(by->counted), share = d_set(by->share), least = d_set(by->least), unit = d_set(by->unit);
    for (size_t i = 0; i < length; i += LANES) {
        const vd p = counted * d_load(count + i) + share * d_load(before + i);
        const vd left = d_sel(d_lt(p, least), d_set(0.0), p);
        if (kept) d_store(kept + i, left);
        d_store(out + i, left * unit);
    }
}

/* Whole numbers add up to the same in any order. */
KERNEL double make_whole(double *weight, size_t length, double scale) {
    const vd by = d_set(scale), integer = d_set(0x1p52);
    vd all = d_set(0.0);
    double lane[LANES], sum = 0.0;
    size_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        const vd w = (d_load(weight + i) * by + integer) - integer;
        d_store(weight + i, w);
        all = all + w;
    }
    d_store(lane, all);
    for (size_t j = 0; j < LANES; j++) sum += lane[j];
    for (; i < length; i++) sum += weight[i] = (weight[i] * scale + 0x1p52) - 0x1p52;
    return sum;
}
#endif

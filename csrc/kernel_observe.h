/* SPDX-License-Identifier: MIT */
/* Sums over the survivors. Eight partial sums are kept at every width; whoever calls decides whether they belong to one
 * lineage or to eight. */
#ifndef TB_KERNEL_OBSERVE_H
#define TB_KERNEL_OBSERVE_H
#include "kernel_random.h"
#include "kernels.h"

/* Whole numbers: two registers take turns. */
KERNEL void sum_present(const double *weight, size_t rows, tb_sums_t *sums) {
    const vd none = d_set(0.0), one = d_set(1.0);
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        vd present = none, more = none;
        size_t i = v;
        for (; i + TB_ROW < rows * TB_ROW; i += 2 * TB_ROW) {
            present = d_add_where(d_lt(none, d_load(weight + i)), present, one);
            more = d_add_where(d_lt(none, d_load(weight + i + TB_ROW)), more, one);
        }
        if (i < rows * TB_ROW) present = d_add_where(d_lt(none, d_load(weight + i)), present, one);
        d_store(sums->present + v, present + more);
    }
}

KERNEL void sum_shares(const double *weight, size_t rows, tb_sums_t *sums) {
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        vd square = d_set(0.0), largest = d_set(0.0);
        for (size_t i = v; i < rows * TB_ROW; i += TB_ROW) {
            vd w = d_load(weight + i);
            square = square + w * w;
            largest = d_max(largest, w);
        }
        d_store(sums->square + v, square);
        d_store(sums->largest + v, largest);
    }
}

/* w log w, with log 1 for the absent so that nothing is masked. */
SIMD vd entropy_term(vd w) { return w * d_log(d_max(w, d_set(1.0))); }

/* The terms of 0..count-1, as they are computed: looking one up changes no bit. */
KERNEL void entropy_terms(size_t count, double *out) {
    for (size_t i = 0; i < count; i += LANES) {
        double weight[LANES];
        for (size_t j = 0; j < LANES; j++) weight[j] = (double)(i + j);
        d_store(out + i, entropy_term(d_load(weight)));
    }
}

/* A row's terms: one by one where gathers are microcoded. */
SIMD void look_up_terms(const double *terms, const double *weight, double *row) {
    if (!GATHER_IS_QUICK) {
        for (size_t i = 0; i < TB_ROW; i++) row[i] = terms[(size_t)weight[i]];
        return;
    }
    for (size_t i = 0; i < TB_ROW; i += LANES) d_store(row + i, d_gather(terms, u_from_d(d_load(weight + i))));
}

KERNEL void sum_entropy(const double *weight, size_t rows, const tb_yardstick_t *by, tb_sums_t *sums) {
    enum { SOME = 8 };
    vd sum[TB_ROW / LANES];
    for (size_t v = 0; v < TB_ROW / LANES; v++) sum[v] = d_set(0.0);
    for (size_t first = 0; first < rows; first += SOME) {
        const double *from = weight + first * TB_ROW;
        const size_t count = (rows - first < SOME ? rows - first : SOME) * TB_ROW;
        double term[SOME * TB_ROW];
        vd most = d_set(0.0);
        for (size_t i = 0; i < count; i += LANES) most = d_max(most, d_load(from + i));
        if (m_bits(d_le(d_set(TB_TERMS), most))) {
            for (size_t i = 0; i < count; i += LANES) d_store(term + i, entropy_term(d_load(from + i)));
        } else {
            for (size_t i = 0; i < count; i += TB_ROW) look_up_terms(by->terms, from + i, term + i);
        }
        for (size_t i = 0; i < count; i += LANES) sum[i % TB_ROW / LANES] = sum[i % TB_ROW / LANES] + d_load(term + i);
    }
    for (size_t v = 0; v < TB_ROW / LANES; v++) d_store(sums->entropy + v * LANES, sum[v]);
}

KERNEL void sum_edges(const double *weight, const uint32_t *id, size_t rows, const tb_yardstick_t *by,
                      tb_sums_t *sums) {
    for (size_t e = 0; e < by->edge_count; e++) {
        const vu edge = u_set(by->edges[e]);
        for (size_t v = 0; v < TB_ROW; v += LANES) {
            vd present = d_set(0.0), beyond = d_set(0.0);
            for (size_t i = v; i < rows * TB_ROW; i += TB_ROW) {
                const vd w = d_load(weight + i);
                const vm counts = m_and(d_lt(d_set(0.0), w), m_not(u_lt(u_load32(id + i), edge)));
                present = d_add_where(counts, present, d_set(1.0));
                beyond = d_add_where(counts, beyond, w);
            }
            d_store(sums->edge_present[e] + v, present);
            d_store(sums->edge_weight[e] + v, beyond);
        }
    }
}

KERNEL void sum_reference(const double *weight, const uint32_t *id, size_t rows, const double *inverse,
                          const tb_yardstick_t *by, tb_sums_t *sums) {
    const vd per_total = d_set(1.0 / by->total);
    for (size_t v = 0; v < TB_ROW; v += LANES) {
        vd covered = d_set(0.0), cross = d_set(0.0), variation = d_set(0.0), brier = d_set(0.0);
        vd scale = d_load(inverse + v);
        for (size_t i = v; i < rows * TB_ROW; i += TB_ROW) {
            vd w = d_load(weight + i);
            vm present = d_lt(d_set(0.0), w);
            if (!m_bits(present)) continue;
            vu at = u_load32(id + i);
            vd reference = d_sel(present, d_gather(by->weight, at), d_set(0.0));
            vd difference = w * scale - reference * per_total;
            vd q = reference * per_total;
            covered = covered + reference;
            cross = cross + w * d_gather(by->log_q, at);
            variation = variation + d_max(difference, d_set(0.0));
            brier = brier + (difference * difference - q * q);
        }
        d_store(sums->covered + v, covered);
        d_store(sums->cross + v, cross);
        d_store(sums->variation + v, variation);
        d_store(sums->brier + v, brier);
    }
}

KERNEL void observe(const double *weight, const uint32_t *id, size_t rows, const double *inverse, unsigned what,
                    const tb_yardstick_t *yardstick, tb_sums_t *sums) {
    if (what & TB_SUM_PRESENT) sum_present(weight, rows, sums);
    if (what & TB_SUM_SHARES) sum_shares(weight, rows, sums);
    if (what & TB_SUM_ENTROPY) sum_entropy(weight, rows, yardstick, sums);
    if (what & TB_SUM_EDGES) sum_edges(weight, id, rows, yardstick, sums);
    if (what & TB_SUM_REFERENCE) sum_reference(weight, id, rows, inverse, yardstick, sums);
}
#endif

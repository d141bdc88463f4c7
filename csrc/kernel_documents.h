/* SPDX-License-Identifier: MIT */
/* Expectation steps of mixtures of categorical laws: components are lanes. */
#ifndef TB_KERNEL_DOCUMENTS_H
#define TB_KERNEL_DOCUMENTS_H
#include "document_kernels.h"
#include "fmath.h"
#include "kernel_em.h"

KERNEL void document_logs(const double *x, size_t count, double floor, double *out) {
    for (size_t i = 0; i < count; i += LANES) {
        d_store(out + i, d_log(d_max(d_load(x + i), d_set(floor))) * d_set(0x1.71547652b82fep+0));
    }
}

/* log2 of weight times probability of a document, by component; returns the largest. */
SIMD double document_levels(const tb_document_terms_t *q, const tb_document_t *document, double *out) {
    double most = TB_DOCUMENT_NEVER;
    for (size_t v = 0; v < q->lanes; v += LANES) {
        vd sum = d_load(q->level + v);
        for (size_t i = 0; i < document->length; i++) {
            const double *logs = q->logs + document->category[i] * q->lanes + v;
            sum = sum + d_set((double)document->count[i]) * d_load(logs);
        }
        d_store(out + v, sum);
    }
    for (size_t k = 0; k < q->lanes; k++) most = out[k] > most ? out[k] : most;
    return most;
}

/* Powers of two of the levels, 0 far below the largest; returns their sum. */
SIMD double document_shares(double *level, size_t lanes, double most) {
    const vd least = d_set(-900.0);
    double total = 0.0;
    for (size_t v = 0; v < lanes; v += LANES) {
        const vd t = d_load(level + v) - d_set(most);
        d_store(level + v, d_sel(d_lt(least, t), em_exp2(d_max(t, least)), d_set(0.0)));
    }
    for (size_t k = 0; k < lanes; k++) total += level[k];
    return total;
}

KERNEL void document_expect(const tb_document_terms_t *q, const tb_document_t *documents, size_t count,
                            tb_document_sums_t *sums) {
    double share[TB_DOCUMENT_COMPONENTS];
    for (size_t d = 0; d < count; d++) {
        const tb_document_t *document = &documents[d];
        const double most = document_levels(q, document, share);
        const double total = document_shares(share, q->lanes, most);
        const vd scale = d_set(document->weight / total);
        sums->likelihood += document->weight * (most * 0x1.62e42fefa39efp-1 + tb_log(total));
        for (size_t v = 0; v < q->lanes; v += LANES) {
            const vd own = d_load(share + v) * scale;
            d_store(sums->documents + v, d_load(sums->documents + v) + own);
            for (size_t i = 0; i < document->length; i++) {
                double *to = sums->tokens + document->category[i] * q->lanes + v;
                d_store(to, d_load(to) + d_set((double)document->count[i]) * own);
            }
        }
    }
}

static const tb_document_kernels_t DOCUMENTS_TABLE = {.logs = document_logs, .expect = document_expect};
#endif

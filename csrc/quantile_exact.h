/* SPDX-License-Identifier: MIT */
/* The quantile in double-double arithmetic: the last resort of quantile.c, microseconds and more a call. */
#ifndef TB_QUANTILE_EXACT_H
#define TB_QUANTILE_EXACT_H

#include <stdint.h>

#include "quantile_law.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Quantile of the law at the word, searched from the guess k, one of its values. */
uint64_t tb_quantile_exact(const tb_law_t *law, uint64_t word, double k);

/*
 * Bound on the error of the third-order Cornish-Fisher expansion at the normal quantile z, in steps of the lattice,
 * over the cube of the reciprocal standard deviation: 3.5 times the worst seen over np = 2..1000, |z| < 7.
 */
static inline double tb_cornish_fisher_bound(double z) {
    double z2 = z * z;

    return 0.08 + 0.003 * z2 * z2 * z2;
}

/*
 * The expansion without its leading term: quantile + 1/2 = np + z / r + this, where 1 / r^2 = npq - 1/12 and the law's
 * lattice is accounted for (Sheppard).
 */
static inline double tb_cornish_fisher_rest(double p, double npq, double r, double z) {
    double q = 1.0 - p, v = npq * r * r, e = (q - p) * v, e2 = e * e, pq = p * q, z2 = z * z, r2 = r * r;
    double b = v * (1.0 - 6.0 * pq) + r2 * (1.0 / 120);
    double first = e * (z2 - 1.0) * (1.0 / 6);
    double second = z * (b * (z2 - 3.0) * (1.0 / 24) - e2 * (2.0 * z2 - 5.0) * (1.0 / 36));
    double third = e * (1.0 - 12.0 * pq) * ((z2 - 6.0) * z2 + 3.0) * (1.0 / 120) -
                   e * b * ((z2 - 5.0) * z2 + 2.0) * (1.0 / 24) +
                   e2 * e * ((12.0 * z2 - 53.0) * z2 + 17.0) * (1.0 / 324);

    return 0.5 + first + r * (second + r * third);
}

#ifdef __cplusplus
}
#endif

#endif

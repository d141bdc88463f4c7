/* SPDX-License-Identifier: MIT */
/* What quantile.c and quantile_exact.c know of the two laws: the rest of both files serves either. */
#ifndef TB_QUANTILE_LAW_H
#define TB_QUANTILE_LAW_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "dd.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Binomial(n, p), 0 < p <= 1/2; with n = INFINITY and p = 0 its limit, the Poisson law. */
typedef struct {
    double n;
    double p;
    tb_dd_t mean;
} tb_law_t;

/*
 * The tail of a law from some step outward (downward from it, or upward). The probability of the next step outward is
 * that of the present one times (a num)/(b den), after which a and b change by their steps. The law has no step further
 * out where a = 0, none further in where b = b_step.
 */
typedef struct {
    double a, a_step; /* -1 or 0 */
    double b, b_step; /* 1 or 0 */
    tb_dd_t num, den;
} tb_tail_t;

static inline tb_law_t tb_law_binomial(double n, double p) {
    tb_law_t law = {n, p, tb_dd_product(n, p)};

    return law;
}

static inline tb_law_t tb_law_poisson(double mean) {
    tb_law_t law = {INFINITY, 0.0, tb_dd_from(mean)};

    return law;
}

static inline bool tb_law_is_poisson(const tb_law_t *law) { return law->p == 0.0; }

static inline tb_tail_t tb_tail_from(const tb_law_t *law, double k, bool upper) {
    tb_dd_t one = tb_dd_from(1.0), p = tb_dd_from(law->p), q = tb_dd_fast_sum(1.0, -law->p);
    double l = law->n - k;

    if (tb_law_is_poisson(law)) {
        return upper ? (tb_tail_t){1.0, 0.0, k + 1.0, 1.0, law->mean, one}
                     : (tb_tail_t){k, -1.0, 1.0, 0.0, one, law->mean};
    }
    return upper ? (tb_tail_t){l, -1.0, k + 1.0, 1.0, p, q} : (tb_tail_t){k, -1.0, l + 1.0, 1.0, q, p};
}

static inline void tb_tail_outward(tb_tail_t *tail) {
    tail->a += tail->a_step;
    tail->b += tail->b_step;
}

static inline void tb_tail_inward(tb_tail_t *tail) {
    tail->a -= tail->a_step;
    tail->b -= tail->b_step;
}

/* Quantile of the law at the word; the mean is 5 or more. */
uint64_t tb_law_quantile(const tb_law_t *law, uint64_t word);

/* The same for any mean, by summing the tail from the guess k of the law, whose standard deviation is below 3e4. */
uint64_t tb_law_search(const tb_law_t *law, uint64_t word, double k, double deviation);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Double-double arithmetic: an unevaluated sum hi + lo of two doubles, |lo| <= ulp(hi)/2, about 105 bits.
 *
 * Products are split by Veltkamp's method, not by fma, so that machines without one return the same bits fast.
 * Operands beyond 2^995 would overflow in the split; callers stay far below.
 * kernel_fmath.h has some of these for all widths: the operations of both must stay the same.
 */
#ifndef TB_DD_H
#define TB_DD_H

typedef struct {
    double hi;
    double lo;
} tb_dd_t;

/* a + b exactly, where |a| >= |b| or a == 0. */
static inline tb_dd_t tb_dd_fast_sum(double a, double b) {
    tb_dd_t r;

    r.hi = a + b;
    r.lo = b - (r.hi - a);
    return r;
}

/* a + b exactly. */
static inline tb_dd_t tb_dd_sum(double a, double b) {
    tb_dd_t r;
    double bb;

    r.hi = a + b;
    bb = r.hi - a;
    r.lo = (a - (r.hi - bb)) + (b - bb);
    return r;
}

/* The upper 26 bits of a. */
static inline double tb_dd_upper(double a) {
    double t = 134217729.0 * a; /* 2^27 + 1 */

    return t - (t - a);
}

/* a * b exactly. */
static inline tb_dd_t tb_dd_product(double a, double b) {
    tb_dd_t r;
    double ah = tb_dd_upper(a), bh = tb_dd_upper(b), al = a - ah, bl = b - bh;

    r.hi = a * b;
    r.lo = ((ah * bh - r.hi) + ah * bl + al * bh) + al * bl;
    return r;
}

static inline tb_dd_t tb_dd_add(tb_dd_t a, tb_dd_t b) {
    tb_dd_t s = tb_dd_sum(a.hi, b.hi), t = tb_dd_sum(a.lo, b.lo);

    s = tb_dd_fast_sum(s.hi, s.lo + t.hi);
    return tb_dd_fast_sum(s.hi, s.lo + t.lo);
}

static inline tb_dd_t tb_dd_neg(tb_dd_t a) {
    tb_dd_t r = {-a.hi, -a.lo};

    return r;
}

static inline tb_dd_t tb_dd_sub(tb_dd_t a, tb_dd_t b) { return tb_dd_add(a, tb_dd_neg(b)); }

static inline tb_dd_t tb_dd_mul(tb_dd_t a, tb_dd_t b) {
    tb_dd_t p = tb_dd_product(a.hi, b.hi);

    return tb_dd_fast_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline tb_dd_t tb_dd_div(tb_dd_t a, tb_dd_t b) {
    double q1 = a.hi / b.hi, q2, q3;
    tb_dd_t r, one = {q1, 0.0}, two;

    r = tb_dd_sub(a, tb_dd_mul(one, b));
    q2 = r.hi / b.hi;
    two.hi = q2;
    two.lo = 0.0;
    r = tb_dd_sub(r, tb_dd_mul(two, b));
    q3 = r.hi / b.hi;
    return tb_dd_add(tb_dd_fast_sum(q1, q2), tb_dd_fast_sum(q3, 0.0));
}

static inline tb_dd_t tb_dd_from(double a) {
    tb_dd_t r = {a, 0.0};

    return r;
}

#endif

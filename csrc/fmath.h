/* SPDX-License-Identifier: MIT */
/*
 * Elementary functions with bits of their own.
 *
 * Only + - * /, sqrt, floor and integer operations on IEEE-754 doubles are used, so that every machine returns the
 * same bits as long as the compiler neither contracts nor widens expressions (-ffp-contract=off, FLT_EVAL_METHOD 0).
 * Special values follow C11 Annex F; errno and the exception flags are not maintained.
 */
#ifndef TB_FMATH_H
#define TB_FMATH_H

#ifdef __cplusplus
extern "C" {
#endif

/* Natural logarithm and log(1 + x). */
double tb_log(double x);
double tb_log1p(double x);

/* Exponential and exp(x) - 1. */
double tb_exp(double x);
double tb_expm1(double x);

/* x to the power y. */
double tb_pow(double x, double y);

/* Error function and its complement. */
double tb_erf(double x);
double tb_erfc(double x);

/*
 * Error of Stirling's formula, log n! - log(sqrt(2 pi n) (n/e)^n), for an integer-valued n >= 0 (0 gives 0: the
 * formula's factor sqrt(2 pi n) is then left out by the caller).
 */
double tb_stirling_error(double n);

#ifdef __cplusplus
}
#endif

#endif

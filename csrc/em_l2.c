/* SPDX-License-Identifier: MIT */
/* The squared L2 distance between mixtures of normal laws: the integral of the product of two normal densities is a
 * normal density of the difference of their means, with the sum of their covariances. */
#include <math.h>

#include "em_core.h"
#include "fmath.h"

static const double LOG_TWO_PI = 0x1.d67f1c864beb5p+0;

static const double *factor_of(const tb_em_settings_t *settings, const tb_em_law_t *law, size_t k) {
    return law->factor + (settings->covariance == TB_TIED ? 0 : k * tb_em_factor_length(settings));
}

/* Adds element (i, j) of the covariance. */
static double element(enum tb_em_form form, const double *factor, size_t i, size_t j) {
    double sum = 0.0;
    if (form == TB_EM_TRIANGLE) {
        for (size_t k = 0; k <= j; k++) sum += factor[tb_corner(i) + k] * factor[tb_corner(j) + k];
    } else if (i == j) {
        const double deviation = factor[form == TB_EM_AXES ? i : 0];
        sum = deviation * deviation;
    }
    return sum;
}

/* The integral of the product of component k of a and component m of b. */
static double overlap(const tb_em_settings_t *settings, const tb_em_law_t *a, size_t k, const tb_em_law_t *b, size_t m,
                      double *room) {
    const size_t d = settings->dimension;
    const enum tb_em_form form = tb_em_form(settings);
    const double *left = factor_of(settings, a, k), *right = factor_of(settings, b, m);
    double *matrix = room, *y = room + tb_corner(d), exponent = (double)d * LOG_TWO_PI;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++)
            matrix[tb_corner(i) + j] = element(form, left, i, j) + element(form, right, i, j);
    }
    tb_em_factorise(matrix, d, 0x1p-1000);
    for (size_t i = 0; i < d; i++) {
        const double *row = matrix + tb_corner(i);
        y[i] = a->mean[k * d + i] - b->mean[m * d + i];
        for (size_t j = 0; j < i; j++) y[i] -= row[j] * y[j];
        y[i] /= row[i];
        exponent += y[i] * y[i] + 2.0 * tb_log(row[i]);
    }
    return tb_exp(-0.5 * exponent);
}

static double product(const tb_em_settings_t *settings, const tb_em_law_t *a, const tb_em_law_t *b, double *room) {
    double sum = 0.0;
    for (size_t k = 0; k < settings->components; k++) {
        for (size_t m = 0; m < settings->components; m++) {
            const double weight = a->weight[k] * b->weight[m];
            if (weight > 0.0) sum += weight * overlap(settings, a, k, b, m, room);
        }
    }
    return sum;
}

double tb_em_l2(const tb_em_settings_t *settings, const tb_em_law_t *a, const tb_em_law_t *b, double *room) {
    const double own = product(settings, a, a, room) + product(settings, b, b, room);
    const double distance = own - 2.0 * product(settings, a, b, room);
    return distance > 0.0 ? distance : 0.0;
}

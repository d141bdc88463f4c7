/* SPDX-License-Identifier: MIT */
/* The loop of expectation and maximisation. Expectations are the kernels'; what is here is once an iteration. */
#include "em.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "em_core.h"
#include "fmath.h"

static const double LOG2_E = 0x1.71547652b82fep+0;
static const double LOG2_TWO_PI = 0x1.536439a4c6efcp+1; /* log2(2 pi) */

const char *tb_em_strerror(int code) {
    switch (code) {
    case TB_ERR_EM_DIMENSION:
        return "the dimension is not from 1 to 32";
    case TB_ERR_EM_COMPONENTS:
        return "the number of components is not from 1 to 64";
    case TB_ERR_EM_COVARIANCE:
        return "there is no such type of covariance";
    case TB_ERR_EM_FLOOR:
        return "the floor of the covariances is not from 1e-200 to 1e200";
    case TB_ERR_EM_TOLERANCE:
        return "the tolerance is negative";
    case TB_ERR_EM_ITERATIONS:
        return "there are no iterations";
    case TB_ERR_EM_WEIGHTS:
        return "weights are negative or do not sum to 1";
    case TB_ERR_EM_MEANS:
        return "a mean is not a number from -1e100 to 1e100";
    case TB_ERR_EM_FACTORS:
        return "a factor has numbers beyond 1e100, or a diagonal that is not at least 1e-100";
    case TB_ERR_EM_EMPTY:
        return "there is nothing to fit to";
    default:
        return tb_strerror(code);
    }
}

/* In one dimension all types are round. */
enum tb_em_form tb_em_form(const tb_em_settings_t *settings) {
    if (settings->dimension == 1 || settings->covariance == TB_SPHERICAL) return TB_EM_ROUND;
    return settings->covariance == TB_DIAGONAL ? TB_EM_AXES : TB_EM_TRIANGLE;
}

size_t tb_em_factor_length(const tb_em_settings_t *settings) {
    return tb_em_form_length(tb_em_form(settings), settings->dimension);
}

size_t tb_em_factor_count(const tb_em_settings_t *settings) {
    return settings->covariance == TB_TIED ? 1 : settings->components;
}

int tb_em_check(const tb_em_settings_t *settings) {
    if (settings->dimension < 1 || settings->dimension > TB_EM_DIMENSIONS) return TB_ERR_EM_DIMENSION;
    if (settings->components < 1 || settings->components > TB_EM_COMPONENTS) return TB_ERR_EM_COMPONENTS;
    if ((unsigned)settings->covariance > TB_FULL) return TB_ERR_EM_COVARIANCE;
    if (!(settings->floor >= 1e-200 && settings->floor <= 1e200)) return TB_ERR_EM_FLOOR;
    if (!(settings->tolerance >= 0.0)) return TB_ERR_EM_TOLERANCE;
    return settings->iterations < 1 ? TB_ERR_EM_ITERATIONS : TB_OK;
}

static int is_diagonal(enum tb_em_form form, size_t at) {
    size_t i = 0;
    if (form != TB_EM_TRIANGLE) return 1;
    while (tb_corner(i + 1) <= at) i++;
    return at == tb_corner(i) + i;
}

int tb_em_check_law(const tb_em_settings_t *settings, const tb_em_law_t *law) {
    const size_t k = settings->components, length = tb_em_factor_length(settings);
    double total = 0.0;
    for (size_t i = 0; i < k; i++) {
        if (!(law->weight[i] >= 0.0)) return TB_ERR_EM_WEIGHTS;
        total += law->weight[i];
    }
    if (!(fabs(total - 1.0) <= 1e-9)) return TB_ERR_EM_WEIGHTS;
    for (size_t i = 0; i < k * settings->dimension; i++) {
        if (!(fabs(law->mean[i]) <= TB_EM_LARGEST)) return TB_ERR_EM_MEANS;
    }
    for (size_t i = 0; i < tb_em_factor_count(settings) * length; i++) {
        const int diagonal = is_diagonal(tb_em_form(settings), i % length);
        if (!(fabs(law->factor[i]) <= TB_EM_LARGEST)) return TB_ERR_EM_FACTORS;
        if (diagonal && !(law->factor[i] >= 1.0 / TB_EM_LARGEST)) return TB_ERR_EM_FACTORS;
    }
    return TB_OK;
}

uint32_t tb_em_singular(const tb_em_settings_t *settings, const tb_em_law_t *law) {
    const size_t length = tb_em_factor_length(settings);
    uint32_t singular = 0;
    for (size_t k = 0; k < settings->components; k++) {
        const double *factor = law->factor + (settings->covariance == TB_TIED ? 0 : k * length);
        int narrow = 0;
        for (size_t i = 0; i < length; i++) {
            if (is_diagonal(tb_em_form(settings), i)) narrow |= factor[i] * factor[i] <= 2.0 * settings->floor;
        }
        singular += narrow && law->weight[k] > 0.0;
    }
    return singular;
}

/* --- Memory --- */

typedef struct {
    size_t stride, mean, scale, sums, room, piece, pooled, totals; /* in doubles */
} sizes_t;

static sizes_t sizes_of(const tb_em_settings_t *settings) {
    const size_t d = settings->dimension, k = settings->components;
    const enum tb_em_form form = tb_em_form(settings);
    sizes_t sizes;
    sizes.stride = tb_em_stride(form, d);
    sizes.mean = k * d;
    sizes.scale = k * tb_em_form_length(form, d);
    sizes.sums = (k * sizes.stride + 1) * TB_ROW;
    sizes.room = tb_em_room(k, d) * TB_ROW;
    sizes.piece = (TB_EM_PIECE * d + 1) * TB_ROW;
    sizes.pooled = tb_em_form_length(form, d);
    sizes.totals = sizes.stride;
    return sizes;
}

static size_t all_doubles(const sizes_t *s) {
    return s->mean + s->scale + s->sums + s->room + s->piece + s->pooled + s->totals + TB_EM_PIECE * TB_ROW +
           4 * TB_ROW;
}

size_t tb_em_bytes(const tb_em_settings_t *settings) {
    const sizes_t sizes = sizes_of(settings);
    return sizeof(tb_em_t) + all_doubles(&sizes) * sizeof(double);
}

void tb_em_free(tb_em_t *self) {
    if (!self) return;
    tb_give(self->sums);
    free(self);
}

static double *carve(double **room, size_t count) {
    double *taken = *room;
    *room += count;
    return taken;
}

/* What vectors are stored to comes first, in whole rows. */
int tb_em_alloc(tb_em_t **self, const tb_em_settings_t *settings, const tb_kernels_t *kernels) {
    const int code = tb_em_check(settings);
    size_t bytes = 0;
    *self = NULL;
    if (code) return code;
    const sizes_t sizes = sizes_of(settings);
    tb_em_t *em = calloc(1, sizeof *em);
    if (!em) return TB_ERR_MEMORY;
    em->settings = *settings;
    em->form = tb_em_form(settings);
    em->kernels = kernels->em;
    double *rest = em->sums = tb_take(all_doubles(&sizes), sizeof(double), &bytes);
    if (!rest) {
        free(em);
        return TB_ERR_MEMORY;
    }
    carve(&rest, sizes.sums);
    em->room = carve(&rest, sizes.room);
    em->piece = carve(&rest, sizes.piece);
    em->distance = carve(&rest, TB_EM_PIECE * TB_ROW);
    em->last_items = carve(&rest, TB_ROW);
    em->mean = carve(&rest, sizes.mean);
    em->scale = carve(&rest, sizes.scale);
    em->pooled = carve(&rest, sizes.pooled);
    em->totals = carve(&rest, sizes.totals);
    *self = em;
    return TB_OK;
}

/* --- Expectation --- */

/* One over the factor, times sqrt(log2(e) / 2), in the kernels' form; returns log2 of the factor's determinant. */
static double invert(enum tb_em_form form, size_t d, const double *factor, double *scale) {
    const double unit = sqrt(0.5 * LOG2_E);
    double log_det = 0.0;
    if (form == TB_EM_ROUND) {
        const double s = unit / factor[0];
        scale[0] = s * s;
        return (double)d * (tb_log(factor[0]) * LOG2_E);
    }
    if (form == TB_EM_AXES) {
        for (size_t j = 0; j < d; j++) {
            scale[j] = unit / factor[j];
            log_det += tb_log(factor[j]) * LOG2_E;
        }
        return log_det;
    }
    for (size_t i = 0; i < d; i++) {
        const double *row = factor + tb_corner(i);
        for (size_t j = 0; j < i; j++) {
            double sum = 0.0;
            for (size_t k = j; k < i; k++) sum += row[k] * scale[tb_corner(k) + j];
            scale[tb_corner(i) + j] = -sum / row[i];
        }
        scale[tb_corner(i) + i] = unit / row[i];
        log_det += tb_log(row[i]) * LOG2_E;
    }
    return log_det;
}

/* The components that are alive, as the kernels see them. */
static tb_em_terms_t terms_of(tb_em_t *self, const tb_em_law_t *law) {
    const size_t d = self->settings.dimension, length = tb_em_form_length(self->form, d);
    const int tied = self->settings.covariance == TB_TIED;
    size_t count = 0;
    double log_det = 0.0;
    for (size_t k = 0; k < self->settings.components; k++) {
        if (law->weight[k] == 0.0) continue;
        double *scale = self->scale + count * length;
        if (tied && count) {
            memcpy(scale, self->scale, length * sizeof *scale);
        } else {
            log_det = invert(self->form, d, law->factor + (tied ? 0 : k * length), scale);
        }
        memcpy(self->mean + count * d, law->mean + k * d, d * sizeof(double));
        self->level[count] = tb_log(law->weight[k]) * LOG2_E - 0.5 * (double)d * LOG2_TWO_PI - log_det;
        self->alive[count++] = k;
    }
    return (tb_em_terms_t){d, count, self->form, self->mean, self->scale, self->level};
}

const double *tb_em_rows(tb_em_t *self, const tb_em_part_t *part, uint64_t row, size_t rows) {
    if (part->x) return part->x + row * self->settings.dimension * TB_ROW;
    part->fill(part->context, row, rows, self->piece);
    return self->piece;
}

/* Weights of the items of a last row that is not full. */
const double *tb_em_last_items(tb_em_t *self, const tb_em_part_t *part) {
    const size_t count = (size_t)(part->count % TB_ROW);
    const uint64_t first = part->count - count;
    for (size_t l = 0; l < TB_ROW; l++) {
        self->last_items[l] = l >= count ? 0.0 : part->items ? part->items[first + l] : 1.0;
    }
    return self->last_items;
}

/* Adds up expectations over all parts. */
int tb_em_expect(tb_em_t *self, const tb_em_terms_t *terms, const tb_em_part_t *parts, size_t count,
                 const tb_control_t *control) {
    const size_t stride = tb_em_stride(terms->form, terms->dimension);
    memset(self->sums, 0, (terms->components * stride + 1) * TB_ROW * sizeof(double));
    for (size_t p = 0; p < count; p++) {
        const tb_em_part_t *part = &parts[p];
        const uint64_t whole = part->count / TB_ROW;
        for (uint64_t row = 0; row < whole; row += TB_EM_PIECE) {
            const size_t rows = whole - row < TB_EM_PIECE ? (size_t)(whole - row) : TB_EM_PIECE;
            if (tb_is_cancelled(control)) return TB_ERR_CANCELLED;
            self->kernels->expect(terms, tb_em_rows(self, part, row, rows), rows,
                                  part->items ? part->items + row * TB_ROW : NULL, part->weight, self->sums,
                                  self->room);
        }
        if (part->count % TB_ROW) {
            self->kernels->expect(terms, tb_em_rows(self, part, whole, 1), 1, tb_em_last_items(self, part),
                                  part->weight, self->sums, self->room);
        }
    }
    return TB_OK;
}

double tb_em_total(const tb_em_part_t *parts, size_t count) {
    double total = 0.0;
    for (size_t p = 0; p < count; p++) {
        double items = (double)parts[p].count;
        if (parts[p].items) {
            items = 0.0;
            for (uint64_t i = 0; i < parts[p].count; i++) items += parts[p].items[i];
        }
        total += parts[p].weight * items;
    }
    return total;
}

/* --- Maximisation --- */

double tb_em_row_sum(const double *lanes) {
    return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

static double at_least(double x, double least) { return x > least ? x : least; }

void tb_em_factorise(double *a, size_t d, double floor) {
    for (size_t i = 0; i < d; i++) {
        double *row = a + tb_corner(i);
        for (size_t j = 0; j <= i; j++) {
            const double *other = a + tb_corner(j);
            double sum = row[j];
            for (size_t k = 0; k < j; k++) sum -= row[k] * other[k];
            row[j] = j < i ? sum / other[j] : sqrt(at_least(sum, floor));
        }
    }
}

/* Second moments about the new mean, not yet divided by their number n; in self->totals, after the means' shifts. */
static double *scatter(tb_em_t *self, double n) {
    const size_t d = self->settings.dimension;
    const double *shift = self->totals + 1;
    double *second = self->totals + 1 + d, squares = 0.0;
    for (size_t j = 0; j < d; j++) {
        squares += shift[j] * shift[j];
        if (self->form == TB_EM_AXES) second[j] = at_least(second[j] - n * (shift[j] * shift[j]), 0.0);
        for (size_t i = 0; self->form == TB_EM_TRIANGLE && i <= j; i++) {
            second[tb_corner(j) + i] -= n * (shift[i] * shift[j]);
        }
    }
    if (self->form == TB_EM_ROUND) second[0] = at_least(second[0] - n * squares, 0.0) / (double)d;
    return second;
}

/* From second moments of n items to the factor. */
static void set_factor(const tb_em_t *self, const double *second, double n, double *factor) {
    const size_t d = self->settings.dimension, length = tb_em_form_length(self->form, d);
    const double floor = self->settings.floor;
    for (size_t i = 0; i < length; i++) factor[i] = second[i] / n;
    if (self->form == TB_EM_TRIANGLE) {
        for (size_t j = 0; j < d; j++) factor[tb_corner(j) + j] = at_least(factor[tb_corner(j) + j], 0.0) + floor;
        tb_em_factorise(factor, d, floor);
    } else {
        for (size_t i = 0; i < length; i++) factor[i] = sqrt(factor[i] + floor);
    }
}

/* The law that maximises the expected likelihood. Returns how many components are alive. */
size_t tb_em_maximise(tb_em_t *self, size_t count, double total, tb_em_law_t *law) {
    const size_t d = self->settings.dimension, length = tb_em_form_length(self->form, d);
    const size_t stride = tb_em_stride(self->form, d);
    const int tied = self->settings.covariance == TB_TIED;
    double pooled_count = 0.0;
    size_t alive = 0;
    memset(self->pooled, 0, length * sizeof(double));
    for (size_t c = 0; c < count; c++) {
        const size_t k = self->alive[c];
        const double *lanes = self->sums + c * stride * TB_ROW, n = tb_em_row_sum(lanes);
        law->weight[k] = n / total;
        if (!(law->weight[k] >= 0x1p-53)) {
            law->weight[k] = 0.0;
            continue;
        }
        alive++;
        for (size_t i = 1; i < stride; i++) self->totals[i] = tb_em_row_sum(lanes + i * TB_ROW);
        for (size_t j = 0; j < d; j++) {
            self->totals[1 + j] /= n;
            law->mean[k * d + j] += self->totals[1 + j];
        }
        const double *second = scatter(self, n);
        if (tied) {
            pooled_count += n;
            for (size_t i = 0; i < length; i++) self->pooled[i] += second[i];
        } else {
            set_factor(self, second, n, law->factor + k * length);
        }
    }
    if (tied) set_factor(self, self->pooled, pooled_count, law->factor);
    return alive;
}

static double mean_log_likelihood(const tb_em_t *self, size_t count, double total) {
    return tb_em_row_sum(self->sums + count * tb_em_stride(self->form, self->settings.dimension) * TB_ROW) / total;
}

int tb_em_fit(tb_em_t *self, const tb_em_part_t *parts, size_t count, tb_em_law_t *law, tb_em_result_t *result,
              const tb_control_t *control) {
    const double total = tb_em_total(parts, count);
    double before = 0.0;
    memset(result, 0, sizeof *result);
    if (!(total > 0.0)) return TB_ERR_EM_EMPTY;
    while (!result->converged && result->iterations < self->settings.iterations) {
        const tb_em_terms_t terms = terms_of(self, law);
        const int code = tb_em_expect(self, &terms, parts, count, control);
        if (code) return code;
        result->log_likelihood = mean_log_likelihood(self, terms.components, total);
        result->alive = (uint32_t)tb_em_maximise(self, terms.components, total, law);
        result->converged = result->iterations > 0 && fabs(result->log_likelihood - before) < self->settings.tolerance;
        before = result->log_likelihood;
        result->iterations++;
    }
    return TB_OK;
}

int tb_em_score(tb_em_t *self, const tb_em_part_t *parts, size_t count, const tb_em_law_t *law, double *log_likelihood,
                const tb_control_t *control) {
    const double total = tb_em_total(parts, count);
    if (!(total > 0.0)) return TB_ERR_EM_EMPTY;
    const tb_em_terms_t terms = terms_of(self, law);
    const int code = tb_em_expect(self, &terms, parts, count, control);
    if (!code) *log_likelihood = mean_log_likelihood(self, terms.components, total);
    return code;
}

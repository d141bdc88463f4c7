/* SPDX-License-Identifier: MIT */
/* What is recorded of Gaussian models. Runs at recorded generations only; lanes stay apart throughout. */
#include <math.h>
#include <string.h>

#include "fmath.h"
#include "gaussian_core.h"

#define LN_2 0x1.62e42fefa39efp-1

/* The normal quantiles at 1 - 1e-2, ..., 1 - 1e-6. */
static const double QUANTILE[TB_GAUSSIAN_LEVELS] = {0x1.29c5c4630ff0fp+1, 0x1.8b8cbb7204471p+1, 0x1.dc08bb712893bp+1,
                                                    0x1.10f3f8843a3d9p+2, 0x1.30381a9799f7ep+2};

typedef double lanes_t[TB_ROW];

size_t tb_gaussian_room(const tb_gaussian_plan_t *plan, const tb_gaussian_output_t *output) {
    const size_t d = plan->program.dimension;
    if (output->w2_squared) return 2 * d * d + plan->triangle;
    if (output->effective_rank || output->log_pseudo_det) return d * d;
    return output->kl ? plan->triangle : 0;
}

static double largest_unit(const tb_gaussian_plan_t *plan) {
    double most = plan->unit[0];
    for (size_t i = 1; i < plan->program.dimension; i++) most = plan->unit[i] > most ? plan->unit[i] : most;
    return most;
}

/* The largest exponent of a lane's columns. */
static void largest_exponents(const tb_gaussian_block_t *self, lanes_t most) {
    for (size_t l = 0; l < TB_ROW; l++) {
        most[l] = self->exponent[l];
        for (size_t j = 1; j < self->rank; j++) {
            const double e = self->exponent[j * TB_ROW + l];
            most[l] = e > most[l] ? e : most[l];
        }
    }
}

/* --- State --- */

static void write_mean(const tb_gaussian_block_t *self, size_t lane, double *out) {
    const tb_gaussian_plan_t *plan = self->plan;
    for (size_t i = 0; i < plan->program.dimension; i++) {
        out[i] = plan->program.mean[i] + self->mean[i * TB_ROW + lane] * plan->scale[i];
    }
}

static void write_factor(const tb_gaussian_block_t *self, size_t lane, double *out) {
    const double *from = self->factor + lane;
    for (size_t i = 0; i < self->plan->program.dimension; i++) {
        const double scale = self->plan->scale[i];
        for (size_t j = 0; j <= i; j++, from += TB_ROW) *out++ = *from * scale;
    }
}

static void write_exponent(const tb_gaussian_block_t *self, size_t lane, int64_t *out) {
    for (size_t j = 0; j < self->plan->program.dimension; j++) {
        out[j] = j < self->rank ? (int64_t)self->exponent[j * TB_ROW + lane] : 0;
    }
}

/* --- Sizes --- */

static double log_det(const tb_gaussian_block_t *self, size_t lane) {
    const size_t d = self->plan->program.dimension;
    double sum = 0.0, whole = 0.0;
    if (self->rank < d) return -HUGE_VAL;
    for (size_t j = 0; j < d; j++) {
        sum += tb_log(self->factor[(tb_corner(j) + j) * TB_ROW + lane]);
        whole += self->exponent[j * TB_ROW + lane] + self->plan->unit[j];
    }
    return 2.0 * sum + 2.0 * LN_2 * whole;
}

/* The factor's columns, each of d elements, row i times 2^(unit - most), column j by its exponent against `most`; NULL:
 * by none. */
static void lay_columns(const tb_gaussian_block_t *self, const double *most, double *out) {
    const size_t d = self->plan->program.dimension;
    const double top = largest_unit(self->plan);
    for (size_t j = 0; j < self->rank; j++) {
        double *column = out + j * d * TB_ROW;
        lanes_t by;
        for (size_t l = 0; l < TB_ROW; l++) {
            by[l] = most ? tb_power_of_two(self->exponent[j * TB_ROW + l] - most[l]) : 1.0;
        }
        memset(column, 0, j * TB_ROW * sizeof(double));
        for (size_t i = j; i < d; i++) {
            const double row = tb_power_of_two(self->plan->unit[i] - top);
            for (size_t l = 0; l < TB_ROW; l++) {
                column[i * TB_ROW + l] = self->factor[(tb_corner(i) + j) * TB_ROW + l] * (row * by[l]);
            }
        }
    }
}

static void dot(const double *x, const double *y, size_t count, lanes_t sum) {
    memset(sum, 0, sizeof(lanes_t));
    for (size_t i = 0; i < count; i++) {
        for (size_t l = 0; l < TB_ROW; l++) sum[l] += x[i * TB_ROW + l] * y[i * TB_ROW + l];
    }
}

/* Of a factor with fewer columns than rows: the columns' lengths after each was made orthogonal to those before. */
static void log_pseudo_det(tb_gaussian_block_t *self, lanes_t out) {
    const size_t d = self->plan->program.dimension;
    double *x = self->room;
    lanes_t sum, whole;
    lay_columns(self, NULL, x);
    memset(out, 0, sizeof(lanes_t));
    memset(whole, 0, sizeof whole);
    for (size_t j = 0; j < self->rank; j++) {
        double *column = x + j * d * TB_ROW;
        dot(column, column, d, sum);
        for (size_t l = 0; l < TB_ROW; l++) {
            out[l] += tb_log(sum[l]);
            whole[l] += self->exponent[j * TB_ROW + l] + largest_unit(self->plan);
        }
        for (size_t k = j + 1; k < self->rank; k++) {
            double *other = x + k * d * TB_ROW;
            lanes_t along;
            dot(column, other, d, along);
            for (size_t l = 0; l < TB_ROW; l++) along[l] = along[l] / sum[l];
            for (size_t i = 0; i < d; i++) {
                for (size_t l = 0; l < TB_ROW; l++) other[i * TB_ROW + l] -= along[l] * column[i * TB_ROW + l];
            }
        }
    }
    for (size_t l = 0; l < TB_ROW; l++) out[l] += 2.0 * LN_2 * whole[l];
}

static void log_trace(const tb_gaussian_block_t *self, lanes_t out) {
    const double top = largest_unit(self->plan);
    lanes_t most, sum = {0};
    largest_exponents(self, most);
    for (size_t i = 0; i < self->plan->program.dimension; i++) {
        const double row = tb_power_of_two(self->plan->unit[i] - top);
        for (size_t j = 0; j <= i && j < self->rank; j++) {
            for (size_t l = 0; l < TB_ROW; l++) {
                const double x = self->factor[(tb_corner(i) + j) * TB_ROW + l] *
                                 (row * tb_power_of_two(self->exponent[j * TB_ROW + l] - most[l]));
                sum[l] += x * x;
            }
        }
    }
    for (size_t l = 0; l < TB_ROW; l++) out[l] = tb_log(sum[l]) + 2.0 * LN_2 * (most[l] + top);
}

/* The columns are turned until they are orthogonal: their squared lengths are the eigenvalues. */
static void effective_rank(tb_gaussian_block_t *self, lanes_t out) {
    const size_t d = self->plan->program.dimension;
    double *x = self->room;
    lanes_t most, value, total = {0}, entropy = {0};
    memset(out, 0, sizeof(lanes_t));
    if (self->rank == 0) return;
    largest_exponents(self, most);
    lay_columns(self, most, x);
    self->plan->kernels->gaussian->orthogonalise(x, d, self->rank, x, 0);
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t j = 0; j < self->rank; j++) {
            dot(x + j * d * TB_ROW, x + j * d * TB_ROW, d, value);
            for (size_t l = 0; l < TB_ROW; l++) {
                const double share = pass ? value[l] / total[l] : 0.0;
                if (!pass) total[l] += value[l];
                if (share > 0.0) entropy[l] -= share * tb_log(share);
            }
        }
    }
    for (size_t l = 0; l < TB_ROW; l++) out[l] = tb_exp(entropy[l]);
}

/* --- Distances to the reference --- */

static double squared_mean_error(const tb_gaussian_block_t *self, size_t lane) {
    double sum = 0.0;
    for (size_t i = 0; i < self->plan->program.dimension; i++) {
        const double x = self->mean[i * TB_ROW + lane] * self->plan->scale[i];
        sum += x * x;
    }
    return sum;
}

/* cross = (reference factor)' (model's factor), by columns; rows are in units of the largest, `scaled` is the model's
 * factor in them. Adds both traces to `traces`. */
static void lay_cross(const tb_gaussian_block_t *self, const double *row, double *scaled, double *cross,
                      lanes_t traces) {
    const size_t d = self->plan->program.dimension;
    const double *reference = self->plan->reference;
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            const size_t at = (tb_corner(i) + j) * TB_ROW;
            for (size_t l = 0; l < TB_ROW; l++) {
                const double x = reference[at + l] * row[i];
                const double scale = j < self->rank ? tb_power_of_two(self->exponent[j * TB_ROW + l]) : 0.0;
                scaled[at + l] = self->factor[at + l] * (row[i] * scale);
                traces[l] += x * x + scaled[at + l] * scaled[at + l];
            }
        }
    }
    for (size_t j = 0; j < self->rank; j++) {
        for (size_t i = 0; i < d; i++) {
            double *out = cross + (j * d + i) * TB_ROW;
            memset(out, 0, sizeof(lanes_t));
            for (size_t k = i > j ? i : j; k < d; k++) {
                const double x = reference[(tb_corner(k) + i) * TB_ROW] * row[k];
                for (size_t l = 0; l < TB_ROW; l++) out[l] += x * scaled[(tb_corner(k) + j) * TB_ROW + l];
            }
        }
    }
}

/* Sum over columns k of |reference factor u_k - model's factor v_k|^2, u_k the directions of `cross`, v_k of `turned`:
 * the distance of two full factors, without cancellation. */
static void aligned_distance(const tb_gaussian_block_t *self, const double *row, const double *scaled,
                             const double *cross, const double *turned, const double *length, lanes_t out) {
    const size_t d = self->plan->program.dimension;
    memset(out, 0, sizeof(lanes_t));
    for (size_t k = 0; k < d; k++) {
        for (size_t i = 0; i < d; i++) {
            lanes_t left = {0}, right = {0};
            for (size_t j = 0; j <= i; j++) {
                const double x = self->plan->reference[(tb_corner(i) + j) * TB_ROW] * row[i];
                for (size_t l = 0; l < TB_ROW; l++) {
                    left[l] += x * cross[(k * d + j) * TB_ROW + l];
                    right[l] += scaled[(tb_corner(i) + j) * TB_ROW + l] * turned[(k * d + j) * TB_ROW + l];
                }
            }
            for (size_t l = 0; l < TB_ROW; l++) {
                const double x = left[l] / length[k * TB_ROW + l] - right[l];
                out[l] += x * x;
            }
        }
    }
}

/* |mean difference|^2 + tr R + tr S - 2 sum of the singular values of (factor of R)' (factor of S). Where the two are
 * near, what follows the means is the distance of their aligned factors instead. */
static void w2_squared(tb_gaussian_block_t *self, lanes_t out) {
    const size_t d = self->plan->program.dimension, rank = self->rank;
    double *cross = self->room, *turned = cross + d * d * TB_ROW, *scaled = turned + d * d * TB_ROW;
    double row[TB_GAUSSIAN_DIMENSIONS], length[TB_GAUSSIAN_DIMENSIONS * TB_ROW];
    const double top = largest_unit(self->plan), square = tb_power_of_two(top);
    lanes_t traces = {0}, aligned;
    for (size_t i = 0; i < d; i++) row[i] = tb_power_of_two(self->plan->unit[i] - top);
    lay_cross(self, row, scaled, cross, traces);
    memset(turned, 0, rank * rank * TB_ROW * sizeof(double));
    for (size_t j = 0; j < rank; j++) {
        for (size_t l = 0; l < TB_ROW; l++) turned[(j * rank + j) * TB_ROW + l] = 1.0;
    }
    if (rank) self->plan->kernels->gaussian->orthogonalise(cross, d, rank, turned, rank);
    for (size_t l = 0; l < TB_ROW; l++) out[l] = traces[l];
    for (size_t k = 0; k < rank; k++) {
        dot(cross + k * d * TB_ROW, cross + k * d * TB_ROW, d, length + k * TB_ROW);
        for (size_t l = 0; l < TB_ROW; l++) {
            length[k * TB_ROW + l] = sqrt(length[k * TB_ROW + l]);
            out[l] -= 2.0 * length[k * TB_ROW + l];
        }
    }
    if (rank == d) aligned_distance(self, row, scaled, cross, turned, length, aligned);
    for (size_t l = 0; l < TB_ROW; l++) {
        const int near = rank == d && out[l] < 0.01 * traces[l] && aligned[l] < 0.02 * traces[l];
        out[l] = (near ? aligned[l] : out[l]) * square * square + squared_mean_error(self, l);
    }
}

/* y^2 - 1 - 2 log y for y = x 2^e, from y - 1 where that is small. */
static double divergence(double x, double e) {
    const double y = x * tb_power_of_two(e), off = y - 1.0;
    double series = 0.0;
    if (fabs(off) > 0.125) return y * y - 1.0 - 2.0 * (tb_log(x) + e * LN_2);
    for (int k = 18; k >= 2; k--) series = (k % 2 ? -1.0 : 1.0) / k + series * off;
    return off * off * (1.0 + 2.0 * series);
}

/* Half of: over all i, |y_ii|^2 - 1 - log |y_ii|^2, over i > j y_ij^2, and the square of the whitened mean, where y is
 * the model's factor in terms of the reference's. */
static void divergence_from_reference(tb_gaussian_block_t *self, lanes_t out) {
    const size_t d = self->plan->program.dimension;
    const double *reference = self->plan->reference;
    double *y = self->room;
    lanes_t mean[TB_GAUSSIAN_DIMENSIONS];
    for (size_t l = 0; l < TB_ROW; l++) out[l] = self->rank < d ? HUGE_VAL : 0.0;
    for (size_t i = 0; i < d && self->rank == d; i++) {
        const double *left = reference + tb_corner(i) * TB_ROW, over = left[i * TB_ROW];
        double *row = y + tb_corner(i) * TB_ROW;
        for (size_t j = 0; j <= i; j++) {
            for (size_t l = 0; l < TB_ROW; l++) {
                double x = self->factor[(tb_corner(i) + j) * TB_ROW + l];
                const double e = self->exponent[j * TB_ROW + l];
                if (j == i) out[l] += divergence(x / over, e);
                x *= tb_power_of_two(e);
                for (size_t k = j; k < i; k++) x -= left[k * TB_ROW] * y[(tb_corner(k) + j) * TB_ROW + l];
                row[j * TB_ROW + l] = x / over;
                if (j < i) out[l] += row[j * TB_ROW + l] * row[j * TB_ROW + l];
            }
        }
        for (size_t l = 0; l < TB_ROW; l++) {
            double x = self->mean[i * TB_ROW + l];
            for (size_t k = 0; k < i; k++) x -= left[k * TB_ROW] * mean[k][l];
            mean[i][l] = x / over;
            out[l] += mean[i][l] * mean[i][l];
        }
    }
    for (size_t l = 0; l < TB_ROW; l++) out[l] *= 0.5;
}

static void mass_beyond(const tb_gaussian_block_t *self, size_t lane, double *out) {
    const size_t d = self->plan->program.dimension;
    memset(out, 0, TB_GAUSSIAN_LEVELS * sizeof *out);
    for (size_t i = 0; i < d; i++) {
        double squares = 0.0, inverse;
        for (size_t j = 0; j <= i && j < self->rank; j++) {
            const double x =
                self->factor[(tb_corner(i) + j) * TB_ROW + lane] * tb_power_of_two(self->exponent[j * TB_ROW + lane]);
            squares += x * x;
        }
        inverse = 1.0 / sqrt(2.0 * squares); /* infinite for no width: all mass on one side of each quantile */
        for (size_t q = 0; q < TB_GAUSSIAN_LEVELS; q++) {
            const double edge = QUANTILE[q] * self->plan->width[i], mean = self->mean[i * TB_ROW + lane];
            out[q] += 0.5 * (tb_erfc((edge + mean) * inverse) + tb_erfc((edge - mean) * inverse));
        }
    }
    for (size_t q = 0; q < TB_GAUSSIAN_LEVELS; q++) out[q] /= (double)d;
}

/* --- Records --- */

static void spread(double *to, size_t at, size_t stride, size_t count, const lanes_t value) {
    for (size_t l = 0; l < count; l++) to[at + l * stride] = value[l];
}

/* What is worked out for one lane at a time. */
static void record_lane(const tb_gaussian_block_t *self, const tb_gaussian_output_t *output, size_t lane, size_t at) {
    const size_t d = self->plan->program.dimension;
    if (output->mean) write_mean(self, lane, output->mean + at * d);
    if (output->factor) write_factor(self, lane, output->factor + at * tb_corner(d));
    if (output->exponent) write_exponent(self, lane, output->exponent + at * d);
    if (output->rank) output->rank[at] = (int32_t)self->rank;
    if (output->log_det) output->log_det[at] = log_det(self, lane);
    if (output->squared_mean_error) output->squared_mean_error[at] = squared_mean_error(self, lane);
    if (output->mass_beyond) mass_beyond(self, lane, output->mass_beyond + at * TB_GAUSSIAN_LEVELS);
}

void tb_gaussian_record(tb_gaussian_block_t *self, const tb_gaussian_output_t *output, size_t row, size_t count,
                        size_t record) {
    const size_t stride = self->plan->program.at_count, at = row * stride + record;
    lanes_t value;
    for (size_t l = 0; l < count; l++) record_lane(self, output, l, at + l * stride);
    if (output->log_pseudo_det) {
        log_pseudo_det(self, value);
        for (size_t l = 0; l < count && self->rank == self->plan->program.dimension; l++) value[l] = log_det(self, l);
        spread(output->log_pseudo_det, at, stride, count, value);
    }
    if (output->log_trace) {
        log_trace(self, value);
        spread(output->log_trace, at, stride, count, value);
    }
    if (output->effective_rank) {
        effective_rank(self, value);
        spread(output->effective_rank, at, stride, count, value);
    }
    if (output->w2_squared) {
        w2_squared(self, value);
        spread(output->w2_squared, at, stride, count, value);
    }
    if (output->kl) {
        divergence_from_reference(self, value);
        spread(output->kl, at, stride, count, value);
    }
}

/* SPDX-License-Identifier: MIT */
/* One Gaussian lineage the plain way, in extended precision: full matrices, scatters added up, Cholesky. It shares the
 * addresses with the engine and nothing else. */
#ifndef TB_GAUSSIAN_ORACLE_H
#define TB_GAUSSIAN_ORACLE_H
#include <math.h>
#include <string.h>

#include "gaussian.h"
#include "philox.h"
#include "quantile.h"

enum { ORACLE_MOST = 8, ORACLE_PAST = 8, ORACLE_MODELS = 16 };
typedef long double real_t;
typedef real_t matrix_t[ORACLE_MOST][ORACLE_MOST];

typedef struct {
    real_t total, squares, mean[ORACLE_MOST];
    matrix_t scatter;
} bundle_t;

typedef struct {
    const tb_gaussian_t *program;
    uint32_t replicate, generation;
    real_t mean[ORACLE_MOST];
    matrix_t covariance;
    bundle_t kept, pool, past[ORACLE_PAST];
    real_t model_mean[ORACLE_MODELS][ORACLE_MOST]; /* that batches were drawn from */
    matrix_t model_factor[ORACLE_MODELS];
} oracle_t;

static inline real_t oracle_normal(const oracle_t *self, uint32_t purpose, uint32_t slot, size_t i) {
    const tb_address_t at = {self->program->key, self->generation, self->replicate, purpose};
    uint64_t word[2];

    tb_philox(&at, slot + (uint32_t)(i / 2), word);
    return (real_t)tb_normal_quantile(word[i % 2]);
}

/* Marsaglia and Tsang as they wrote it. */
static inline real_t oracle_chi(const oracle_t *self, uint32_t purpose, size_t i, uint64_t freedom) {
    const real_t d = (real_t)freedom / 2.0L - 1.0L / 3.0L, c = 1.0L / sqrtl(9.0L * d);

    for (uint32_t attempt = 0;; attempt++) {
        const tb_address_t at = {self->program->key, self->generation, self->replicate, purpose | attempt << 8};
        uint64_t word[2];
        real_t x, v, u;

        tb_philox(&at, (1u << 20) + (uint32_t)i, word);
        x = (real_t)tb_normal_quantile(word[0]);
        if (freedom == 1) return fabsl(x);
        v = 1.0L + c * x;
        v = v * v * v;
        u = ((real_t)word[1] + 0.5L) * 0x1p-64L;
        if (v > 0.0L && logl(u) < 0.5L * x * x + d - d * v + d * logl(v)) return sqrtl(2.0L * d * v);
    }
}

/* The lower triangle, and its rank: what is left of a pivot by rounding counts as zero. */
static inline size_t oracle_cholesky(size_t d, matrix_t s, matrix_t out) {
    size_t rank = 0;

    memset(out, 0, sizeof(matrix_t));
    for (size_t j = 0; j < d; j++) {
        real_t pivot = s[j][j];

        for (size_t k = 0; k < j; k++) pivot -= out[j][k] * out[j][k];
        if (pivot <= 1e-12L * s[j][j]) continue;
        rank++;
        out[j][j] = sqrtl(pivot);
        for (size_t i = j + 1; i < d; i++) {
            real_t x = s[i][j];

            for (size_t k = 0; k < j; k++) x -= out[i][k] * out[j][k];
            out[i][j] = x / out[j][j];
        }
    }
    return rank;
}

static inline void oracle_batch(const oracle_t *self, uint32_t purpose, uint64_t n, const real_t *mean, matrix_t factor,
                                size_t rank, bundle_t *out) {
    const size_t d = self->program->dimension, columns = rank < n - 1 ? rank : (size_t)(n - 1);
    matrix_t a = {{0}}, b = {{0}};

    memset(out, 0, sizeof *out);
    out->total = out->squares = (real_t)n;
    for (size_t i = 0; i < d; i++) {
        out->mean[i] = mean[i];
        for (size_t j = 0; j < rank; j++) {
            out->mean[i] += factor[i][j] * oracle_normal(self, purpose, 1u << 21, j) / sqrtl((real_t)n);
        }
    }
    for (size_t i = 0; i < rank; i++) {
        for (size_t j = 0; j < i && j < columns; j++) a[i][j] = oracle_normal(self, purpose, 0, i * (i - 1) / 2 + j);
        if (i < columns) a[i][i] = oracle_chi(self, purpose, i, n - 1 - i);
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            for (size_t k = 0; k < d; k++) b[i][j] += factor[i][k] * a[k][j];
        }
    }
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            for (size_t k = 0; k < d; k++) out->scatter[i][j] += b[i][k] * b[j][k];
        }
    }
}

static inline void oracle_join(size_t d, bundle_t *into, const bundle_t *from, real_t weight) {
    const real_t added = weight * from->total, total = into->total + added;
    real_t difference[ORACLE_MOST];

    if (added == 0.0L) return;
    for (size_t i = 0; i < d; i++) difference[i] = from->mean[i] - into->mean[i];
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j < d; j++) {
            into->scatter[i][j] += weight * from->scatter[i][j];
            into->scatter[i][j] += difference[i] * difference[j] * (into->total * added / total);
        }
    }
    for (size_t i = 0; i < d; i++) into->mean[i] += difference[i] * (added / total);
    into->total = total;
    into->squares += weight * weight * from->squares;
}

static inline void oracle_fit(oracle_t *self, const bundle_t *from) {
    const size_t d = self->program->dimension;
    const real_t divisor = from->total - (real_t)self->program->ddof * from->squares / from->total;

    for (size_t i = 0; i < d; i++) {
        self->mean[i] = from->mean[i];
        for (size_t j = 0; j < d; j++) self->covariance[i][j] = divisor > 0.0L ? from->scatter[i][j] / divisor : 0.0L;
    }
}

static inline void oracle_human(oracle_t *self, uint32_t purpose, uint64_t n, bundle_t *out) {
    const tb_gaussian_t *program = self->program;
    real_t mean[ORACLE_MOST];
    matrix_t factor = {{0}};

    for (size_t i = 0; i < program->dimension; i++) {
        mean[i] = (real_t)program->mean[i];
        for (size_t j = 0; j <= i; j++) factor[i][j] = (real_t)program->factor[i * (i + 1) / 2 + j];
    }
    oracle_batch(self, purpose, n, mean, factor, program->dimension, out);
}

/* Items drawn one by one from the first batches, by the choices of this generation. */
static inline void oracle_draw(const oracle_t *self, const uint64_t *sizes, size_t batches, uint64_t wanted,
                               bundle_t *out) {
    const size_t d = self->program->dimension;
    uint64_t left = 0, item = 0;

    memset(out, 0, sizeof *out);
    for (size_t b = 0; b < batches; b++) left += sizes[b];
    for (size_t b = 0; b < batches; b++) {
        oracle_t there = *self;

        there.generation = (uint32_t)b + 1;
        for (uint64_t i = 0; i < sizes[b]; i++, item++, left--) {
            const tb_address_t at = {self->program->key, self->generation, self->replicate, TB_FOR_GAUSSIAN_CHOICE};
            bundle_t one;
            uint64_t word[2];

            tb_philox(&at, (uint32_t)(item / 2), word);
            if ((real_t)word[item % 2] * 0x1p-64L * (real_t)left >= (real_t)wanted) continue;
            wanted--;
            memset(&one, 0, sizeof one);
            one.total = one.squares = 1.0L;
            for (size_t j = 0; j < d; j++) {
                one.mean[j] = self->model_mean[b][j];
                for (size_t k = 0; k <= j; k++) {
                    one.mean[j] += self->model_factor[b][j][k] *
                                   oracle_normal(&there, TB_FOR_GAUSSIAN_ITEM, (uint32_t)(i * ((d + 1) / 2)), k);
                }
            }
            oracle_join(d, out, &one, 1.0L);
        }
    }
}

static inline int oracle_has_hoard(const tb_gaussian_t *program) {
    for (size_t i = 0; i < program->generations; i++) {
        if (program->from_kept[i] && program->from_kept[i] < program->kept) return 1;
    }
    return 0;
}

static inline void oracle_begin(oracle_t *self) {
    const tb_gaussian_t *program = self->program;

    for (size_t i = 0; i < program->dimension; i++) {
        self->model_mean[0][i] = (real_t)program->mean[i];
        for (size_t j = 0; j <= i; j++) self->model_factor[0][i][j] = (real_t)program->factor[i * (i + 1) / 2 + j];
    }
}

static inline void oracle_first(oracle_t *self, const tb_gaussian_t *program, uint32_t replicate) {
    const uint64_t n = program->samples[0], kept = program->kept ? program->kept : n;
    const uint64_t both = n < kept ? n : kept;
    bundle_t first, more;

    memset(self, 0, sizeof *self);
    self->program = program;
    self->replicate = replicate;
    self->generation = 1;
    oracle_begin(self);
    if (program->draw || oracle_has_hoard(program)) {
        oracle_draw(self, &both, 1, program->draw ? program->draw[0] : both, &first);
    } else {
        oracle_human(self, TB_FOR_GAUSSIAN_HUMAN, both, &first);
    }
    self->kept = first;
    if (kept != n) {
        oracle_human(self, TB_FOR_GAUSSIAN_HUMAN_MORE, n < kept ? kept - n : n - kept, &more);
        oracle_join(program->dimension, n < kept ? &self->kept : &first, &more, 1.0L);
    }
    self->pool = self->past[0] = first;
    oracle_fit(self, &first);
}

/* The next generation's training set, from what the regime says, and its fit. */
static inline void oracle_step(oracle_t *self) {
    const tb_gaussian_t *program = self->program;
    const size_t d = program->dimension, i = self->generation++;
    const uint64_t fresh = program->fresh[i], kept = program->from_kept[i], rest = program->samples[i] - fresh - kept;
    const uint64_t *weight = program->item_weights ? program->item_weights + 3 * i : NULL;
    bundle_t part, batch, training;
    matrix_t factor;

    if (program->draw) {
        memcpy(self->model_mean[i], self->mean, sizeof self->mean);
        oracle_cholesky(d, self->covariance, self->model_factor[i]);
        oracle_draw(self, program->samples, i + 1, program->draw[i], &training);
        oracle_fit(self, &training);
        return;
    }
    memset(&batch, 0, sizeof batch);
    memset(&training, 0, sizeof training);
    if (rest) {
        const size_t rank = oracle_cholesky(d, self->covariance, factor);

        oracle_batch(self, TB_FOR_GAUSSIAN, rest, self->mean, factor, rank, &part);
        oracle_join(d, &batch, &part, weight ? (real_t)weight[0] : 1.0L);
    }
    if (fresh) {
        oracle_human(self, TB_FOR_GAUSSIAN_FRESH, fresh, &part);
        oracle_join(d, &batch, &part, weight ? (real_t)weight[1] : 1.0L);
    }
    if (kept) {
        if (oracle_has_hoard(program)) oracle_draw(self, &program->kept, 1, kept, &self->kept);
        oracle_join(d, &batch, &self->kept, weight ? (real_t)weight[2] : 1.0L);
    }
    oracle_join(d, &self->pool, &batch, 1.0L);
    memmove(self->past + 1, self->past, (ORACLE_PAST - 1) * sizeof batch);
    self->past[0] = batch;
    for (size_t a = 0; a < program->age_count && a <= i; a++) {
        oracle_join(d, &training, &self->past[a], (real_t)program->ages[a]);
    }
    oracle_fit(self, program->age_count ? &training : &self->pool);
}
#endif

/* SPDX-License-Identifier: MIT */
/* Where a fit begins that has no law to begin with: seeds, Lloyd's steps, and the clusters' moments. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "em_core.h"

enum { LLOYD_STEPS = 20 };
static const double LLOYD_TOLERANCE = 1e-4; /* of the items' mean squared distance to the first seed */
static const double HARD = 0x1p60;          /* nearest takes all: what is farther by a share of 2^-53 gets 2^-128 */
static const double NARROW = 0x1p-800;      /* items as near as this coincide */

typedef struct {
    tb_em_t *em;
    const tb_em_part_t *parts;
    size_t count;
    const tb_control_t *control;
    double *sum; /* by piece, of weight times squared distance */
    size_t pieces;
} seeding_t;

static uint64_t rows_of(const tb_em_part_t *part) { return (part->count + TB_ROW - 1) / TB_ROW; }

/* Weight times squared distance for the items of a piece, which is 0 beyond the last; with no seeds, the weight. */
static double measure(seeding_t *self, const tb_em_part_t *part, uint64_t row, size_t seeds, const double *x,
                      size_t rows) {
    tb_em_t *em = self->em;
    const uint64_t first = row * TB_ROW, left = part->count - first;
    const size_t items = left < rows * TB_ROW ? (size_t)left : rows * TB_ROW;
    double sum = 0.0;
    if (seeds) em->kernels->nearest(x, rows, em->settings.dimension, em->mean, seeds, em->distance);
    for (size_t i = 0; i < rows * TB_ROW; i++) {
        const double own = i < items ? part->weight * (part->items ? part->items[first + i] : 1.0) : 0.0;
        em->distance[i] = seeds ? own * em->distance[i] : own;
        sum += em->distance[i];
    }
    return sum;
}

static int measure_all(seeding_t *self, size_t seeds, double *total) {
    size_t piece = 0;
    *total = 0.0;
    for (size_t p = 0; p < self->count; p++) {
        const uint64_t all = rows_of(&self->parts[p]);
        for (uint64_t row = 0; row < all; row += TB_EM_PIECE) {
            const size_t rows = all - row < TB_EM_PIECE ? (size_t)(all - row) : TB_EM_PIECE;
            if (tb_is_cancelled(self->control)) return TB_ERR_CANCELLED;
            self->sum[piece] =
                measure(self, &self->parts[p], row, seeds, tb_em_rows(self->em, &self->parts[p], row, rows), rows);
            *total += self->sum[piece++];
        }
    }
    return TB_OK;
}

/* The first item, or the last with a share, at which the running sum of a piece exceeds `target`, as a seed. */
static void take_item(seeding_t *self, size_t piece, size_t seeds, double target, double *seed) {
    tb_em_t *em = self->em;
    const size_t d = em->settings.dimension;
    size_t chosen = 0;
    for (size_t p = 0; p < self->count; p++) {
        const tb_em_part_t *part = &self->parts[p];
        const uint64_t all = rows_of(part), row = (uint64_t)piece * TB_EM_PIECE;
        const size_t pieces = (size_t)((all + TB_EM_PIECE - 1) / TB_EM_PIECE);
        if (piece >= pieces) {
            piece -= pieces;
            continue;
        }
        const size_t rows = all - row < TB_EM_PIECE ? (size_t)(all - row) : TB_EM_PIECE;
        const double *x = tb_em_rows(em, part, row, rows);
        double sum = 0.0;
        measure(self, part, row, seeds, x, rows);
        for (size_t i = 0; i < rows * TB_ROW && !(sum > target); i++) {
            sum += em->distance[i];
            if (em->distance[i] > 0.0) chosen = i;
        }
        for (size_t j = 0; j < d; j++) seed[j] = x[(chosen / TB_ROW * d + j) * TB_ROW + chosen % TB_ROW];
        return;
    }
}

/* Seed number `seeds`, with a chance in proportion to weight times squared distance to the seeds before; to weight
 * alone for the first, and where all items are seeds already. */
static int choose(seeding_t *self, size_t seeds, const tb_address_t *at, double *total) {
    uint64_t word[2];
    size_t by = seeds, piece = 0, last = 0;
    double before = 0.0, base = 0.0, mass;
    int code = measure_all(self, seeds, total);
    mass = *total;
    if (!code && seeds && !(mass > 0.0)) {
        by = 0;
        code = measure_all(self, 0, &mass);
    }
    if (code) return code;
    tb_philox(at, (uint32_t)seeds, word);
    const double target = ((double)(word[0] >> 11) + 0.5) * 0x1p-53 * mass;
    for (; piece < self->pieces && !(before > target); piece++) {
        if (self->sum[piece] > 0.0) {
            last = piece;
            base = before;
        }
        before += self->sum[piece];
    }
    take_item(self, last, by, target - base, self->em->mean + seeds * self->em->settings.dimension);
    return TB_OK;
}

/* Terms for which the nearest seed takes all of an item. */
static tb_em_terms_t hard_terms(tb_em_t *em, enum tb_em_form form, double spread) {
    const size_t d = em->settings.dimension, k = em->settings.components, length = tb_em_form_length(form, d);
    const double squared = spread > NARROW ? HARD / spread : 1.0, scale = form == TB_EM_ROUND ? squared : sqrt(squared);
    for (size_t c = 0; c < k; c++) {
        em->level[c] = 0.0;
        em->alive[c] = c;
        for (size_t i = 0; i < length; i++) em->scale[c * length + i] = form == TB_EM_TRIANGLE ? 0.0 : scale;
        for (size_t j = 0; form == TB_EM_TRIANGLE && j < d; j++) em->scale[c * length + tb_corner(j) + j] = scale;
    }
    return (tb_em_terms_t){d, k, form, em->mean, em->scale, em->level};
}

/* Each seed to the mean of its cluster; one that has nothing stays. Returns whether any moved noticeably. */
static int move_seeds(tb_em_t *em, double total, double spread) {
    const size_t d = em->settings.dimension, stride = tb_em_stride(TB_EM_ROUND, d);
    double moved = 0.0;
    for (size_t c = 0; c < em->settings.components; c++) {
        const double *lanes = em->sums + c * stride * TB_ROW, n = tb_em_row_sum(lanes);
        if (!(n >= 0x1p-53 * total)) continue;
        for (size_t j = 0; j < d; j++) {
            const double step = tb_em_row_sum(lanes + (1 + j) * TB_ROW) / n;
            em->mean[c * d + j] += step;
            moved += step * step;
        }
    }
    return moved > LLOYD_TOLERANCE * spread;
}

static int seed(seeding_t *self, const tb_address_t *at, tb_em_law_t *law) {
    tb_em_t *em = self->em;
    const double total = tb_em_total(self->parts, self->count);
    double spread = 0.0;
    int code = TB_OK, moving = 1;
    if (!(total > 0.0)) return TB_ERR_EM_EMPTY;
    for (size_t c = 0; !code && c < em->settings.components; c++) {
        double distances;
        code = choose(self, c, at, &distances);
        if (c == 1) spread = distances / total;
    }
    for (int step = 0; !code && moving && step < LLOYD_STEPS; step++) {
        const tb_em_terms_t terms = hard_terms(em, TB_EM_ROUND, spread);
        code = tb_em_expect(em, &terms, self->parts, self->count, self->control);
        if (!code) moving = move_seeds(em, total, spread);
    }
    if (code) return code;
    const tb_em_terms_t terms = hard_terms(em, em->form, spread);
    code = tb_em_expect(em, &terms, self->parts, self->count, self->control);
    if (code) return code;
    memcpy(law->mean, em->mean, em->settings.components * em->settings.dimension * sizeof(double));
    tb_em_maximise(em, em->settings.components, total, law);
    return TB_OK;
}

int tb_em_seed(tb_em_t *em, const tb_em_part_t *parts, size_t count, const tb_address_t *at, tb_em_law_t *law,
               const tb_control_t *control) {
    seeding_t self = {em, parts, count, control, NULL, 0};
    for (size_t p = 0; p < count; p++) self.pieces += (size_t)((rows_of(&parts[p]) + TB_EM_PIECE - 1) / TB_EM_PIECE);
    self.sum = calloc(self.pieces + 1, sizeof *self.sum);
    if (!self.sum) return TB_ERR_MEMORY;
    const int code = seed(&self, at, law);
    free(self.sum);
    return code;
}

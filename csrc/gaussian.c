/* SPDX-License-Identifier: MIT */
/* The loop over generations of eight Gaussian lineages. What is uniform over lanes (sizes, weights, ranks) is followed
 * once. */
#include "gaussian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gaussian_core.h"

/* Slots of a batch's draws. */
enum { SLOT_BELOW = 0, SLOT_CHI = 1 << 20, SLOT_MEAN = 1 << 21 };

enum { SYNTHETIC, HUMAN }; /* laws of chi variates that are kept */

static size_t smaller(uint64_t a, uint64_t b) { return (size_t)(a < b ? a : b); }

static double larger(double a, double b) { return a > b ? a : b; }

/* Every training set is the newest batch. */
static int is_newest(const tb_gaussian_t *program) { return program->age_count == 1; }

static size_t past_batches(const tb_gaussian_t *program) {
    return is_newest(program) ? 0 : smaller(program->age_count, program->generations);
}

static size_t moments_rows(size_t d) { return d + tb_corner(d); }

/* Rows of lanes that a block holds, and bytes. */
static size_t block_rows(const tb_gaussian_t *program) {
    const size_t d = program->dimension, state = 2 * d + tb_corner(d);
    const size_t draws = d + tb_corner(d - 1) + d + (tb_corner(d) + d) + (d + 1 + TB_ITEMS);
    const size_t models = tb_gaussian_models(program);
    const size_t items = models ? tb_corner(d + 1) + (d + 1) * TB_ITEMS + models * moments_rows(d) : 0;
    return state + draws + items + (3 + past_batches(program)) * moments_rows(d);
}

size_t tb_gaussian_block_bytes(const tb_gaussian_t *program) {
    return block_rows(program) * TB_ROW * sizeof(double) + past_batches(program) * sizeof(tb_moments_t) +
           2 * program->dimension * sizeof(tb_chi_t) + sizeof(tb_gaussian_block_t) +
           (tb_gaussian_models(program) ? TB_ROW * sizeof(tb_walk_t) : 0);
}

static double *carve(double **room, size_t rows) {
    double *taken = *room;
    *room += rows * TB_ROW;
    return taken;
}

static void carve_moments(tb_moments_t *self, size_t d, double **room) {
    self->offset = carve(room, d);
    self->factor = carve(room, tb_corner(d));
}

static void block_free(tb_gaussian_block_t *self) {
    tb_give(self->mean);
    tb_give(self->chi[0].law);
    tb_give(self->room);
    tb_give(self->items.walk);
    free(self->past);
}

static int block_init(tb_gaussian_block_t *self, const tb_gaussian_plan_t *plan, const tb_gaussian_output_t *output) {
    const tb_gaussian_t *program = &plan->program;
    const size_t d = program->dimension, room = tb_gaussian_room(plan, output);
    const size_t models = tb_gaussian_models(program);
    size_t unused = 0;
    memset(self, 0, sizeof *self);
    self->plan = plan;
    self->past_count = past_batches(program);
    double *rest = self->mean = tb_take(block_rows(program) * TB_ROW, sizeof(double), &unused);
    self->chi[0].law = tb_take(2 * d, sizeof(tb_chi_t), &unused);
    self->past = calloc(self->past_count + 1, sizeof *self->past);
    if (room) self->room = tb_take(room * TB_ROW, sizeof(double), &unused);
    if (models) self->items.walk = tb_take(TB_ROW, sizeof(tb_walk_t), &unused);
    if (models && !self->items.walk) return TB_ERR_MEMORY;
    if (!rest || !self->chi[0].law || !self->past || (room && !self->room)) return TB_ERR_MEMORY;
    self->chi[1].law = self->chi[0].law + d;
    carve(&rest, d);
    self->exponent = carve(&rest, d);
    self->factor = carve(&rest, tb_corner(d));
    self->z = carve(&rest, d);
    self->below = carve(&rest, tb_corner(d - 1));
    self->diagonal = carve(&rest, d);
    self->more = carve(&rest, tb_corner(d) + d);
    self->work = carve(&rest, d + 1 + TB_ITEMS);
    if (models) {
        self->items.triangle = carve(&rest, tb_corner(d + 1));
        self->items.more = carve(&rest, (d + 1) * TB_ITEMS);
        self->items.mean = carve(&rest, models * d);
        self->items.factor = carve(&rest, models * tb_corner(d));
    }
    carve_moments(&self->part, d, &rest);
    carve_moments(&self->training, d, &rest);
    carve_moments(&self->kept, d, &rest);
    for (size_t i = 0; i < self->past_count; i++) carve_moments(&self->past[i], d, &rest);
    return TB_OK;
}

/* --- Draws --- */

/* The laws of chi variates for a batch of n: as long as n stays the same they are not worked out again. */
static const tb_chi_t *chi_laws(tb_gaussian_block_t *self, int kind, uint64_t n) {
    const size_t d = self->plan->program.dimension;
    tb_chi_t *law = self->chi[kind].law;
    if (self->chi[kind].samples == n) return law;
    self->chi[kind].samples = n;
    for (size_t i = 0; i < d && i + 1 < n; i++) {
        const uint64_t freedom = n - 1 - i;
        law[i].shape = (double)freedom / 2.0 - 1.0 / 3.0;
        law[i].slope = 1.0 / (3.0 * sqrt(law[i].shape));
        law[i].root = freedom == 1 ? 0.0 : sqrt(2.0 * law[i].shape);
    }
    return law;
}

/* Normals for the mean of a batch of n, the triangle below and chi variates; returns the columns of the triangle. */
static size_t draw(tb_gaussian_block_t *self, uint32_t purpose, size_t rank, uint64_t n) {
    const tb_gaussian_kernels_t *kernels = self->plan->kernels->gaussian;
    const uint64_t key = self->plan->program.key;
    const size_t columns = smaller(rank, n - 1);
    const tb_chi_t *law = chi_laws(self, purpose == TB_FOR_GAUSSIAN ? SYNTHETIC : HUMAN, n);
    kernels->fill_lane_normals(&self->lanes, key, purpose, SLOT_MEAN, rank, self->z);
    kernels->fill_lane_normals(&self->lanes, key, purpose, SLOT_BELOW, rank * (rank - (rank > 0)) / 2, self->below);
    kernels->fill_lane_chis(&self->lanes, key, purpose, SLOT_CHI, law, columns, self->diagonal);
    return columns;
}

static void scale_rows(double *x, size_t rows, double by) {
    for (size_t i = 0; i < rows * TB_ROW; i++) x[i] *= by;
}

/* Copies the columns below `rank` of a factor; the others become zero. */
static void copy_factor(double *to, const double *from, size_t d, size_t rank) {
    for (size_t i = 0; i < d; i++) {
        const size_t row = tb_corner(i) * TB_ROW, some = i + 1 < rank ? i + 1 : rank;
        memcpy(to + row, from + row, some * TB_ROW * sizeof(double));
        memset(to + row + some * TB_ROW, 0, (i + 1 - some) * TB_ROW * sizeof(double));
    }
}

static void clear_columns(double *factor, size_t d, size_t from) {
    for (size_t i = from; i < d; i++) {
        memset(factor + (tb_corner(i) + from) * TB_ROW, 0, (i + 1 - from) * TB_ROW * sizeof(double));
    }
}

/* Multiplies column j of a factor, in lanes, by what `by` holds for it. */
static void scale_columns(double *factor, size_t d, size_t rank, const double *by) {
    for (size_t i = 0; i < d; i++) {
        double *row = factor + tb_corner(i) * TB_ROW;
        for (size_t j = 0; j <= i && j < rank; j++) {
            for (size_t l = 0; l < TB_ROW; l++) row[j * TB_ROW + l] *= by[j * TB_ROW + l];
        }
    }
}

/* Statistics of n items drawn from a law with this factor, all of whose columns are times 2^exponent. */
static void draw_part(tb_gaussian_block_t *self, uint32_t purpose, const double *factor, size_t rank, uint64_t n,
                      tb_moments_t *part) {
    const tb_gaussian_kernels_t *kernels = self->plan->kernels->gaussian;
    const size_t d = self->plan->program.dimension, columns = draw(self, purpose, rank, n);
    scale_rows(self->z, rank, 1.0 / sqrt((double)n));
    kernels->shift(factor, d, rank, self->z, part->offset);
    part->total = part->squares = (double)n;
    part->rank = columns;
    if (part->factor != factor) copy_factor(part->factor, factor, d, rank);
    if (columns) kernels->multiply(part->factor, d, rank, columns, self->below, self->diagonal, 1.0);
    clear_columns(part->factor, d, columns);
}

/* A synthetic part. Columns of the model that differ in scale are brought to the largest of them. */
static void draw_synthetic(tb_gaussian_block_t *self, uint64_t n) {
    const size_t d = self->plan->program.dimension;
    tb_moments_t *part = &self->part;
    memset(part->exponent, 0, sizeof part->exponent);
    copy_factor(part->factor, self->factor, d, self->rank);
    if (self->graded) {
        double *by = self->z; /* not drawn yet */
        for (size_t l = 0; l < TB_ROW; l++) {
            double most = self->rank ? self->exponent[l] : 0.0;
            for (size_t j = 1; j < self->rank; j++) most = larger(most, self->exponent[j * TB_ROW + l]);
            for (size_t j = 0; j < self->rank; j++) {
                by[j * TB_ROW + l] = tb_power_of_two(self->exponent[j * TB_ROW + l] - most);
            }
            part->exponent[l] = most;
        }
        scale_columns(part->factor, d, self->rank, by);
    }
    draw_part(self, TB_FOR_GAUSSIAN, part->factor, self->rank, n, part);
}

/* A human part, less the model's mean. */
static void draw_human(tb_gaussian_block_t *self, uint32_t purpose, uint64_t n, tb_moments_t *part) {
    const size_t d = self->plan->program.dimension;
    draw_part(self, purpose, self->plan->reference, d, n, part);
    memset(part->exponent, 0, sizeof part->exponent);
    for (size_t i = 0; i < d * TB_ROW; i++) part->offset[i] -= self->mean[i];
}

/* --- Training sets --- */

static void moments_clear(tb_moments_t *self, size_t d) {
    self->total = self->squares = 0.0;
    self->rank = 0;
    memset(self->exponent, 0, sizeof self->exponent);
    memset(self->offset, 0, d * TB_ROW * sizeof(double));
    memset(self->factor, 0, tb_corner(d) * TB_ROW * sizeof(double));
}

static void moments_copy(tb_moments_t *self, const tb_moments_t *from, size_t d, double weight) {
    self->total = weight * from->total;
    self->squares = weight * weight * from->squares;
    self->rank = from->rank;
    memcpy(self->exponent, from->exponent, sizeof self->exponent);
    memcpy(self->offset, from->offset, d * TB_ROW * sizeof(double));
    copy_factor(self->factor, from->factor, d, from->rank);
    if (weight != 1.0) scale_rows(self->factor, tb_corner(d), sqrt(weight));
}

/* One row of lanes of what is merged: the column between the means first, then the part's own, both in the common
 * scale. */
static void lay_row(const tb_gaussian_block_t *self, tb_moments_t *into, const tb_moments_t *part, size_t i,
                    const double *mine, const double *theirs, double root, double share, double between) {
    const size_t some = i + 1 < part->rank ? i + 1 : part->rank;
    const double *from = part->factor + tb_corner(i) * TB_ROW;
    double *to = self->more + (i + (part->rank ? tb_corner(i) : 0)) * TB_ROW,
           *own = into->factor + tb_corner(i) * TB_ROW;
    for (size_t l = 0; l < TB_ROW; l++) {
        const double here = into->offset[i * TB_ROW + l] * mine[l];
        const double difference = part->offset[i * TB_ROW + l] * theirs[l] - here;
        to[l] = difference * between;
        into->offset[i * TB_ROW + l] = here + difference * share;
    }
    for (size_t j = 0; j < some; j++) {
        for (size_t l = 0; l < TB_ROW; l++) {
            to[(j + 1) * TB_ROW + l] = from[j * TB_ROW + l] * (theirs[l] * root);
        }
    }
    for (size_t j = 0; j <= i && j < into->rank; j++) {
        for (size_t l = 0; l < TB_ROW; l++) own[j * TB_ROW + l] *= mine[l];
    }
}

/* Pairwise update (Chan, Golub & LeVeque 1983) on factors: items of `part` join, each with this weight. */
static void merge(tb_gaussian_block_t *self, tb_moments_t *into, const tb_moments_t *part, double weight) {
    const size_t d = self->plan->program.dimension;
    const double added = weight * part->total, total = into->total + added;
    double mine[TB_ROW], theirs[TB_ROW];
    if (added == 0.0) return;
    if (into->total == 0.0) {
        moments_copy(into, part, d, weight);
        return;
    }
    const double share = added / total, between = sqrt(into->total * share);
    for (size_t l = 0; l < TB_ROW; l++) {
        const double most = larger(into->exponent[l], part->exponent[l]);
        mine[l] = tb_power_of_two(into->exponent[l] - most);
        theirs[l] = tb_power_of_two(part->exponent[l] - most);
        into->exponent[l] = most;
    }
    for (size_t i = 0; i < d; i++) lay_row(self, into, part, i, mine, theirs, sqrt(weight), share, between);
    into->total = total;
    into->squares += weight * weight * part->squares;
    into->rank = smaller(d, into->rank + part->rank + 1);
    self->plan->kernels->gaussian->absorb(into->factor, d, into->rank, self->more, 1, part->rank, self->work);
}

/* --- Models --- */

/* Columns whose diagonal element has left the range are scaled by a power of two, which goes to the exponent. */
static void rescale(tb_gaussian_block_t *self) {
    const size_t d = self->plan->program.dimension;
    double *by = self->z;
    for (size_t j = 0; j < self->rank; j++) {
        const double *diagonal = self->factor + (tb_corner(j) + j) * TB_ROW;
        for (size_t l = 0; l < TB_ROW; l++) {
            const int small = diagonal[l] < 0x1p-256, large = diagonal[l] > 0x1p256;
            by[j * TB_ROW + l] = small ? 0x1p256 : large ? 0x1p-256 : 1.0;
            self->exponent[j * TB_ROW + l] += small ? -TB_RANGE : large ? TB_RANGE : 0;
        }
    }
    scale_columns(self->factor, d, self->rank, by);
    self->graded = 1;
}

static int out_of_range(const tb_gaussian_block_t *self) {
    int out = 0;
    for (size_t j = 0; j < self->rank; j++) {
        const double *diagonal = self->factor + (tb_corner(j) + j) * TB_ROW;
        for (size_t l = 0; l < TB_ROW; l++) out |= diagonal[l] < 0x1p-256 || diagonal[l] > 0x1p256;
    }
    return out;
}

/* The model that is fitted to a training set; what is kept of the past is then relative to its mean. */
static void fit(tb_gaussian_block_t *self, tb_moments_t *training, size_t rank) {
    const size_t d = self->plan->program.dimension;
    const double divisor = training->total - (double)self->plan->program.ddof * (training->squares / training->total);
    if (training->rank > rank) {
        training->rank = rank;
        clear_columns(training->factor, d, rank);
    }
    self->rank = divisor > 0.0 ? training->rank : 0;
    self->graded = 0;
    copy_factor(self->factor, training->factor, d, self->rank);
    if (self->rank) scale_rows(self->factor, tb_corner(d), 1.0 / sqrt(divisor));
    for (size_t l = 0; l < TB_ROW; l++) {
        const double scale = tb_power_of_two(training->exponent[l]);
        for (size_t i = 0; i < d; i++) self->mean[i * TB_ROW + l] += training->offset[i * TB_ROW + l] * scale;
        for (size_t j = 0; j < d; j++) self->exponent[j * TB_ROW + l] = training->exponent[l];
        self->graded |= training->exponent[l] != 0.0;
    }
    for (size_t k = 0; k < self->past_count && self->past[k].total > 0.0; k++) {
        tb_moments_t *past = &self->past[k];
        for (size_t l = 0; l < TB_ROW; l++) {
            const double scale = tb_power_of_two(training->exponent[l] - past->exponent[l]);
            for (size_t i = 0; i < d; i++) past->offset[i * TB_ROW + l] -= training->offset[i * TB_ROW + l] * scale;
        }
    }
    memset(training->offset, 0, d * TB_ROW * sizeof(double));
    if (out_of_range(self)) rescale(self);
}

/* The next model where its training set is one synthetic batch: no mean is subtracted, no scatter formed. */
static void advance(tb_gaussian_block_t *self, uint64_t n) {
    const tb_gaussian_kernels_t *kernels = self->plan->kernels->gaussian;
    const size_t d = self->plan->program.dimension, rank = self->rank;
    const double divisor = (double)(n - self->plan->program.ddof);
    const size_t columns = draw(self, TB_FOR_GAUSSIAN, rank, n);
    scale_rows(self->z, rank, 1.0 / sqrt((double)n));
    for (size_t j = 0; self->graded && j < rank * TB_ROW; j++) self->z[j] *= tb_power_of_two(self->exponent[j]);
    kernels->shift(self->factor, d, rank, self->z, self->part.offset);
    for (size_t i = 0; i < d * TB_ROW; i++) self->mean[i] += self->part.offset[i];
    for (size_t k = 1; self->graded && k < rank; k++) {
        double *row = self->below + tb_corner(k - 1) * TB_ROW;
        for (size_t j = 0; j < k * TB_ROW; j++) {
            row[j] *= tb_power_of_two(self->exponent[k * TB_ROW + j % TB_ROW] - self->exponent[j]);
        }
    }
    self->rank = columns;
    if (columns &&
        kernels->multiply(self->factor, d, rank, columns, self->below, self->diagonal, 1.0 / sqrt(divisor))) {
        rescale(self);
    }
    if (columns < rank) clear_columns(self->factor, d, columns);
}

/* --- Generations --- */

/* Human data are one stream: generation 1 trains on its beginning, and the kept set is its beginning too. */
static void first(tb_gaussian_block_t *self) {
    const tb_gaussian_t *program = &self->plan->program;
    const size_t d = program->dimension;
    const uint64_t n = program->samples[0], kept = program->kept ? program->kept : n;
    const uint64_t both = n < kept ? n : kept, more = n < kept ? kept - n : n - kept;
    const double weight = program->age_count ? (double)program->ages[0] : 1.0;
    const int hoard = self->plan->hoard;
    memset(self->mean, 0, d * TB_ROW * sizeof(double));
    moments_clear(&self->training, d);
    if (hoard) {
        tb_gaussian_keep_model(self, 0);
        tb_gaussian_draw_items(self, &both, 1, both, &self->part);
    } else {
        draw_human(self, TB_FOR_GAUSSIAN_HUMAN, both, &self->part);
    }
    moments_copy(&self->training, &self->part, d, 1.0);
    moments_copy(&self->kept, &self->part, d, 1.0);
    if (more && !(hoard && n < kept)) {
        draw_human(self, TB_FOR_GAUSSIAN_HUMAN_MORE, more, &self->part);
        merge(self, n < kept ? &self->kept : &self->training, &self->part, 1.0);
    }
    self->kept.rank = smaller(d, kept - 1);
    for (size_t k = 0; k < self->past_count; k++) self->past[k].total = 0.0;
    if (self->past_count) {
        moments_copy(&self->past[0], &self->training, d, 1.0);
        self->past[0].rank = smaller(self->training.rank, n - 1);
        scale_rows(self->training.factor, self->plan->triangle, sqrt(weight));
        self->training.total *= weight;
        self->training.squares *= weight * weight;
    }
    self->reach = smaller(d, n - 1);
    fit(self, &self->training, self->reach);
    self->holds_kept = !hoard && kept <= n;
    self->generation = 1;
}

/* Dimensions that a synthetic part, the kept set and fresh items span together, one less than points in general
 * position: the kept set lies in the model's own space once the model was fitted to it. */
static size_t span(const tb_gaussian_block_t *self, uint64_t synthetic, uint64_t fresh, uint64_t kept) {
    const uint64_t d = self->plan->program.dimension;
    uint64_t points = synthetic ? smaller(self->rank, synthetic - 1) + 1 : 0;
    if (kept) {
        const uint64_t own = smaller(d, kept - 1) + 1;
        const uint64_t known = self->holds_kept ? self->rank + 1 : d + 1;
        points = smaller(points + own, known > own ? known : own);
        /* Where all of it is taken, and generation 1 had its beginning only. */
        if (self->generation == 1 && !self->holds_kept && kept == self->plan->program.kept) points = own;
    }
    points += fresh;
    return points > d ? (size_t)d : (size_t)(points - (points > 0));
}

/* The kept set or, where it is drawn from, some of its items, less the model's mean. */
static void take_kept(tb_gaussian_block_t *self, uint64_t count) {
    const tb_gaussian_t *program = &self->plan->program;
    const size_t d = program->dimension;
    if (self->plan->hoard) {
        tb_gaussian_draw_items(self, &program->kept, 1, count, &self->part);
        return;
    }
    moments_copy(&self->part, &self->kept, d, 1.0);
    for (size_t i = 0; i < d * TB_ROW; i++) self->part.offset[i] -= self->mean[i];
}

/* Fresh items and the kept set. */
static void merge_human(tb_gaussian_block_t *self, tb_moments_t *into, uint64_t fresh, double fresh_weight,
                        uint64_t kept, double kept_weight) {
    if (fresh && fresh_weight > 0.0) {
        draw_human(self, TB_FOR_GAUSSIAN_FRESH, fresh, &self->part);
        merge(self, into, &self->part, fresh_weight);
    }
    if (kept && kept_weight > 0.0) {
        take_kept(self, kept);
        merge(self, into, &self->part, kept_weight);
    }
}

/* The batch that generation t is made of joins `into`. */
static void merge_batch(tb_gaussian_block_t *self, tb_moments_t *into, uint64_t synthetic, uint64_t fresh,
                        uint64_t kept, const double *weight) {
    if (synthetic && weight[0] > 0.0) {
        draw_synthetic(self, synthetic);
        merge(self, into, &self->part, weight[0]);
    }
    merge_human(self, into, fresh, weight[1], kept, weight[2]);
}

/* The newest batch comes first and the oldest is forgotten; those of all ages are merged by weight. */
static void merge_ages(tb_gaussian_block_t *self) {
    const tb_gaussian_t *program = &self->plan->program;
    const size_t d = program->dimension;
    moments_clear(&self->training, d);
    for (size_t k = 0; k < self->past_count && !tb_gaussian_stops(self); k++) {
        if (self->past[k].total > 0.0) merge(self, &self->training, &self->past[k], (double)program->ages[k]);
    }
}

/* Dimensions that the items span of the batches of each age up to that of generation t, where the age has a weight.
 * Counting ends where they span all: the items of many large batches have no room in 64 bits. */
static size_t span_of_ages(const tb_gaussian_t *program, size_t t, int weighted) {
    const uint64_t d = program->dimension;
    uint64_t items = 0;
    for (size_t k = 0; k < program->age_count && k < t && items <= d; k++) {
        if (!weighted || program->ages[k]) items += program->samples[t - 1 - k];
    }
    return smaller(d, items - 1);
}

static void step_ages(tb_gaussian_block_t *self, uint64_t synthetic, uint64_t fresh) {
    static const double alike[3] = {1.0, 1.0, 1.0};
    const tb_gaussian_t *program = &self->plan->program;
    const size_t d = program->dimension, last = self->past_count - 1, t = self->generation + 1;
    const size_t rank = span(self, synthetic, fresh, 0);
    tb_moments_t newest = self->past[last];
    memmove(self->past + 1, self->past, last * sizeof *self->past);
    moments_clear(&newest, d);
    merge_batch(self, &newest, synthetic, fresh, 0, alike);
    newest.rank = smaller(newest.rank, rank);
    self->past[0] = newest;
    self->reach = smaller(self->reach + fresh, span_of_ages(program, t, 0));
    merge_ages(self);
    fit(self, &self->training, smaller(self->reach, span_of_ages(program, t, 1)));
}

/* A training set drawn from all batches so far. */
static void step_pool(tb_gaussian_block_t *self) {
    const tb_gaussian_t *program = &self->plan->program;
    const size_t i = self->generation;
    self->reach = smaller(program->dimension, program->samples[0] - 1);
    tb_gaussian_keep_model(self, i);
    tb_gaussian_draw_items(self, program->samples, i + 1, program->draw[i], &self->training);
    fit(self, &self->training, self->reach);
    self->generation++;
}

static void step(tb_gaussian_block_t *self) {
    const tb_gaussian_t *program = &self->plan->program;
    const size_t i = self->generation, d = program->dimension;
    const uint64_t fresh = program->fresh[i], kept = program->from_kept[i],
                   synthetic = program->samples[i] - fresh - kept;
    double weight[3] = {1.0, 1.0, 1.0};
    for (size_t s = 0; program->item_weights && s < 3; s++) weight[s] = (double)program->item_weights[3 * i + s];
    if (self->past_count) {
        step_ages(self, synthetic, fresh);
    } else if (!is_newest(program)) {
        self->reach = smaller(d, self->reach + fresh);
        merge_batch(self, &self->training, synthetic, fresh, 0, weight);
        fit(self, &self->training, self->reach);
    } else if (synthetic == program->samples[i]) {
        advance(self, synthetic);
        self->holds_kept = 0;
    } else {
        const size_t rank =
            span(self, weight[0] > 0.0 ? synthetic : 0, weight[1] > 0.0 ? fresh : 0, weight[2] > 0.0 ? kept : 0);
        moments_clear(&self->training, d);
        merge_batch(self, &self->training, synthetic, fresh, kept, weight);
        fit(self, &self->training, rank);
        self->holds_kept = !self->plan->hoard && kept && weight[2] > 0.0;
    }
    self->generation++;
}

/* Eight lineages from the reference to the last record. */
static int run_block(tb_gaussian_block_t *self, const tb_gaussian_output_t *output, size_t row, size_t count) {
    const tb_gaussian_t *program = &self->plan->program;
    size_t record = 0;
    self->generation = 0;
    if (program->at_count && program->at[0] == 0) tb_gaussian_record(self, output, row, count, record++);
    while (self->generation < program->generations) {
        if (tb_gaussian_stops(self)) return self->code;
        for (size_t l = 0; l < TB_ROW; l++) self->lanes.generation[l] = self->generation + 1;
        if (program->draw) {
            step_pool(self);
        } else if (self->generation == 0) {
            first(self);
        } else {
            step(self);
        }
        if (self->code) return self->code;
        tb_count_generations(self->control, count);
        if (record < program->at_count && program->at[record] == self->generation) {
            tb_gaussian_record(self, output, row, count, record++);
        }
    }
    return TB_OK;
}

/* Before generation 1 the model is the reference. */
static void begin(tb_gaussian_block_t *self, uint32_t first_replicate) {
    const size_t d = self->plan->program.dimension;
    for (size_t l = 0; l < TB_ROW; l++) self->lanes.replicate[l] = (uint64_t)first_replicate + l;
    memset(self->mean, 0, d * TB_ROW * sizeof(double));
    memset(self->exponent, 0, d * TB_ROW * sizeof(double));
    copy_factor(self->factor, self->plan->reference, d, d);
    self->rank = d;
    self->graded = 0;
}

int tb_gaussian_run(const tb_gaussian_plan_t *plan, uint32_t first_replicate, uint32_t count,
                    const tb_gaussian_output_t *output, tb_control_t *control) {
    tb_gaussian_block_t block;
    int code = block_init(&block, plan, output);
    block.control = control;
    for (uint32_t done = 0; !code && done < count; done += TB_ROW) {
        begin(&block, first_replicate + done);
        code = run_block(&block, output, done, smaller(count - done, TB_ROW));
    }
    block_free(&block);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* Items one by one: for training sets drawn without replacement, from the pool of all batches or from the kept set. An
 * item is a function of its address, so that it is made again whenever it is drawn. */
#include <string.h>

#include "gaussian_core.h"

int tb_gaussian_has_hoard(const tb_gaussian_t *program) {
    for (size_t i = 0; i < program->generations; i++) {
        if (program->from_kept[i] && program->from_kept[i] < program->kept) return 1;
    }
    return 0;
}

size_t tb_gaussian_models(const tb_gaussian_t *program) {
    return program->draw ? program->generations : (size_t)tb_gaussian_has_hoard(program);
}

void tb_gaussian_keep_model(tb_gaussian_block_t *self, size_t batch) {
    const size_t d = self->plan->program.dimension, triangle = self->plan->triangle;
    double *mean = self->items.mean + batch * d * TB_ROW, *factor = self->items.factor + batch * triangle * TB_ROW;
    memcpy(mean, self->mean, d * TB_ROW * sizeof(double));
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            const size_t at = (tb_corner(i) + j) * TB_ROW;
            for (size_t l = 0; l < TB_ROW; l++) {
                const double scale = j < self->rank ? tb_power_of_two(self->exponent[j * TB_ROW + l]) : 0.0;
                factor[at + l] = self->factor[at + l] * scale;
            }
        }
    }
}

/* The next item that a lane draws. An item is drawn with probability wanted / left, which makes every set of the wanted
 * size equally likely (Fan, Muller & Rezucha 1962). Item i has word i mod 2 of slot i div 2. A run that is to stop gets
 * any item. */
static uint64_t next_item(tb_gaussian_block_t *self, size_t lane, tb_walk_t *walk) {
    const tb_address_t at = {self->plan->program.key, (uint32_t)self->lanes.generation[lane],
                             (uint32_t)self->lanes.replicate[lane], TB_FOR_GAUSSIAN_CHOICE};
    for (;;) {
        const uint64_t item = walk->next++, place = item % TB_CHOICES;
        if (place == 0 && tb_gaussian_stops(self)) return item;
        if (place == 0) self->plan->kernels->fill_words(&at, (uint32_t)(item / 2), TB_CHOICES / 2, walk->word);
        __extension__ unsigned __int128 product = (unsigned __int128)walk->word[place] * walk->left--;
        if ((uint64_t)(product >> 64) < walk->wanted) {
            walk->wanted--;
            return item;
        }
    }
}

/* Makes the next item of every lane, as column `column` of what is added. */
static void make_items(tb_gaussian_block_t *self, const uint64_t *sizes, size_t column) {
    const size_t d = self->plan->program.dimension, triangle = self->plan->triangle;
    double *more = self->items.more + column * TB_ROW;
    tb_lanes_t lanes = self->lanes;
    uint64_t slot[TB_ROW];
    for (size_t l = 0; l < TB_ROW; l++) {
        tb_walk_t *walk = &self->items.walk[l];
        const uint64_t item = next_item(self, l, walk);
        if (self->code) return;
        while (item - walk->before >= sizes[walk->batch]) walk->before += sizes[walk->batch++];
        slot[l] = (item - walk->before) * ((d + 1) / 2);
        lanes.generation[l] = walk->batch + 1;
    }
    self->plan->kernels->gaussian->fill_item_normals(&lanes, self->plan->program.key, TB_FOR_GAUSSIAN_ITEM, slot, d,
                                                     self->z);
    for (size_t l = 0; l < TB_ROW; l++) {
        const size_t batch = (size_t)self->items.walk[l].batch;
        const double *mean = self->items.mean + batch * d * TB_ROW + l;
        const double *factor = self->items.factor + batch * triangle * TB_ROW + l;
        more[l] = 1.0;
        for (size_t i = 0; i < d; i++) {
            double x = mean[i * TB_ROW];
            for (size_t j = 0; j <= i; j++, factor += TB_ROW) x += *factor * self->z[j * TB_ROW + l];
            more[(i + 1) * TB_ITEMS * TB_ROW + l] = x;
        }
    }
}

/* The triangle of all (1, item): its first column is sqrt n times (1, mean), and what is right of it and below is the
 * factor of the scatter. */
static void read_triangle(const tb_gaussian_block_t *self, uint64_t items, tb_moments_t *out) {
    const size_t d = self->plan->program.dimension;
    const double *from = self->items.triangle;
    out->total = out->squares = (double)items;
    out->rank = items - 1 < d ? (size_t)(items - 1) : d;
    memset(out->exponent, 0, sizeof out->exponent);
    for (size_t i = 0; i < d; i++) {
        const double *row = from + tb_corner(i + 1) * TB_ROW;
        for (size_t l = 0; l < TB_ROW; l++) {
            out->offset[i * TB_ROW + l] = row[l] / from[l] - self->mean[i * TB_ROW + l];
        }
        for (size_t j = 0; j <= i; j++) {
            double *to = out->factor + (tb_corner(i) + j) * TB_ROW;
            for (size_t l = 0; l < TB_ROW; l++) to[l] = j < out->rank ? row[(j + 1) * TB_ROW + l] : 0.0;
        }
    }
}

void tb_gaussian_draw_items(tb_gaussian_block_t *self, const uint64_t *sizes, size_t batches, uint64_t wanted,
                            tb_moments_t *out) {
    const size_t d = self->plan->program.dimension;
    uint64_t pool = 0;
    for (size_t i = 0; i < batches; i++) pool += sizes[i];
    for (size_t l = 0; l < TB_ROW; l++) {
        tb_walk_t *walk = &self->items.walk[l];
        walk->next = walk->batch = walk->before = 0;
        walk->left = pool;
        walk->wanted = wanted;
    }
    memset(self->items.triangle, 0, tb_corner(d + 1) * TB_ROW * sizeof(double));
    for (uint64_t made = 0; made < wanted; made += TB_ITEMS) {
        memset(self->items.more, 0, (d + 1) * TB_ITEMS * TB_ROW * sizeof(double));
        for (size_t c = 0; c < TB_ITEMS && made + c < wanted; c++) {
            make_items(self, sizes, c);
            if (self->code) return;
        }
        self->plan->kernels->gaussian->absorb(self->items.triangle, d + 1, d + 1, self->items.more, TB_ITEMS, 0,
                                              self->work);
    }
    read_triangle(self, wanted, out);
}

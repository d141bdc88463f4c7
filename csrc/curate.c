/* SPDX-License-Identifier: MIT */
#include "curate.h"

#include <string.h>

static void add_levels(const tb_curation_t *self, const uint32_t *id, const double *weight, size_t length,
                       double *mass) {
    memset(mass, 0, self->levels * sizeof *mass);
    for (size_t i = 0; i < length; i++) mass[self->level[id[i]]] += weight[i];
}

/* The best of k lies at a level with probability a^k - b^k, where a and b are the mass up to it and below it. Over
 * a - b, the level's own mass, that is the sum of a^i b^(k-1-i), in which nothing cancels. */
static void best_of(const tb_curation_t *self, const double *mass, double sum, double *factor) {
    double below = 0.0;
    for (size_t l = 0; l < self->levels; l++) {
        const double upto = below + mass[l] / sum;
        double term = 0.0, up = 1.0;
        for (uint64_t i = 0; i < self->candidates; i++, up *= upto) term = term * below + up;
        factor[l] = term;
        below = upto;
    }
}

/* One draw's rivals: how many of the other candidates are still to be placed, the product of probabilities so far and
 * the sum of their factors. */
typedef struct {
    const tb_curation_t *self;
    const double *share; /* of each level */
    double *factor;
} tb_rivals_t;

/* Every way in which the other candidates fall to levels, each with its multinomial probability. */
static void place_rivals(const tb_rivals_t *all, size_t level, uint64_t left, double probability, double sum) {
    const tb_curation_t *self = all->self;
    while (level < self->levels && all->share[level] == 0.0) level++;
    if (left == 0) {
        for (size_t l = 0; l < self->levels; l++) {
            all->factor[l] += probability * self->factor[l] / (self->factor[l] + sum);
        }
        return;
    }
    if (level == self->levels) return;
    for (uint64_t here = 0;; here++) {
        place_rivals(all, level + 1, left - here, probability, sum);
        if (here == left) return;
        probability *= all->share[level] * (double)(left - here) / (double)(here + 1);
        sum += self->factor[level];
    }
}

static void choose(const tb_curation_t *self, double *mass, double sum, double *factor) {
    for (size_t l = 0; l < self->levels; l++) {
        mass[l] /= sum;
        factor[l] = 0.0;
    }
    const tb_rivals_t rivals = {self, mass, factor};
    place_rivals(&rivals, 0, self->candidates - 1, 1.0, 0.0);
}

void tb_curate(const tb_curation_t *self, tb_model_t *model, double *room) {
    double *mass = room, *factor = room + self->levels, sum = 0.0;
    if (self->kind == TB_CURATE_WEIGH) {
        for (size_t i = 0; i < model->length; i++) model->weight[i] *= self->factor[self->level[model->id[i]]];
        return;
    }
    add_levels(self, model->id, model->weight, model->length, mass);
    for (size_t l = 0; l < self->levels; l++) sum += mass[l];
    if (self->kind == TB_CURATE_CHOICE) choose(self, mass, sum, factor);
    if (self->kind == TB_CURATE_BEST_OF) best_of(self, mass, sum, factor);
    for (size_t i = 0; i < model->length; i++) model->weight[i] *= factor[self->level[model->id[i]]];
}

tb_best_t tb_find_best(const tb_curation_t *self, const uint32_t *id, const double *batch, size_t length, double keep,
                       double *room) {
    tb_best_t best = {0, 0.0, 0.0};
    add_levels(self, id, batch, length, room);
    for (size_t l = self->levels; l-- > 0;) {
        if (room[l] == 0.0) continue;
        best = (tb_best_t){(uint32_t)l, room[l], keep < room[l] ? keep : room[l]};
        keep -= best.keep;
        if (keep == 0.0) break;
    }
    return best;
}

/* SPDX-License-Identifier: MIT */
#include "curate.h"

#include <string.h>

#include "fmath.h"

/* Neighbours have the same of a few levels often, and each sum waits for the one before: so there are four of each. */
static void add_levels(const tb_curation_t *self, const uint32_t *id, const double *weight, size_t length,
                       double *mass) {
    enum { FEW = 64 };
    double some[4][FEW] = {{0}};
    memset(mass, 0, self->levels * sizeof *mass);
    if (self->levels > FEW) {
        for (size_t i = 0; i < length; i++) mass[self->level[id[i]]] += weight[i];
        return;
    }
    for (size_t i = 0; i < length; i++) some[i % 4][self->level[id[i]]] += weight[i];
    for (size_t l = 0; l < self->levels; l++) mass[l] = (some[0][l] + some[1][l]) + (some[2][l] + some[3][l]);
}

/* The sum of a^i b^(n-1-i) over i below n, by doubling n: nothing cancels. */
static double sum_powers(double a, double b, uint64_t n) {
    double sum = 0.0, power_a = 1.0, power_b = 1.0; /* of so many terms as were read from n's bits */
    for (int bit = 63 - __builtin_clzll(n); bit >= 0; bit--) {
        sum *= power_a + power_b;
        power_a *= power_a;
        power_b *= power_b;
        if (!(n >> bit & 1)) continue;
        sum = sum * b + power_a;
        power_a *= a;
        power_b *= b;
    }
    return sum;
}

/* The best of k lies at a level with probability a^k - b^k, where a and b are the mass up to it and below it. That is
 * a - b, the level's own mass, times the sum of a^i b^(k-1-i). */
static void best_of(const tb_curation_t *self, const double *mass, double sum, double *factor) {
    double below = 0.0;
    for (size_t l = 0; l < self->levels; l++) {
        if (mass[l] == 0.0) continue; /* a factor that nothing asks for */
        const double upto = below + mass[l] / sum;
        factor[l] = sum_powers(upto, below, self->candidates);
        below = upto;
    }
}

/* One draw's rivals, and what choices between levels go by. */
typedef struct {
    const tb_curation_t *self;
    const double *share; /* of each level */
    const double *step;  /* e^reward of each level over that of the next */
    double *factor;
} tb_rivals_t;

/* `sum` adds up e^reward over the rivals, over that of level `top`, the highest among them: so rewards may differ by
 * any amount. */
static void add_choice(const tb_rivals_t *all, size_t top, double probability, double sum) {
    double own = 1.0, rest = sum;
    for (size_t l = top + 1; l-- > 0;) {
        all->factor[l] += probability * own / (own + sum);
        if (l) own *= all->step[l - 1];
    }
    for (size_t l = top + 1; l < all->self->levels; l++) {
        rest *= all->step[l - 1];
        all->factor[l] += probability / (1.0 + rest);
    }
}

/* Every way in which `left` more candidates fall to levels from `level` on, each with its multinomial probability. */
static void place_rivals(const tb_rivals_t *all, size_t level, uint64_t left, double probability, double sum) {
    const size_t levels = all->self->levels;
    while (level < levels && all->share[level] == 0.0) {
        sum *= all->step[level++];
    }
    if (level == levels) return;
    for (uint64_t here = 0; here < left; here++) {
        place_rivals(all, level + 1, left - here, probability, (sum + (double)here) * all->step[level]);
        probability *= all->share[level] * (double)(left - here) / (double)(here + 1);
    }
    add_choice(all, level, probability, sum + (double)left);
}

static void choose(const tb_curation_t *self, double *mass, double sum, double *step, double *factor) {
    for (size_t l = 0; l < self->levels; l++) {
        mass[l] /= sum;
        factor[l] = 0.0;
        step[l] = l + 1 < self->levels ? tb_exp(self->factor[l] - self->factor[l + 1]) : 0.0;
    }
    const tb_rivals_t rivals = {self, mass, step, factor};
    place_rivals(&rivals, 0, self->candidates - 1, 1.0, 0.0);
}

/* e^reward over that of the best there is. */
static void choose_among_all(const tb_curation_t *self, const double *mass, double *factor) {
    size_t best = self->levels - 1;
    while (best > 0 && mass[best] == 0.0) best--;
    for (size_t l = 0; l < self->levels; l++) {
        factor[l] = l <= best ? tb_exp(self->factor[l] - self->factor[best]) : 0.0;
    }
}

/* So much larger, products with the smallest of doubles lose nothing. */
static const double LIFT = 0x1p100;

void tb_curate(const tb_curation_t *self, tb_model_t *model, double *room) {
    model->whole = 0;
    double *mass = room, *factor = mass + self->levels, *step = factor + self->levels, sum = 0.0;
    if (self->kind == TB_CURATE_WEIGH) {
        for (size_t i = 0; i < model->length; i++) {
            model->weight[i] = LIFT * model->weight[i] * self->factor[self->level[model->id[i]]];
        }
        return;
    }
    add_levels(self, model->id, model->weight, model->length, mass);
    for (size_t l = 0; l < self->levels; l++) sum += mass[l];
    if (self->kind == TB_CURATE_CHOICE && self->candidates) choose(self, mass, sum, step, factor);
    if (self->kind == TB_CURATE_CHOICE && !self->candidates) choose_among_all(self, mass, factor);
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

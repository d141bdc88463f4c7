/* SPDX-License-Identifier: MIT */
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "dd.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* Cells of equal capacity whose masses add up to cells * capacity. On return mass[i] is what cell i keeps of its own;
 * the rest of it belongs to alias[i]. `stack` holds the poor from the front and the rich from the back. */
static void share_out(u128 *mass, size_t cells, u128 capacity, uint32_t *alias, uint32_t *stack) {
    size_t poor = 0, rich = cells;
    for (size_t i = 0; i < cells; i++) {
        alias[i] = (uint32_t)i;
        if (mass[i] < capacity) {
            stack[poor++] = (uint32_t)i;
        } else {
            stack[--rich] = (uint32_t)i;
        }
    }
    while (poor > 0 && rich < cells) {
        uint32_t i = stack[--poor], j = stack[rich];
        alias[i] = j;
        mass[j] -= capacity - mass[i];
        if (mass[j] < capacity) {
            rich++;
            stack[poor++] = j;
        }
    }
}

/* e^-x for 0 <= x <= 1 in double-double: 30 terms of Taylor's series. */
static tb_dd_t exp_minus(double x) {
    tb_dd_t sum = tb_dd_from(1.0), term = tb_dd_from(1.0);
    for (int k = 1; k < 30; k++) {
        term = tb_dd_div(tb_dd_mul(term, tb_dd_from(-x)), tb_dd_from((double)k));
        sum = tb_dd_add(sum, term);
    }
    return sum;
}

/* Probabilities of base, base+1, ... under the Poisson law of mean rate * weight, times the total of all cells: by
 * recurrence from e^-mean, rounded down, the remainder, below 2^-60, to the likeliest. The base is at most the mean. */
static void poisson_masses(double rate, unsigned weight, unsigned base, size_t cells, int bits, u128 *mass) {
    const tb_dd_t once = exp_minus(rate), mean = tb_dd_product(rate, (double)weight);
    const u128 total = (u128)cells << bits;
    const double scale = (double)total;
    tb_dd_t p = tb_dd_from(1.0);
    u128 left = total;
    size_t likeliest = 0;
    for (unsigned i = 0; i < weight; i++) p = tb_dd_mul(p, once);
    unsigned k = 0;
    for (; k < base + cells && !((double)k > mean.hi && p.hi * scale < 1.0); k++) {
        if (k > 0) p = tb_dd_div(tb_dd_mul(p, mean), tb_dd_from((double)k));
        if (k < base) continue;
        mass[k - base] = (u128)((i128)(p.hi * scale) + (i128)(p.lo * scale));
        left -= mass[k - base];
        if (mass[k - base] > mass[likeliest]) likeliest = k - base;
    }
    /* Beyond the mean, and so beyond the base, probabilities only fall: what follows rounds down to 0. */
    for (; k < base + cells; k++) mass[k - base] = 0;
    mass[likeliest] += left; /* may wrap: the sum is exact modulo 2^128 */
}

/* Thresholds of `bits` bits, aliases and cells of 8 each. */
static void fill_small(double rate, unsigned weight, unsigned cells, int bits, uint32_t *entry, uint64_t *remainder) {
    u128 mass[TB_POISSON_CELLS];
    uint32_t alias[TB_POISSON_CELLS], stack[TB_POISSON_CELLS];
    poisson_masses(rate, weight, 0, cells, 64 + bits, mass);
    share_out(mass, cells, (u128)1 << (64 + bits), alias, stack);
    for (unsigned i = 0; i < cells; i++) {
        const u128 own = alias[i] == i ? 0 : mass[i];
        entry[i] = (uint32_t)(own >> 64) << 16 | alias[i] << 8 | i;
        remainder[i] = (uint64_t)own;
    }
}

static void fill_step(tb_poisson_t *self, unsigned weight) {
    const size_t at = (size_t)weight * TB_POISSON_CELLS;
    fill_small(self->rate, weight, TB_POISSON_CELLS, 9, self->entry + at, self->remainder + at);
}

void tb_class_fill(unsigned steps, uint32_t *entry, uint64_t *remainder) {
    fill_small(1.0 / (double)TB_CLASS_STEPS, steps, TB_CLASS_CELLS, 10, entry, remainder);
}

static void fill_high(tb_poisson_t *self, unsigned multiple) {
    enum { CELLS = TB_POISSON_HIGH_CELLS };
    const unsigned weight = multiple * TB_POISSON_STEP, mean = (unsigned)((double)multiple * self->step);
    const unsigned base = mean > CELLS / 2 ? mean - CELLS / 2 : 0;
    u128 mass[CELLS];
    uint32_t alias[CELLS], stack[CELLS];
    self->high_base[multiple] = base;
    poisson_masses(self->rate, weight, base, CELLS, 64 + 23, mass);
    share_out(mass, CELLS, (u128)1 << (64 + 23), alias, stack);
    for (unsigned i = 0; i < CELLS; i++) {
        const size_t at = (size_t)multiple * CELLS + i;
        const u128 own = alias[i] == i ? 0 : mass[i];
        self->high_entry[at] = (uint32_t)(own >> 64) << 9 | alias[i];
        self->high_remainder[at] = (uint64_t)own;
    }
}

/* Multiple 0 of the step, whose draw is always 0. */
static void clear_high(tb_poisson_t *self) {
    self->high_base[0] = 0;
    memset(self->high_entry, 0, TB_POISSON_HIGH_CELLS * sizeof *self->high_entry);
    memset(self->high_remainder, 0, TB_POISSON_HIGH_CELLS * sizeof *self->high_remainder);
}

/* A cell that keeps all of its own has itself as alias and an empty threshold. */
void tb_poisson_fill(tb_poisson_t *self, double rate) {
    self->rate = rate;
    self->step = (double)TB_POISSON_STEP * rate;
    for (unsigned weight = 0; weight <= TB_POISSON_STEP; weight++) fill_step(self, weight);
    clear_high(self);
    for (unsigned multiple = 1; multiple <= TB_POISSON_HIGH; multiple++) fill_high(self, multiple);
}

/* A cell that keeps all of its own has itself as alias and an empty threshold. */
int tb_alias_fill(tb_alias_t *cells, uint64_t *remainder, const uint64_t *weights, size_t count, uint64_t total) {
    u128 *mass = malloc(count * sizeof *mass);
    uint32_t *index = malloc(2 * count * sizeof *index);
    int code = TB_ERR_MEMORY;
    if (mass && index) {
        for (size_t i = 0; i < count; i++) mass[i] = (u128)weights[i] * count;
        share_out(mass, count, total, index, index + count);
        for (size_t i = 0; i < count; i++) {
            const uint64_t own = index[i] == i ? 0 : (uint64_t)mass[i] << 8; /* less than total << 8 */
            cells[i] = (uint32_t)(own / total) << TB_ALIAS_BITS | index[i];
            remainder[i] = (uint64_t)(((u128)(own % total) << 64) / total);
        }
        code = TB_OK;
    }
    free(mass);
    free(index);
    return code;
}

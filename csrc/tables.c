/* SPDX-License-Identifier: MIT */
#include "tables.h"

#include <stdlib.h>

#include "dd.h"

__extension__ typedef unsigned __int128 u128;
__extension__ typedef __int128 i128;

/* Cells of equal capacity whose masses add up to cells * capacity. On return mass[i] is what cell i keeps of its own; the
 * rest of it belongs to alias[i]. `stack` holds the poor from the front and the rich from the back. */
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

/* 2^80 times the Poisson probabilities: by recurrence in double-double from e^-mean, the remainder to the likeliest. */
static void poisson_masses(unsigned mean, u128 *mass) {
    const tb_dd_t inverse_e = {0x1.78b56362cef38p-2, -0x1.ca8a4270fadf5p-57};
    tb_dd_t p = tb_dd_from(1.0);
    for (unsigned i = 0; i < mean; i++) p = tb_dd_mul(p, inverse_e);
    u128 left = (u128)1 << 80;
    for (unsigned k = 0; k < TB_POISSON_CELLS; k++) {
        if (k > 0) p = tb_dd_div(tb_dd_mul(p, tb_dd_from((double)mean)), tb_dd_from((double)k));
        mass[k] = (u128)((i128)(p.hi * 0x1p80) + (i128)(p.lo * 0x1p80));
        left -= mass[k];
    }
    mass[mean] += left; /* may wrap: the sum is exact modulo 2^128 */
}

void tb_poisson_fill(tb_poisson_t *self) {
    const u128 capacity = (u128)1 << 73;
    for (unsigned mean = 0; mean <= TB_POISSON_MAX; mean++) {
        u128 mass[TB_POISSON_CELLS];
        uint32_t alias[TB_POISSON_CELLS], stack[TB_POISSON_CELLS];
        poisson_masses(mean, mass);
        share_out(mass, TB_POISSON_CELLS, capacity, alias, stack);
        for (unsigned i = 0; i < TB_POISSON_CELLS; i++) {
            size_t at = (size_t)mean * TB_POISSON_CELLS + i;
            u128 own = alias[i] == i ? capacity : mass[i];
            self->entry[at] = (uint32_t)(own >> 64) << 16 | alias[i] << 8 | i;
            self->remainder[at] = (uint64_t)own;
        }
    }
}

int tb_alias_fill(tb_alias_t *cells, const uint64_t *weights, size_t count, uint64_t total) {
    u128 *mass = malloc(count * sizeof *mass);
    uint32_t *index = malloc(2 * count * sizeof *index);
    int code = TB_ERR_MEMORY;
    if (mass && index) {
        for (size_t i = 0; i < count; i++) mass[i] = (u128)weights[i] * count;
        share_out(mass, count, total, index, index + count);
        for (size_t i = 0; i < count; i++) {
            cells[i].threshold = index[i] == i ? total : (uint64_t)mass[i];
            cells[i].alias = index[i];
        }
        code = TB_OK;
    }
    free(mass);
    free(index);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* Items one by one on every instruction set: their cells and aliases, what is left in doubt; and what bands keep. */
#include "checks.h"
#include "machine.h"
#include "tables.h"

enum { MOST = 300, CELLS = 1000 };

static machine_t machine;

/* Words some of which are on the edge: a cell's choice that would be a bias, a level that equals the threshold. */
static void fill(uint64_t *word, size_t count, uint32_t cells, const uint32_t *table, uint64_t *state) {
    for (size_t i = 0; i < count; i++) {
        word[i] = next_word(state);
        if (i % 5 == 1) word[i] &= 0xffffffffu; /* the first cell: its product is 0, below the floor */
        if (i % 5 == 3 && table) {
            const uint64_t own = (word[i] >> 32) * cells >> 32;
            word[i] = (word[i] & ~(uint64_t)0xff) | table[own] >> TB_ALIAS_BITS;
        }
    }
}

static void check_cells(const tb_kernels_t *kernels, size_t count, uint32_t cells, const uint32_t *table,
                        uint64_t *state) {
    uint64_t word[TB_SOME + 2 * TB_ROW] = {0};
    uint32_t out[TB_SOME + TB_ROW], doubt[2 * TB_SOME];
    unsigned doubtful[TB_SOME + 1] = {0};
    int right = 1;

    fill(word, count, cells, table, state);
    const size_t doubts = kernels->pick_cells(word, count, cells, table, out, doubt);
    for (size_t i = 0; i < doubts; i++) {
        CHECK(doubt[i] < count);
        doubtful[doubt[i] < count ? doubt[i] : TB_SOME]++;
    }
    for (size_t i = 0; i < count; i++) {
        const uint64_t x = (word[i] >> 32) * cells;
        const uint32_t own = (uint32_t)(x >> 32), level = word[i] & 0xff, entry = table ? table[own] : 0;
        const uint32_t threshold = table ? tb_threshold_of(entry) : 256;
        const unsigned expected =
            (unsigned)((uint32_t)x < (0 - cells) % cells) + (unsigned)(table && level == threshold);

        right &= doubtful[i] == expected;
        right &= expected || out[i] == (level < threshold ? own : tb_alias_of(entry));
    }
    CHECK(right);
}

static void check_bands(const tb_kernels_t *kernels, size_t length, size_t bands, uint64_t *state) {
    static const uint32_t start[] = {700, 400, 20, 0};
    static const double kept[] = {0.3, 0.7, 0.11, 0.9};
    double weight[MOST + TB_ROW] = {0}, first[MOST], before[TB_ROW], after[TB_ROW], sums[2][TB_ROW] = {{0}, {0}};
    uint32_t id[MOST + TB_ROW] = {0};
    int right = 1;

    for (size_t i = 0; i < length; i++) {
        id[i] = (uint32_t)(next_word(state) % 1000);
        first[i] = weight[i] = next_unit(state) * 9.0;
    }
    kernels->keep_bands(weight, id, length, start + 4 - bands, kept + 4 - bands, bands, before, after);
    for (size_t i = 0; i < length; i++) {
        size_t band = 4 - bands;

        while (id[i] < start[band]) band++;
        right &= weight[i] == first[i] * kept[band];
        sums[0][i % TB_ROW] += first[i];
        sums[1][i % TB_ROW] += weight[i];
    }
    CHECK(right);
    CHECK(!memcmp(before, sums[0], sizeof before) && !memcmp(after, sums[1], sizeof after));
}

int main(void) {
    static const size_t counts[] = {1, 7, 8, 9, 63, 127, 128};
    static const uint32_t cells[] = {1, 3, CELLS - 1, CELLS};
    uint32_t table[CELLS];
    uint64_t state = 21;

    machine = this_machine();
    for (size_t i = 0; i < CELLS; i++) table[i] = (uint32_t)next_word(&state);
    for (size_t s = 0; s < machine.count; s++) {
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            for (size_t k = 0; k < sizeof cells / sizeof *cells; k++) {
                check_cells(machine.set[s], counts[c], cells[k], table, &state);
                check_cells(machine.set[s], counts[c], cells[k], NULL, &state);
            }
            for (size_t bands = 1; bands <= 4; bands++) check_bands(machine.set[s], counts[c], bands, &state);
        }
        check_bands(machine.set[s], MOST, 4, &state);
    }
    return finish();
}

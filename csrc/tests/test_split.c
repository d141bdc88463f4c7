/* SPDX-License-Identifier: MIT */
/* Splitting kernels against the quantile called one word at a time: levels, thinning, packs. */
#include <math.h>

#include "checks.h"
#include "machine.h"
#include "oracle.h"

static machine_t machine;
static tb_work_t work;

enum { NONE, FEW, AS_WEIGHT, MANY, MOST, COUNTS };

/* Items to split where the weights add up to `total`. */
static double count_of(int kind, double total, uint64_t *state) {
    uint64_t word = next_word(state);

    if (total == 0.0) return 0.0;
    switch (kind) {
    case FEW:
        return (double)(word % 10);
    case AS_WEIGHT:
        return total;
    case MANY:
        return word % 8 == 0 ? 0.0 : (double)(word >> (52 - word % 20));
    case MOST:
        return (double)(word >> 11) + 1.0;
    default:
        return 0.0;
    }
}

/* Beside the weights, and in their place. */
static void check_level(const double *weight, const double *parent, size_t parents, uint32_t slot, tb_address_t at) {
    double *expected = doubles(2 * parents), *child = doubles(2 * parents), *same = doubles(2 * parents);
    const size_t length = padded_length(2 * parents);

    for (size_t j = 0; j < parents; j++) {
        expected[2 * j] = left_part(parent[j], weight[2 * j], weight[2 * j + 1], word_at(at, slot, j));
        expected[2 * j + 1] = parent[j] - expected[2 * j];
    }
    for (size_t s = 0; s < machine.count; s++) {
        memcpy(same, weight, length * sizeof *same);
        memset(child, 0, length * sizeof *child);
        machine.set[s]->split_level(weight, parent, parents, child, slot, &at, &work);
        machine.set[s]->split_level(same, parent, parents, same, slot, &at, &work);
        CHECK(same_doubles(child, expected, length));
        CHECK(same_doubles(same, expected, length));
        CHECK(work.small.count == 0 && work.hard.count == 0);
    }
    free(expected);
    free(child);
    free(same);
}

static void try_level(int weights, int counts, size_t parents, uint64_t *state) {
    double *weight = doubles(2 * parents), *parent = doubles(parents);

    fill_weights(weights, weight, 2 * parents - parents % 2, state); /* an odd level ends with one child */
    for (size_t j = 0; j < parents; j++) parent[j] = count_of(counts, weight[2 * j] + weight[2 * j + 1], state);
    check_level(weight, parent, parents, (uint32_t)counts << 26, next_address(state));
    free(weight);
    free(parent);
}

static void test_levels(void) {
    uint64_t state = 21;

    for (size_t l = 0; l < LENGTH_COUNT; l++) {
        for (int weights = 0; weights < KINDS; weights++) {
            for (int counts = 0; counts < COUNTS; counts++) try_level(weights, counts, LENGTHS[l], &state);
        }
    }
}

/* More draws put off than a queue holds. */
static void test_full_queues(void) {
    uint64_t state = 22;

    try_level(ONES, FEW, 4099, &state);
    try_level(WIDE, FEW, 1500, &state);
    try_level(SMALL, AS_WEIGHT, 5000, &state);
    try_level(ONES, MOST, 700, &state);
}

/* p down to 2^-52, and next to 1. */
static void test_lopsided_weights(void) {
    static const double counts[] = {1.0, 7.0, 8.0, 1e6, 0x1p52, 0x1p53 - 1.0};
    enum { PARENTS = 52 * 6 };
    double *weight = doubles(2 * PARENTS), *parent = doubles(PARENTS);
    uint64_t state = 23;

    for (size_t j = 0; j < PARENTS; j++) {
        double small = (double)(1 + next_word(&state) % 3), large = (double)(UINT64_C(1) << (1 + j % 52));

        weight[2 * j] = j % 2 ? small : large;
        weight[2 * j + 1] = j % 2 ? large : small;
        parent[j] = counts[j % 6];
    }
    for (int i = 0; i < 4; i++) check_level(weight, parent, PARENTS, 0, next_address(&state));
    free(weight);
    free(parent);
}

static uint32_t inverse_mod_2_32(uint32_t odd) {
    uint32_t inverse = odd;

    for (int i = 0; i < 5; i++) inverse *= 2 - odd * inverse;
    return inverse;
}

/* Philox is a bijection, so there is an address with any two words. Returns its slot. */
static uint32_t address_with(const uint64_t word[2], tb_address_t *at) {
    uint32_t x0 = (uint32_t)word[0], x1 = (uint32_t)(word[0] >> 32), x2 = (uint32_t)word[1];
    uint32_t x3 = (uint32_t)(word[1] >> 32);

    for (uint32_t round = 10; round-- > 0;) {
        uint32_t k0 = (uint32_t)at->key + round * TB_PHILOX_W0, k1 = (uint32_t)(at->key >> 32) + round * TB_PHILOX_W1;
        uint32_t y0 = x3 * inverse_mod_2_32(TB_PHILOX_M0), y2 = x1 * inverse_mod_2_32(TB_PHILOX_M1);
        uint64_t p0 = (uint64_t)TB_PHILOX_M0 * y0, p1 = (uint64_t)TB_PHILOX_M1 * y2;

        x1 = x0 ^ (uint32_t)(p1 >> 32) ^ k0;
        x3 = x2 ^ (uint32_t)(p0 >> 32) ^ k1;
        x0 = y0;
        x2 = y2;
    }
    at->generation = x1;
    at->replicate = x2;
    at->purpose = x3;
    return x0;
}

/* About the largest word whose quantile is at most k, in steps of 2^lowest. */
static uint64_t last_word(double n, double p, double k, int lowest) {
    uint64_t word = 0;

    for (int bit = 63; bit >= lowest; bit--) {
        uint64_t higher = word | UINT64_C(1) << bit;

        if ((double)tb_binomial_quantile_half(n, p, higher - 1) <= k) word = higher;
    }
    return word - 1;
}

/* Two nodes of one law, at words this near to a step. */
static void check_near(const double *weight, double n, uint64_t below, uint64_t distance) {
    uint64_t flip = weight[1] < weight[0] ? ~UINT64_C(0) : 0;
    uint64_t word[2] = {(below - distance) ^ flip, (below + 1 + distance) ^ flip}, got[2];
    tb_address_t at = {0x0123456789abcdefu, 0, 0, 0};
    uint32_t slot = address_with(word, &at);
    double *parent = doubles(2);

    tb_philox(&at, slot, got);
    CHECK(got[0] == word[0] && got[1] == word[1]);
    parent[0] = parent[1] = n;
    check_level(weight, parent, 2, slot, at);
    free(parent);
}

/* Any law; or one whose mean is small enough for the search from zero, or nearly. */
static void draw_law(int small, double *n, double *a, double *b, uint64_t *state) {
    *n = 1.0 + (double)next_number(state, 33, 28);
    *a = 1.0 + (double)next_number(state, 20, 40);
    *b = *a + (double)next_number(state, 20, 40);
    if (small) {
        *a = 1.0 + (double)next_number(state, 52, 12);
        *b = ceil(*a * fmax(1.0, *n / (0.1 + 10.0 * next_unit(state))));
    }
}

/* Where a straight path with too small a tolerance would step wrong. Nearest to a step, laws with many terms cost the
 * quantile much, and no tolerance is that small: there steps are found to 2^-38 only. */
static void test_words_near_steps(void) {
    uint64_t state = 24;
    double *weight = doubles(4), n, a, b;

    for (int i = 0; i < 6000; i++) {
        uint64_t tail = next_number(&state, 0, 50), word = i % 3 ? tail : ~tail, below;
        double k, p;
        int lowest;

        draw_law(i % 2, &n, &a, &b, &state);
        p = a / (a + b);
        k = (double)tb_binomial_quantile_half(n, p, word);
        lowest = n * p < 20.0 ? 0 : 26;
        below = last_word(n, p, k, lowest);
        weight[0] = weight[2] = i % 4 < 2 ? a : b;
        weight[1] = weight[3] = i % 4 < 2 ? b : a;
        for (int shift = lowest + 4; shift < 60; shift += 5) {
            check_near(weight, n, below, next_word(&state) >> (64 - shift - i % 5));
        }
    }
    free(weight);
}

static void check_thin(const double *count, size_t length, double chosen, double rest, tb_address_t at) {
    double *expected = doubles(length), *taken = doubles(length);

    for (size_t i = 0; i < length; i++) expected[i] = left_part(count[i], chosen, rest, word_at(at, 0, i));
    for (size_t s = 0; s < machine.count; s++) {
        memset(taken, 0, padded_length(length) * sizeof *taken);
        machine.set[s]->thin(count, length, chosen, rest, taken, &at, &work);
        CHECK(same_doubles(taken, expected, length));
        CHECK(work.small.count == 0 && work.hard.count == 0);
    }
    free(expected);
    free(taken);
}

static void test_thin(void) {
    static const double parts[][2] = {{1, 1},           {1, 1e6},  {1e6, 1},     {3, 7},
                                      {0x1p52, 0x1p52}, {1, 1e15}, {123456, 10}, {0, 5}};
    uint64_t state = 25;

    for (size_t l = 0; l < LENGTH_COUNT; l++) {
        for (int kind = 0; kind < KINDS; kind++) {
            size_t which = (l + (size_t)kind) % (sizeof parts / sizeof *parts);
            double *count = doubles(LENGTHS[l]);

            fill_weights(kind, count, LENGTHS[l], &state);
            check_thin(count, LENGTHS[l], parts[which][0], parts[which][1], next_address(&state));
            free(count);
        }
    }
}

static int is_zero(const double *row, size_t rows, size_t lane) {
    for (size_t i = 0; i < rows; i++) {
        if (row[i * TB_ROW + lane] != 0.0) return 0;
    }
    return 1;
}

/* Every lane is the tree of its own lineage. */
static void expect_pack(double *leaf, size_t rows, const tb_lanes_t *lanes, uint64_t key) {
    double *column = checked_memory(rows, sizeof *column);

    for (size_t l = 0; l < TB_ROW; l++) {
        tb_address_t at = {key, (uint32_t)lanes->generation[l], (uint32_t)lanes->replicate[l], TB_FOR_TREE};

        for (size_t i = 0; i < rows; i++) column[i] = leaf[i * TB_ROW + l];
        split_tree(column, rows, lanes->n[l], at);
        for (size_t i = 0; i < rows; i++) leaf[i * TB_ROW + l] = column[i];
    }
    free(column);
}

static void check_packs(const double *weight, size_t rows, size_t packs, const tb_lanes_t *lanes, uint64_t key) {
    const size_t cells = rows * packs * TB_ROW, bytes = cells * sizeof *weight;
    double *expected = doubles(cells), *leaf = checked_memory(cells, sizeof *leaf);
    double *room = checked_memory(cells + TB_PAD * TB_ROW, sizeof *room);

    memcpy(expected, weight, bytes);
    for (size_t p = 0; p < packs; p++) expect_pack(expected + p * rows * TB_ROW, rows, &lanes[p], key);
    for (size_t s = 0; s < machine.count; s++) {
        memcpy(leaf, weight, bytes);
        machine.set[s]->split_packs(leaf, rows, packs, room, lanes, TB_FOR_TREE, key, &work);
        CHECK(same_doubles(leaf, expected, cells));
        CHECK(work.small.count == 0 && work.hard.count == 0);
    }
    free(expected);
    free(leaf);
    free(room);
}

static void fill_pack(double *leaf, size_t rows, tb_lanes_t *lanes, uint64_t *state) {
    for (size_t l = 0; l < TB_ROW; l++) {
        const uint64_t word = next_word(state);
        const int kind = (int)(word % KINDS), counts = (int)(word / KINDS % COUNTS);

        for (size_t i = 0; i < rows; i++) leaf[i * TB_ROW + l] = weight_of(kind, i, rows, state);
        lanes->n[l] = is_zero(leaf, rows, l) ? 0.0 : count_of(counts, 1e4, state);
        lanes->generation[l] = (uint32_t)next_word(state);
        lanes->replicate[l] = (uint32_t)next_word(state);
    }
}

/* One pack, several, and as many as may be. */
static void test_packs(void) {
    static const size_t rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 17, 24, 31, 33, 48, 64, 96, 127, 256, 384, 512};
    static const size_t packs[] = {1, 2, 1, 3, TB_PACKS};
    uint64_t state = 26;

    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (size_t c = 0; c < sizeof packs / sizeof *packs; c++) {
            double *leaf = doubles(rows[r] * packs[c] * TB_ROW);
            tb_lanes_t lanes[TB_PACKS];

            for (size_t p = 0; p < packs[c]; p++) fill_pack(leaf + p * rows[r] * TB_ROW, rows[r], &lanes[p], &state);
            check_packs(leaf, rows[r], packs[c], lanes, next_word(&state));
            free(leaf);
        }
    }
}

int main(void) {
    machine = this_machine();
    test_levels();
    test_full_queues();
    test_lopsided_weights();
    test_words_near_steps();
    test_thin();
    test_packs();
    return finish();
}

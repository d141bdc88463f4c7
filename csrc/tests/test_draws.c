/* SPDX-License-Identifier: MIT */
/* Batches: totals are exact, what is dead stays dead, a pool is never overdrawn, and instruction sets agree. */
#include "checks.h"
#include "law.h"
#include "machine.h"
#include "oracle.h"
#include "programs.h"

static machine_t machine;

/* Plan and scratch for each instruction set, with what draws without replacement need. */
typedef struct {
    setup_t *setup;
    tb_plan_t *plan[4];
    tb_scratch_t *scratch[4];
} bench_t;

static bench_t new_bench(setup_t *setup) {
    bench_t self = {.setup = setup};

    for (size_t s = 0; s < machine.count; s++) {
        self.plan[s] = plain_plan(setup, machine.set[s]);
        self.scratch[s] = new_scratch(self.plan[s]);
    }
    return self;
}

static void drop_bench(bench_t *self) {
    for (size_t s = 0; s < machine.count; s++) {
        drop_scratch(self->scratch[s]);
        tb_plan_free(self->plan[s]);
    }
    free(self->setup);
}

static double total_of(const double *x, size_t length) {
    double total = 0.0;

    for (size_t i = 0; i < length; i++) total += x[i];
    return total;
}

/* Whole, none negative, none where there is nothing, and zeros beyond. */
static int is_batch(const double *out, const double *weight, size_t length, double n) {
    int good = total_of(out, length) == n;

    for (size_t i = 0; i < length; i++) {
        good &= out[i] >= 0.0 && out[i] == (double)(uint64_t)out[i] && (weight[i] > 0.0 || out[i] == 0.0);
    }
    for (size_t i = length; i < padded_length(length); i++) good &= out[i] == 0.0;
    return good;
}

static void check_batch(const bench_t *bench, const double *weight, size_t length, double n, tb_address_t at) {
    double *first = doubles(length), *out = doubles(length), total = total_of(weight, length);

    for (size_t s = 0; s < machine.count; s++) {
        memset(out, 0, padded_length(length) * sizeof *out);
        CHECK(tb_draw_batch(bench->plan[s], bench->scratch[s], weight, length, total, n, at, out) == TB_OK);
        CHECK(is_batch(out, weight, length, n));
        if (s == 0) memcpy(first, out, length * sizeof *out);
        CHECK(same_doubles(first, out, length));
    }
    if (length <= TB_PACK_MOST) { /* by tree */
        memcpy(first, weight, length * sizeof *first);
        split_tree(first, length, n, tb_at(at, TB_FOR_TREE, 0));
        CHECK(same_doubles(first, out, length));
    }
    free(first);
    free(out);
}

static void try_batches(const bench_t *bench, int kind, size_t length, uint64_t *state) {
    double *weight = doubles(length), total = fill_weights(kind, weight, length, state);
    const double counts[] = {0.0, 1.0, 7.0, total, (double)length, 2.0 * (double)length, 0x1p53};

    for (size_t c = 0; total > 0.0 && c < sizeof counts / sizeof *counts; c++) {
        check_batch(bench, weight, length, counts[c], next_address(state));
    }
    free(weight);
}

static void test_batches(const bench_t *bench) {
    static const size_t more[] = {511, 512, 513, 600, 1023, 1025, 3000, MOST_CATEGORIES};
    uint64_t state = 61;

    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t l = 0; l < LENGTH_COUNT; l++) try_batches(bench, kind, LENGTHS[l], &state);
        for (size_t l = 0; l < sizeof more / sizeof *more; l++) try_batches(bench, kind, more[l], &state);
    }
}

/* As many items for each element as Poisson draws still pay for: one total in a thousand is off by more than there is
 * room for yet. */
static void test_totals_far_off(const bench_t *bench) {
    enum { LENGTH = MOST_CATEGORIES, EACH = TB_POISSON_MOST };
    double *weight = doubles(LENGTH);
    uint64_t state = 62;
    size_t usual = 0;

    for (size_t i = 0; i < LENGTH; i++) weight[i] = EACH;
    for (int i = 0; i < 2000; i++) {
        if (i == 1) usual = bench->scratch[0]->chosen_capacity;
        check_batch(bench, weight, LENGTH, (double)LENGTH * EACH, next_address(&state));
    }
    CHECK(bench->scratch[0]->chosen_capacity > usual);
    free(weight);
}

static void check_human(const bench_t *bench, uint64_t n, tb_address_t at) {
    const size_t categories = bench->setup->program.categories, room = bench->plan[0]->padded;
    double *first = checked_memory(room, sizeof *first), *out = checked_memory(room, sizeof *out);

    for (size_t s = 0; s < machine.count; s++) {
        memset(out, 1, room * sizeof *out); /* whatever an earlier batch left */
        tb_draw_human(bench->plan[s], bench->scratch[s], n, at, TB_FOR_REFERENCE, TB_FOR_ALIAS, out);
        CHECK(is_batch(out, bench->plan[s]->weight, categories, (double)n));
        if (s == 0) memcpy(first, out, room * sizeof *out);
        CHECK(same_doubles(first, out, room));
    }
    free(first);
    free(out);
}

static void test_human(void) {
    static const size_t sizes[] = {1, 2, 3, 5, 8, 31, 32, 33, 64, 65, 1000, MOST_CATEGORIES};
    static const uint64_t counts[] = {0, 1, 2, 63, 64, 65, 500, 4096, 1000003, UINT64_C(1) << 53};
    static const uint64_t planned[] = {1, 50, 1000, 1000000};
    uint64_t state = 63;

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        for (size_t p = 0; p < sizeof planned / sizeof *planned; p++) {
            setup_t *setup = new_setup(sizes[k], 1, planned[p], 1);
            bench_t bench;

            if (k % 2) set_from_second(setup->weights, sizes[k] - 1, setup->weights[0]); /* all alike */
            bench = new_bench(setup);
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                if (counts[c] <= 64 * planned[p] || bench.plan[0]->batch.cells == 0) {
                    check_human(&bench, counts[c], next_address(&state));
                }
            }
            drop_bench(&bench);
        }
    }
}

/* More categories than the tables of single items serve: generation 1 by Poisson counts, without tables. Zipf's law,
 * whose common categories go by tree. */
enum { BROAD = TB_WIDE + 77, ROUNDS = 300 };

static setup_t *new_broad(uint64_t samples) {
    setup_t *setup = new_setup(MOST_CATEGORIES, 1, samples, 85);
    uint64_t *weights = checked_memory(BROAD, sizeof *weights);

    for (size_t i = 0; i < BROAD; i++) weights[i] = 1 + 1000000000 / (i + 1);
    setup->program.categories = BROAD;
    setup->program.weights = weights;
    return setup;
}

/* Categories side by side, and those at the same place of a block: each group's items of all batches are binomial, and
 * how many the first group has of one batch. A share that is two hundredths too large is noticed in all of them. */
static void check_broad_law(const bench_t *bench, uint64_t n) {
    const tb_plan_t *plan = bench->plan[machine.count - 1];
    double law[2][TB_PAD] = {{0}}, counts[2][TB_PAD] = {{0}}, wrong[TB_PAD], chi = 0.0;
    double *out = checked_memory(plan->padded, sizeof *out);

    for (size_t i = 0; i < BROAD; i++) {
        law[0][i * TB_PAD / BROAD] += plan->weight[i] / plan->total;
        law[1][i % TB_PAD] += plan->weight[i] / plan->total;
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const tb_address_t at = {86, 1, round, 0};
        double first = 0.0;

        CHECK(tb_draw_human(plan, bench->scratch[machine.count - 1], n, at, TB_FOR_REFERENCE, TB_FOR_ALIAS, out) ==
              TB_OK);
        for (size_t i = 0; i < BROAD; i++) {
            counts[0][i * TB_PAD / BROAD] += out[i];
            counts[1][i % TB_PAD] += out[i];
            first += i * TB_PAD / BROAD ? 0.0 : out[i];
        }
        first -= (double)n * law[0][0];
        chi += first * first / ((double)n * law[0][0] * (1.0 - law[0][0]));
    }
    for (size_t k = 0; k < 2; k++) {
        memcpy(wrong, law[k], sizeof wrong);
        wrong[5] *= 1.02;
        CHECK(fits(law[k], counts[k], TB_PAD, (double)n * ROUNDS));
        CHECK(!fits(wrong, counts[k], TB_PAD, (double)n * ROUNDS));
    }
    CHECK(chi_square_tail(chi, ROUNDS) > FALSE_ALARM && chi_square_tail(chi, ROUNDS) < 1.0 - FALSE_ALARM);
    free(out);
}

static void test_broad(void) {
    static const uint64_t counts[] = {BROAD / 8 + 1, BROAD, 6 * (uint64_t)BROAD - 1, BROAD / 8, 6 * (uint64_t)BROAD};
    uint64_t state = 87;

    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        setup_t *setup = new_broad(counts[c]);
        const uint64_t *weights = setup->program.weights;
        bench_t bench = new_bench(setup);
        const int by_means = c < 3;

        CHECK(tb_human_by_means(bench.plan[0], counts[c]) == by_means);
        CHECK((bench.plan[0]->batch.cell == NULL) == by_means);
        check_human(&bench, counts[c], next_address(&state));
        if (c == 1) check_broad_law(&bench, counts[c]);
        drop_bench(&bench);
        free((void *)(uintptr_t)weights);
    }
}

static void put_ids(void *context, const uint32_t *id, size_t count) {
    uint32_t **next = context;

    for (size_t i = 0; i < count; i++) *(*next)++ = id[i];
}

static int turned_down, ties; /* words that would have brought a bias, or left it open */

/* The alias table's column is the upper half of a word, scaled to a whole number without bias; the last 8 bits are the
 * level, with 64 bits more where it ends at the threshold. */
static uint32_t expected_pick(const tb_source_t *source, tb_address_t at, uint32_t item) {
    for (uint32_t attempt = 0;; attempt++) {
        const uint64_t word = word_at(tb_at(at, at.purpose, attempt), 0, item), x = (word >> 32) * source->cells;
        const tb_alias_t cell = source->cell[x >> 32];
        const uint32_t level = word & 0xff;
        int own = level < tb_threshold_of(cell);
        /* The 2^32 mod m lowest products of each residue are one too many. */
        if ((uint32_t)x < (UINT64_C(1) << 32) % source->cells) {
            turned_down++;
            continue;
        }
        if (level == tb_threshold_of(cell)) {
            own = word_at(tb_at(at, at.purpose, TB_TIE_ATTEMPT), 0, item) < source->remainder[x >> 32];
            ties++;
        }
        return (uint32_t)source->head + (own ? (uint32_t)(x >> 32) : tb_alias_of(cell));
    }
}

static void check_picks(const bench_t *bench, const tb_source_t *source, uint32_t picks, tb_address_t at) {
    uint32_t *id = checked_memory(picks, sizeof *id);

    for (size_t s = 0; s < machine.count; s++) {
        uint32_t *next = id;
        int equal = 1;

        tb_pick_human(bench->plan[s], source, 0, at, put_ids, &next);
        CHECK(next == id);
        tb_pick_human(bench->plan[s], source, picks, at, put_ids, &next);
        CHECK(next == id + picks);
        for (uint32_t i = 0; i < picks; i++) equal &= id[i] == expected_pick(source, at, i);
        CHECK(equal);
    }
    free(id);
}

/* Of a million picks from some thousand cells a few words are turned down. Ties are one in 256: thresholds are
 * moved to where words fall. */
static void test_picks(uint64_t scale) {
    enum { CATEGORIES = 5980, TIED = 200 };
    setup_t *setup = new_regime(FRESH_FEW, CATEGORIES, 1, 16000, 7);
    const tb_address_t at = {9, 8, 7, TB_FOR_ALIAS};
    bench_t bench;
    tb_source_t moved;

    for (size_t i = 0; i < CATEGORIES; i++) setup->weights[i] *= scale;
    bench = new_bench(setup);
    moved = bench.plan[0]->single;
    check_picks(&bench, &moved, 4000000, at);
    moved.cell = checked_memory(moved.cells, sizeof *moved.cell);
    memcpy(moved.cell, bench.plan[0]->single.cell, moved.cells * sizeof *moved.cell);
    for (uint32_t i = 0; i < TIED; i++) {
        const uint64_t word = word_at(at, 0, i);

        tb_alias_t *cell = &moved.cell[(word >> 32) * moved.cells >> 32];

        *cell = (uint32_t)(word & 0xff) << TB_ALIAS_BITS | tb_alias_of(*cell);
    }
    ties = 0;
    check_picks(&bench, &moved, TIED, at);
    CHECK(ties > TIED / 2);
    free(moved.cell);
    drop_bench(&bench);
}

/* What each category gets of cells * total * 2^72: all of it but for less than one 2^72nd of each cell. */
static void check_alias(const uint64_t *weights, size_t count) {
    __extension__ typedef unsigned __int128 u128;
    tb_alias_t *cells = checked_memory(count, sizeof *cells);
    uint64_t *remainder = checked_memory(count, sizeof *remainder);
    u128 *mass = checked_memory(count, sizeof *mass);
    uint64_t total = 0;
    int equal = 1;

    for (size_t i = 0; i < count; i++) total += weights[i];
    CHECK(tb_alias_fill(cells, remainder, weights, count, total) == TB_OK);
    for (size_t i = 0; i < count; i++) {
        /* own = ceil((threshold 2^64 + remainder) total / 2^72) */
        const u128 low = (u128)remainder[i] * total, high = (u128)tb_threshold_of(cells[i]) * total + (low >> 64);
        const u128 own = (high >> 8) + ((high & 0xff) != 0 || (uint64_t)low != 0);

        CHECK(tb_alias_of(cells[i]) < count && own <= total);
        mass[i] += own;
        mass[tb_alias_of(cells[i])] += total - own;
    }
    for (size_t i = 0; i < count; i++) equal &= mass[i] == (u128)weights[i] * count;
    CHECK(equal);
    free(cells);
    free(remainder);
    free(mass);
}

static void test_alias_tables(void) {
    uint64_t state = 64, *weights = checked_memory(MOST_CATEGORIES, sizeof *weights);

    for (int round = 0; round < 4; round++) {
        for (size_t l = 0; l < LENGTH_COUNT; l++) {
            for (size_t i = 0; i < LENGTHS[l]; i++) {
                weights[i] = round == 0 ? 1 : 1 + next_number(&state, 20, round == 1 ? 1 : 43);
            }
            check_alias(weights, LENGTHS[l]);
        }
    }
    for (size_t i = 0; i < MOST_CATEGORIES; i++) weights[i] = (UINT64_C(1) << 53) / MOST_CATEGORIES - i % 7;
    check_alias(weights, MOST_CATEGORIES);
    free(weights);
}

static void check_without(const bench_t *bench, const double *count, size_t length, double draw, tb_address_t at) {
    double *first = doubles(length), *out = doubles(length), total = total_of(count, length);

    for (size_t s = 0; s < machine.count; s++) {
        int within = 1;

        memset(out, 1, padded_length(length) * sizeof *out);
        CHECK(tb_draw_without(bench->plan[s], bench->scratch[s], count, length, total, draw, at, TB_FOR_SUBSAMPLE,
                              TB_FOR_SUBSAMPLE_FIX, out) == TB_OK);
        for (size_t i = 0; i < length; i++) within &= out[i] <= count[i];
        CHECK(within && is_batch(out, count, length, draw));
        if (s == 0) memcpy(first, out, length * sizeof *out);
        CHECK(same_doubles(first, out, length));
    }
    free(first);
    free(out);
}

/* Item `index` of the singly picked ones: the first new one that its words give. */
static uint64_t expected_item(tb_address_t at, size_t index, uint64_t total, const uint64_t *taken, size_t count) {
    for (uint32_t attempt = 0;; attempt++) {
        __extension__ const unsigned __int128 x =
            (unsigned __int128)word_at(tb_at(at, at.purpose, attempt), 0, index) * total;
        const uint64_t item = (uint64_t)(x >> 64);
        int seen = (uint64_t)x < -total % total; /* one too many of its residue */

        turned_down += seen;
        for (size_t i = 0; i < count; i++) seen |= taken[i] == item;
        if (!seen) return item;
    }
}

/* So few that none is thinned: the items one after another. */
static void check_singly(const bench_t *bench, const double *count, size_t length, size_t draw, tb_address_t at) {
    const double total = total_of(count, length);
    double *expected = doubles(length), *out = doubles(length);
    uint64_t *taken = checked_memory(draw, sizeof *taken);
    const tb_address_t fix = tb_at(at, TB_FOR_SUBSAMPLE_FIX, 0);

    for (size_t i = 0; i < draw; i++) {
        size_t at_element = 0;

        taken[i] = expected_item(fix, i, (uint64_t)total, taken, i);
        for (double sum = count[0]; sum <= (double)taken[i]; sum += count[at_element]) at_element++;
        expected[at_element] += 1.0;
    }
    CHECK(tb_draw_without(bench->plan[0], bench->scratch[0], count, length, total, (double)draw, at, TB_FOR_SUBSAMPLE,
                          TB_FOR_SUBSAMPLE_FIX, out) == TB_OK);
    CHECK(same_doubles(out, expected, length));
    free(expected);
    free(out);
    free(taken);
}

static void test_without_singly(const bench_t *bench) {
    enum { LENGTH = 2000 };
    double *count = doubles(LENGTH);
    uint64_t state = 67;

    for (int kind = 0; kind < KINDS; kind++) {
        const double total = fill_weights(kind, count, LENGTH, &state);

        if (total >= 2.0 * LENGTH) check_singly(bench, count, LENGTH, LENGTH / 2, next_address(&state));
        if (total >= 2.0) check_singly(bench, count, LENGTH, 1, next_address(&state));
    }
    count[0] = 100.0;
    check_singly(bench, count, 1, 50, next_address(&state)); /* half of all: many come twice */
    turned_down = 0;
    for (int i = 0; i < 60; i++) { /* one word in six thousand is turned down */
        for (size_t j = 0; j < LENGTH; j++) count[j] = 3e12 + (double)j;
        check_singly(bench, count, LENGTH, LENGTH / 2, next_address(&state));
    }
    CHECK(turned_down > 0);
    free(count);
}

static void try_without(const bench_t *bench, int kind, size_t length, uint64_t *state) {
    double *count = doubles(length), total = fill_weights(kind, count, length, state);
    const double half = (double)(uint64_t)(total / 2.0);
    const double draws[] = {0.0, 1.0, half, half + 1.0, total - 1.0, total, (double)(uint64_t)(total * 0.9)};

    for (size_t d = 0; d < sizeof draws / sizeof *draws; d++) {
        if (draws[d] >= 0.0 && draws[d] <= total) check_without(bench, count, length, draws[d], next_address(state));
    }
    free(count);
}

static void test_without(const bench_t *bench) {
    uint64_t state = 65;

    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t l = 0; l < LENGTH_COUNT; l++) try_without(bench, kind, LENGTHS[l], &state);
        try_without(bench, kind, MOST_CATEGORIES, &state);
    }
}

/* 1e12 items of each category, to a total near 2^53; and ten million of one. */
static void test_without_huge_counts(const bench_t *bench) {
    enum { LENGTH = 9000 / 2 };
    static const double draws[] = {1e12, 2.25e15, 4.4e15, 4.5e15 - 3.0};
    double *count = doubles(LENGTH), one = 1e7;
    uint64_t state = 66;

    for (size_t i = 0; i < LENGTH; i++) count[i] = 1e12;
    for (size_t d = 0; d < sizeof draws / sizeof *draws; d++) {
        check_without(bench, count, LENGTH, draws[d], next_address(&state));
    }
    memset(count, 0, LENGTH * sizeof *count);
    count[0] = one;
    check_without(bench, count, 1, one / 2.0, next_address(&state));
    free(count);
}

int main(void) {
    bench_t bench;

    machine = this_machine();
    bench = new_bench(new_regime(SUBSAMPLE, MOST_CATEGORIES, 2, 100000, 3));
    test_batches(&bench);
    test_totals_far_off(&bench);
    test_without(&bench);
    test_without_singly(&bench);
    test_without_huge_counts(&bench);
    drop_bench(&bench);
    test_human();
    test_broad();
    test_picks(1);
    turned_down = 0;
    test_picks(8056550361); /* a total of 0.67 2^53 */
    CHECK(turned_down > 0);
    test_alias_tables();
    return finish();
}

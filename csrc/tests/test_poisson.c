/* SPDX-License-Identifier: MIT */
/* Poisson tables against the law, in integers; the kernel against the tables, one draw at a time; and both against the
 * law by counting. */
#include "checks.h"
#include "law.h"
#include "machine.h"
#include "oracle.h"
#include "tables.h"

__extension__ typedef unsigned __int128 u128;

static machine_t machine;

static const double RATES[] = {1.0, 0.999, 0.9, 0.75, 0.5, 1.0 / 3.0, 0.1, 0.01, 1e-4};
static const uint64_t GOLDEN = UINT64_C(0xa3ba1437e2e321fe);
enum { RATE_COUNT = sizeof RATES / sizeof *RATES };

/* One alias table: cells of `bits` bits each, whatever its layout. */
typedef struct {
    size_t cells;
    unsigned bits, base;
    uint32_t threshold[TB_POISSON_HIGH_CELLS], alias[TB_POISSON_HIGH_CELLS];
    uint64_t remainder[TB_POISSON_HIGH_CELLS];
} table_t;

static table_t step_table(const tb_poisson_t *all, size_t weight) {
    table_t table = {.cells = TB_POISSON_CELLS, .bits = 9};

    for (size_t i = 0; i < table.cells; i++) {
        const uint32_t entry = all->entry[weight * TB_POISSON_CELLS + i];

        CHECK((entry & 0xff) == i);
        table.threshold[i] = entry >> 16;
        table.alias[i] = entry >> 8 & 0xff;
        table.remainder[i] = all->remainder[weight * TB_POISSON_CELLS + i];
    }
    return table;
}

static table_t high_table(const tb_poisson_t *all, size_t multiple) {
    const unsigned mean = (unsigned)((double)multiple * all->step), half = TB_POISSON_HIGH_CELLS / 2;
    table_t table = {.cells = TB_POISSON_HIGH_CELLS, .bits = 23, .base = mean > half ? mean - half : 0};

    for (size_t i = 0; i < table.cells; i++) {
        const uint32_t entry = all->high_entry[multiple * TB_POISSON_HIGH_CELLS + i];

        table.threshold[i] = entry >> 9;
        table.alias[i] = entry % TB_POISSON_HIGH_CELLS;
        table.remainder[i] = all->high_remainder[multiple * TB_POISSON_HIGH_CELLS + i];
    }
    return table;
}

/* The law that a table gives, from its integers: a cell keeps threshold 2^64 + remainder of 2^(bits + 64). */
static void law_of(const table_t *table, long double *law) {
    const u128 capacity = (u128)1 << (64 + table->bits);
    u128 mass[TB_POISSON_HIGH_CELLS] = {0};

    for (size_t i = 0; i < table->cells; i++) {
        const u128 own = (u128)table->threshold[i] << 64 | table->remainder[i];

        CHECK(table->alias[i] < table->cells && own <= capacity);
        mass[i] += own;
        mass[table->alias[i]] += capacity - own;
    }
    for (size_t i = 0; i < table->cells; i++) {
        law[i] = (long double)mass[i] / (long double)capacity / (long double)table->cells;
    }
}

/* Largest difference from the Poisson law, by recurrence in extended precision. */
static long double law_error(const table_t *table, long double mean) {
    long double law[TB_POISSON_HIGH_CELLS], p = expl(-mean), worst = 0.0L, beyond = 1.0L;

    law_of(table, law);
    for (size_t k = 0; k < table->base + table->cells; k++) {
        if (k > 0) p *= mean / (long double)k;
        if (k < table->base) continue;
        worst = fmaxl(worst, fabsl(law[k - table->base] - p));
        beyond -= p;
    }
    return fmaxl(worst, beyond);
}

/* Whatever was there before. */
static void fill_anew(tb_poisson_t *all, double rate) {
    memset(all, 0x5a, sizeof *all);
    tb_poisson_fill(all, rate);
}

static void test_tables_hold_the_law(void) {
    tb_poisson_t *all = checked_memory(1, sizeof *all);
    long double worst = 0.0L;

    for (size_t r = 0; r < RATE_COUNT; r++) {
        fill_anew(all, RATES[r]);
        for (size_t weight = 0; weight <= TB_POISSON_STEP; weight++) {
            const table_t table = step_table(all, weight);

            worst = fmaxl(worst, law_error(&table, (long double)RATES[r] * (long double)weight));
        }
        CHECK(worst <= 1e-17L);
        for (size_t multiple = 1; multiple <= TB_POISSON_HIGH; multiple++) {
            const table_t table = high_table(all, multiple);
            const long double mean = (long double)RATES[r] * (long double)(multiple * TB_POISSON_STEP);
            const long double error = law_error(&table, mean);

            CHECK(error <= 1e-17L);
            if (error > 1e-17L) printf("rate %g, multiple %zu: %Lg\n", RATES[r], multiple, error);
        }
    }
    free(all);
}

static uint64_t hash_table(uint64_t hash, const table_t *table) {
    for (size_t i = 0; i < table->cells; i++) {
        hash = hash_word(hash, (uint64_t)table->threshold[i] << 32 | table->alias[i]);
        hash = hash_word(hash, table->remainder[i]);
    }
    return hash;
}

/* To the last bit, which no comparison with the law sees. */
static void test_golden_tables(void) {
    tb_poisson_t *all = checked_memory(1, sizeof *all);
    uint64_t hash = 0;

    for (size_t r = 0; r < RATE_COUNT; r++) {
        fill_anew(all, RATES[r]);
        for (size_t weight = 0; weight <= TB_POISSON_STEP; weight++) {
            const table_t table = step_table(all, weight);

            hash = hash_table(hash, &table);
        }
        for (size_t multiple = 0; multiple <= TB_POISSON_HIGH; multiple++) {
            const table_t table = high_table(all, multiple);

            hash = hash_table(hash, &table);
        }
    }
    if (hash != GOLDEN) printf("hash %#llx\n", (unsigned long long)hash);
    CHECK(hash == GOLDEN);
    free(all);
}

static unsigned value_at(const table_t *table, uint64_t bits, tb_address_t tie, size_t element) {
    const size_t cell = bits >> table->bits;
    const uint64_t part = bits & ((UINT64_C(1) << table->bits) - 1);
    const int own = part < table->threshold[cell] ||
                    (part == table->threshold[cell] && word_at(tie, (uint32_t)element, 0) < table->remainder[cell]);

    return table->base + (own ? (unsigned)cell : table->alias[cell]);
}

/* 16 bits of one of 64 places in eight slots, and 32 bits of one of 32, by the layout that the stream promises. */
static uint64_t quarter_of(tb_address_t at, size_t i) {
    const uint32_t slot = (uint32_t)(i / 64 * 8 + i % 16 / 2);

    return word_at(at, slot, i / 32 % 2) >> (32 * (i % 2) + 16 * (i / 16 % 2)) & 0xffff;
}

static uint64_t half_of(tb_address_t at, size_t i) {
    const uint32_t slot = (uint32_t)(i / 32 * 8 + i % 16 / 2);

    return word_at(at, slot, i / 16 % 2) >> (32 * (i % 2)) & 0xffffffffu;
}

/* `high` counts the draws from the tables for multiples. */
static double table_draw(const tb_poisson_t *all, unsigned weight, size_t i, size_t *high, tb_address_t at) {
    const unsigned multiple = weight ? (weight - 1) / TB_POISSON_STEP : 0, rest = weight - multiple * TB_POISSON_STEP;
    const table_t low = step_table(all, rest);
    double x = value_at(&low, quarter_of(tb_at(at, TB_FOR_POISSON, 0), i), tb_at(at, TB_FOR_POISSON_TIE, 0), i);

    if (multiple) {
        const table_t table = high_table(all, multiple);
        const uint64_t bits = half_of(tb_at(at, TB_FOR_POISSON_HIGH, 0), (*high)++);

        x += value_at(&table, bits, tb_at(at, TB_FOR_POISSON_HIGH_TIE, 0), i);
    }
    return x;
}

/* Weights beyond all tables are listed. Returns how many. */
static size_t expect_poisson(const tb_poisson_t *all, const double *weight, size_t length, tb_address_t at, double *x,
                             uint32_t *large) {
    size_t count = 0, high = 0;

    for (size_t i = 0; i < length; i++) {
        if (weight[i] > (double)TB_POISSON_MOST) {
            x[i] = 0.0;
            large[count++] = (uint32_t)i;
        } else {
            x[i] = table_draw(all, (unsigned)weight[i], i, &high, at);
        }
    }
    return count;
}

static void check_kernel(const tb_poisson_t *all, const double *weight, size_t length, tb_address_t at) {
    double *expected = doubles(length), *x = doubles(length), total = 0.0;
    uint32_t *large = indices(length), *listed = indices(length);
    const size_t count = expect_poisson(all, weight, length, at, expected, large);
    int equal;

    for (size_t i = 0; i < length; i++) total += expected[i];
    for (size_t s = 0; s < machine.count; s++) {
        size_t found;

        memset(x, 0, padded_length(length) * sizeof *x);
        CHECK(machine.set[s]->poisson(weight, length, x, all, listed, &found, &at) == total);
        CHECK(found == count && !memcmp(listed, large, count * sizeof *large));
        CHECK(same_doubles(x, expected, padded_length(length)));
    }
    equal = same_doubles(x, expected, length);
    for (size_t i = 0; i < length && !equal; i++) {
        if (x[i] == expected[i]) continue;
        printf("rate %g, weight %.17g: %.17g, not %.17g\n", all->rate, weight[i], x[i], expected[i]);
        break;
    }
    free(expected);
    free(x);
    free(large);
    free(listed);
}

enum { SMALL_STEP, TO_ALL_TABLES, EDGES, BEYOND, MIXED, WEIGHT_KINDS };

static double poisson_weight(int kind, size_t i, uint64_t *state) {
    static const double edges[] = {0, 1, 47, 48, 49, 95, 96, 97, 479, 480, 481, 527, 528, 529, 530, 1e6};
    const uint64_t word = next_word(state);

    switch (kind) {
    case SMALL_STEP:
        return (double)(word % 49);
    case TO_ALL_TABLES:
        return (double)(word % 529);
    case EDGES:
        return edges[i % 16];
    case BEYOND:
        return (double)(529 + (word >> (24 + word % 36)));
    default:
        return word % 4 ? (double)(word % 3) : (double)(word % 2000);
    }
}

static void try_kernel(const tb_poisson_t *all, int kind, size_t length, uint64_t *state) {
    double *weight = doubles(length);

    for (size_t i = 0; i < length; i++) weight[i] = poisson_weight(kind, i, state);
    check_kernel(all, weight, length, next_address(state));
    free(weight);
}

static void test_kernel(void) {
    tb_poisson_t *all = checked_memory(1, sizeof *all);
    uint64_t state = 31;

    for (size_t r = 0; r < RATE_COUNT; r++) {
        fill_anew(all, RATES[r]);
        for (int kind = 0; kind < WEIGHT_KINDS; kind++) {
            for (size_t l = 0; l < LENGTH_COUNT; l++) try_kernel(all, kind, LENGTHS[l], &state);
        }
    }
    tb_poisson_fill(all, 1.0);
    try_kernel(all, SMALL_STEP, 400000, &state); /* some 800 ties of 9 bits, more than are put off at a time */
    free(all);
}

/* The two 32-bit pieces of an element's high draw that equal their threshold: one in 2^23. */
static size_t find_ties(const table_t *table, const uint64_t *word, size_t length, size_t *tied) {
    size_t ties = 0;

    for (size_t i = 0; i < length; i++) {
        const size_t slot = i / 32 * 8 + i % 16 / 2;
        const uint64_t bits = word[2 * slot + i / 16 % 2] >> (32 * (i % 2)) & 0xffffffffu;

        if ((bits & 0x7fffff) == table->threshold[bits >> 23]) tied[ties++] = i;
    }
    return ties;
}

/* Among sixty million draws. */
static void test_ties_of_32_bits(void) {
    enum { LENGTH = 1 << 16, ROUNDS = 900, WEIGHT = 480 };
    tb_poisson_t *all = checked_memory(1, sizeof *all);
    double *weight = doubles(LENGTH), *x = doubles(LENGTH);
    uint32_t *large = indices(LENGTH);
    uint64_t *word = checked_memory(LENGTH / 2, sizeof *word);
    size_t tied[64], found = 0;
    table_t table;

    tb_poisson_fill(all, 0.999);
    table = high_table(all, (WEIGHT - 1) / TB_POISSON_STEP);
    for (size_t i = 0; i < LENGTH; i++) weight[i] = WEIGHT;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const tb_address_t at = {77, 1, round, 0}, high = tb_at(at, TB_FOR_POISSON_HIGH, 0);
        size_t ties, none;

        tb_isa_best()->fill_words(&high, 0, LENGTH / 4, word);
        ties = find_ties(&table, word, LENGTH, tied);
        found += ties;
        for (size_t s = 0; ties && s < machine.count; s++) {
            machine.set[s]->poisson(weight, LENGTH, x, all, large, &none, &at);
            for (size_t i = 0; i < ties; i++) {
                size_t before = tied[i];

                CHECK(x[tied[i]] == table_draw(all, WEIGHT, tied[i], &before, at));
            }
        }
    }
    CHECK(found > 2);
    free(all);
    free(weight);
    free(x);
    free(large);
    free(word);
}

/* `draws` values for one weight. */
static void count_draws(const tb_poisson_t *all, double weight, size_t draws, double *counts, size_t cells) {
    enum { LENGTH = 4096 };
    double *w = doubles(LENGTH), *x = doubles(LENGTH);
    uint32_t *large = indices(LENGTH);
    tb_address_t at = {1851, (uint32_t)weight, 0, 0};
    size_t none;

    for (size_t i = 0; i < LENGTH; i++) w[i] = weight;
    for (size_t done = 0; done < draws; done += LENGTH, at.replicate++) {
        tb_isa_best()->poisson(w, LENGTH, x, all, large, &none, &at);
        for (size_t i = 0; i < LENGTH; i++) {
            const size_t k = (size_t)x[i];

            counts[k < cells ? k : cells - 1] += 1.0;
        }
    }
    free(w);
    free(x);
    free(large);
}

/* A million draws tell a law apart whose probability of a cell of mass p is wrong by 0.01 sqrt(p). */
static void check_law(double rate, double weight) {
    enum { CELLS = 4000, DRAWS = 1 << 20 };
    tb_poisson_t *all = checked_memory(1, sizeof *all);
    double *law = checked_memory(CELLS, sizeof *law), *counts = checked_memory(CELLS, sizeof *counts);
    double *other = checked_memory(CELLS, sizeof *other);

    for (size_t k = 0; k < CELLS; k++) {
        law[k] = poisson_probability(rate * weight, (double)k);
        other[k] = poisson_probability(rate * weight * 1.01, (double)k);
    }
    tb_poisson_fill(all, rate);
    count_draws(all, weight, DRAWS, counts, CELLS);
    CHECK(fits(law, counts, CELLS, DRAWS));
    if (!fits(law, counts, CELLS, DRAWS)) printf("rate %g, weight %g\n", rate, weight);
    if (rate * weight > 1.0) CHECK(!fits(other, counts, CELLS, DRAWS)); /* a mean one in a hundred off */
    free(all);
    free(law);
    free(counts);
    free(other);
}

static void test_law(void) {
    static const double weights[] = {1, 2, 48, 49, 200, 480, 528};
    static const double rates[] = {1.0, 0.5, 0.1, 0.001, 1e-4};

    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        for (size_t w = 0; w < sizeof weights / sizeof *weights; w++) check_law(rates[r], weights[w]);
    }
}

int main(void) {
    machine = this_machine();
    test_tables_hold_the_law();
    test_golden_tables();
    test_kernel();
    test_ties_of_32_bits();
    test_law();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Batches by classes of equal counts: tables against the law, the kernel against the tables draw by draw, batches
 * against the multinomial law. */
#include "bed.h"
#include "law.h"
#include "oracle.h"
#include "programs.h"
#include "runs.h"

__extension__ typedef unsigned __int128 u128;

static machine_t machine;

/* A cell keeps threshold 2^64 + remainder of 2^74; e^-mean by the C library. */
static void test_tables_hold_the_law(void) {
    uint32_t entry[TB_CLASS_CELLS];
    uint64_t remainder[TB_CLASS_CELLS];

    for (unsigned steps = 0; steps <= TB_CLASS_STEPS * TB_CLASS_LARGEST; steps++) {
        const long double mean = (long double)steps / TB_CLASS_STEPS, all = 0x1p74L * TB_CLASS_CELLS;
        long double law[TB_CLASS_CELLS] = {0}, p = expl(-mean), worst = 0.0L;

        tb_class_fill(steps, entry, remainder);
        for (size_t i = 0; i < TB_CLASS_CELLS; i++) {
            const long double own = (long double)(entry[i] >> 16) * 0x1p64L + (long double)remainder[i];

            CHECK((entry[i] & 0xff) == i && (entry[i] >> 8 & 0xff) < TB_CLASS_CELLS && own <= 0x1p74L);
            law[i] += own / all;
            law[entry[i] >> 8 & 0xff] += (0x1p74L - own) / all;
        }
        for (size_t k = 0; k < TB_CLASS_CELLS; k++) {
            if (k) p *= mean / (long double)k;
            worst = fmaxl(worst, fabsl(law[k] - p));
        }
        CHECK(worst <= 1e-17L);
    }
}

static void fill_classes(tb_classes_t *to, uint32_t limit, uint64_t *state) {
    to->limit = limit;
    for (uint32_t c = 0; c <= limit; c++) {
        const unsigned steps = c < limit ? (unsigned)(next_word(state) % (TB_CLASS_STEPS * TB_CLASS_LARGEST + 1)) : 0;

        tb_class_fill(steps, to->entry + c * TB_CLASS_CELLS, to->remainder + c * TB_CLASS_CELLS);
    }
}

/* 16 bits of one of 64 places in eight slots, as for all Poisson counts. */
static double class_draw(const tb_classes_t *classes, size_t c, size_t i, tb_address_t at) {
    const uint64_t word = word_at(tb_at(at, TB_FOR_POISSON, 0), (uint32_t)(i / 64 * 8 + i % 16 / 2), i / 32 % 2);
    const uint32_t bits = word >> (32 * (i % 2) + 16 * (i / 16 % 2)) & 0xffff, part = bits & 1023;
    const size_t cell = c * TB_CLASS_CELLS + (bits >> 10);
    const uint32_t entry = classes->entry[cell], threshold = entry >> 16;
    const int tie =
        part == threshold && word_at(tb_at(at, TB_FOR_POISSON_TIE, 0), (uint32_t)i, 0) < classes->remainder[cell];

    return part < threshold || tie ? entry & 0xff : entry >> 8 & 0xff;
}

static void check_kernel(const tb_classes_t *classes, const double *count, size_t length, tb_address_t at) {
    double *expected = doubles(length), *x = doubles(length), total = 0.0;
    double *sums = doubles(length), *found_sums = doubles(length);
    uint32_t *listed = indices(length), *found = indices(length);
    size_t listed_count = 0, found_count;

    for (size_t i = 0; i < length; i++) {
        if (count[i] < classes->limit) {
            expected[i] = class_draw(classes, (size_t)count[i], i, at);
        } else {
            listed[listed_count++] = (uint32_t)i;
        }
        total += expected[i];
        sums[i / TB_PAD] += expected[i];
    }
    for (size_t s = 0; s < machine.count; s++) {
        memset(x, 0x55, padded_length(length) * sizeof *x);
        CHECK(machine.set[s]->draw_classes(count, length, x, found_sums, classes, found, &found_count, &at) == total);
        CHECK(same_doubles(x, expected, padded_length(length)));
        CHECK(same_doubles(found_sums, sums, (length + TB_PAD - 1) / TB_PAD));
        CHECK(found_count == listed_count && !memcmp(found, listed, listed_count * sizeof *found));
    }
    free(expected);
    free(x);
    free(sums);
    free(found_sums);
    free(listed);
    free(found);
}

static void test_kernel(void) {
    static const size_t lengths[] = {1, 2, 63, 64, 65, 255, 256, 257, 700, 5000};
    tb_classes_t *classes = checked_memory(1, sizeof *classes);
    uint64_t state = 11;

    for (uint32_t limit = 1; limit <= TB_CLASSES; limit += 9) {
        fill_classes(classes, limit, &state);
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            double *count = doubles(lengths[l]);

            for (size_t i = 0; i < lengths[l]; i++) {
                count[i] = i % 5 ? (double)(next_word(&state) % (limit + 2)) : (double)next_number(&state, 11, 53);
            }
            check_kernel(classes, count, lengths[l], next_address(&state));
            free(count);
        }
    }
    free(classes);
}

/* Against one count at a time; larger ones in order. */
static void check_tally(const double *count, size_t length) {
    uint32_t expected[TB_SMALL] = {0}, often[TB_SMALL];
    double *large = doubles(length), *found = doubles(length + TB_ROW);
    size_t larger = 0;

    for (size_t i = 0; i < length; i++) {
        if (count[i] >= TB_SMALL)
            large[larger++] = count[i];
        else if (count[i] > 0.0)
            expected[(size_t)count[i]]++;
    }
    for (size_t s = 0; s < machine.count; s++) {
        memset(often, 0x55, sizeof often);
        CHECK(machine.set[s]->tally(count, length, often, found) == larger);
        CHECK(!memcmp(often, expected, sizeof often) && same_doubles(found, large, larger));
    }
    free(large);
    free(found);
}

/* Of every size, to the largest there is; and all the same, as often as fills every counter and once more. */
static void test_tally(void) {
    static const size_t lengths[] = {1, 7, 64, 255, 256, 511, 2040, 2041, 5000};
    uint64_t state = 3;

    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        double *count = doubles(lengths[l]);

        for (unsigned bits = 3; bits <= 53; bits += 2) {
            for (size_t i = 0; i < lengths[l]; i++) count[i] = (double)next_number(&state, 64 - bits, 2);
            check_tally(count, lengths[l]);
        }
        for (int same = 0; same < 10; same++) {
            for (size_t i = 0; i < lengths[l]; i++) count[i] = (double)same;
            check_tally(count, lengths[l]);
        }
        count[lengths[l] - 1] = 0x1p53;
        check_tally(count, lengths[l]);
        free(count);
    }
}

/* Laws by the definitions, one category at a time; those of docs/levers.md. */
static double often(const double *count, size_t categories, double value) {
    double found = 0.0;

    for (size_t i = 0; i < categories; i++) found += count[i] == value;
    return found;
}

static void expect_law(tb_estimator_t by, const double *count, size_t categories, double *law) {
    const double k = (double)categories, unseen = often(count, categories, 0.0);
    double n = 0.0, sum = 0.0, open;

    for (size_t i = 0; i < categories; i++) n += count[i];
    open = often(count, categories, 1.0) / n;
    for (size_t i = 0; i < categories; i++) {
        const double c = count[i], next = often(count, categories, c + 1.0);

        if (by.kind == TB_ADD_K) law[i] = (c + by.amount) / (n + by.amount * k);
        if (by.kind == TB_SHRINKAGE) law[i] = (1.0 - by.amount) * c / n + by.amount / k;
        if (by.kind == TB_DISCOUNT) law[i] = (c ? c - by.amount : 0.0) / n + by.amount * (k - unseen) / n / k;
        if (by.kind == TB_GOOD_TURING)
            law[i] = c > 0.0 && next > 0.0 ? (c + 1.0) * next / often(count, categories, c) : c;
        sum += law[i];
    }
    for (size_t i = 0; i < categories && by.kind == TB_GOOD_TURING; i++) {
        law[i] = count[i] > 0.0 ? law[i] / sum * (1.0 - open) : open / unseen;
    }
}

static const tb_estimator_t ESTIMATORS[] = {
    {TB_ADD_K, 1.0, 0}, {TB_ADD_K, 0.3, 0}, {TB_SHRINKAGE, 0.25, 0}, {TB_DISCOUNT, 0.7, 0}, {TB_GOOD_TURING, -1.0, 0}};
enum { ESTIMATOR_COUNT = sizeof ESTIMATORS / sizeof *ESTIMATORS };

/* Every batch of four items over four categories: 35 in all, with their multinomial probabilities. Of 100,000 batches
 * a probability p that is off by 0.03 sqrt(p) is noticed. */
static void test_all_batches_of_a_few(void) {
    enum { CATEGORIES = 4, ITEMS = 4, CELLS = 625, ROUNDS = 100000 };
    static const double counts[] = {0, 1, 3, 1};

    for (size_t e = 0; e < ESTIMATOR_COUNT; e++) {
        bed_t *bed = new_bed(ESTIMATORS[e], NULL, counts, CATEGORIES);
        double law[CATEGORIES], probability[CELLS] = {0}, found[CELLS] = {0}, wrong[CELLS] = {0};

        expect_law(ESTIMATORS[e], counts, CATEGORIES, law);
        for (size_t sequence = 0; sequence < 256; sequence++) {
            double p = 1.0, as_counted = 1.0;
            size_t cell = 0;

            for (size_t j = 0; j < ITEMS; j++) {
                static const size_t place[] = {1, 5, 25, 125};
                const size_t i = sequence >> (2 * j) & 3;

                p *= law[i];
                as_counted *= (counts[i] + 0.1) / 5.4;
                cell += place[i];
            }
            probability[cell] += p;
            wrong[cell] += as_counted;
        }
        for (uint32_t r = 0; r < ROUNDS; r++) {
            const double *x = draw(bed, ITEMS, r);

            found[(size_t)(x[0] + 5 * x[1] + 25 * x[2] + 125 * x[3])] += 1.0;
        }
        CHECK(fits(probability, found, CELLS, ROUNDS));
        CHECK(!fits(wrong, found, CELLS, ROUNDS));
        drop_bed(bed);
    }
}

enum { MANY = 1200, BATCHES = 4000 };

/* Half unseen, most others once or twice, some of every count to 99, so that there are classes, and counts without. */
static void fill_counts(double *count) {
    for (size_t i = 0; i < MANY; i++) {
        count[i] = i < 600 ? 0.0 : i < 900 ? 1.0 : i < 1060 ? 2.0 : i < 1150 ? 3.0 : (double)(i - 1150);
    }
    for (size_t i = 0; i < 30; i++) count[i] = 70.0 + (double)i;
}

/* A binomial law of n items, cells 0..n, against counts of it. */
static int fits_binomial(double n, double p, const double *found) {
    double *law = checked_memory((size_t)n + 1, sizeof *law);
    int good;

    for (size_t k = 0; k <= (size_t)n; k++) law[k] = binomial_probability(n, p, (double)k);
    good = fits(law, found, (size_t)n + 1, BATCHES);
    free(law);
    return good;
}

/* Items of the categories that a mask chooses, out of n, are binomial. Groups within and across classes, those drawn by
 * tree, and what a step leaves. With 4000 batches a share of a fifth or more is told from one that is four hundredths
 * larger. */
static void check_groups(tb_estimator_t by, uint64_t n) {
    enum { GROUPS = 6 };
    double count[MANY], law[MANY], share[GROUPS] = {0};
    double *found[GROUPS];
    bed_t *bed;

    fill_counts(count);
    bed = new_bed(by, NULL, count, MANY);
    expect_law(by, count, MANY, law);
    for (size_t g = 0; g < GROUPS; g++) found[g] = checked_memory(n + 1, sizeof(double));
    for (uint32_t r = 0; r < BATCHES; r++) {
        const double *x = draw(bed, n, r);
        double in[GROUPS] = {0}, sum = 0.0;

        for (size_t i = 0; i < MANY; i++) {
            sum += x[i];
            in[0] += count[i] == 0.0 ? x[i] : 0.0;
            in[1] += count[i] == 1.0 ? x[i] : 0.0;
            in[2] += count[i] >= 70.0 ? x[i] : 0.0;
            in[3] += i % 2 ? x[i] : 0.0;
            in[4] += i % 7 == 3 ? x[i] : 0.0;
        }
        in[5] = x[1180];
        CHECK(sum == (double)n);
        for (size_t g = 0; g < GROUPS; g++) found[g][(size_t)in[g]] += 1.0;
    }
    for (size_t i = 0; i < MANY; i++) {
        share[0] += count[i] == 0.0 ? law[i] : 0.0;
        share[1] += count[i] == 1.0 ? law[i] : 0.0;
        share[2] += count[i] >= 70.0 ? law[i] : 0.0;
        share[3] += i % 2 ? law[i] : 0.0;
        share[4] += i % 7 == 3 ? law[i] : 0.0;
    }
    share[5] = law[1180];
    for (size_t g = 0; g < GROUPS; g++) {
        CHECK(fits_binomial((double)n, share[g], found[g]));
        if (g < 4 && n >= MANY / 3) CHECK(!fits_binomial((double)n, share[g] * 1.04, found[g]));
        free(found[g]);
    }
    drop_bed(bed);
}

/* As many items as categories; fewer; so many that the means are several; and so few that a tenth or more of them fall
 * beside the steps. */
static void test_groups(void) {
    for (size_t e = 0; e < ESTIMATOR_COUNT; e++) check_groups(ESTIMATORS[e], MANY);
    check_groups(ESTIMATORS[0], MANY / 3);
    check_groups(ESTIMATORS[3], 2 * MANY);
    check_groups(ESTIMATORS[0], MANY / 20);
    check_groups(ESTIMATORS[3], MANY / 20);
}

/* Where large counts are many, or the means of all, the tree serves. */
static void test_where_it_does_not_pay(void) {
    double count[MANY];
    bed_t *bed;
    int drawn = 1;

    for (size_t i = 0; i < MANY; i++) count[i] = i % 2 ? 100.0 : 0.0;
    bed = new_bed(ESTIMATORS[0], NULL, count, MANY);
    CHECK(tb_draw_classes(&bed->lineage, MANY, (tb_address_t){1, 2, 3, 0}, &drawn) == TB_OK && !drawn);
    drop_bed(bed);
    fill_counts(count);
    bed = new_bed(ESTIMATORS[0], NULL, count, MANY);
    CHECK(tb_draw_classes(&bed->lineage, 100 * MANY, (tb_address_t){1, 2, 3, 0}, &drawn) == TB_OK && !drawn);
    drop_bed(bed);
}

/* Two classes, and a batch of such a size that steps leave next to nothing of the common one's weight: what is left is
 * looked for in an index. The rare one's items are binomial all the same. */
static void test_little_rest(void) {
    double count[MANY], law[MANY], *found, x = 0.5;
    uint64_t n = MANY;
    bed_t *bed;

    for (size_t i = 0; i < MANY; i++) count[i] = i ? 1.0 : 15.0;
    expect_law(ESTIMATORS[0], count, MANY, law);
    while (x < 1e-3 || x > 8e-3) {
        n++;
        x = TB_CLASS_STEPS * ((double)n + 2.0 * sqrt((double)n)) * law[1];
        x -= floor(x);
    }
    CHECK(n < 2 * MANY);
    found = checked_memory(n + 1, sizeof *found);
    bed = new_bed(ESTIMATORS[0], NULL, count, MANY);
    for (uint32_t r = 0; r < BATCHES; r++) found[(size_t)draw(bed, n, r)[0]] += 1.0;
    CHECK(fits_binomial((double)n, law[0], found));
    CHECK(!fits_binomial((double)n, law[0] * 1.05, found));
    free(found);
    drop_bed(bed);
}

static records_t *run_by(const setup_t *setup, const tb_kernels_t *kernels, int by_count) {
    records_t *records = new_records(setup, 2, EVERY_VARIABLE);
    tb_plan_t *plan = NULL;

    CHECK(tb_plan_alloc(&plan, &setup->program, kernels, &records->output) == TB_OK);
    CHECK(plan->by_count);
    plan->by_count = by_count;
    CHECK(run_records(records, plan, 2) == TB_OK);
    tb_plan_free(plan);
    return records;
}

/* Runs in which all categories come to be listed, or cease to be: batches are whole, every instruction set gives the
 * same, and classes are drawn by at all, for without them other items are drawn. */
static void check_run(tb_estimator_t by, uint64_t heavy, uint64_t samples) {
    enum { CATEGORIES = 700, GENERATIONS = 24 };
    setup_t *setup = new_setup(CATEGORIES, GENERATIONS, samples, 9);
    records_t *records, *without;
    uint64_t *weights;

    setup->weights[0] += heavy;
    setup->program.estimator = by;
    records = run_by(setup, machine.set[0], 1);
    without = run_by(setup, machine.set[0], 0);
    weights = dense_snapshots(records);
    for (size_t row = 1; row < 2 * (GENERATIONS + 1); row++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < CATEGORIES; i++) sum += weights[row * CATEGORIES + i];
        CHECK(sum == samples || row % (GENERATIONS + 1) == 0);
    }
    CHECK(!same_snapshots(records, without));
    for (size_t s = 1; s < machine.count; s++) {
        records_t *other = run_by(setup, machine.set[s], 1);

        CHECK(same_records(records, other));
        drop_records(other);
    }
    free(weights);
    drop_records(records);
    drop_records(without);
    free(setup);
}

static void test_runs(void) {
    check_run((tb_estimator_t){TB_ADD_K, 1.0, 0}, 100000000, 900); /* few at first, then many */
    check_run((tb_estimator_t){TB_SHRINKAGE, -1.0, 0}, 0, 400);    /* many at first, then few */
    check_run((tb_estimator_t){TB_GOOD_TURING, -1.0, 1}, 0, 900);
}

int main(void) {
    machine = this_machine();
    test_tables_hold_the_law();
    test_kernel();
    test_tally();
    test_all_batches_of_a_few();
    test_groups();
    test_little_rest();
    test_where_it_does_not_pay();
    test_runs();
    return finish();
}

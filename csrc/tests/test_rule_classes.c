/* SPDX-License-Identifier: MIT */
/* Rules compiled elsewhere where all categories are listed: what they are shown, the law of what is drawn by classes
 * and beside them, and the bits of built-in estimators. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bed.h"
#include "law.h"
#include "runs.h"

static const tb_estimator_t BY_RULE = {TB_BY_RULE, -1.0, 0};

/* By the count alone, its unit not that of the counts. */
static int32_t tripled(double *weight, const uint32_t *id, size_t length, double others, double *other,
                       uint32_t generation) {
    (void)id;
    (void)others;
    (void)generation;
    for (size_t i = 0; i < length; i++) weight[i] = 3.0 * weight[i] + 1.5;
    *other = 1.5;
    return 0;
}

/* A little by the category, too; those seen once are not the lightest at their first. */
static int32_t nudged(double *weight, const uint32_t *id, size_t length, double others, double *other,
                      uint32_t generation) {
    (void)others;
    (void)generation;
    for (size_t i = 0; i < length; i++) weight[i] += 1.0 + 0.04 * (double)(3 - id[i] % 4);
    *other = 1.0;
    return 0;
}

/* Much by the category: every third is nothing, the next four times what it would be. */
static int32_t torn(double *weight, const uint32_t *id, size_t length, double others, double *other,
                    uint32_t generation) {
    (void)others;
    (void)generation;
    for (size_t i = 0; i < length; i++) {
        weight[i] = id[i] % 3 == 2 ? 0.0 : (id[i] % 3 == 1 ? 4.0 : 1.0) * (weight[i] + 0.5);
    }
    *other = 0.5;
    return 0;
}

static tb_rule_t *const RULES[] = {tripled, nudged, torn};
enum { RULE_COUNT = sizeof RULES / sizeof *RULES };

/* What a rule makes of the present, and what it gives to all others; as shares. */
static void expect_law(tb_rule_t *rule, const double *count, size_t categories, double *law) {
    double *weight = doubles(categories), other = 0.0, total = 0.0;
    uint32_t *id = indices(categories);
    size_t length = 0;

    for (size_t i = 0; i < categories; i++) {
        if (count[i] == 0.0) continue;
        id[length] = (uint32_t)i;
        weight[length++] = count[i];
    }
    CHECK(rule(weight, id, length, (double)(categories - length), &other, 1) == 0);
    for (size_t i = 0; i < categories; i++) law[i] = other;
    for (size_t i = 0; i < length; i++) law[id[i]] = weight[i];
    for (size_t i = 0; i < categories; i++) total += law[i];
    for (size_t i = 0; i < categories; i++) law[i] /= total;
    free(weight);
    free(id);
}

/* Every batch of four items over four categories, with their multinomial probabilities; two of one count, which two of
 * the rules weigh unlike. Of 100,000 batches a probability p that is off by 0.03 sqrt(p) is noticed: a law in which
 * both have the lighter's weight is refused. */
static void test_all_batches_of_a_few(void) {
    enum { CATEGORIES = 4, ITEMS = 4, CELLS = 625, ROUNDS = 100000 };
    static const double counts[] = {0, 1, 3, 1};

    for (size_t r = 0; r < RULE_COUNT; r++) {
        bed_t *bed = new_bed(BY_RULE, RULES[r], counts, CATEGORIES);
        double law[CATEGORIES], alike[CATEGORIES], probability[CELLS] = {0}, found[CELLS] = {0}, wrong[CELLS] = {0};
        double all = 0.0;

        expect_law(RULES[r], counts, CATEGORIES, law);
        memcpy(alike, law, sizeof law);
        alike[1] = alike[3] = fmin(law[1], law[3]);
        for (size_t i = 0; i < CATEGORIES; i++) all += alike[i];
        for (size_t sequence = 0; sequence < 256; sequence++) {
            static const size_t place[] = {1, 5, 25, 125};
            double p = 1.0, as_one = 1.0;
            size_t cell = 0;

            for (size_t j = 0; j < ITEMS; j++) {
                const size_t i = sequence >> (2 * j) & 3;

                p *= law[i];
                as_one *= alike[i] / all;
                cell += place[i];
            }
            probability[cell] += p;
            wrong[cell] += as_one;
        }
        for (uint32_t round = 0; round < ROUNDS; round++) {
            const double *x = draw(bed, ITEMS, round);

            found[(size_t)(x[0] + 5 * x[1] + 25 * x[2] + 125 * x[3])] += 1.0;
        }
        CHECK(fits(probability, found, CELLS, ROUNDS));
        CHECK(fits(wrong, found, CELLS, ROUNDS) == (RULES[r] == tripled));
        drop_bed(bed);
    }
}

enum { MANY = 1200, BATCHES = 4000, GROUPS = 5 };

/* Half unseen, most others once or twice, some of every count to 99, and one far beyond the table of small counts. */
static void fill_counts(double *count) {
    for (size_t i = 0; i < MANY; i++) {
        count[i] = i < 600 ? 0.0 : i < 900 ? 1.0 : i < 1060 ? 2.0 : i < 1150 ? 3.0 : (double)(i - 1150);
    }
    for (size_t i = 0; i < 30; i++) count[i] = 70.0 + (double)i;
    count[31] = count[32] = 1500.0;
}

static int is_in(size_t group, size_t i, double count) {
    if (group == 0) return count == 0.0;
    if (group == 1) return count == 1.0 && i % 2 == 0;
    if (group == 2) return count >= 70.0 && i % 2 == 1;
    if (group == 3) return i % 3 == 1;
    return i % 7 == 3;
}

/* Items of the categories of a group, out of n, are binomial. With 4000 batches a share of a fifth or more is told from
 * one that is four hundredths larger. Few items beside the classes are picked one by one, many go by tree. */
static void check_groups(tb_rule_t *rule, uint64_t n) {
    double count[MANY], law[MANY], share[GROUPS] = {0}, *found[GROUPS], *expected = doubles(n + 1);
    bed_t *bed;

    fill_counts(count);
    bed = new_bed(BY_RULE, rule, count, MANY);
    expect_law(rule, count, MANY, law);
    for (size_t g = 0; g < GROUPS; g++) found[g] = doubles(n + 1);
    for (uint32_t round = 0; round < BATCHES; round++) {
        const double *x = draw(bed, n, round);
        double in[GROUPS] = {0}, sum = 0.0;

        for (size_t i = 0; i < MANY; i++) {
            sum += x[i];
            for (size_t g = 0; g < GROUPS; g++) in[g] += is_in(g, i, count[i]) ? x[i] : 0.0;
        }
        CHECK(sum == (double)n);
        for (size_t g = 0; g < GROUPS; g++) found[g][(size_t)in[g]] += 1.0;
    }
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t i = 0; i < MANY; i++) share[g] += is_in(g, i, count[i]) ? law[i] : 0.0;
        for (int wrong = 0; wrong < 2; wrong++) {
            const double p = share[g] * (wrong ? 1.04 : 1.0);

            for (size_t k = 0; k <= n; k++) expected[k] = binomial_probability((double)n, p, (double)k);
            if (!wrong) CHECK(fits(expected, found[g], n + 1, BATCHES));
            if (wrong && share[g] >= 0.2) CHECK(!fits(expected, found[g], n + 1, BATCHES));
        }
        free(found[g]);
    }
    free(expected);
    drop_bed(bed);
}

static void test_groups(void) {
    for (size_t r = 0; r < RULE_COUNT; r++) check_groups(RULES[r], MANY);
    check_groups(nudged, 2 * MANY);
    check_groups(torn, MANY / 4);
}

/* What a rule is shown of a lineage that lists all; it leaves a sum that hangs on every place. */
static struct {
    size_t calls, length;
    double others, sum;
    int ordered, present;
} shown;

static int32_t look(double *weight, const uint32_t *id, size_t length, double others, double *other,
                    uint32_t generation) {
    (void)generation;
    shown.calls++;
    shown.length = length;
    shown.others = others;
    shown.ordered = shown.present = 1;
    shown.sum = 0.0;
    for (size_t i = 0; i < length; i++) {
        shown.ordered &= i == 0 || id[i] > id[i - 1];
        shown.present &= weight[i] > 0.0;
        shown.sum += weight[i] * (double)(id[i] + 1);
        weight[i] += (double)id[i];
    }
    *other = 0.25;
    return 0;
}

/* Present categories alone, in the order of their ids, with their counts; and the model lists all, in their unit. */
static void test_what_a_rule_is_shown(void) {
    double count[MANY], law[MANY], sum = 0.0;
    const tb_model_t *model;
    size_t present = 0;
    bed_t *bed;

    fill_counts(count);
    for (size_t i = 0; i < MANY; i++) {
        sum += count[i] * (double)(i + 1);
        present += count[i] > 0.0;
    }
    bed = new_bed(BY_RULE, look, count, MANY);
    model = &bed->lineage.model;
    draw(bed, MANY, 0);
    CHECK(shown.calls == 1 && shown.ordered && shown.present && shown.sum == sum);
    CHECK(shown.length == present && shown.others == (double)(MANY - present));
    CHECK(tb_estimate(&bed->lineage, 0) == TB_OK);
    CHECK(shown.calls == 2 && shown.sum == sum);
    expect_law(look, count, MANY, law);
    CHECK(model->length == MANY && model->others == 0.0);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(fabs(model->weight[i] / bed->lineage.total - law[i]) <= 1e-12 * law[i]);
        CHECK(model->id[i] == i);
    }
    drop_bed(bed);
}

static void test_bits_of_built_in_ones(void) {
    double count[MANY];
    bed_t *own, *built_in;

    fill_counts(count);
    own = new_bed(BY_RULE, add_one, count, MANY);
    built_in = new_bed((tb_estimator_t){TB_ADD_K, 1.0, 0}, NULL, count, MANY);
    for (uint32_t round = 0; round < 20; round++) {
        const double *x = draw(own, 900, round), *y = draw(built_in, 900, round);

        CHECK(same_doubles(x, y, MANY));
    }
    drop_bed(own);
    drop_bed(built_in);
}

/* In whole runs as few are listed at first or at last, or every mean is too large for classes, too: batches are whole,
 * and every instruction set gives the same. */
static void check_run(tb_rule_t *rule, uint64_t heavy, uint64_t samples) {
    enum { CATEGORIES = 700, GENERATIONS = 24, LINEAGES = 2 };
    const machine_t machine = this_machine();
    setup_t *setup = new_setup(CATEGORIES, GENERATIONS, samples, 9);
    records_t *first = NULL;
    uint64_t *weights;

    setup->weights[0] += heavy;
    setup->program.estimator = BY_RULE;
    setup->program.rules.estimator = rule;
    for (size_t s = 0; s < machine.count; s++) {
        records_t *records = run_setup(setup, machine.set[s], LINEAGES, 1, EVERY_VARIABLE);

        if (first) CHECK(same_records(first, records));
        if (first) drop_records(records);
        first = first ? first : records;
    }
    weights = dense_snapshots(first);
    for (size_t row = 1; row < LINEAGES * (GENERATIONS + 1); row++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < CATEGORIES; i++) sum += weights[row * CATEGORIES + i];
        CHECK(sum == samples || row % (GENERATIONS + 1) == 0);
    }
    free(weights);
    drop_records(first);
    free(setup);
}

int main(void) {
    test_all_batches_of_a_few();
    test_groups();
    test_what_a_rule_is_shown();
    test_bits_of_built_in_ones();
    for (size_t r = 0; r < RULE_COUNT; r++) {
        check_run(RULES[r], 100000000, 900);
        check_run(RULES[r], 0, 400);
    }
    check_run(nudged, 0, 20000);
    return finish();
}

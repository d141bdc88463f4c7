/* SPDX-License-Identifier: MIT */
/*
 * Laws of batches, counted over every possible outcome of small cases. A right sampler fails a check with a chance of
 * 1e-9; what each must catch is shown by a law with one weight 5 % off, which must fail.
 */
#include "checks.h"
#include "law.h"
#include "machine.h"
#include "programs.h"

enum { PAIRS = 300000, PARTS = 6, KEY = 1851 };

/* Draw number `replicate` of how many items fall to each of a few parts. */
typedef void sampler_t(void *context, uint32_t replicate, double *part);

/* Items in all, and what each part weighs, or holds where draws do not put back. */
typedef struct {
    size_t parts;
    double weight[PARTS], items;
    int without;
} case_t;

/* The many outcomes of more parts show more in each; draws over few elements cost little. */
static uint32_t draws_of(const case_t *self) { return self->parts > 2 ? 150000 : self->without ? 1500000 : 300000; }

static double probability(const case_t *self, const double *count) {
    double total = 0.0, log_p;

    for (size_t i = 0; i < self->parts; i++) total += self->weight[i];
    log_p = self->without ? -log_choose(total, self->items) : lgamma(self->items + 1.0);
    for (size_t i = 0; i < self->parts; i++) {
        if (self->without) {
            if (count[i] > self->weight[i]) return 0.0;
            log_p += log_choose(self->weight[i], count[i]);
        } else {
            log_p += count[i] * log(self->weight[i] / total) - lgamma(count[i] + 1.0);
        }
    }
    return exp(log_p);
}

/* Outcomes are numbered by all parts but the last. */
static size_t outcomes(const case_t *self) {
    size_t count = 1;

    for (size_t i = 0; i + 1 < self->parts; i++) count *= (size_t)self->items + 1;
    return count;
}

static double *law_of(const case_t *self) {
    const size_t count = outcomes(self);
    double *law = checked_memory(count, sizeof *law);

    for (size_t code = 0; code < count; code++) {
        double part[PARTS], left = self->items;
        size_t rest = code;

        for (size_t i = 0; i + 1 < self->parts; i++) {
            part[i] = (double)(rest % ((size_t)self->items + 1));
            rest /= (size_t)self->items + 1;
            left -= part[i];
        }
        part[self->parts - 1] = left;
        law[code] = left < 0.0 ? 0.0 : probability(self, part);
    }
    return law;
}

static double *count_outcomes(const case_t *self, sampler_t *sampler, void *context) {
    double *counts = checked_memory(outcomes(self), sizeof *counts);

    for (uint32_t draw = 0; draw < draws_of(self); draw++) {
        double part[PARTS] = {0};
        size_t code = 0;

        sampler(context, draw, part);
        for (size_t i = self->parts - 1; i-- > 0;) code = code * ((size_t)self->items + 1) + (size_t)part[i];
        counts[code] += 1.0;
    }
    return counts;
}

static void check_law(const char *name, const case_t *self, sampler_t *sampler, void *context) {
    const size_t count = outcomes(self);
    const double draws = draws_of(self);
    case_t wrong = *self;
    int good, told_apart;
    double *law = law_of(self), *counts = count_outcomes(self, sampler, context), *other;

    wrong.weight[0] = self->without ? floor(1.05 * self->weight[0]) + 1.0 : 1.05 * self->weight[0];
    other = law_of(&wrong);
    good = fits(law, counts, count, draws);
    if (self->parts == 2) good &= fits_coarsely(law, counts, count, draws, 24);
    told_apart = !fits(other, counts, count, draws);
    if (!good || !told_apart) printf("%s:\n", name);
    CHECK(good);
    CHECK(told_apart);
    free(law);
    free(counts);
    free(other);
}

/* A batch over many elements of which the first few live ones, far apart, are the parts but the last. */
typedef struct {
    tb_plan_t *plan;
    tb_scratch_t *scratch;
    size_t length;
    double *weight, *out, total, n;
    size_t place[PARTS], parts;
} batch_t;

static void sum_parts(const batch_t *self, double *part) {
    part[self->parts - 1] = self->n;
    for (size_t i = 0; i + 1 < self->parts; i++) {
        part[i] = self->out[self->place[i]];
        part[self->parts - 1] -= part[i];
    }
}

static void sample_batch(void *context, uint32_t replicate, double *part) {
    batch_t *self = context;
    const tb_address_t at = {KEY, 5, replicate, 0};

    if (tb_draw_batch(self->plan, self->scratch, self->weight, self->length, self->total, self->n, at, self->out))
        abort();
    sum_parts(self, part);
}

static void sample_without(void *context, uint32_t replicate, double *part) {
    batch_t *self = context;
    const tb_address_t at = {KEY, 6, replicate, 0};

    if (tb_draw_without(self->plan, self->scratch, self->weight, self->length, self->total, self->n, at, TB_FOR_KEPT,
                        TB_FOR_KEPT_FIX, self->out)) {
        abort();
    }
    sum_parts(self, part);
}

/* Parts of one element each, but the last: what is left of it is spread one by one over the elements between. */
static batch_t new_batch(const case_t *self, setup_t *setup, size_t length, double spread) {
    batch_t batch = {.length = length, .n = self->items, .parts = self->parts};

    batch.plan = plain_plan(setup, tb_isa_best());
    batch.scratch = new_scratch(batch.plan);
    batch.weight = doubles(length);
    batch.out = doubles(length);
    for (size_t i = 0; i < self->parts; i++) {
        batch.place[i] = i * (length - 1) / (self->parts - 1);
        batch.weight[batch.place[i]] = self->weight[i] - (i + 1 == self->parts ? spread : 0.0);
        batch.total += self->weight[i];
    }
    for (size_t i = 1; spread > 0.0; i++) {
        if (batch.weight[i] == 0.0) batch.weight[i] = 1.0, spread -= 1.0;
    }
    return batch;
}

static void drop_batch(batch_t *self) {
    drop_scratch(self->scratch);
    tb_plan_free(self->plan);
    free(self->weight);
    free(self->out);
}

static void try_batch(const char *name, const case_t *self, int regime, size_t length, double spread) {
    setup_t *setup = new_regime(regime, length < 1000 ? 1000 : length, 2, 40000, KEY);
    batch_t batch = new_batch(self, setup, length, spread);

    check_law(name, self, self->without ? sample_without : sample_batch, &batch);
    drop_batch(&batch);
    free(setup);
}

static void test_trees(void) {
    static const case_t few = {4, {5, 3, 2, 1}, 6, 0}, many = {2, {300, 700}, 5000, 0},
                        lopsided = {3, {1, 9, 1}, 40, 0};

    try_batch("tree, few items", &few, REPLACE, 4, 0);
    try_batch("tree, few items far apart", &few, REPLACE, 40, 0);
    try_batch("tree, many items", &many, REPLACE, 2, 0);
    try_batch("tree, three parts", &lopsided, REPLACE, 3, 0);
}

/* Beyond TB_PACK_MOST elements. The total is too small, right, and too large; weights have a table, two, or none; and
 * the tables are made for as many items as weights, or half. */
static void test_poisson(void) {
    static const case_t fewer = {4, {3, 2, 2, 1}, 6, 0}, same = {4, {3, 2, 2, 1}, 8, 0},
                        more = {4, {3, 2, 2, 1}, 10, 0};
    static const case_t tables = {2, {528, 472}, 1000, 0}, large = {2, {900, 3100}, 4000, 0};
    static const case_t beside = {2, {400, 1600}, 2000, 0}, fewer_beside = {2, {400, 1600}, 1930, 0},
                        half_beside = {2, {400, 1600}, 1000, 0};
    static const case_t half_tables = {2, {528, 472}, 500, 0}, half_large = {2, {900, 3100}, 2000, 0};

    try_batch("Poisson, items to remove", &fewer, REPLACE, 520, 0);
    try_batch("Poisson, as many", &same, REPLACE, 520, 0);
    try_batch("Poisson, items to add", &more, REPLACE, 520, 0);
    try_batch("Poisson, two tables", &tables, REPLACE, 560, 400);
    try_batch("Poisson, no table", &large, REPLACE, 560, 400);
    try_batch("Poisson, two tables beside none", &beside, REPLACE, 560, 300);
    try_batch("Poisson, two tables beside none, fewer items", &fewer_beside, REPLACE, 560, 300);
    try_batch("Poisson at half the rate, two tables beside none", &half_beside, FRESH_HALF, 560, 300);
    try_batch("Poisson at half the rate, two tables", &half_tables, FRESH_HALF, 560, 400);
    try_batch("Poisson at half the rate, no table", &half_large, FRESH_HALF, 560, 400);
}

/* Weights in another unit than items: no table fits. Means are searched for, or by tree, or some of each. */
static void test_means(void) {
    static const case_t small = {4, {300, 200, 200, 100}, 8, 0}, larger = {2, {52800, 47200}, 1000, 0};
    static const case_t some = {2, {1000, 3000}, 40, 0}, even = {2, {20000, 30000}, 50, 0};
    static const case_t many = {2, {3000, 102000}, 6000, 0}, most = {2, {100, 104900}, 6000, 0};

    try_batch("means, all searched for", &small, REPLACE, 520, 0);
    try_batch("means, by tree", &larger, REPLACE, 560, 400);
    try_batch("means, one by tree", &some, REPLACE, 560, 400);
    try_batch("means, both by tree", &even, REPLACE, 560, 400);
    try_batch("means, many items by tree", &many, REPLACE, 560, 400);
    try_batch("means, most items by tree", &most, REPLACE, 560, 400);
}

/* Picked singly; thinned first; by the complement; and thinned twice, where half of all draws are: by the same words
 * again, the variance would be a quarter off, one way or the other. */
static void test_without(void) {
    static const case_t single = {4, {4, 3, 2, 1}, 4, 1}, most = {4, {4, 3, 2, 1}, 8, 1};
    static const case_t thinned = {3, {150, 100, 50}, 120, 1}, complement = {3, {150, 100, 50}, 190, 1};
    static const case_t again = {2, {40000, 960000}, 8000, 1};

    try_batch("without, picked", &single, HOARD, 4, 0);
    try_batch("without, most", &most, HOARD, 40, 0);
    try_batch("without, thinned", &thinned, HOARD, 3, 0);
    try_batch("without, complement", &complement, HOARD, 30, 0);
    try_batch("without, thinned again", &again, HOARD, 2, 0);
}

typedef struct {
    tb_plan_t *plan;
    tb_scratch_t *scratch;
    double *out;
    uint64_t n;
} human_t;

static void sample_human(void *context, uint32_t replicate, double *part) {
    human_t *self = context;
    const tb_address_t at = {KEY, 1, replicate, 0};

    tb_draw_human(self->plan, self->scratch, self->n, at, TB_FOR_REFERENCE, TB_FOR_ALIAS, self->out);
    memcpy(part, self->out, self->plan->program.categories * sizeof *part);
}

/* The size of the first batch decides how many categories are common enough for the tree. */
static void try_human(const char *name, const case_t *self, uint64_t planned) {
    setup_t *setup = new_setup(self->parts, 1, planned, KEY);
    human_t human;

    for (size_t i = 0; i < self->parts; i++) setup->weights[i] = (uint64_t)self->weight[i];
    human.plan = plain_plan(setup, tb_isa_best());
    human.scratch = new_scratch(human.plan);
    human.out = checked_memory(tb_padded(self->parts), sizeof *human.out);
    human.n = (uint64_t)self->items;
    check_law(name, self, sample_human, &human);
    drop_scratch(human.scratch);
    tb_plan_free(human.plan);
    free(human.out);
    free(setup);
}

static void test_human(void) {
    static const case_t weights = {5, {20, 10, 5, 2, 1}, 5, 0}, two = {2, {2, 1}, 100, 0};

    try_human("human, by tree", &weights, 1000);
    try_human("human, tree and table", &weights, 16);
    try_human("human, by table", &weights, 0);
    try_human("human, two categories", &two, 100);
}

enum { TOGETHER = 1000 };

typedef struct {
    tb_plan_t *plan;
    uint32_t generation;
    double count[TOGETHER][2];
} run_t;

static void run_together(run_t *self, uint32_t first) {
    const tb_output_t nothing = {0};
    tb_snapshots_t snapshots = {0};
    tb_control_t control = {0};

    memset(self->count, 0, sizeof self->count);
    if (tb_run(self->plan, first, TOGETHER, &nothing, &snapshots, &control)) abort();
    for (size_t i = 0; i < snapshots.count; i++) {
        if (snapshots.generation[i] != self->generation) continue;
        self->count[snapshots.replicate[i] - first][snapshots.id[i]] = (double)snapshots.weight[i];
    }
    tb_snapshots_free(&snapshots);
}

/* The counts of two categories in a training set. */
static void sample_run(void *context, uint32_t replicate, double *part) {
    run_t *self = context;

    if (replicate % TOGETHER == 0) run_together(self, replicate);
    memcpy(part, self->count[replicate % TOGETHER], sizeof self->count[0]);
}

/* One stream of human items: the first `samples` are generation 1, the first `kept` are kept, and are all of
 * generation 2. What only the longer of the two holds must be independent of the rest. */
static void try_kept(const char *name, uint64_t samples, uint64_t kept) {
    setup_t *setup = new_setup(2, 2, samples, KEY);
    const case_t first = {2, {2, 1}, (double)samples, 0}, second = {2, {2, 1}, (double)kept, 0};
    run_t run = {.generation = 1};

    setup->weights[0] = 2;
    setup->weights[1] = 1;
    setup->samples[1] = kept;
    setup->samples[2] = 0;
    keep(setup, kept, kept);
    setup->from_kept[2] = 0;
    run.plan = plain_plan(setup, tb_isa_best());
    check_law(name, &first, sample_run, &run);
    run.generation = 2;
    check_law(name, &second, sample_run, &run);
    tb_plan_free(run.plan);
    free(setup);
}

static void test_kept(void) {
    try_kept("more kept than trained on", 100, 200);
    try_kept("fewer kept than trained on", 200, 100);
}

static void put_ids(void *context, const uint32_t *id, size_t count) {
    uint32_t **next = context;

    for (size_t i = 0; i < count; i++) *(*next)++ = id[i];
}

/* Neighbouring picks from the table are independent: all pairs of categories. */
static void test_pairs_of_picks(void) {
    enum { CATEGORIES = 10, CELLS = CATEGORIES * CATEGORIES };
    setup_t *setup = new_regime(FRESH_FEW, 1000, 2, 40000, KEY);
    double law[CELLS], wrong[CELLS], counts[CELLS] = {0}, total = 0.0;
    tb_plan_t *plan;
    size_t head;

    setup->program.categories = CATEGORIES;
    setup->fresh[1] = setup->fresh[2] = 2; /* few enough to come singly */
    plan = plain_plan(setup, tb_isa_best());
    head = plan->single.head;
    for (size_t i = head; i < CATEGORIES; i++) total += (double)setup->weights[i];
    for (size_t i = 0; i < CELLS; i++) {
        const double first = i / CATEGORIES < head ? 0.0 : (double)setup->weights[i / CATEGORIES] / total;

        law[i] = i % CATEGORIES < head ? 0.0 : first * (double)setup->weights[i % CATEGORIES] / total;
    }
    memcpy(wrong, law, sizeof wrong);
    wrong[head * CATEGORIES + head + 1] *= 1.2;
    wrong[head * CATEGORIES + head] -= 0.2 * law[head * CATEGORIES + head + 1];
    for (uint32_t draw = 0; draw < PAIRS; draw++) {
        uint32_t pair[2], *next = pair;

        tb_pick_human(plan, &plan->single, 2, (tb_address_t){KEY, 2, draw, TB_FOR_ALIAS}, put_ids, &next);
        counts[pair[0] * CATEGORIES + pair[1]] += 1.0;
    }
    CHECK(fits(law, counts, CELLS, PAIRS));
    CHECK(!fits(wrong, counts, CELLS, PAIRS));
    tb_plan_free(plan);
    free(setup);
}

int main(void) {
    test_trees();
    test_poisson();
    test_means();
    test_without();
    test_human();
    test_kept();
    test_pairs_of_picks();
    return finish();
}

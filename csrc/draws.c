/* SPDX-License-Identifier: MIT */
/* Multinomial and hypergeometric batches, composed of the kernels' draws. */
#if defined(_WIN32)
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "quantile.h"
#include "quantile_poisson.h"

static size_t up(size_t count, size_t step) { return (count + step - 1) / step * step; }

/* Whole cache lines, so that a register never straddles two. */
void *tb_take(size_t count, size_t size, size_t *bytes) {
    if (count > SIZE_MAX / 2 / size) return NULL;
    size_t whole = up(count * size, 64);
#if defined(_WIN32)
    void *p = _aligned_malloc(whole, 64);
#else
    void *p = aligned_alloc(64, whole);
#endif
    if (p) {
        memset(p, 0, whole);
        *bytes += whole;
    }
    return p;
}

void tb_give(void *p) {
#if defined(_WIN32)
    _aligned_free(p);
#else
    free(p);
#endif
}

int tb_scratch_init(tb_scratch_t *self, const tb_plan_t *plan, tb_control_t *control) {
    const size_t padded = plan->padded;
    const int spares = plan->program.draw || plan->program.kept || plan->program.curation.kind == TB_CURATE_TOP;
    memset(self, 0, sizeof *self);
    self->control = control;
    self->bytes = sizeof *self;
    self->levels = tb_take(tb_index_room(padded) + TB_MAX_HEIGHT * TB_PAD, sizeof(double), &self->bytes);
    int complete = self->levels != NULL;
    if (plan->by_count) {
        self->grid = tb_take(1, tb_grid_size(), &self->bytes);
        self->listed = tb_take(padded / 8 + TB_PAD, sizeof *self->listed, &self->bytes);
        self->sums = tb_take(tb_padded(padded / TB_PAD), sizeof *self->sums, &self->bytes);
        complete = complete && self->grid && self->listed && self->sums;
    }
    if (plan->by_count && plan->program.rules.estimator) {
        self->present = tb_take(padded, sizeof *self->present, &self->bytes);
        self->beside = tb_take(padded, sizeof *self->beside, &self->bytes);
        complete = complete && self->present && self->beside;
    }
    if (plan->program.curation.kind != TB_CURATE_NOT) {
        self->rewards = tb_take(3 * plan->program.curation.levels, sizeof(double), &self->bytes);
        complete = complete && self->rewards;
    }
    for (int i = 0; spares && i < 2; i++) {
        self->spare[i] = tb_take(padded, sizeof(double), &self->bytes);
        complete = complete && self->spare[i];
    }
    if (plan->program.curation.kind == TB_CURATE_TOP) {
        self->best = tb_take(padded, sizeof(double), &self->bytes);
        complete = complete && self->best;
    }
    return complete ? TB_OK : TB_ERR_MEMORY;
}

void tb_scratch_free(tb_scratch_t *self) {
    tb_give(self->levels);
    tb_give(self->chosen);
    tb_give(self->large);
    tb_give(self->leaf);
    tb_give(self->blocks);
    tb_give(self->seen);
    tb_give(self->rewards);
    tb_give(self->grid);
    tb_give(self->listed);
    tb_give(self->sums);
    tb_give(self->present);
    tb_give(self->beside);
    tb_give(self->spare[0]);
    tb_give(self->spare[1]);
    tb_give(self->best);
    tb_give(self->pack.leaf);
    tb_give(self->pack.before);
    tb_give(self->pack.room);
    tb_give(self->pack.id);
}

/* A uniform integer below `bound`, exactly (Lemire 2019, doi:10.1145/3230636); `floor` = 2^64 mod bound. The first word
 * is given; where it does not serve, or `seen` knows its result, further attempts at the same address follow. */
typedef struct {
    tb_address_t at;
    uint64_t bound, floor, *seen;
    size_t mask;
} chooser_t;

static int first_time(uint64_t *seen, size_t mask, uint64_t item);

static uint64_t choose(const chooser_t *self, size_t index, uint64_t word) {
    for (uint32_t attempt = 1;; attempt++) {
        __extension__ unsigned __int128 product = (unsigned __int128)word * self->bound;
        uint64_t item = (uint64_t)(product >> 64);
        if ((uint64_t)product >= self->floor && (!self->seen || first_time(self->seen, self->mask, item))) return item;
        uint64_t again[2];
        tb_address_t here = tb_at(self->at, self->at.purpose, attempt);
        tb_philox(&here, (uint32_t)(index / 2), again);
        word = again[index % 2];
    }
}

/* Open addressing over item + 1. Returns whether `item` is new. */
static int first_time(uint64_t *seen, size_t mask, uint64_t item) {
    size_t slot = (size_t)(item * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (seen[slot]) {
        if (seen[slot] == item + 1) return 0;
        slot = (slot + 1) & mask;
    }
    seen[slot] = item + 1;
    return 1;
}

/* Room for `wanted` items where there is less: twice as much, without what the old room held. */
static int make_room(void *where, size_t size, uint64_t wanted, size_t *capacity, size_t *bytes) {
    void *old, *more;
    if (wanted <= *capacity) return TB_OK;
    memcpy(&old, where, sizeof old);
    more = tb_take(2 * wanted, size, bytes);
    if (!more) return TB_ERR_MEMORY;
    *bytes -= up(*capacity * size, 64);
    tb_give(old);
    memcpy(where, &more, sizeof more);
    *capacity = 2 * wanted;
    return TB_OK;
}

static int clear_seen(tb_scratch_t *scratch, uint64_t picks, size_t *mask) {
    size_t slots = 64;
    while (slots < 2 * picks) slots *= 2;
    int code = make_room(&scratch->seen, sizeof *scratch->seen, slots, &scratch->seen_capacity, &scratch->bytes);
    if (code) return code;
    memset(scratch->seen, 0, slots * sizeof *scratch->seen);
    *mask = slots - 1;
    return TB_OK;
}

/* Items of a block are counted lane by lane, which takes fewer steps than one after the other. */
static uint32_t find_in_block(const double *count, double most, double item) {
    double x[TB_PAD], lane[TB_ROW] = {0};
    uint32_t at = 0;
    for (size_t i = 0; i < TB_PAD; i++) x[i] = count[i] <= most ? count[i] : 0.0;
    for (size_t i = 0; i < TB_PAD; i += TB_ROW) {
        for (size_t j = 0; j < TB_ROW; j++) lane[j] += x[i + j];
    }
    for (; item >= lane[at]; at++) item -= lane[at];
    for (; item >= x[at]; at += TB_ROW) item -= x[at];
    return at;
}

int tb_pick_items(const tb_plan_t *plan, tb_scratch_t *scratch, const tb_counted_t *from, uint64_t picks, int different,
                  tb_address_t at, double step, double *target) {
    enum { SOME = 64 };
    const uint64_t bound = (uint64_t)from->total;
    /* How many items a Poisson total is off by has no bound; beyond the usual, room is made. */
    int code = make_room(&scratch->chosen, sizeof *scratch->chosen, picks, &scratch->chosen_capacity, &scratch->bytes);
    if (code || picks == 0) return code;
    chooser_t chooser = {at, bound, (0 - bound) % bound, NULL, 0};
    if (different) code = clear_seen(scratch, picks, &chooser.mask);
    if (code) return code;
    chooser.seen = different ? scratch->seen : NULL;
    const size_t blocks = (from->length + TB_PAD - 1) / TB_PAD;
    const tb_index_t index = from->sums
                                 ? plan->kernels->index_items(from->sums, blocks, __builtin_inf(), scratch->levels)
                                 : plan->kernels->index_items(from->count, from->length, from->most, scratch->levels);
    for (uint64_t first = 0; first < picks; first += SOME) {
        uint64_t word[SOME + 2 * TB_ROW];
        double item[SOME];
        uint32_t *where = scratch->chosen + first;
        size_t some = picks - first < SOME ? (size_t)(picks - first) : SOME;
        plan->kernels->fill_words(&at, (uint32_t)(first / 2), (some + 1) / 2, word);
        for (size_t i = 0; i < some; i++) item[i] = (double)choose(&chooser, first + i, word[i]);
        plan->kernels->find_items(&index, item, some, where);
        for (size_t i = 0; from->sums && i < some; i++) {
            const double before = where[i] ? index.end[0][where[i] - 1] : 0.0;
            where[i] = where[i] * TB_PAD + find_in_block(from->count + where[i] * TB_PAD, from->most, item[i] - before);
        }
    }
    for (uint64_t i = 0; i < picks; i++) target[scratch->chosen[i]] += step;
    return TB_OK;
}

/* Levels above `leaf`: sums of pairs up to a single node. Returns how many. */
static size_t sum_up(const tb_kernels_t *kernels, const double *leaf, size_t length, double *room, double **level,
                     size_t *size) {
    size_t height = 0;
    const double *below = leaf;
    while (length > 1) {
        length = (length + 1) / 2;
        size_t done = up(length, TB_PAD / 2), padded = up(length, TB_PAD);
        kernels->sum_pairs(below, done, room);
        memset(room + done, 0, (padded - done) * sizeof *room);
        below = level[++height] = room;
        size[height] = length;
        room += padded;
    }
    return height;
}

static int draw_by_tree(const tb_plan_t *plan, tb_scratch_t *scratch, const double *weight, size_t length, double n,
                        tb_address_t tree, double *out) {
    double *level[TB_MAX_HEIGHT];
    size_t size[TB_MAX_HEIGHT];
    const tb_kernels_t *kernels = plan->kernels;
    size_t height = sum_up(kernels, weight, length, scratch->levels, level, size);
    if (height == 0) {
        out[0] = n;
        return TB_OK;
    }
    level[height][0] = n;
    while (--height > 0) {
        if (tb_is_cancelled(scratch->control)) return TB_ERR_CANCELLED;
        kernels->split_level(level[height], level[height + 1], size[height + 1], level[height], tb_slot(height), &tree,
                             &scratch->work);
    }
    kernels->split_level(weight, level[1], size[1], out, tb_slot(0), &tree, &scratch->work);
    return TB_OK;
}

/* How many of n items fall to `part`, at a word; the others to `rest`. */
static double share_of(double n, double part, double rest, uint64_t word) {
    if (rest == 0.0) return n;
    if (part == 0.0) return 0.0;
    if (part <= rest) return (double)tb_binomial_quantile_half(n, part / (part + rest), word);
    return n - (double)tb_binomial_quantile_half(n, rest / (part + rest), ~word);
}

/* What the words of a batch are for: Poisson counts and their ties, the word of their sum, the tree of what is large,
 * items added or removed. Of a batch of real means. */
typedef struct {
    uint32_t bits, ties, word, large, fix;
} uses_t;

static const uses_t FOR_BATCH = {TB_FOR_MEANS, TB_FOR_MEANS_TIE, TB_FOR_POISSON_WORD, TB_FOR_POISSON_LARGE,
                                 TB_FOR_MEANS_FIX};

/* Weights beyond all tables: their counts, which add up to n, by a tree of their own. */
static int draw_large(const tb_plan_t *plan, tb_scratch_t *scratch, size_t count, double n, tb_address_t tree,
                      double *out) {
    const size_t padded = up(count, TB_PAD);
    double *leaf = scratch->leaf, *drawn = leaf + padded;
    memset(leaf + count, 0, (padded - count) * sizeof *leaf);
    int code = draw_by_tree(plan, scratch, leaf, count, n, tree, drawn);
    for (size_t i = 0; !code && i < count; i++) out[scratch->large[i]] = drawn[i];
    return code;
}

/* The weights that a list names, and their sum. */
static int gather_large(tb_scratch_t *scratch, const double *weight, size_t count, double *total) {
    int code = make_room(&scratch->leaf, sizeof *scratch->leaf, 2 * up(count, TB_PAD), &scratch->leaf_capacity,
                         &scratch->bytes);
    if (code) return code;
    *total = 0.0;
    for (size_t i = 0; i < count; i++) *total += scratch->leaf[i] = weight[scratch->large[i]];
    return TB_OK;
}

/* Room for so many weights beyond all tables, or means to be searched for: a register is stored whole. */
static int expect_large(tb_scratch_t *scratch, size_t length, double most) {
    const size_t room = (most < (double)length ? (size_t)most : length) + TB_ROW;
    return make_room(&scratch->large, sizeof *scratch->large, room, &scratch->large_capacity, &scratch->bytes);
}

/* From independent Poisson counts to n items: given its total such a batch is multinomial, and adding items by weight
 * or removing any of them keeps it so. Few weights are large but they hold much, and what they get is binomial: at the
 * word that the sum of the others stands for by the Poisson law, so that these are off by little. */
static int mend(const tb_plan_t *plan, tb_scratch_t *scratch, tb_counted_t *own, const tb_counted_t *drawn, double rate,
                size_t large, double n, tb_address_t at, const uses_t *uses, double *out) {
    const tb_address_t word_at = tb_at(at, uses->word, 0), fix = tb_at(at, uses->fix, 0);
    const double sum = drawn->total;
    double few = large ? 0.0 : n, heavy = 0.0;
    int code = gather_large(scratch, own->count, large, &heavy);
    if (code) return code;
    own->total -= heavy;
    if (large && own->total > 0.0) {
        few = share_of(n, own->total, heavy, tb_poisson_word(rate * own->total, (uint64_t)sum, &word_at));
    }
    code = sum < few ? tb_pick_items(plan, scratch, own, (uint64_t)(few - sum), 0, fix, 1.0, out)
                     : tb_pick_items(plan, scratch, drawn, (uint64_t)(sum - few), 1, fix, -1.0, out);
    if (code || large == 0) return code;
    return draw_large(plan, scratch, large, n - few, tb_at(at, uses->large, 0), out);
}

/* By tables, with the weights as means. */
static int draw_by_poisson(const tb_plan_t *plan, tb_scratch_t *scratch, const double *weight, size_t length,
                           double total, double n, tb_address_t at, double *out) {
    static const uses_t uses = {.word = TB_FOR_POISSON_WORD, .large = TB_FOR_POISSON_LARGE, .fix = TB_FOR_FIX};
    size_t large = 0;
    int code = expect_large(scratch, length, total / (double)TB_POISSON_MOST);
    if (code) return code;
    const double sum = plan->kernels->poisson(weight, length, out, plan->poisson, scratch->large, &large, &at);
    tb_counted_t own = {weight, NULL, length, total, TB_POISSON_MOST};
    const tb_counted_t drawn = {out, NULL, length, sum, __builtin_inf()};
    return mend(plan, scratch, &own, &drawn, plan->poisson->rate, large, n, at, &uses, out);
}

/* By search, with n times the shares as means. */
static int draw_by_means(const tb_plan_t *plan, tb_scratch_t *scratch, const double *weight, size_t length,
                         double total, double n, tb_address_t at, const uses_t *uses, double *out) {
    const double rate = n / total, most = (double)TB_MEAN_MOST / rate;
    const size_t blocks = up((length + TB_PAD - 1) / TB_PAD, TB_FAN);
    int code = expect_large(scratch, length, total / most);
    if (!code) {
        code = make_room(&scratch->blocks, sizeof(double), 2 * blocks, &scratch->blocks_capacity, &scratch->bytes);
    }
    if (code) return code;
    tb_means_t law = {rate, most, uses->bits, uses->ties, scratch->blocks, scratch->blocks + blocks, scratch->large, 0};
    memset(scratch->blocks, 0, 2 * blocks * sizeof(double));
    const double sum = plan->kernels->poisson_means(weight, length, out, &law, &at);
    tb_counted_t own = {weight, law.weights, length, total, most};
    const tb_counted_t drawn = {out, law.counts, length, sum, __builtin_inf()};
    return mend(plan, scratch, &own, &drawn, rate, law.large_count, n, at, uses, out);
}

/* Picks cost about as much as 2.5 splits save; about 0.8 sqrt(n) of them are to be expected, and what n and the mean
 * differ. Where most weights are beyond all tables a tree has the rest at little more. */
static int poisson_pays(double length, double total, double rate, double n) {
    const double mean = total * rate, difference = mean < n ? n - mean : mean - n;
    if (total > (double)TB_POISSON_MOST * length) return 0;
    return 0.25 * length > difference + 0.8 * __builtin_sqrt(n) && difference < 0.5 * n;
}

/* A tree serves the large means well, and the others at several times what a search takes. Weights are counted by
 * fours; up to three at the end do not count. */
static int means_pay(const tb_plan_t *plan, const double *weight, size_t length, double total, double n) {
    const double most = (double)TB_MEAN_MOST * total / n;
    if (length <= TB_PACK_MOST || n == 0.0 || n > (double)TB_POISSON_MOST * (double)length) return 0;
    const size_t rows = length / TB_ROW * TB_ROW;
    size_t large = plan->kernels->count_beyond(weight, rows, most);
    for (size_t i = rows; i < length / 4 * 4; i++) large += weight[i] > most;
    return 2 * large < length;
}

int tb_draw_batch(const tb_plan_t *plan, tb_scratch_t *scratch, const double *weight, size_t length, double total,
                  double n, tb_address_t at, double *out) {
    if (length > TB_PACK_MOST && poisson_pays((double)length, total, plan->poisson->rate, n)) {
        return draw_by_poisson(plan, scratch, weight, length, total, n, at, out);
    }
    if (means_pay(plan, weight, length, total, n))
        return draw_by_means(plan, scratch, weight, length, total, n, at, &FOR_BATCH, out);
    return draw_by_tree(plan, scratch, weight, length, n, tb_at(at, TB_FOR_TREE, 0), out);
}

/* How many of n human items fall to the head. */
static double draw_head(const tb_source_t *source, double n, const tb_address_t *at) {
    uint64_t word[2];
    tb_philox(at, 0, word);
    return share_of(n, source->head_total, source->total - source->head_total, word[0]);
}

/* The sums of the reference's weights are shared and stay as they are, so the counts get levels of their own. */
static void split_head(const tb_plan_t *plan, tb_scratch_t *scratch, const tb_source_t *source, double n,
                       const tb_address_t *at, double *out) {
    const tb_kernels_t *kernels = plan->kernels;
    double *level[TB_MAX_HEIGHT], *room = scratch->levels;
    size_t size[TB_MAX_HEIGHT], height = source->height;
    if (height == 0) {
        out[0] = n;
        return;
    }
    size[0] = source->head;
    for (size_t i = 1; i <= height; i++) {
        size[i] = (size[i - 1] + 1) / 2;
        level[i] = room;
        room += up(size[i], TB_PAD);
    }
    memset(level[height], 0, TB_PAD * sizeof(double));
    level[height][0] = n;
    while (--height > 0) {
        kernels->split_level(plan->levels[height], level[height + 1], size[height + 1], level[height], tb_slot(height),
                             at, &scratch->work);
        memset(level[height] + size[height], 0, (up(size[height], TB_PAD) - size[height]) * sizeof(double));
    }
    kernels->split_level(plan->weight, level[1], size[1], out, tb_slot(0), at, &scratch->work);
}

static void put_items(void *context, const uint32_t *id, size_t count) {
    double *out = context;
    for (size_t i = 0; i < count; i++) __builtin_prefetch(&out[id[i]], 1);
    for (size_t i = 0; i < count; i++) out[id[i]] += 1.0;
}

double tb_draw_head(const tb_plan_t *plan, tb_scratch_t *scratch, const tb_source_t *source, double n, tb_address_t at,
                    uint32_t tree_for, double *out) {
    const tb_address_t first = tb_at(at, tree_for, 1), tree = tb_at(at, tree_for, 0);
    const double head = draw_head(source, n, &first);
    if (source->head > 0) split_head(plan, scratch, source, head, &tree, out);
    return head;
}

int tb_human_by_means(const tb_plan_t *plan, uint64_t n) {
    const size_t categories = plan->program.categories;
    return categories > TB_WIDE && n > categories / 8 && n < 6 * categories;
}

/* The head is made for generation 1's size; for much more, single items would be too many. */
int tb_draw_human(const tb_plan_t *plan, tb_scratch_t *scratch, uint64_t n, tb_address_t at, uint32_t tree_for,
                  uint32_t pick_for, double *out) {
    if (tb_human_by_means(plan, n)) {
        const uses_t uses = {tree_for | 2 << 8, tree_for | 3 << 8, tree_for | 1 << 8, tree_for, pick_for};
        const size_t count = plan->program.categories, end = up(count, TB_PAD);
        memset(out + end, 0, (plan->padded - end) * sizeof *out);
        return draw_by_means(plan, scratch, plan->weight, count, plan->total, (double)n, at, &uses, out);
    }
    const tb_source_t *source = n / 4 <= plan->program.samples[0] ? &plan->batch : &plan->whole;
    const double head = tb_draw_head(plan, scratch, source, (double)n, at, tree_for, out);
    memset(out + source->head, 0, (plan->padded - source->head) * sizeof *out);
    tb_pick_human(plan, source, n - (uint64_t)head, tb_at(at, pick_for, 0), put_items, out);
    return TB_OK;
}

/* Word `index` of the two of each slot. */
static uint64_t word_of(tb_address_t at, uint32_t attempt, uint64_t index) {
    const tb_address_t here = tb_at(at, at.purpose, attempt);
    uint64_t word[2];
    tb_philox(&here, (uint32_t)(index / 2), word);
    return word[index % 2];
}

/* What was in doubt: where a cell would be a bias, a further attempt chooses; where the last 8 bits equal the
 * threshold, a word at an attempt of its own decides. */
static uint32_t settle(const tb_source_t *source, tb_address_t at, uint64_t index, uint64_t word) {
    const uint32_t cells = (uint32_t)source->cells, floor = (0 - cells) % cells;
    uint64_t x = (word >> 32) * cells;
    for (uint32_t attempt = 1; (uint32_t)x < floor; attempt++) {
        word = word_of(at, attempt, index);
        x = (word >> 32) * cells;
    }
    const uint32_t own = (uint32_t)(x >> 32), level = word & 0xff, threshold = tb_threshold_of(source->cell[own]);
    if (level < threshold) return own;
    if (level == threshold && word_of(at, TB_TIE_ATTEMPT, index) < source->remainder[own]) return own;
    return tb_alias_of(source->cell[own]);
}

void tb_pick_human(const tb_plan_t *plan, const tb_source_t *source, uint64_t count, tb_address_t at, tb_put_t *put,
                   void *context) {
    uint64_t word[TB_SOME + 2 * TB_ROW];
    uint32_t id[TB_SOME + TB_ROW], doubt[2 * TB_SOME];
    for (uint64_t first = 0; first < count; first += TB_SOME) {
        const size_t some = count - first < TB_SOME ? (size_t)(count - first) : TB_SOME;
        plan->kernels->fill_words(&at, (uint32_t)(first / 2), (some + 1) / 2, word);
        const size_t doubts = plan->kernels->pick_cells(word, some, (uint32_t)source->cells, source->cell, id, doubt);
        for (size_t i = 0; i < doubts; i++) id[doubt[i]] = settle(source, at, first + doubt[i], word[doubt[i]]);
        for (size_t i = 0; i < some; i++) id[i] += (uint32_t)source->head;
        put(context, id, some);
    }
}

/* Each item is kept with probability draw/total by binomial thinning; then the surplus, a uniform choice among what was
 * kept, or the shortfall, one among the rest, is drawn in the same way. Each round leaves about the square root of the
 * one before, and the last few items are picked singly. Whatever the rounds, every set of `draw` items is equally
 * likely. */
int tb_draw_without(const tb_plan_t *plan, tb_scratch_t *scratch, const double *count, size_t length, double total,
                    double draw, tb_address_t at, uint32_t thin_for, uint32_t fix_for, double *out) {
    const tb_kernels_t *kernels = plan->kernels;
    double *pool = scratch->spare[0], *moved = scratch->spare[1];
    size_t padded = up(length, TB_PAD);
    const double few = (double)TB_FEW + 0.5 * (double)length;
    tb_address_t fix = tb_at(at, fix_for, 0);
    /* Of the `left` items in the pool, all that is undecided, `open` more go into `out` (taking) or out of it. */
    memcpy(pool, count, padded * sizeof *pool);
    double left = total, open = draw;
    int taking = 1;
    memset(out, 0, padded * sizeof *out);
    for (uint32_t depth = 0; open > 0; depth++) {
        if (tb_is_cancelled(scratch->control)) return TB_ERR_CANCELLED;
        if (open > 0.5 * left) { /* the complement is smaller: move all of the pool, then move back */
            for (size_t i = 0; i < length; i++) out[i] += taking ? pool[i] : -pool[i];
            open = left - open;
            taking = !taking;
            continue;
        }
        if (open <= few) {
            const tb_counted_t from = {pool, NULL, length, left, __builtin_inf()};
            return tb_pick_items(plan, scratch, &from, (uint64_t)open, 1, fix, taking ? 1.0 : -1.0, out);
        }
        tb_address_t thinning = tb_at(at, thin_for, depth);
        kernels->thin(pool, length, open, left - open, moved, &thinning, &scratch->work);
        memset(moved + length, 0, (padded - length) * sizeof *moved);
        double sum = kernels->sum(moved, length);
        for (size_t i = 0; i < length; i++) out[i] += taking ? moved[i] : -moved[i];
        if (sum <= open) { /* more of the rest */
            for (size_t i = 0; i < length; i++) pool[i] -= moved[i];
            left -= sum;
            open -= sum;
        } else { /* some of the moved go back */
            memcpy(pool, moved, padded * sizeof *pool);
            left = sum;
            open = sum - open;
            taking = !taking;
        }
    }
    return TB_OK;
}

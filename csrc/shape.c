/* SPDX-License-Identifier: MIT */
/* From a training set to the batch that its model puts out, where that is not sampled as it was counted. */
#include <string.h>

#include "curate.h"
#include "decode.h"
#include "lineage.h"
#include "quantile.h"

static uint64_t first_word(tb_address_t at, uint32_t purpose) {
    const tb_address_t here = tb_at(at, purpose, 0);
    uint64_t word[2];
    tb_philox(&here, 0, word);
    return word[0];
}

/* The id of item `index` of those that are spread, beginning with half of a word; `floor` is 2^32 modulo the
 * categories (Lemire 2019, doi:10.1145/3230636).
 *
 * Attempts follow each other until one serves. As few as one in 1024 categories does, so 255 attempts are often not
 * enough. But few items are spread, 4 for each category at most (see list_if_cheaper and in_parts): slots have 32 bits,
 * and the upper bits of the address are free. So there is room for 2^24 attempts, and that no one of them serves has a
 * probability below e^-16000. */
uint32_t tb_place_item(const uint32_t *place, size_t listed, uint32_t categories, tb_address_t at, uint64_t index,
                       uint32_t half) {
    const uint32_t floor = (0 - categories) % categories;
    uint64_t x = (uint64_t)half * categories;
    for (uint32_t attempt = 1; (uint32_t)x < floor || place[x >> 32] < listed; attempt++) {
        const tb_address_t again = tb_at(at, at.purpose, attempt);
        uint64_t two[2];
        tb_philox(&again, (uint32_t)(index / 2), two);
        x = (two[index % 2] >> 32) * categories;
    }
    return (uint32_t)(x >> 32);
}

/* Which category each of some items falls to. Those whose first word does not serve stand back, so that nothing hangs
 * on it: as many may as not. Where all categories serve nobody asks for their places. */
static void place_items(const tb_lineage_t *self, const uint64_t *word, uint64_t first, size_t some, size_t listed,
                        tb_address_t at, uint32_t *id) {
    const uint32_t categories = (uint32_t)self->plan->program.categories;
    uint32_t again[TB_SOME + 1], doubt[TB_SOME];
    const size_t doubts = self->plan->kernels->pick_cells(word, some, categories, NULL, id, doubt);
    size_t good = 0, bad = 0, next = 0;
    if (!listed && !doubts) return;
    for (size_t i = 0; listed && i < some; i++) __builtin_prefetch(&self->place[id[i]], 1);
    for (size_t i = 0; i < some; i++) {
        const uint32_t here = id[i];
        const int doubtful = next < doubts && doubt[next] == i;
        const int serves = !doubtful & (!listed || self->place[here] >= listed);
        next += (size_t)doubtful;
        id[good] = here;
        again[bad] = (uint32_t)i;
        good += (size_t)serves;
        bad += (size_t)!serves;
    }
    for (size_t i = 0; i < bad; i++) {
        const uint32_t half = (uint32_t)(word[again[i]] >> 32);
        id[good++] = tb_place_item(self->place, listed, categories, at, first + again[i], half);
    }
}

/* Counts `count` items among categories chosen evenly from those that are not among the first `listed` elements. */
static void spread(tb_lineage_t *self, uint64_t count, size_t listed, tb_address_t at) {
    uint64_t word[TB_SOME + 2 * TB_ROW];
    uint32_t id[TB_SOME + TB_ROW];
    double one[TB_SOME];
    for (size_t i = 0; i < TB_SOME; i++) one[i] = 1.0;
    for (uint64_t first = 0; first < count; first += TB_SOME) {
        const size_t some = count - first < TB_SOME ? (size_t)(count - first) : TB_SOME;
        self->plan->kernels->fill_words(&at, (uint32_t)(first / 2), (some + 1) / 2, word);
        place_items(self, word, first, some, listed, at, id);
        tb_count_items(self, id, one, some);
    }
}

/* A leaf of a tree costs as much as so many items that are put in their places one by one. */
static const double ITEMS_PER_LEAF = 4.0;

/* Only mixtures of the counts and the even law, with errors, are drawn in parts. */
static int in_parts(const tb_lineage_t *self, uint64_t n) {
    if (self->plan->bent) return 0;
    const double even = tb_even_share(self);
    return even >= 0.0 && even * (double)n <= ITEMS_PER_LEAF * (double)self->plan->program.categories;
}

/* First how many are wrong, then how many of the rest are spread evenly; what remains is drawn by the counts. */
static int draw_parts(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    const double error = self->plan->program.error_rate, wrong = tb_wrong(self), right = self->total - wrong;
    double *at_wrong = tb_wrong_of(self, self->weight);
    const size_t listed = self->length;
    const uint64_t lost = error > 0.0 ? tb_binomial_quantile((double)n, error + (1.0 - error) * (wrong / self->total),
                                                             first_word(at, TB_FOR_WRONG))
                                      : 0;
    const double even = tb_even_share(self);
    const uint64_t apart =
        even > 0.0 ? tb_binomial_quantile((double)(n - lost), even, first_word(at, TB_FOR_UNIFORM)) : 0;
    const uint64_t counted = n - lost - apart;
    int code = TB_OK;
    if (at_wrong) *at_wrong = 0.0;
    if (counted > 0) {
        code = tb_draw_batch(self->plan, self->scratch, self->weight, listed, right, (double)counted, at, self->batch);
    } else {
        memset(self->batch, 0, tb_padded(listed) * sizeof *self->batch);
    }
    if (at_wrong) *at_wrong = wrong;
    if (code) return code;
    spread(self, apart, 0, tb_at(at, TB_FOR_UNLISTED, 0));
    if (at_wrong) *tb_wrong_of(self, self->batch) = (double)lost;
    return TB_OK;
}

static void add_errors(tb_lineage_t *self) {
    const double error = self->plan->program.error_rate;
    tb_model_t *model = &self->model;
    double *wrong = tb_wrong_of(self, model->weight);
    if (!wrong) return;
    model->whole = 0;
    const double total = tb_model_total(model);
    for (size_t i = 0; i < model->length; i++) model->weight[i] *= 1.0 - error;
    model->other *= 1.0 - error;
    *wrong += error * total;
}

int tb_remember(tb_lineage_t *self) { return self->before ? tb_estimate(self, 1) : TB_OK; }

/* Categories that are not listed differ in reward. */
static void curate(tb_lineage_t *self) {
    const tb_curation_t *rule = &self->plan->program.curation;
    tb_model_t *model = &self->model;
    if (rule->kind == TB_CURATE_NOT || rule->kind == TB_CURATE_TOP) return;
    if (model->other > 0.0) tb_model_list(model, (size_t)model->others);
    tb_curate(rule, model, self->scratch->rewards);
}

/* The law that is sampled. */
static int bend(tb_lineage_t *self) {
    int code = tb_estimate(self, 1);
    if (code) return code;
    const tb_program_t *program = &self->plan->program;
    if (tb_decodes(&program->decoding)) tb_decode(&program->decoding, &self->model, self->scratch->levels);
    if (program->rules.decoding) code = tb_apply_rule(self, 1);
    if (code) return code;
    add_errors(self);
    curate(self);
    return TB_OK;
}

/* Few others among many that are listed take many words to find; where that is more than to list them, they are. */
static void list_if_cheaper(tb_model_t *model, double n) {
    const double mass = model->others * model->other, categories = (double)model->categories;
    if (mass == 0.0) return;
    const double words = n * (mass / tb_model_total(model)) * (categories / model->others);
    if (words > ITEMS_PER_LEAF * model->others || 1024.0 * model->others < categories) {
        tb_model_list(model, (size_t)model->others);
    }
}

static double least(const double *x, size_t count) {
    double lane[TB_ROW];
    size_t i = 0;
    for (size_t j = 0; j < TB_ROW; j++) lane[j] = x[0];
    for (; i + TB_ROW <= count; i += TB_ROW) {
        for (size_t j = 0; j < TB_ROW; j++) lane[j] = x[i + j] < lane[j] ? x[i + j] : lane[j];
    }
    for (; i < count; i++) lane[0] = x[i] < lane[0] ? x[i] : lane[0];
    for (size_t j = 1; j < TB_ROW; j++) lane[0] = lane[j] < lane[0] ? lane[j] : lane[0];
    return lane[0];
}

/* What all categories have alike leaves the model, if any are not listed; returns its share. Its items are spread
 * without looking who is listed. */
static double take_even(tb_lineage_t *self, double n) {
    tb_model_t *model = &self->model;
    double *wrong = tb_wrong_of(self, model->weight);
    if (model->others == 0.0 || model->other == 0.0) return 0.0;
    const double aside = wrong ? *wrong : 0.0, all = tb_model_total(model), categories = (double)model->categories;
    if (wrong) *wrong = model->other;
    const double lowest = least(model->weight, model->length);
    const double even = lowest < model->other ? lowest : model->other, share = even * categories / all;
    const int pays = even > 0.0 && share * n <= ITEMS_PER_LEAF * categories;
    for (size_t i = 0; pays && i < model->length; i++) model->weight[i] -= even;
    if (pays) model->other -= even;
    if (wrong) *wrong = aside;
    if (!pays) return 0.0;
    return share < 1.0 && tb_model_total(model) > 0.0 ? share : 1.0;
}

/* What is not listed is one more leaf of the tree; its items are spread. */
static int draw_uneven(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    tb_model_t *model = &self->model;
    const size_t listed = model->length;
    double lump = 0.0;
    self->length = listed;
    if (n == 0) {
        memset(self->batch, 0, tb_padded(listed) * sizeof *self->batch);
        return TB_OK;
    }
    const double total = model->whole ? tb_model_total(model) : tb_model_quantise(model, self->plan->kernels, &lump);
    model->weight[listed] = lump;
    memset(model->weight + listed + 1, 0, TB_PAD * sizeof *model->weight);
    int code = tb_draw_batch(self->plan, self->scratch, model->weight, listed + (lump > 0.0), total, (double)n, at,
                             self->batch);
    if (code) return code;
    const uint64_t apart = (uint64_t)self->batch[listed];
    self->batch[listed] = 0.0;
    spread(self, apart, listed, tb_at(at, TB_FOR_UNLISTED, 0));
    return TB_OK;
}

static int draw_bent(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    if (self->plan->bent && tb_model_total(&self->model) == 0.0) {
        tb_tell(self, TB_NOTHING_ACCEPTED, 0, 0.0);
        return TB_ERR_NOTHING;
    }
    const double even = take_even(self, (double)n);
    const uint64_t apart = even > 0.0 ? tb_binomial_quantile((double)n, even, first_word(at, TB_FOR_UNIFORM)) : 0;
    list_if_cheaper(&self->model, (double)(n - apart));
    int code = draw_uneven(self, n - apart, at);
    if (!code) spread(self, apart, 0, tb_at(at, TB_FOR_EVEN, 0));
    return code;
}

int tb_shape_first(tb_lineage_t *self, double *kept) {
    int code = bend(self);
    if (code) return code;
    *kept = tb_detect(self->plan, &self->model);
    self->length = self->model.length; /* what it listed has its place even where all of the batch turns out human */
    return TB_OK;
}

static int draw(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    if (self->full) {
        int drawn, failed = tb_draw_classes(self, n, at, &drawn);
        if (failed || drawn) return failed;
    }
    if (in_parts(self, n)) return draw_parts(self, n, at);
    int code = self->plan->program.band_kept ? TB_OK : bend(self);
    return code ? code : draw_bent(self, n, at);
}

/* Of the items drawn the n best; those of the reward at which they end are drawn without replacement. */
static int keep_best(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    const tb_curation_t *rule = &self->plan->program.curation;
    const tb_best_t best = tb_find_best(rule, self->id, self->batch, self->length, (double)n, self->scratch->rewards);
    double *last = self->model.weight, *kept = self->scratch->best;
    memset(last, 0, tb_padded(self->length) * sizeof *last);
    for (size_t i = 0; i < self->length; i++) {
        const uint32_t level = rule->level[self->id[i]];
        if (level == best.level) last[i] = self->batch[i];
        if (level <= best.level) self->batch[i] = 0.0;
    }
    int code = tb_draw_without(self->plan, self->scratch, last, self->length, best.total, best.keep, at, TB_FOR_BEST,
                               TB_FOR_BEST_FIX, kept);
    for (size_t i = 0; !code && i < self->length; i++) self->batch[i] += kept[i];
    return code;
}

int tb_shape(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    const tb_curation_t *rule = &self->plan->program.curation;
    if (rule->kind != TB_CURATE_TOP) return draw(self, n, at);
    int code = draw(self, rule->drawn[self->generation], at);
    return code ? code : keep_best(self, n, at);
}

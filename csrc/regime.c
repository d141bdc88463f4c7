/* SPDX-License-Identifier: MIT */
/* What a generation is trained on. */
#include <string.h>

#include "lineage.h"

static size_t padded(const tb_lineage_t *self) { return (self->length + TB_PAD - 1) / TB_PAD * TB_PAD; }

static tb_address_t address(const tb_lineage_t *self, uint32_t generation) {
    return (tb_address_t){self->plan->program.key, generation, self->replicate, 0};
}

/* Generation 1's items with their fault; what is kept is drawn apart, and has none. */
static int draw_faulty(tb_lineage_t *self, tb_address_t at) {
    const tb_program_t *program = &self->plan->program;
    const tb_plan_t *law = self->plan->first;
    const uint64_t copies = program->copies ? program->copies : 1, n = program->samples[0], rest = n % copies;
    int code = tb_draw_human(law, self->scratch, n / copies, at, TB_FOR_REFERENCE, TB_FOR_ALIAS, self->weight);
    if (code) return code;
    for (size_t i = 0; copies > 1 && i < program->categories; i++) self->weight[i] *= (double)copies;
    if (rest) {
        code = tb_draw_human(law, self->scratch, rest, at, TB_FOR_REFERENCE_MORE, TB_FOR_ALIAS_MORE, self->batch);
        for (size_t i = 0; !code && i < program->categories; i++) self->weight[i] += self->batch[i];
    }
    if (code || !self->kept) return code;
    return tb_draw_human(self->plan, self->scratch, program->kept, at, TB_FOR_CLEAN, TB_FOR_CLEAN_ALIAS, self->kept);
}

/* Human data are one stream of items: generation 1 trains on its beginning, the kept set is its beginning too. */
static int draw_human(tb_lineage_t *self) {
    const tb_program_t *program = &self->plan->program;
    const uint64_t n = program->samples[0], kept = self->kept ? program->kept : n;
    const uint64_t both = n < kept ? n : kept, more = n < kept ? kept - n : n - kept;
    const tb_address_t at = address(self, 1);
    if (program->copies || program->first_weights) return draw_faulty(self, at);
    int code = tb_draw_human(self->plan, self->scratch, both, at, TB_FOR_REFERENCE, TB_FOR_ALIAS, self->weight);
    if (code || !self->kept) return code;
    memcpy(self->kept, self->weight, self->plan->padded * sizeof(double));
    if (more == 0) return TB_OK;
    code = tb_draw_human(self->plan, self->scratch, more, at, TB_FOR_REFERENCE_MORE, TB_FOR_ALIAS_MORE, self->batch);
    double *longer = n < kept ? self->kept : self->weight;
    for (size_t i = 0; !code && i < program->categories; i++) longer[i] += self->batch[i];
    return code;
}

/* The older columns begin with generation 1's batch; a pool's training set is drawn from it as from any later pool. */
static int begin_columns(tb_lineage_t *self) {
    const tb_program_t *program = &self->plan->program;
    const size_t bytes = self->plan->padded * sizeof(double);
    for (size_t i = 0; i < self->columns; i++) memset(self->column[i], 0, bytes);
    if (self->columns) {
        memcpy(self->column[0], self->weight, bytes);
        if (program->ages[0] != 1) {
            for (size_t i = 0; i < program->categories; i++) self->weight[i] *= (double)program->ages[0];
            self->total *= (double)program->ages[0];
        }
    }
    if (!self->pool) return TB_OK;
    memcpy(self->pool, self->weight, bytes);
    self->pool_total = self->total;
    self->total = (double)program->draw[0];
    return tb_draw_without(self->plan, self->scratch, self->pool, self->length, self->pool_total, self->total,
                           address(self, 1), TB_FOR_SUBSAMPLE, TB_FOR_SUBSAMPLE_FIX, self->weight);
}

int tb_lineage_first(tb_lineage_t *self) {
    const tb_program_t *program = &self->plan->program;
    self->length = program->categories;
    self->generation = 1;
    self->real = 1.0;
    self->total = (double)program->samples[0];
    if (program->error_rate > 0.0) self->length++;
    for (size_t i = 0; i < self->length; i++) self->id[i] = (uint32_t)i;
    if (self->before) memset(self->before, 0, self->plan->padded * sizeof *self->before);
    int code = draw_human(self);
    if (code) return code;
    tb_write_output(self->recorder, self->cursor.lineage, 0, self->weight, self->length);
    return begin_columns(self);
}

/* Where items of category `id` are counted: at the end, for one that comes back. Beyond `length` every column is zero.
 */
size_t tb_place_of(tb_lineage_t *self, uint32_t id) {
    if (self->place[id] == TB_NOWHERE) {
        self->place[id] = (uint32_t)self->length;
        self->id[self->length++] = id;
    }
    return self->place[id];
}

/* Counts items of some categories; one that comes back gets an element at the end, where every column is zero. Whether
 * it has one already is as likely as not, so there is no branch: a place that is known is below the length. Places are
 * asked for some items ahead, and then what they lead to. */
void tb_count_items(tb_lineage_t *self, const uint32_t *id, const double *items, size_t count) {
    enum { AHEAD = 24, SOON = 8 };
    uint32_t length = (uint32_t)self->length, *place = self->place, *ids = self->id;
    double *batch = self->batch;
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count) __builtin_prefetch(&place[id[i + AHEAD]], 1);
        if (i + SOON < count) {
            const uint32_t soon = place[id[i + SOON]];
            __builtin_prefetch(&batch[soon < length ? soon : length], 1);
        }
        const uint32_t here = place[id[i]], at = here < length ? here : length;
        place[id[i]] = at;
        ids[length] = id[i];
        batch[at] += items[i];
        length += here >= length;
    }
    self->length = length;
}

static void put_fresh(void *context, const uint32_t *id, size_t count) {
    tb_lineage_t *self = context;
    const uint64_t *item = self->plan->program.item_weights;
    double items[TB_SOME];
    for (size_t i = 0; i < count; i++) items[i] = item ? (double)item[3 * self->generation + 1] : 1.0;
    tb_count_items(self, id, items, count);
}

/* Counts of categories 0, 1, ..., where there are any. */
static void put_counts(tb_lineage_t *self, const double *counts, size_t length, double step) {
    uint32_t id[TB_SOME];
    double items[TB_SOME];
    size_t some = 0;
    for (size_t i = 0; i < length; i++) {
        id[some] = (uint32_t)i;
        items[some] = step * counts[i];
        some += counts[i] > 0.0;
        if (some < TB_SOME && i + 1 < length) continue;
        tb_count_items(self, id, items, some);
        some = 0;
    }
}

/* Fresh human items join the batch: a few one by one, many as a batch of their own. */
static int add_fresh(tb_lineage_t *self, uint64_t count, double step, tb_address_t at) {
    const tb_plan_t *plan = self->plan;
    const size_t categories = plan->program.categories;
    const tb_plan_t *law = plan->later;
    if (count <= categories / 4) {
        const size_t head = law->single.head;
        const uint64_t common =
            (uint64_t)tb_draw_head(law, self->scratch, &law->single, (double)count, at, TB_FOR_REFERENCE, self->other);
        put_counts(self, self->other, head, step);
        memset(self->other, 0, (head + TB_PAD) * sizeof *self->other);
        tb_pick_human(law, &law->single, count - common, tb_at(at, TB_FOR_ALIAS, 0), put_fresh, self);
        return TB_OK;
    }
    int code = tb_draw_human(law, self->scratch, count, at, TB_FOR_REFERENCE, TB_FOR_ALIAS, self->other);
    if (!code) put_counts(self, self->other, categories, step);
    return code;
}

/* The kept set, or some of its items, joins the batch. */
static int add_kept(tb_lineage_t *self, uint64_t count, double step, tb_address_t at) {
    const uint64_t all = self->plan->program.kept;
    const double *from = self->kept;
    if (count < all) {
        int code = tb_draw_without(self->plan, self->scratch, self->kept, self->length, (double)all, (double)count, at,
                                   TB_FOR_KEPT, TB_FOR_KEPT_FIX, self->other);
        if (code) return code;
        from = self->other;
    }
    for (size_t i = 0; i < self->length; i++) self->batch[i] += step * from[i];
    return TB_OK;
}

/* Equal weights: one comes, one goes. */
void tb_add_ages(const tb_program_t *program, double **column, const double *weight, const double *batch, double *next,
                 size_t length) {
    const uint64_t *age = program->ages;
    const size_t last = program->age_count - 1;
    double *oldest = column[last];
    int equal = 1;
    for (size_t i = 1; i <= last; i++) equal = equal && age[i] == age[0];
    for (size_t i = 0; equal && i < length; i++) next[i] = weight[i] + (double)age[0] * (batch[i] - oldest[i]);
    memmove(column + 1, column, last * sizeof *column);
    column[0] = oldest;
    memcpy(oldest, batch, length * sizeof *oldest);
    if (equal) return;
    memset(next, 0, length * sizeof *next);
    for (size_t a = 0; a <= last; a++) {
        for (size_t i = 0; i < length; i++) next[i] += (double)age[a] * column[a][i];
    }
}

/* From the batch to the training set of generation `to`. */
static int compose(tb_lineage_t *self, uint32_t to) {
    const tb_program_t *program = &self->plan->program;
    if (self->pool) {
        for (size_t i = 0; i < self->length; i++) self->pool[i] += self->batch[i];
        self->pool_total += (double)program->samples[to - 1];
        return tb_draw_without(self->plan, self->scratch, self->pool, self->length, self->pool_total,
                               (double)program->draw[to - 1], address(self, to), TB_FOR_SUBSAMPLE, TB_FOR_SUBSAMPLE_FIX,
                               self->next);
    }
    if (self->columns) {
        tb_add_ages(program, self->column, self->weight, self->batch, self->next, self->length);
    } else if (program->age_count == 0) {
        for (size_t i = 0; i < self->length; i++) self->next[i] = self->weight[i] + self->batch[i];
    }
    return TB_OK;
}

double tb_training_total(const tb_plan_t *plan, size_t to, double before) {
    const tb_program_t *program = &plan->program;
    const uint64_t *samples = program->samples, *item = program->item_weights;
    double total = 0.0;
    if (program->draw) return (double)program->draw[to - 1];
    if (program->age_count == 0) return before + (double)samples[to - 1];
    if (!tb_trains_on_newest(program)) {
        for (size_t age = 0; age < program->age_count && age < to; age++) {
            total += (double)program->ages[age] * (double)samples[to - 1 - age];
        }
        return total;
    }
    if (!item) return (double)samples[to - 1];
    const double fresh = (double)program->fresh[to - 1], kept = (double)program->from_kept[to - 1];
    const double synthetic = (double)samples[to - 1] - fresh - kept;
    item += 3 * (to - 1);
    return synthetic * (double)item[0] + fresh * (double)item[1] + kept * (double)item[2];
}

/* The first date from which each category is absent, for as long as it does not come back. */
static void date_losses(tb_lineage_t *self) {
    const tb_program_t *program = &self->plan->program;
    int64_t *date = self->recorder->output->forgotten;
    if (!date || self->generation > program->generations) return;
    date += self->cursor.lineage * program->categories;
    for (size_t i = 0; i < self->length; i++) {
        if ((self->weight[i] > 0.0) != (self->next[i] > 0.0) && self->id[i] < program->categories) {
            date[self->id[i]] = self->weight[i] > 0.0 ? self->generation : 0;
        }
    }
}

static int draw_synthetic(tb_lineage_t *self, uint64_t n, tb_address_t at) {
    int code;
    if (self->plan->shaped) {
        code = tb_shape(self, n, at);
    } else {
        code = tb_draw_batch(self->plan, self->scratch, self->weight, self->length, self->total, (double)n, at,
                             self->batch);
    }
    double *wrong = tb_wrong_of(self, self->batch);
    const double aside = wrong ? *wrong : 0.0;
    if (wrong) *wrong = 0.0;
    tb_write_output(self->recorder, self->cursor.lineage, self->generation, self->batch, self->length);
    if (wrong) *wrong = aside;
    return code;
}

int tb_lineage_step(tb_lineage_t *self, int stop) {
    const tb_program_t *program = &self->plan->program;
    const size_t i = self->generation; /* index of the next generation */
    const uint64_t from_kept = program->from_kept[i];
    uint64_t fresh = program->fresh[i];
    const uint64_t *item = program->item_weights ? program->item_weights + 3 * i : NULL;
    tb_address_t at = address(self, (uint32_t)i + 1);
    double kept = program->synthetic_kept;
    int code = program->band_kept ? tb_shape_first(self, &kept) : TB_OK;
    if (code) return code;
    if (program->crawled) fresh = tb_crawl(self, program->samples[i], kept, at);
    const uint64_t synthetic = program->samples[i] - fresh - from_kept;
    if (synthetic > 0) {
        code = draw_synthetic(self, synthetic, at);
    } else {
        if (!program->band_kept) code = tb_remember(self);
        memset(self->batch, 0, padded(self) * sizeof(double));
    }
    if (code || stop) return code;
    if (item && item[0] != 1) {
        for (size_t j = 0; j < self->length; j++) self->batch[j] *= (double)item[0];
    }
    if (fresh) code = add_fresh(self, fresh, item ? (double)item[1] : 1.0, at);
    if (!code && from_kept) code = add_kept(self, from_kept, item ? (double)item[2] : 1.0, at);
    if (!code) code = compose(self, (uint32_t)i + 1);
    if (code) return code;
    self->total = tb_training_total(self->plan, i + 1, self->total);
    self->generation++;
    date_losses(self);
    double *old = self->weight;
    self->weight = self->next;
    self->next = old;
    if (!self->pool && !self->columns && program->age_count) self->batch = old;
    return TB_OK;
}

/* SPDX-License-Identifier: MIT */
/* What a generation is trained on: batches drawn, held, made anew and drawn from. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "mixture_core.h"

static tb_address_t address(const tb_mixture_state_t *self, uint32_t generation, uint32_t purpose) {
    return (tb_address_t){self->plan->program.key, generation, self->replicate, purpose};
}

/* --- Batches --- */

void tb_held_free(tb_held_t *held, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(held[i].law);
        tb_give(held[i].x);
    }
}

/* A batch that is gone leaves its room to the next. */
static void drop(tb_mixture_state_t *self, tb_held_t *held) {
    free(held->law);
    if (held->room > self->spare_room) {
        self->held_bytes -= self->spare_room * sizeof(double);
        tb_give(self->spare);
        self->spare = held->x;
        self->spare_room = held->room;
    } else {
        self->held_bytes -= held->room * sizeof(double);
        tb_give(held->x);
    }
    memset(held, 0, sizeof *held);
}

/* Room for a batch's items, if there is any left. */
static void take_room(tb_mixture_state_t *self, tb_held_t *held) {
    const size_t d = self->plan->program.em.dimension;
    const uint64_t wanted = ((held->batch.count + TB_ROW - 1) / TB_ROW * d + 1) * TB_ROW;
    const uint64_t left = (self->plan->program.memory - self->held_bytes) / sizeof(double);
    size_t bytes = 0;
    if (wanted <= self->spare_room) {
        held->x = self->spare;
        held->room = self->spare_room;
        self->spare = NULL;
        self->spare_room = 0;
        return;
    }
    if (wanted > left + self->spare_room) return;
    tb_give(self->spare);
    self->held_bytes -= self->spare_room * sizeof(double);
    self->spare = NULL;
    self->spare_room = 0;
    held->x = tb_take((size_t)wanted, sizeof(double), &bytes);
    if (!held->x) return; /* made anew for every pass, then */
    held->room = (size_t)wanted;
    self->held_bytes += held->room * sizeof(double);
}

static int fill(tb_mixture_state_t *self, tb_held_t *held) {
    const size_t d = self->plan->program.em.dimension;
    const uint64_t all = (held->batch.count + TB_ROW - 1) / TB_ROW;
    for (uint64_t row = 0; row < all; row += TB_EM_PIECE) {
        const size_t rows = all - row < TB_EM_PIECE ? (size_t)(all - row) : TB_EM_PIECE;
        if (tb_is_cancelled(self->control)) return TB_ERR_CANCELLED;
        tb_batch_fill(&held->batch, row, rows, held->x + row * d * TB_ROW);
    }
    return TB_OK;
}

/* A batch of `count` items from a law, which is copied: the fit that follows changes it. */
static int begin_batch(tb_mixture_state_t *self, const tb_em_law_t *law, uint64_t count, tb_address_t at, int hold,
                       tb_held_t *held) {
    const tb_mixture_plan_t *plan = self->plan;
    memset(held, 0, sizeof *held);
    held->law = malloc(tb_law_length(plan) * sizeof(double));
    if (!held->law) return TB_ERR_MEMORY;
    const tb_em_law_t own = tb_law_at(plan, held->law);
    memcpy(own.weight, law->weight, plan->weights * sizeof(double));
    memcpy(own.mean, law->mean, plan->means * sizeof(double));
    memcpy(own.factor, law->factor, plan->factors * sizeof(double));
    tb_batch_init(&held->batch, &plan->program.em, plan->kernels, &own, count, at);
    if (hold) take_room(self, held);
    return held->x ? fill(self, held) : TB_OK;
}

/* Room for two batches more, and for what lists them. */
static int make_room(tb_mixture_state_t *self) {
    const size_t wanted = self->held_count + 2;
    if (wanted > self->held_capacity) {
        const size_t capacity = 2 * wanted, listed = capacity + 2;
        tb_held_t *held = realloc(self->held, capacity * sizeof *held);
        if (held) self->held = held;
        tb_em_part_t *parts = realloc(self->parts, listed * sizeof *parts);
        if (parts) self->parts = parts;
        const tb_batch_t **source = realloc(self->source, listed * sizeof *source);
        if (source) self->source = source;
        uint64_t *before = realloc(self->before, listed * sizeof *before);
        if (before) self->before = before;
        if (!held || !parts || !source || !before) return TB_ERR_MEMORY;
        self->held_capacity = capacity;
    }
    return TB_OK;
}

static int push(tb_mixture_state_t *self, const tb_em_law_t *law, uint64_t count, uint32_t generation,
                uint32_t purpose) {
    const int hold = !self->plan->program.draw;
    int code = TB_OK;
    if (count == 0) return TB_OK;
    code = make_room(self);
    if (!code) {
        self->held_count++;
        code =
            begin_batch(self, law, count, address(self, generation, purpose), hold, &self->held[self->held_count - 1]);
    }
    return code;
}

/* --- Parts --- */

static void add_part(tb_mixture_state_t *self, const tb_held_t *held, double weight) {
    if (weight > 0.0) {
        self->parts[self->part_count++] =
            (tb_em_part_t){held->batch.count, weight, held->x, NULL, tb_batch_fill, &held->batch};
    }
}

static int make_drawn(tb_mixture_state_t *self, uint64_t count) {
    const size_t d = self->plan->program.em.dimension;
    const size_t rows = (size_t)(count + TB_ROW - 1) / TB_ROW;
    size_t bytes = 0;
    if (count > self->index_room) {
        free(self->index);
        self->index = malloc((size_t)count * sizeof *self->index);
        self->index_room = self->index ? (size_t)count : 0;
    }
    if (rows * d * TB_ROW > self->drawn_room) {
        tb_give(self->drawn);
        self->drawn = tb_take(rows * d * TB_ROW, sizeof(double), &bytes);
        self->drawn_room = self->drawn ? rows * d * TB_ROW : 0;
    }
    return self->index && self->drawn ? TB_OK : TB_ERR_MEMORY;
}

/* Adds, as one part, `count` items drawn without replacement from all of some batches. */
static int add_drawn(tb_mixture_state_t *self, const tb_held_t *held, size_t batches, uint64_t count,
                     uint32_t generation, uint32_t purpose, double weight) {
    enum { SOME = 8192 };
    const size_t d = self->plan->program.em.dimension;
    const tb_address_t at = address(self, generation, purpose);
    uint64_t total = 0;
    int code = make_drawn(self, count);
    if (code) return code;
    for (size_t i = 0; i < batches; i++) {
        self->source[i] = &held[i].batch;
        self->before[i] = total;
        total += held[i].batch.count;
    }
    code = tb_choose_items(total, count, &at, self->index, self->control);
    for (uint64_t first = 0; !code && first < count; first += SOME) {
        const size_t some = count - first < SOME ? (size_t)(count - first) : SOME;
        if (tb_is_cancelled(self->control)) return TB_ERR_CANCELLED;
        tb_batch_gather(self->source, self->before, batches, self->index + first, some, self->drawn + first * d);
    }
    if (!code && weight > 0.0) {
        self->parts[self->part_count++] = (tb_em_part_t){count, weight, self->drawn, NULL, NULL, NULL};
    }
    return code;
}

/* --- Generations --- */

/* Human data are one stream: generation 1 trains on its beginning, and the kept set is its beginning too. */
static int first(tb_mixture_state_t *self) {
    const tb_mixture_t *program = &self->plan->program;
    const tb_em_law_t *law = &program->reference;
    const uint64_t n = program->samples[0], kept = program->kept ? program->kept : n;
    const uint64_t both = n < kept ? n : kept, more = n < kept ? kept - n : n - kept;
    int hold = 0;
    int code = push(self, law, both, 1, TB_FOR_MIXTURE_HUMAN);
    if (!code && n > kept) code = push(self, law, more, 1, TB_FOR_MIXTURE_HUMAN_MORE);
    if (code || !program->kept) return code;
    for (size_t i = 0; i < program->generations; i++) hold |= program->from_kept[i] == kept;
    code = begin_batch(self, law, both, address(self, 1, TB_FOR_MIXTURE_HUMAN), hold, &self->kept[0]);
    self->kept_count = 1;
    if (!code && kept > n) {
        code = begin_batch(self, law, more, address(self, 1, TB_FOR_MIXTURE_HUMAN_MORE), hold, &self->kept[1]);
        self->kept_count = 2;
    }
    return code;
}

/* The kept set, or some of its items. */
static int add_kept(tb_mixture_state_t *self, uint32_t generation, uint64_t count, double weight) {
    const tb_mixture_t *program = &self->plan->program;
    if (count < program->kept) {
        return add_drawn(self, self->kept, self->kept_count, count, generation, TB_FOR_MIXTURE_KEPT, weight);
    }
    for (size_t i = 0; i < self->kept_count; i++) add_part(self, &self->kept[i], weight);
    return TB_OK;
}

/* Batches too old to weigh anything are dropped. */
static void forget(tb_mixture_state_t *self, uint32_t generation) {
    const size_t reach = self->plan->program.age_count;
    size_t gone = 0;
    if (self->plan->program.draw || reach == 0) return;
    while (gone < self->held_count && generation - self->held[gone].batch.at.generation >= reach) {
        drop(self, &self->held[gone++]);
    }
    if (gone == 0) return;
    self->held_count -= gone;
    memmove(self->held, self->held + gone, self->held_count * sizeof *self->held);
}

static double weight_of(const tb_mixture_t *program, const tb_batch_t *batch, uint32_t generation) {
    if (tb_mixture_is_newest(program)) {
        const size_t source = (batch->at.purpose & 255) == TB_FOR_MIXTURE_FRESH;
        return program->item_weights ? (double)program->item_weights[3 * (generation - 1) + source] : 1.0;
    }
    return program->age_count ? (double)program->ages[generation - batch->at.generation] : 1.0;
}

/* Generation 1's items weigh alike, whatever their source. */
int tb_mixture_train(tb_mixture_state_t *self) {
    const tb_mixture_t *program = &self->plan->program;
    const uint32_t to = self->generation + 1;
    const uint64_t fresh = program->fresh[to - 1], kept = to > 1 ? program->from_kept[to - 1] : 0;
    const double kept_weight = program->item_weights ? (double)program->item_weights[3 * (to - 1) + 2] : 1.0;
    int code = TB_OK;
    forget(self, to);
    if (to == 1) {
        code = first(self);
    } else {
        code = push(self, &self->law, program->samples[to - 1] - fresh - kept, to, TB_FOR_MIXTURE);
        if (!code) code = push(self, &program->reference, fresh, to, TB_FOR_MIXTURE_FRESH);
        if (!code) code = make_room(self); /* for the lists, where nothing was pushed */
    }
    if (code) return code;
    self->part_count = 0;
    if (program->draw) {
        return add_drawn(self, self->held, self->held_count, program->draw[to - 1], to, TB_FOR_MIXTURE_SUBSAMPLE, 1.0);
    }
    for (size_t i = 0; i < self->held_count; i++) {
        add_part(self, &self->held[i], to == 1 ? 1.0 : weight_of(program, &self->held[i].batch, to));
    }
    return kept ? add_kept(self, to, kept, kept_weight) : TB_OK;
}

/* SPDX-License-Identifier: MIT */
/* What a generation is trained on: batches drawn, held, and drawn from. */
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "documents_core.h"

static tb_address_t address(const tb_documents_state_t *self, uint32_t generation, uint32_t purpose) {
    return (tb_address_t){self->plan->program.key, generation, self->replicate, purpose};
}

static int is_newest(const tb_documents_program_t *program) { return program->age_count == 1 && !program->draw; }

void tb_documents_forget_all(tb_documents_state_t *self) {
    for (size_t i = 0; i < self->held_count; i++) tb_documents_batch_free(&self->held[i]);
    for (size_t i = 0; i < self->kept_count; i++) tb_documents_batch_free(&self->kept[i]);
    self->held_count = self->kept_count = 0;
}

/* Batches too old to weigh anything are dropped. */
static void forget(tb_documents_state_t *self, uint32_t generation) {
    const size_t reach = self->plan->program.age_count;
    size_t gone = 0;
    if (self->plan->program.draw || reach == 0) return;
    while (gone < self->held_count && generation - self->held[gone].generation >= reach) {
        tb_documents_batch_free(&self->held[gone++]);
    }
    if (gone == 0) return;
    self->held_count -= gone;
    memmove(self->held, self->held + gone, self->held_count * sizeof *self->held);
}

static int push(tb_documents_state_t *self, const tb_documents_law_t *law, uint64_t count, uint32_t generation,
                uint32_t purpose, int source) {
    if (count == 0) return TB_OK;
    if (self->held_count == self->held_capacity) {
        const size_t capacity = 2 * self->held_capacity + 2;
        tb_documents_batch_t *held = realloc(self->held, capacity * sizeof *held);
        if (!held) return TB_ERR_MEMORY;
        self->held = held;
        self->held_capacity = capacity;
    }
    tb_documents_batch_t *batch = &self->held[self->held_count++];
    const int code = tb_documents_draw(self, law, count, address(self, generation, purpose), batch);
    batch->generation = generation;
    batch->source = source;
    return code;
}

/* --- Views --- */

static int make_room(tb_documents_state_t *self, uint64_t more) {
    const size_t wanted = self->training_count + (size_t)more;
    if (wanted <= self->training_capacity) return TB_OK;
    tb_document_t *training = realloc(self->training, wanted * sizeof *training);
    if (!training) return TB_ERR_MEMORY;
    self->training = training;
    self->training_capacity = wanted;
    return TB_OK;
}

static void add_one(tb_documents_state_t *self, const tb_documents_batch_t *batch, uint64_t i, double weight) {
    const uint64_t from = batch->offset[i];
    self->training[self->training_count++] =
        (tb_document_t){batch->category + from, batch->number + from, (size_t)(batch->offset[i + 1] - from), weight};
}

static int add_all(tb_documents_state_t *self, const tb_documents_batch_t *batch, double weight) {
    if (!(weight > 0.0)) return TB_OK;
    const int code = make_room(self, batch->count);
    for (uint64_t i = 0; !code && i < batch->count; i++) add_one(self, batch, i, weight);
    return code;
}

/* Some documents of several batches, without replacement. */
static int add_drawn(tb_documents_state_t *self, const tb_documents_batch_t *batches, size_t count, uint64_t some,
                     tb_address_t at, double weight) {
    uint64_t total = 0, *index = malloc((size_t)some * sizeof *index);
    int code = index ? make_room(self, some) : TB_ERR_MEMORY;
    for (size_t b = 0; b < count; b++) total += batches[b].count;
    if (!code) code = tb_choose_items(total, some, &at, index, self->control);
    for (uint64_t i = 0; !code && i < some; i++) {
        const tb_documents_batch_t *batch = batches;
        uint64_t item = index[i];
        for (; item >= batch->count; batch++) item -= batch->count;
        add_one(self, batch, item, weight);
    }
    free(index);
    return code;
}

/* --- Generations --- */

/* Human documents are one stream: generation 1 trains on its beginning, and the kept set is its beginning too. */
static int first(tb_documents_state_t *self) {
    const tb_documents_program_t *program = &self->plan->program;
    const tb_documents_law_t *law = &self->plan->reference;
    const uint64_t n = program->samples[0], kept = program->kept ? program->kept : n;
    const uint64_t both = n < kept ? n : kept, more = n < kept ? kept - n : n - kept;
    int code = push(self, law, both, 1, TB_FOR_DOCUMENT_HUMAN, 0);
    if (!code && n > kept) code = push(self, law, more, 1, TB_FOR_DOCUMENT_HUMAN_MORE, 0);
    if (code || !program->kept) return code;
    self->kept_count = 1;
    code = tb_documents_draw(self, law, both, address(self, 1, TB_FOR_DOCUMENT_HUMAN), &self->kept[0]);
    if (!code && kept > n) {
        self->kept_count = 2;
        code = tb_documents_draw(self, law, more, address(self, 1, TB_FOR_DOCUMENT_HUMAN_MORE), &self->kept[1]);
    }
    return code;
}

static double weight_of(const tb_documents_program_t *program, uint32_t generation, int source, uint32_t drawn) {
    if (generation == 1) return 1.0;
    if (is_newest(program) || program->age_count == 0) {
        return program->item_weights ? (double)program->item_weights[3 * (drawn - 1) + (uint32_t)source] : 1.0;
    }
    return (double)program->ages[generation - drawn];
}

static int add_kept(tb_documents_state_t *self, uint32_t generation, uint64_t count, double weight) {
    int code = TB_OK;
    if (!(weight > 0.0)) return TB_OK;
    if (count < self->plan->program.kept) {
        const tb_address_t at = address(self, generation, TB_FOR_DOCUMENT_KEPT);
        return add_drawn(self, self->kept, self->kept_count, count, at, weight);
    }
    for (size_t i = 0; !code && i < self->kept_count; i++) code = add_all(self, &self->kept[i], weight);
    return code;
}

int tb_documents_train(tb_documents_state_t *self) {
    const tb_documents_program_t *program = &self->plan->program;
    const uint32_t to = self->generation + 1;
    const uint64_t fresh = program->fresh[to - 1], kept = to > 1 ? program->from_kept[to - 1] : 0;
    int code = TB_OK;
    forget(self, to);
    self->training_count = 0;
    if (to == 1) {
        code = first(self);
    } else {
        code = push(self, &self->fit.law, program->samples[to - 1] - fresh - kept, to, TB_FOR_DOCUMENT, 0);
        if (!code) code = push(self, &self->plan->reference, fresh, to, TB_FOR_DOCUMENT_FRESH, 1);
    }
    if (code) return code;
    if (program->draw) {
        const tb_address_t at = address(self, to, TB_FOR_DOCUMENT_SUBSAMPLE);
        return add_drawn(self, self->held, self->held_count, program->draw[to - 1], at, 1.0);
    }
    for (size_t i = 0; !code && i < self->held_count; i++) {
        const tb_documents_batch_t *batch = &self->held[i];
        code = add_all(self, batch, weight_of(program, to, batch->source, batch->generation));
    }
    return code || !kept ? code : add_kept(self, to, kept, weight_of(program, to, 2, to));
}

/* SPDX-License-Identifier: MIT */
/* Documents by address: a component and tokens, each the exact quantile at a word of its own. */
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "documents_core.h"

unsigned tb_documents_guide_bits(size_t categories) {
    unsigned bits = 1;
    while (((size_t)1 << bits) < categories) bits++;
    return bits;
}

/* Weights of a law as whole numbers, and where the search for each of their sums begins. */
static void sampler_init(tb_sampler_t *self, const uint64_t *weight, size_t count) {
    const unsigned bits = tb_documents_guide_bits(count);
    uint64_t sum = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < count; i++) self->end[i] = sum += weight[i];
    self->total = sum;
    self->shift = 0;
    while (sum >> self->shift >> bits) self->shift++;
    for (size_t bucket = 0; bucket <= (size_t)1 << bits; bucket++) {
        while (at + 1 < count && self->end[at] <= (uint64_t)bucket << self->shift) at++;
        self->first[bucket] = at;
    }
}

/* The item of a law at a word: the least whose sum exceeds the word's share of the total. */
static uint32_t sampler_find(const tb_sampler_t *self, uint64_t word) {
    __extension__ const unsigned __int128 product = (unsigned __int128)word * self->total;
    const uint64_t wanted = (uint64_t)(product >> 64);
    uint32_t at = self->first[wanted >> self->shift];
    while (self->end[at] <= wanted) at++;
    return at;
}

static void prepare(tb_documents_state_t *self, const tb_documents_law_t *law) {
    const tb_documents_settings_t *settings = &self->plan->program.fit;
    const size_t categories = settings->categories, lanes = self->plan->lanes;
    const size_t guide = ((size_t)1 << tb_documents_guide_bits(categories)) + 1;
    for (size_t k = 0; k < settings->components; k++) {
        tb_sampler_t *sampler = &self->sampler[k];
        if (!(law->weight[k] > 0.0)) continue;
        sampler->end = self->samplers + k * categories;
        sampler->first = self->guides + k * guide;
        for (size_t j = 0; j < categories; j++) self->values[j] = law->probability[j * lanes + k];
        tb_quantise(self->values, categories, self->whole);
        sampler_init(sampler, self->whole, categories);
    }
}

/* Tallies the tokens of one document; its categories stand in the order in which they first come up. */
static size_t draw_one(tb_documents_state_t *self, const tb_sampler_t *sampler, uint32_t length, uint32_t *category,
                       uint32_t *number) {
    size_t different = 0;
    for (uint32_t i = 0; i < length; i++) {
        const uint32_t j = sampler_find(sampler, self->words[2 + i]);
        if (self->tally[j]++ == 0) category[different++] = j;
    }
    for (size_t i = 0; i < different; i++) {
        number[i] = self->tally[category[i]];
        self->tally[category[i]] = 0;
    }
    return different;
}

static uint64_t most_categories(const tb_documents_program_t *program, uint64_t count) {
    uint64_t most = 0;
    for (size_t i = 0; i < program->length_count; i++) {
        const uint64_t length = program->lengths[i],
                       each = length < program->fit.categories ? length : program->fit.categories;
        most += each * (count / program->length_count + (i < count % program->length_count));
    }
    return most;
}

static int batch_init(tb_documents_batch_t *self, const tb_documents_program_t *program, uint64_t count) {
    const uint64_t most = most_categories(program, count);
    memset(self, 0, sizeof *self);
    self->count = count;
    self->offset = malloc((size_t)(count + 1) * sizeof *self->offset);
    self->category = malloc((size_t)most * sizeof *self->category);
    self->number = malloc((size_t)most * sizeof *self->number);
    return self->offset && self->category && self->number ? TB_OK : TB_ERR_MEMORY;
}

void tb_documents_batch_free(tb_documents_batch_t *self) {
    free(self->offset);
    free(self->category);
    free(self->number);
    memset(self, 0, sizeof *self);
}

/* What was not needed is given back. */
static void trim(tb_documents_batch_t *self) {
    const size_t used = (size_t)self->offset[self->count];
    uint32_t *category = realloc(self->category, used * sizeof *category);
    if (category) self->category = category;
    uint32_t *number = realloc(self->number, used * sizeof *number);
    if (number) self->number = number;
}

/* Document i has `stride` slots of its own: the first for its component, the others for two tokens each. Pages of
 * documents go to the slot's upper bits. */
int tb_documents_draw(tb_documents_state_t *self, const tb_documents_law_t *law, uint64_t count, tb_address_t at,
                      tb_documents_batch_t *out) {
    const tb_documents_program_t *program = &self->plan->program;
    const uint32_t stride = 1 + (self->plan->longest + 1) / 2, page = UINT32_MAX / stride;
    const size_t components = program->fit.components;
    uint64_t weight[TB_DOCUMENT_COMPONENTS], end[TB_DOCUMENT_COMPONENTS];
    uint32_t first[2 * TB_DOCUMENT_COMPONENTS + 1];
    tb_sampler_t component = {0, end, first, 0};
    int code = batch_init(out, program, count);
    if (code) return code;
    tb_quantise(law->weight, components, weight);
    sampler_init(&component, weight, components);
    prepare(self, law);
    out->offset[0] = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint32_t length = program->lengths[i % program->length_count], calls = 1 + (length + 1) / 2;
        const uint64_t from = out->offset[i];
        tb_address_t here = at;
        here.purpose |= (uint32_t)(i / page) << 16;
        if (i % 1024 == 0 && tb_is_cancelled(self->control)) return TB_ERR_CANCELLED;
        self->plan->kernels->fill_words(&here, (uint32_t)(i % page) * stride, calls, self->words);
        const uint32_t k = sampler_find(&component, self->words[0]);
        out->offset[i + 1] = from + draw_one(self, &self->sampler[k], length, out->category + from, out->number + from);
    }
    trim(out);
    return TB_OK;
}

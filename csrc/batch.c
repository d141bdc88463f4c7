/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "gaussian_kernels.h"
#include "quantile.h"

/* Pages of rows, so that slots within one stay below 2^32 in 32 dimensions. The page goes to the slot's upper bits. */
enum { PAGE_BITS = 23 };

/* --- Counts --- */

/* The sum of the weights is 1 up to rounding; a power of two brings the whole numbers' sum to at most 2^53. */
void tb_quantise(const double *weight, size_t count, uint64_t *out) {
    double scale = 0x1p53;
    for (int fits = 0; !fits; scale *= 0.5) {
        uint64_t sum = 0;
        for (size_t k = 0; k < count; k++) sum += out[k] = (uint64_t)(weight[k] * scale + 0.5);
        fits = sum <= (uint64_t)1 << 53;
    }
}

/* How many of n items fall to `part` of `whole`. */
static uint64_t share(uint64_t n, uint64_t part, uint64_t whole, uint64_t word) {
    const uint64_t rest = whole - part;
    if (part == 0 || n == 0) return 0;
    if (rest == 0) return n;
    if (part <= rest) return tb_binomial_quantile_half((double)n, (double)part / (double)whole, word);
    return n - tb_binomial_quantile_half((double)n, (double)rest / (double)whole, ~word);
}

/* Down a binary tree over the components, whose node i has the children 2 i and 2 i + 1 and the word at slot i. */
static void split_counts(const uint64_t *weight, size_t count, uint64_t n, const tb_address_t *at, uint64_t *out) {
    uint64_t sum[2 * TB_EM_COMPONENTS] = {0}, items[2 * TB_EM_COMPONENTS];
    for (size_t k = 0; k < count; k++) sum[TB_EM_COMPONENTS + k] = weight[k];
    for (size_t i = TB_EM_COMPONENTS; i-- > 1;) sum[i] = sum[2 * i] + sum[2 * i + 1];
    items[1] = n;
    for (size_t i = 1; i < TB_EM_COMPONENTS; i++) {
        uint64_t word[2] = {0, 0};
        if (sum[2 * i] && sum[2 * i + 1] && items[i]) tb_philox(at, (uint32_t)i, word);
        items[2 * i] = share(items[i], sum[2 * i], sum[i], word[0]);
        items[2 * i + 1] = items[i] - items[2 * i];
    }
    memcpy(out, items + TB_EM_COMPONENTS, count * sizeof *out);
}

void tb_batch_init(tb_batch_t *self, const tb_em_settings_t *settings, const tb_kernels_t *kernels,
                   const tb_em_law_t *law, uint64_t count, tb_address_t at) {
    const size_t components = settings->components;
    const tb_address_t counts = tb_at(at, at.purpose, 1);
    uint64_t weight[TB_EM_COMPONENTS];
    memset(self, 0, sizeof *self);
    self->settings = settings;
    self->kernels = kernels;
    self->law = *law;
    self->at = at;
    self->count = count;
    tb_quantise(law->weight, components, weight);
    split_counts(weight, components, count, &counts, self->end);
    for (size_t k = 1; k < components; k++) self->end[k] += self->end[k - 1];
}

/* --- Items --- */

static size_t component_of(const tb_batch_t *self, uint64_t item) {
    size_t k = 0;
    while (k + 1 < self->settings->components && item >= self->end[k]) k++;
    return k;
}

static const double *factor_of(const tb_batch_t *self, size_t k) {
    return self->law.factor + (self->settings->covariance == TB_TIED ? 0 : k * tb_em_factor_length(self->settings));
}

/* One item, in place, by the same operations as the kernel's. */
static void shape_item(const tb_batch_t *self, size_t k, double *x) {
    const size_t d = self->settings->dimension;
    const enum tb_em_form form = tb_em_form(self->settings);
    const double *mean = self->law.mean + k * d, *factor = factor_of(self, k);
    for (size_t j = d; j-- > 0;) {
        const double *row = factor + (form == TB_EM_ROUND ? 0 : form == TB_EM_AXES ? j : tb_corner(j));
        double sum = x[(form == TB_EM_TRIANGLE ? 0 : j) * TB_ROW] * row[0];
        for (size_t i = 1; form == TB_EM_TRIANGLE && i <= j; i++) sum += x[i * TB_ROW] * row[i];
        x[j * TB_ROW] = mean[j] + sum;
    }
}

/* A row whose items are of several components, or that is not full. */
static void shape_row(const tb_batch_t *self, uint64_t first, double *x) {
    for (size_t l = 0; l < TB_ROW; l++) {
        if (first + l < self->count) {
            shape_item(self, component_of(self, first + l), x + l);
        } else {
            for (size_t j = 0; j < self->settings->dimension; j++) x[j * TB_ROW + l] = 0.0;
        }
    }
}

void tb_batch_fill(const void *batch, uint64_t row, size_t rows, double *x) {
    const tb_batch_t *self = batch;
    const size_t d = self->settings->dimension;
    const uint64_t page = row >> PAGE_BITS, within = row & (((uint64_t)1 << PAGE_BITS) - 1);
    tb_address_t at = self->at;
    at.purpose |= (uint32_t)(page << 16);
    self->kernels->gaussian->fill_exact_normals(&at, (uint32_t)(within * d * TB_ROW / 2), rows * d * TB_ROW, x);
    for (size_t r = 0; r < rows;) {
        const uint64_t first = (row + r) * TB_ROW;
        const size_t k = component_of(self, first);
        const uint64_t whole = first < self->end[k] ? (self->end[k] - first) / TB_ROW : 0;
        const size_t some = whole < rows - r ? (size_t)whole : rows - r;
        if (some == 0) {
            shape_row(self, first, x + r++ * d * TB_ROW);
            continue;
        }
        self->kernels->em->shape(x + r * d * TB_ROW, some, d, tb_em_form(self->settings), self->law.mean + k * d,
                                 factor_of(self, k));
        r += some;
    }
}

/* The batch that holds an item. */
static size_t batch_of(const uint64_t *before, size_t count, uint64_t item) {
    size_t low = 0, high = count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (before[middle] <= item) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

void tb_batch_gather(const tb_batch_t *const *batches, const uint64_t *before, size_t count, const uint64_t *index,
                     size_t items, double *x) {
    const size_t d = batches[0]->settings->dimension;
    for (size_t first = 0; first < items; first += TB_ROW, x += d * TB_ROW) {
        const tb_batch_t *batch[TB_ROW];
        uint64_t own[TB_ROW];
        tb_em_items_t named;
        for (size_t l = 0; l < TB_ROW; l++) {
            const uint64_t item = index[first + l < items ? first + l : first];
            const size_t b = batch_of(before, count, item);
            batch[l] = batches[b];
            own[l] = item - before[b];
            const uint64_t row = own[l] / TB_ROW, within = row & (((uint64_t)1 << PAGE_BITS) - 1);
            named.generation[l] = batch[l]->at.generation;
            named.purpose[l] = batch[l]->at.purpose | row >> PAGE_BITS << 16;
            named.slot[l] = within * d * TB_ROW / 2 + own[l] % TB_ROW / 2;
            named.second[l] = own[l] % 2 ? ~(uint64_t)0 : 0;
        }
        batches[0]->kernels->em->fetch(&named, batches[0]->at.key, batches[0]->at.replicate, d, x);
        for (size_t l = 0; l < TB_ROW; l++) {
            if (first + l < items) {
                shape_item(batch[l], component_of(batch[l], own[l]), x + l);
            } else {
                for (size_t j = 0; j < d; j++) x[j * TB_ROW + l] = 0.0;
            }
        }
    }
}

/* --- Choices without replacement --- */

static size_t slots_for(uint64_t picks) {
    size_t slots = 64;
    while (slots < 2 * picks) slots *= 2;
    return slots;
}

/* Fewer are picked, and the others taken, where that is less. */
static uint64_t picks_for(uint64_t total, uint64_t some) { return some > total / 2 ? total - some : some; }

size_t tb_choose_bytes(uint64_t total, uint64_t some) { return slots_for(picks_for(total, some)) * sizeof(uint64_t); }

/* Open addressing over item + 1. */
static uint64_t *slot_of(uint64_t *table, size_t slots, uint64_t item) {
    size_t at = (size_t)(item * 0x9e3779b97f4a7c15u >> 32) & (slots - 1);
    while (table[at] && table[at] != item + 1) at = (at + 1) & (slots - 1);
    return &table[at];
}

/* A uniform item (Lemire 2019, doi:10.1145/3230636) that is not in the table yet: attempt after attempt at one address.
 * The table never holds more than half of the items, so 256 attempts in a row do not fail. */
static uint64_t pick(uint64_t *table, size_t slots, uint64_t total, tb_address_t at, uint64_t index) {
    const uint64_t floor = (0 - total) % total;
    at.purpose |= (uint32_t)(index >> 33 << 16);
    for (uint32_t attempt = 0;; attempt++) {
        uint64_t word[2];
        const tb_address_t here = {at.key, at.generation, at.replicate, at.purpose | (attempt & 255) << 8};
        tb_philox(&here, (uint32_t)(index / 2), word);
        __extension__ unsigned __int128 product = (unsigned __int128)word[index % 2] * total;
        const uint64_t item = (uint64_t)(product >> 64);
        if ((uint64_t)product < floor) continue;
        uint64_t *slot = slot_of(table, slots, item);
        if (*slot) continue;
        *slot = item + 1;
        return item;
    }
}

int tb_choose_items(uint64_t total, uint64_t some, const tb_address_t *at, uint64_t *out, const tb_control_t *control) {
    const uint64_t picks = picks_for(total, some);
    const size_t slots = slots_for(picks);
    uint64_t *table = calloc(slots, sizeof *table);
    int code = table ? TB_OK : TB_ERR_MEMORY;
    for (uint64_t i = 0; !code && i < picks; i++) {
        const uint64_t item = pick(table, slots, total, *at, i);
        if (picks == some) out[i] = item;
        if (i % 65536 == 0 && tb_is_cancelled(control)) code = TB_ERR_CANCELLED;
    }
    for (uint64_t item = 0, next = 0; !code && picks != some && item < total; item++) {
        if (!*slot_of(table, slots, item)) out[next++] = item;
        if (item % 65536 == 0 && tb_is_cancelled(control)) code = TB_ERR_CANCELLED;
    }
    free(table);
    return code;
}

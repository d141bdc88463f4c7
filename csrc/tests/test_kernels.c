/* SPDX-License-Identifier: MIT */
/* The kernels without a law of their own: words, sums, compaction. */
#include <math.h>

#include "checks.h"
#include "machine.h"
#include "oracle.h"

static machine_t machine;

/* Known answers of the generator's authors (Random123, kat_vectors), so that the oracle itself is anchored. */
static void test_philox_known_answers(void) {
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const uint32_t *c = known[i].counter, *a = known[i].answer;
        tb_address_t at = {known[i].key[0] | (uint64_t)known[i].key[1] << 32, c[1], c[2], c[3]};
        uint64_t word[2];

        tb_philox(&at, c[0], word);
        CHECK(word[0] == (a[0] | (uint64_t)a[1] << 32));
        CHECK(word[1] == (a[2] | (uint64_t)a[3] << 32));
    }
}

/* Slots wrap within 32 bits, as counters do. */
static void test_fill_words(void) {
    static const uint32_t slots[] = {0, 1, 12345, (5u << 26) + 3, UINT32_MAX - 6};
    uint64_t state = 11;

    for (size_t l = 0; l < LENGTH_COUNT; l++) {
        tb_address_t at = next_address(&state);
        uint32_t slot = slots[l % (sizeof slots / sizeof *slots)];
        size_t calls = LENGTHS[l], room = (2 * calls + 2 * TB_ROW - 1) / (2 * TB_ROW) * (2 * TB_ROW);
        uint64_t *out = checked_memory(room, sizeof *out);

        for (size_t s = 0; s < machine.count; s++) {
            int equal = 1;

            memset(out, 0, room * sizeof *out);
            machine.set[s]->fill_words(&at, slot, calls, out);
            for (size_t i = 0; i < 2 * calls; i++) equal &= out[i] == word_at(at, slot, i);
            CHECK(equal);
        }
        free(out);
    }
}

static double plain_sum(const double *x, size_t length) {
    double total = 0.0;

    for (size_t i = 0; i < length; i++) total += x[i];
    return total;
}

static size_t plain_count(const double *x, size_t length, double most) {
    size_t count = 0;

    for (size_t i = 0; i < length; i++) count += x[i] > most;
    return count;
}

static void check_sums(const double *x, size_t length, const tb_kernels_t *kernels) {
    static const double mosts[] = {0.0, 1.0, 5.0, 0x1p40};
    size_t parents = (length + 1) / 2;
    double *parent = doubles(parents), *padded = doubles(length);
    int equal = 1;

    memcpy(padded, x, length * sizeof *x);
    CHECK(kernels->sum(padded, length) == plain_sum(x, length));
    for (size_t m = 0; m < sizeof mosts / sizeof *mosts; m++) {
        CHECK(kernels->count_beyond(padded, length, mosts[m]) == plain_count(x, length, mosts[m]));
    }
    kernels->sum_pairs(padded, parents, parent);
    for (size_t i = 0; i < parents; i++) equal &= parent[i] == padded[2 * i] + padded[2 * i + 1];
    CHECK(equal);
    free(parent);
    free(padded);
}

static void test_sums(void) {
    uint64_t state = 12;

    for (size_t l = 0; l < LENGTH_COUNT; l++) {
        for (int kind = 0; kind < KINDS; kind++) {
            double *x = doubles(LENGTHS[l]);

            fill_weights(kind, x, LENGTHS[l], &state);
            for (size_t s = 0; s < machine.count; s++) check_sums(x, LENGTHS[l], machine.set[s]);
            free(x);
        }
    }
}

/* The index is as kernels.h describes it, level by level. */
static void check_index(const tb_index_t *index, const double *x, size_t length) {
    size_t level = 0, count = length;
    double sum = 0.0;
    int equal = 1;

    for (size_t i = 0; i < length; i++) equal &= index->end[0][i] == (sum += x[i]);
    for (size_t i = length; i % TB_FAN; i++) equal &= index->end[0][i] >= sum;
    for (; count > TB_FAN; level++) {
        const size_t fewer = (count + TB_FAN - 1) / TB_FAN;

        for (size_t i = 0; i < fewer; i++)
            equal &= index->end[level + 1][i] == index->end[level][TB_FAN * i + TB_FAN - 1];
        for (size_t i = fewer; i % TB_FAN; i++) equal &= index->end[level + 1][i] == HUGE_VAL;
        count = fewer;
    }
    CHECK(equal && index->height == level + 1);
}

/* Elements beyond a limit hold nothing. */
static void check_limited_index(const tb_kernels_t *kernels, const double *x, size_t length, double *room) {
    enum { MOST = 5 };
    double *limited = doubles(length);

    for (size_t i = 0; i < length; i++) limited[i] = x[i] > (double)MOST ? 0.0 : x[i];
    const tb_index_t index = kernels->index_items(x, length, MOST, room);
    check_index(&index, limited, length);
    free(limited);
}

static uint32_t element_of(const double *x, double item) {
    uint32_t i = 0;

    for (double sum = x[0]; sum <= item; sum += x[i]) i++;
    return i;
}

/* The first and the last item of every element, and any. */
static void check_find(const double *x, size_t length, double total, uint64_t *state) {
    enum { ANY = 64 };
    const size_t count = 2 * length + ANY;
    double *room = checked_memory(tb_index_room(length), sizeof *room);
    double *other = checked_memory(tb_index_room(length), sizeof *other);
    double *item = checked_memory(count, sizeof *item), before = 0.0;
    uint32_t *where = checked_memory(count, sizeof *where);

    for (size_t i = 0; i < length; before += x[i], i++) {
        item[2 * i] = x[i] > 0.0 ? before : 0.0;
        item[2 * i + 1] = x[i] > 0.0 ? before + x[i] - 1.0 : total - 1.0;
    }
    for (size_t i = 2 * length; i < count; i++) item[i] = floor(next_unit(state) * total);
    for (size_t s = 0; s < machine.count; s++) {
        int equal = 1;
        const tb_index_t index = machine.set[s]->index_items(x, length, HUGE_VAL, room);

        check_index(&index, x, length);
        check_limited_index(machine.set[s], x, length, other);
        machine.set[s]->find_items(&index, item, count, where);
        for (size_t i = 0; i < count; i++) equal &= where[i] == element_of(x, item[i]);
        CHECK(equal);
    }
    free(room);
    free(other);
    free(item);
    free(where);
}

static void test_find(void) {
    uint64_t state = 14;

    for (size_t l = 0; l < LENGTH_COUNT + 1; l++) {
        const size_t length = l < LENGTH_COUNT ? LENGTHS[l] : 2000;

        for (int kind = 0; kind < KINDS; kind++) {
            double *x = doubles(length), total = fill_weights(kind, x, length, &state);

            if (total > 0.0) check_find(x, length, total, &state);
            free(x);
        }
    }
}

static void check_compact(const double *weight, size_t length, const tb_kernels_t *kernels) {
    double *w = doubles(length), *elsewhere = doubles(length);
    uint32_t *id = indices(length), *there = indices(length);
    size_t kept = 0, got;
    int equal = 1;

    memcpy(w, weight, length * sizeof *w);
    for (size_t i = 0; i < length; i++) id[i] = UINT32_MAX - (uint32_t)(3 * i);
    got = kernels->compact(id, w, length, there, elsewhere);
    CHECK(kernels->compact(id, w, length, id, w) == got);
    for (size_t i = 0; i < length; i++) {
        if (weight[i] == 0.0) continue;
        equal &= kept < got && w[kept] == weight[i] && id[kept] == UINT32_MAX - (uint32_t)(3 * i);
        kept++;
    }
    CHECK(equal && kept == got);
    CHECK(same_doubles(w, elsewhere, got) && !memcmp(id, there, got * sizeof *id));
    free(w);
    free(id);
    free(elsewhere);
    free(there);
}

static void test_compact(void) {
    uint64_t state = 13;

    for (size_t l = 0; l < LENGTH_COUNT; l++) {
        for (int kind = 0; kind < KINDS; kind++) {
            double *weight = doubles(LENGTHS[l]);

            fill_weights(kind, weight, LENGTHS[l], &state);
            for (size_t s = 0; s < machine.count; s++) check_compact(weight, LENGTHS[l], machine.set[s]);
            free(weight);
        }
    }
}

static void test_names(void) {
    for (size_t s = 0; s < machine.count; s++) CHECK(tb_isa_find(machine.set[s]->name) == machine.set[s]);
    CHECK(tb_isa_find("mmx") == NULL && tb_isa_best() == machine.set[machine.count - 1]);
#if defined(__x86_64__)
    CHECK(machine.count >= 2);
#endif
}

int main(void) {
    machine = this_machine();
    test_names();
    test_philox_known_answers();
    test_fill_words();
    test_sums();
    test_find();
    test_compact();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Decoding against sorting all categories, one by one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "decode.h"

enum { MOST = 80 };

typedef struct {
    uint32_t id[MOST + 1], place[MOST + 1];
    double weight[MOST + 1], room[MOST + 1], dense[MOST + 1];
    tb_model_t model;
} case_t;

/* Some categories listed, in any order or ascending, with weights that often are equal, small or not; the others alike,
 * or all listed. */
static void make_case(case_t *self, size_t count, uint64_t *state, int whole) {
    size_t listed = 1 + next_word(state) % count;
    const int ascending = next_word(state) % 2;
    const double large = next_word(state) % 2 ? 1.0 : 21.0;
    double other = next_word(state) % 3 ? 0.0 : whole ? 1.0 : 0.125;
    for (size_t i = 0; i < count; i++) {
        self->id[i] = (uint32_t)i;
        self->place[i] = TB_NOWHERE;
        self->dense[i] = other;
    }
    for (size_t i = 0; i < listed; i++) {
        const size_t with = ascending ? i : i + next_word(state) % (count - i);
        const uint32_t id = self->id[with];
        self->id[with] = self->id[i];
        self->id[i] = id;
        self->place[id] = (uint32_t)i;
        self->weight[i] = whole ? large * (double)(next_word(state) % 5) : next_unit(state);
        if (i == 0) self->weight[i] += 1.0;
        self->dense[id] = self->weight[i];
    }
    self->model = (tb_model_t){listed, self->id,    self->weight, other > 0.0 ? (double)(count - listed) : 0.0,
                               other,  self->place, count,        whole};
}

static const double *sorted_by;

static int by_weight(const void *a, const void *b) {
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;
    if (sorted_by[i] != sorted_by[j]) return sorted_by[i] > sorted_by[j] ? -1 : 1;
    return i < j ? -1 : 1;
}

static double sum_of(const double *x, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) sum += x[i];
    return sum;
}

/* Keeps the first `keep` by weight and id; where `share` is below 1, as many as make that share. */
static void keep_first(double *dense, size_t count, uint64_t keep, double share) {
    size_t order[MOST];
    const double need = share * sum_of(dense, count);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) order[i] = i;
    sorted_by = dense;
    qsort(order, count, sizeof *order, by_weight);
    for (size_t i = 0; i < count; i++) {
        if (share < 1.0 ? sum >= need : i >= keep) dense[order[i]] = 0.0;
        sum += dense[order[i]];
    }
}

static void cut(double *dense, size_t count, double least) {
    for (size_t i = 0; i < count; i++) {
        if (dense[i] < least) dense[i] = 0.0;
    }
}

static double most_of(const double *dense, size_t count) {
    double most = 0.0;
    for (size_t i = 0; i < count; i++) most = fmax(most, dense[i]);
    return most;
}

static void decode_plainly(const tb_decoding_t *how, double *dense, size_t count) {
    if (how->temperature != 1.0) {
        const double most = most_of(dense, count);
        for (size_t i = 0; i < count; i++)
            dense[i] = dense[i] > 0.0 ? pow(dense[i] / most, 1.0 / how->temperature) : 0.0;
    }
    if (how->top_k) keep_first(dense, count, how->top_k, 1.0);
    if (how->top_p < 1.0) keep_first(dense, count, 0, how->top_p);
    if (how->min_p > 0.0) cut(dense, count, how->min_p * most_of(dense, count));
    if (how->epsilon > 0.0) {
        const double least = how->epsilon * sum_of(dense, count);
        if (most_of(dense, count) < least) {
            keep_first(dense, count, 1, 1.0);
        } else {
            cut(dense, count, least);
        }
    }
}

static void check_case(const tb_decoding_t *how, size_t count, uint64_t *state, int whole) {
    case_t one;
    make_case(&one, count, state, whole);
    decode_plainly(how, one.dense, count);
    tb_decode(how, &one.model, one.room);
    int same = one.model.length <= count;
    for (size_t id = 0; id < count; id++) {
        const uint32_t at = one.place[id];
        const double weight = at == TB_NOWHERE ? one.model.other : one.weight[at];
        if (at != TB_NOWHERE) same = same && one.id[at] == id;
        if (at != TB_NOWHERE || one.model.others > 0.0) same = same && fabs(weight - one.dense[id]) <= 1e-13;
    }
    if (one.model.others > 0.0) same = same && one.model.others == (double)(count - one.model.length);
    CHECK(same);
}

/* Whole weights make ties; with a temperature, sums round, so shares are kept clear of them by real weights. */
static void check_cuts(void) {
    static const double top_p[] = {0.03, 0.5, 0.77, 0.999};
    uint64_t state = 1;
    for (int i = 0; i < 20000; i++) {
        const size_t count = 1 + next_word(&state) % MOST;
        tb_decoding_t how = {.temperature = 1.0, .top_p = 1.0};
        const uint64_t word = next_word(&state);
        const int whole = word & 1;
        if (word & 2) how.top_k = 1 + next_word(&state) % (count + 5);
        if (word & 4) how.top_p = top_p[next_word(&state) % 4];
        if (word & 8) how.min_p = next_unit(&state);
        if (word & 16) how.epsilon = 0.5 * next_unit(&state) * next_unit(&state);
        if (word & 32 && !whole) how.temperature = 0.3 + 2.0 * next_unit(&state);
        CHECK(tb_decodes(&how) == ((word & 30) > 0 || how.temperature != 1.0));
        check_case(&how, count, &state, whole);
    }
}

/* All shares of hundredths of all piles of up to 40 items in three categories: what is exactly at a share stays. */
static void check_shares(void) {
    for (uint64_t part = 1; part < 100; part++) {
        const double share = (double)part / 100.0;
        const tb_ratio_t exact = {part, 100};
        for (int total = 1; total <= 40; total++) {
            for (int a = (total + 2) / 3; a <= total; a++) {
                const int b = (total - a + 1) / 2 < a ? (total - a + 1) / 2 : a, c = total - a - b;
                const int count[3] = {a, b, c};
                const tb_decoding_t how[3] = {
                    {1.0, 0, share, 0.0, 0.0, exact, {0, 1}, {0, 1}, NULL},
                    {1.0, 0, 1.0, share, 0.0, {1, 1}, exact, {0, 1}, NULL},
                    {1.0, 0, 1.0, 0.0, share, {1, 1}, {0, 1}, exact, NULL},
                };
                for (int rule = 0; rule < 3; rule++) {
                    uint32_t id[3] = {0, 1, 2}, place[3] = {0, 1, 2};
                    double weight[3] = {a, b, c}, room[3];
                    tb_model_t model = {3, id, weight, 0.0, 0.0, place, 3, 1};
                    uint64_t before = 0;
                    int right = 1;
                    tb_decode(&how[rule], &model, room);
                    for (int i = 0; i < 3; i++) {
                        const uint64_t items = (uint64_t)count[i];
                        int stays = rule == 0   ? 100 * before < part * (uint64_t)total
                                    : rule == 1 ? 100 * items >= part * (uint64_t)a
                                                : 100 * items >= part * (uint64_t)total;
                        if (rule == 2 && i == 0) stays = 1; /* the most probable, where none has the share */
                        right = right && weight[i] == (stays ? (double)count[i] : 0.0);
                        before += items;
                    }
                    CHECK(right);
                }
            }
        }
    }
}

/* The largest counts there are, with a share of which only 128 bits tell on which side of a count it lies. */
static void check_largest(void) {
    const double half = 0x1p52;
    for (int more = -1; more <= 1; more++) {
        uint32_t id[2] = {0, 1}, place[2] = {0, 1};
        double weight[2] = {half, half - 1.0}, room[2];
        const uint64_t of = UINT64_C(1) << 63;
        /* (2^52 - 1) / (2^53 - 1) is (2^63 - 2^11) / (2^64 - 2^11), here over 2^63 */
        const uint64_t part = (of >> 1) - (UINT64_C(1) << 9) - (UINT64_C(1) << 0) + (uint64_t)(more + 1);
        const tb_decoding_t how = {1.0, 0, 1.0, 0.0, 0.5, {1, 1}, {0, 1}, {part, of}, NULL};
        tb_model_t model = {2, id, weight, 0.0, 0.0, place, 2, 1};
        __extension__ typedef unsigned __int128 u128;
        const int stays = (u128)(UINT64_C(1) << 52) * of - of >= (u128)part * ((UINT64_C(1) << 53) - 1);
        tb_decode(&how, &model, room);
        CHECK(weight[0] == half && (weight[1] > 0.0) == stays);
    }
}

/* From the coldest to the hottest nothing overflows, and the most probable category stays. */
static void check_temperatures(void) {
    static const double temperature[] = {1e-3, 0.05, 20.0, 1e3};
    for (size_t i = 0; i < 4; i++) {
        uint32_t id[4] = {0, 1, 2, 3}, place[4] = {0, 1, 2, 3};
        double weight[4] = {0x1p52, 1.0, 0.0, 3.0}, room[4];
        const tb_decoding_t how = {.temperature = temperature[i], .top_p = 1.0};
        tb_model_t model = {4, id, weight, 0.0, 0.0, place, 4, 0};
        tb_decode(&how, &model, room);
        CHECK(weight[0] == 1.0 && weight[2] == 0.0);
        CHECK(fabs(weight[1] - pow(0x1p-52, 1.0 / temperature[i])) <= 1e-13);
        CHECK(weight[3] >= weight[1] && weight[3] <= 1.0);
    }
}

/* Powers that are kept are those that are worked out, in another unit. */
static void check_powers(void) {
    static const double temperature[] = {0.0625, 0.9, 1.1, 1e3};
    static double powers[TB_POWERS];
    CHECK(!tb_fill_powers(0.06, powers));
    for (size_t i = 0; i < 4; i++) {
        uint32_t id[5] = {0, 1, 2, 3, 4}, place[5] = {0, 1, 2, 3, 4};
        double kept[5] = {0x1p52, 1.0, 0.0, TB_POWERS, TB_POWERS - 1}, made[5], room[5];
        tb_decoding_t how = {.temperature = temperature[i], .top_p = 1.0};
        tb_model_t model = {5, id, kept, 0.0, 0.0, place, 5, 1}, other = model;
        other.weight = memcpy(made, kept, sizeof made);
        CHECK(tb_fill_powers(temperature[i], powers));
        tb_decode(&how, &other, room);
        how.powers = powers;
        tb_decode(&how, &model, room);
        CHECK(kept[2] == 0.0 && !model.whole && !other.whole);
        for (int j = 0; j < 5; j++) CHECK(fabs(kept[j] / kept[0] - made[j] / made[0]) <= 1e-12 * made[j] / made[0]);
    }
}

int main(void) {
    check_cuts();
    check_shares();
    check_largest();
    check_temperatures();
    check_powers();
    return finish();
}

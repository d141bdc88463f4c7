/* SPDX-License-Identifier: MIT */
#include "decode.h"

#include <string.h>

#include "fmath.h"

int tb_decodes(const tb_decoding_t *self) {
    return self->temperature != 1.0 || self->top_k || self->top_p < 1.0 || self->min_p > 0.0 || self->epsilon > 0.0;
}

static double heat(double weight, double log_most, double power) {
    return weight > 0.0 ? tb_exp((tb_log(weight) - log_most) * power) : 0.0;
}

/* Doubles that are not negative have the order of their bits. */
static uint64_t order_of(double weight) {
    uint64_t bits;
    memcpy(&bits, &weight, sizeof bits);
    return bits;
}

/* Counts repeat, and so do weights made from them: results are kept by the weight's bits, in a place of a table that
 * these choose. */
enum { MEMORY_BITS = 9, MEMORY = 1 << MEMORY_BITS };

typedef struct {
    double weight[MEMORY], result[MEMORY];
} tb_memory_t;

static size_t place_of(double weight) { return (size_t)(order_of(weight) * 0x9e3779b97f4a7c15u >> (64 - MEMORY_BITS)); }

static double power_of(double count, double power) { return count > 0.0 ? tb_exp(tb_log(count) * power) : 0.0; }

int tb_fill_powers(double temperature, double *powers) {
    const double power = 1.0 / temperature;
    if (power > 16.0) return 0;
    for (size_t c = 0; c < TB_POWERS; c++) powers[c] = power_of((double)c, power);
    return 1;
}

static void raise_counts(tb_model_t *model, const double *powers, double power) {
    for (size_t i = 0; i < model->length; i++) {
        const double count = model->weight[i];
        model->weight[i] = count < (double)TB_POWERS ? powers[(size_t)count] : power_of(count, power);
    }
    model->other = power_of(model->other, power);
}

/* Over the largest, which becomes 1: nothing overflows, and what underflows is less than any draw can tell from 0. */
static void heat_all(tb_model_t *model, double temperature) {
    const double log_most = tb_log(tb_model_largest(model)), power = 1.0 / temperature;
    tb_memory_t memory = {{0}, {0}}; /* 0 stays 0 */
    for (size_t i = 0; i < model->length; i++) {
        const double weight = model->weight[i];
        const size_t at = place_of(weight);
        if (memory.weight[at] != weight) {
            memory.weight[at] = weight;
            memory.result[at] = heat(weight, log_most, power);
        }
        model->weight[i] = memory.result[at];
    }
    model->other = heat(model->other, log_most, power);
}

static void apply_temperature(const tb_decoding_t *self, tb_model_t *model) {
    if (model->whole && self->powers) {
        raise_counts(model, self->powers, 1.0 / self->temperature);
    } else {
        heat_all(model, self->temperature);
    }
    model->whole = 0;
}

/* What a cut looks for: the weight at which the categories above it first make `need`, in number or in weight. */
typedef struct {
    int by_weight;
    double need;
    double cut;  /* the weight */
    double rest; /* of `need`, to be met by categories of the weight `cut` */
} tb_cut_t;

typedef struct {
    const double *weight;
    size_t length;
    double others, other; /* so many more of one weight */
} tb_pile_t;

/* Neighbours mostly share a byte: each of four adds up for itself, or it would wait for the one before. */
static void count_byte(const tb_pile_t *pile, const tb_cut_t *cut, int shift, double bin[256]) {
    double some[4][256] = {{0}};
    for (size_t i = 0; i < pile->length; i++) {
        some[i % 4][order_of(pile->weight[i]) >> shift & 255] += cut->by_weight ? pile->weight[i] : 1.0;
    }
    for (size_t b = 0; b < 256; b++) bin[b] = (some[0][b] + some[1][b]) + (some[2][b] + some[3][b]);
    if (pile->others > 0.0)
        bin[order_of(pile->other) >> shift & 255] += pile->others * (cut->by_weight ? pile->other : 1.0);
}

/* Leaves those with that byte. Whether they are all equal. */
static int keep_byte(tb_pile_t *pile, int shift, uint64_t byte, double *room) {
    size_t kept = 0;
    if ((order_of(pile->other) >> shift & 255) != byte) pile->others = 0.0;
    for (size_t i = 0; i < pile->length; i++) {
        const double weight = pile->weight[i];
        room[kept] = weight;
        kept += (order_of(weight) >> shift & 255) == byte;
    }
    pile->weight = room;
    pile->length = kept;
    const double first = kept ? room[0] : pile->other;
    int equal = pile->others == 0.0 || pile->other == first;
    for (size_t i = 1; equal && i < kept; i++) equal = room[i] == first;
    return equal;
}

/* Counts are whole and most are small, and what a cut removes begins with the smallest: how many have each small count
 * nearly always tells where it ends. */
enum { SMALL = 64 };

static int find_small_cut(const tb_model_t *model, tb_cut_t *cut) {
    uint32_t some[4][SMALL] = {{0}};
    double above = cut->by_weight ? tb_model_total(model) : (double)model->length;
    if (!model->whole || (model->others > 0.0 && model->other > 0.0)) return 0;
    for (size_t i = 0; i < model->length; i++) {
        const double weight = model->weight[i];
        some[i % 4][(size_t)(weight < (double)SMALL ? weight : 0.0)] += weight < (double)SMALL;
    }
    for (size_t c = 0; c < SMALL; c++) {
        const double often = (double)(some[0][c] + some[1][c] + some[2][c] + some[3][c]);
        above -= often * (cut->by_weight ? (double)c : 1.0);
        if (above >= cut->need) continue;
        cut->cut = (double)c;
        cut->rest = cut->need - above;
        return 1;
    }
    return 0;
}

/* Byte by byte from the highest, each time among those that share the bytes before, until these are all equal. */
static void find_cut(const tb_model_t *model, tb_cut_t *cut, double *room) {
    tb_pile_t pile = {model->weight, model->length, model->others, model->other};
    cut->rest = cut->need;
    for (int shift = 56, equal = 0; shift >= 0 && !equal; shift -= 8) {
        double bin[256];
        int byte = 255;
        count_byte(&pile, cut, shift, bin);
        while (byte > 0 && bin[byte] < cut->rest) cut->rest -= bin[byte--];
        /* the last bin may make up for what rounding lost */
        while (byte < 255 && bin[byte] == 0.0) cut->rest = bin[++byte];
        equal = keep_byte(&pile, shift, (uint64_t)byte, room);
    }
    cut->cut = pile.length ? pile.weight[0] : pile.other;
}

static void cut_below(tb_model_t *model, double least) {
    for (size_t i = 0; i < model->length; i++) model->weight[i] = model->weight[i] < least ? 0.0 : model->weight[i];
    if (model->other < least) model->other = 0.0;
}

/* The first `keep` of some numbers, from the largest on, end with this one. Where no category comes back ids ascend. */
static double last_kept(double *number, size_t count, double keep) {
    int falling = 1;
    for (size_t i = 1; i < count; i++) falling &= number[i] < number[i - 1];
    if (falling) return number[(size_t)keep - 1];
    const tb_model_t all = {.length = count, .weight = number};
    tb_cut_t cut = {.by_weight = 0, .need = keep};
    find_cut(&all, &cut, number);
    return cut.cut;
}

/* Of the categories of one weight, the lowest ids stay. Ids that are not listed are listed as far as they may stay. */
static void keep_lowest(tb_model_t *model, double weight, double keep, double *room) {
    if (model->others > 0.0 && model->other == weight) {
        tb_model_list(model, (size_t)(keep < model->others ? keep : model->others));
        model->other = 0.0;
    }
    size_t ties = 0;
    for (size_t i = 0; i < model->length; i++) {
        room[ties] = (double)(model->categories + 1 - model->id[i]);
        ties += model->weight[i] == weight;
    }
    if (keep >= (double)ties) return;
    const double last = last_kept(room, ties, keep);
    for (size_t i = 0; i < model->length; i++) {
        const int goes = (model->weight[i] == weight) & ((double)(model->categories + 1 - model->id[i]) < last);
        model->weight[i] = goes ? 0.0 : model->weight[i];
    }
}

static void keep_top(tb_model_t *model, tb_cut_t cut, double *room) {
    if (!find_small_cut(model, &cut)) find_cut(model, &cut, room);
    if (cut.cut == 0.0) return;
    cut_below(model, cut.cut);
    keep_lowest(model, cut.cut, cut.by_weight ? __builtin_ceil(cut.rest / cut.cut) : cut.rest, room);
}

/* The weight that has a share of some amount. Among whole weights it is the first that is not below it, without any
 * rounding. */
static double share_of(double share, tb_ratio_t exact, double amount, int whole) {
    if (!whole || !exact.of) return share * amount;
    __extension__ typedef unsigned __int128 u128;
    const u128 product = (u128)exact.part * (uint64_t)amount;
    return product ? (double)(uint64_t)((product + exact.of - 1) / exact.of) : 1.0;
}

void tb_decode(const tb_decoding_t *self, tb_model_t *model, double *room) {
    const int whole = model->whole && self->temperature == 1.0;
    if (self->temperature != 1.0) apply_temperature(self, model);
    if (self->top_k) keep_top(model, (tb_cut_t){.by_weight = 0, .need = (double)self->top_k}, room);
    if (self->top_p < 1.0) {
        const double need = share_of(self->top_p, self->exact_top_p, tb_model_total(model), whole);
        keep_top(model, (tb_cut_t){.by_weight = 1, .need = need}, room);
    }
    if (self->min_p > 0.0) {
        cut_below(model, share_of(self->min_p, self->exact_min_p, tb_model_largest(model), whole));
    }
    if (self->epsilon > 0.0) {
        const double most = tb_model_largest(model),
                     least = share_of(self->epsilon, self->exact_epsilon, tb_model_total(model), whole);
        if (most < least) {
            keep_top(model, (tb_cut_t){.by_weight = 0, .need = 1.0}, room);
        } else {
            cut_below(model, least);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/* Verdicts over a model: held-out data, groups, and the head and tail of the reference. */
#include "judge.h"

#include <math.h>
#include <string.h>

#include "core.h"
#include "fmath.h"

/* What one pass over a model adds up. Held-out data count in tokens. */
typedef struct {
    double squares;         /* of weights */
    double cross;           /* weights times tokens */
    double logs;            /* tokens times logarithm of the floored weight, of what has one */
    double listed, weighed; /* tokens of what is listed; of what has a weight */
    double largest, ties, tied_tokens;
} scores_t;

static uint32_t id_at(const tb_list_t *list, size_t i) { return list->id ? list->id[i * list->stride] : (uint32_t)i; }

static double weight_at(const tb_list_t *list, size_t i) { return list->weight[i * list->stride]; }

static double tokens_of(const tb_plan_t *plan, uint32_t id) { return (double)plan->program.judge.held_out[id]; }

/* Bands run from rare to common, so each begins behind the next. */
static size_t band_of(const tb_program_t *program, uint32_t id) {
    size_t band = 0;
    while (band + 1 < program->band_count && program->band_start[band] > id) band++;
    return band;
}

/* Of a positive weight: looking one up changes no bit. */
static double log_of(const tb_plan_t *plan, double weight) {
    if (weight < (double)TB_LOGS && weight == (double)(uint32_t)weight) return plan->bench.log_of[(uint32_t)weight];
    return tb_log(weight);
}

/* Whole numbers, and so exact in any order. */
static void judge_presence(const tb_plan_t *plan, const tb_list_t *list, tb_verdict_t *out) {
    const tb_program_t *program = &plan->program;
    const tb_judge_t *by = &program->judge;
    double tokens = 0.0, types = 0.0, tail = 0.0;
    memset(out->held_out_coverage, 0, sizeof out->held_out_coverage);
    for (size_t i = 0; i < list->length; i++) {
        const uint32_t id = id_at(list, i);
        if (weight_at(list, i) == 0.0 || id >= program->categories) continue;
        if (id >= program->tail_start) tail += plan->weight[id];
        if (!by->held_out || !by->held_out[id]) continue;
        tokens += tokens_of(plan, id);
        types += 1.0;
        out->held_out_coverage[band_of(program, id)] += tokens_of(plan, id);
    }
    out->tail_coverage = program->tail_start < program->categories ? tail / plan->total : NAN;
    out->oov_tokens = ((double)by->tokens - tokens) / (double)by->tokens;
    out->oov_types = ((double)by->types - types) / (double)by->types;
    for (size_t b = 0; b < program->band_count; b++) out->held_out_coverage[b] /= plan->bench.band_tokens[b];
}

static void add_top(scores_t *sums, double weight, double count, double tokens) {
    if (weight < sums->largest) return;
    if (weight > sums->largest) sums->largest = weight, sums->ties = 0.0, sums->tied_tokens = 0.0;
    sums->ties += count;
    sums->tied_tokens += tokens;
}

static void add_scores(const tb_plan_t *plan, const tb_list_t *list, scores_t *sums) {
    const double least = TB_FLOOR * list->total;
    memset(sums, 0, sizeof *sums);
    for (size_t i = 0; i < list->length; i++) {
        const uint32_t id = id_at(list, i);
        if (id >= plan->program.categories) continue;
        const double weight = weight_at(list, i), tokens = tokens_of(plan, id);
        sums->listed += tokens;
        if (weight == 0.0) continue;
        sums->weighed += tokens;
        sums->squares += weight * weight;
        sums->cross += weight * tokens;
        if (tokens > 0.0) sums->logs += tokens * log_of(plan, weight > least ? weight : least);
        add_top(sums, weight, 1.0, tokens);
    }
}

/* The categories that are not listed, all of one weight. */
static void add_others(const tb_plan_t *plan, const tb_list_t *list, scores_t *sums) {
    const double tokens = plan->bench.known - sums->listed, least = TB_FLOOR * list->total;
    if (list->others == 0.0 || list->other == 0.0) return;
    sums->weighed += tokens;
    sums->squares += list->others * list->other * list->other;
    sums->cross += list->other * tokens;
    sums->logs += tokens * tb_log(list->other > least ? list->other : least);
    add_top(sums, list->other, list->others, tokens);
}

static void judge_scores(const tb_plan_t *plan, const tb_list_t *list, tb_verdict_t *out) {
    const double tokens = (double)plan->program.judge.tokens;
    scores_t sums;
    add_scores(plan, list, &sums);
    add_others(plan, list, &sums);
    const double squares = sums.squares / list->total / list->total, cross = sums.cross / list->total / tokens;
    out->held_out_brier = squares - 2.0 * cross + plan->bench.squares;
    out->overconfidence = squares - cross;
    const double unseen = tokens - sums.weighed;
    out->cross_entropy = tb_log(list->total) - (sums.logs + unseen * tb_log(TB_FLOOR * list->total)) / tokens;
    out->top_share_held_out = sums.tied_tokens / sums.ties / tokens;
}

double tb_weight_below(const tb_plan_t *plan, size_t end) {
    double sum = 0.0;
    if (end == plan->program.categories) return plan->total;
    for (size_t height = 0; end > 0; height++, end /= 2) {
        const double *level = height ? plan->levels[height] : plan->weight;
        if (end % 2) sum += level[end - 1];
    }
    return sum;
}

size_t tb_first_below(const tb_plan_t *plan, double p) {
    size_t low = 0, high = plan->program.categories;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (plan->weight[middle] / plan->total < p) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* What the categories of the head that are not listed exceed the reference by; each has probability p. */
static double others_variation(const tb_plan_t *plan, const tb_list_t *list, double p) {
    const size_t end = plan->program.tail_start;
    size_t first = tb_first_below(plan, p * plan->bench.head / plan->total);
    if (first > end) first = end;
    double rare = (double)(end - first), weight = tb_weight_below(plan, end) - tb_weight_below(plan, first);
    for (size_t i = 0; i < list->length; i++) {
        const size_t id = id_at(list, i);
        if (id < first || id >= end) continue;
        rare -= 1.0;
        weight -= plan->weight[id];
    }
    return rare * p - weight / plan->bench.head;
}

/* Total variation to the reference, both given that an item is of the head. */
static double head_variation(const tb_plan_t *plan, const tb_list_t *list) {
    const uint32_t end = plan->program.tail_start;
    double weight = 0.0, listed = 0.0, variation = 0.0;
    for (size_t i = 0; i < list->length; i++) {
        if (id_at(list, i) < end) weight += weight_at(list, i), listed += 1.0;
    }
    const double other = list->others > 0.0 ? list->other : 0.0;
    if (other > 0.0) weight += other * ((double)end - listed);
    if (end == 0 || weight == 0.0) return NAN;
    const double per_weight = 1.0 / weight, per_reference = 1.0 / plan->bench.head;
    for (size_t i = 0; i < list->length; i++) {
        const uint32_t id = id_at(list, i);
        const double excess = id < end ? weight_at(list, i) * per_weight - plan->weight[id] * per_reference : 0.0;
        if (excess > 0.0) variation += excess;
    }
    return other > 0.0 ? variation + others_variation(plan, list, other / weight) : variation;
}

static void judge_groups(const tb_plan_t *plan, const tb_list_t *present, const tb_list_t *model, tb_verdict_t *out) {
    const tb_judge_t *by = &plan->program.judge;
    double listed[TB_MAX_GROUPS] = {0};
    memset(out->group_survivors, 0, sizeof out->group_survivors);
    memset(out->group_mass, 0, sizeof out->group_mass);
    for (size_t i = 0; i < present->length; i++) {
        const uint32_t id = id_at(present, i);
        if (id < plan->program.categories && weight_at(present, i) > 0.0) out->group_survivors[by->group[id]] += 1.0;
    }
    for (size_t i = 0; i < model->length; i++) {
        const uint32_t id = id_at(model, i);
        if (id >= plan->program.categories) continue;
        out->group_mass[by->group[id]] += weight_at(model, i);
        listed[by->group[id]] += 1.0;
    }
    for (size_t g = 0; g < by->groups; g++) {
        if (model->others > 0.0) out->group_mass[g] += model->other * (plan->bench.group_size[g] - listed[g]);
        out->group_mass[g] /= model->total;
    }
}

void tb_judge(const tb_plan_t *plan, const tb_list_t *present, const tb_list_t *model, tb_verdict_t *out) {
    const tb_bench_t *bench = &plan->bench;
    if (bench->presence) judge_presence(plan, present, out);
    if (bench->scores) judge_scores(plan, model, out);
    if (bench->variation) out->head_total_variation = head_variation(plan, model);
    if (bench->by_group) judge_groups(plan, present, model, out);
}

static void write_one(double *to, size_t row, double value) {
    if (to) to[row] = value;
}

static void write_many(double *to, size_t row, const double *values, size_t count) {
    if (to) memcpy(to + row * count, values, count * sizeof *to);
}

void tb_write_verdict(const tb_plan_t *plan, const tb_judged_t *to, size_t row, const tb_verdict_t *verdict) {
    const size_t groups = plan->program.judge.groups;
    write_one(to->oov_tokens, row, verdict->oov_tokens);
    write_one(to->oov_types, row, verdict->oov_types);
    write_one(to->held_out_brier, row, verdict->held_out_brier);
    write_one(to->cross_entropy, row, verdict->cross_entropy);
    write_one(to->cross_entropy_excess, row, verdict->cross_entropy - plan->bench.reference.cross_entropy);
    write_one(to->overconfidence, row, verdict->overconfidence);
    write_one(to->top_share_held_out, row, verdict->top_share_held_out);
    write_one(to->tail_coverage, row, verdict->tail_coverage);
    write_one(to->head_total_variation, row, verdict->head_total_variation);
    write_many(to->held_out_coverage, row, verdict->held_out_coverage, plan->program.band_count);
    write_many(to->group_mass, row, verdict->group_mass, groups);
    for (size_t g = 0; to->group_survivors && g < groups; g++) {
        to->group_survivors[row * groups + g] = (int32_t)verdict->group_survivors[g];
    }
}

static void add_held_out(tb_plan_t *plan) {
    const tb_judge_t *by = &plan->program.judge;
    tb_bench_t *bench = &plan->bench;
    double squares = 0.0;
    for (uint32_t i = 0; i < plan->program.categories; i++) {
        const double share = tokens_of(plan, i) / (double)by->tokens;
        bench->known += tokens_of(plan, i);
        bench->band_tokens[band_of(&plan->program, i)] += tokens_of(plan, i);
        squares += share * share;
    }
    bench->squares = squares + by->squares_outside;
}

void tb_bench_fill(tb_plan_t *plan, const tb_judged_t *wanted) {
    const tb_program_t *program = &plan->program;
    const tb_judge_t *by = &program->judge;
    tb_bench_t *bench = &plan->bench;
    bench->presence = wanted->oov_tokens || wanted->oov_types || wanted->held_out_coverage || wanted->tail_coverage;
    bench->scores = wanted->held_out_brier || wanted->cross_entropy || wanted->cross_entropy_excess ||
                    wanted->overconfidence || wanted->top_share_held_out;
    bench->variation = wanted->head_total_variation != NULL;
    bench->by_group = wanted->group_survivors || wanted->group_mass;
    bench->any = bench->presence || bench->scores || bench->variation || bench->by_group;
    for (size_t i = 1; bench->scores && i < TB_LOGS; i++) bench->log_of[i] = tb_log((double)i);
    if (by->held_out) add_held_out(plan);
    for (size_t i = 0; bench->by_group && i < program->categories; i++) bench->group_size[by->group[i]] += 1.0;
    for (uint32_t i = 0; bench->variation && i < program->tail_start; i++) bench->head += plan->weight[i];
    const tb_list_t all = {plan->weight, NULL, program->categories, 1, plan->total, 0.0, 0.0};
    if (bench->any) tb_judge(plan, &all, &all, &bench->reference);
}

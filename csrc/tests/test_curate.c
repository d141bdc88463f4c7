/* SPDX-License-Identifier: MIT */
/* Curation against every sequence of candidates. */
#include <math.h>

#include "checks.h"
#include "curate.h"

enum { COUNT = 4, LEVELS = 3, CANDIDATES = 4 };

static const uint32_t level[COUNT] = {2, 0, 1, 2};
static const double factor[LEVELS] = {0.125, 0.5, 1.0};
static const double near[LEVELS] = {-2.0, -0.5, 0.25}, far[LEVELS] = {-900.0, -1e-3, 1e300};
static const double *reward = near;

/* The probability of what is taken out of these candidates, for each of them. */
static void take(const tb_curation_t *rule, const int *candidate, int k, double probability, double *out) {
    double sum = 0.0, share[CANDIDATES];
    int best = 0;
    for (int i = 0; i < k; i++) {
        if (level[candidate[i]] > level[candidate[best]]) best = i;
    }
    for (int i = 0; i < k; i++) {
        share[i] = exp(reward[level[candidate[i]]] - reward[level[candidate[best]]]);
        sum += share[i];
    }
    if (rule->kind == TB_CURATE_BEST_OF) {
        out[candidate[best]] += probability;
        return;
    }
    for (int i = 0; i < k; i++) out[candidate[i]] += probability * share[i] / sum;
}

static void enumerate(const tb_curation_t *rule, const double *p, int k, double *out) {
    int sequences = 1;
    for (int i = 0; i < k; i++) sequences *= COUNT;
    for (int s = 0; s < sequences; s++) {
        int candidate[CANDIDATES], rest = s;
        double probability = 1.0;
        for (int i = 0; i < k; i++, rest /= COUNT) {
            candidate[i] = rest % COUNT;
            probability *= p[candidate[i]];
        }
        take(rule, candidate, k, probability, out);
    }
}

static void check_rule(int kind, int k, const double *weight) {
    uint32_t id[COUNT] = {3, 0, 2, 1}, place[COUNT] = {1, 3, 2, 0};
    double listed[COUNT], room[3 * LEVELS], p[COUNT], expected[COUNT] = {0}, sum = 0.0, after = 0.0;
    const tb_curation_t rule = {kind, (uint64_t)k, LEVELS, level, reward, NULL};
    tb_model_t model = {COUNT, id, listed, 0.0, 0.0, place, COUNT, 0};
    for (int i = 0; i < COUNT; i++) sum += weight[i];
    for (int i = 0; i < COUNT; i++) {
        p[i] = weight[i] / sum;
        listed[i] = weight[id[i]];
    }
    enumerate(&rule, p, k, expected);
    tb_curate(&rule, &model, room);
    for (int i = 0; i < COUNT; i++) after += listed[i];
    for (int i = 0; i < COUNT; i++) CHECK(fabs(listed[place[i]] / after - expected[i]) < 1e-15 * 16);
}

static void check_rules(void) {
    static const double weights[3][COUNT] = {{3, 1, 4, 2}, {0.5, 0, 2, 0.25}, {0, 1e-9, 1, 0}};
    for (int w = 0; w < 3; w++) {
        for (int k = 2; k <= CANDIDATES; k++) {
            check_rule(TB_CURATE_CHOICE, k, weights[w]);
            check_rule(TB_CURATE_BEST_OF, k, weights[w]);
        }
    }
}

/* Without end of candidates: e^reward beside that of the best there is, however far the others are. */
static void check_choice_among_all(void) {
    uint32_t id[COUNT] = {0, 1, 2, 3}, place[COUNT] = {0, 1, 2, 3};
    double all[COUNT] = {1, 2, 3, 4}, worst[COUNT] = {0, 2, 0, 0}, some[COUNT] = {0, 2, 3, 0}, room[3 * LEVELS];
    const tb_curation_t rule = {TB_CURATE_CHOICE, 0, LEVELS, level, far, NULL};
    tb_model_t model = {COUNT, id, all, 0.0, 0.0, place, COUNT, 0};
    tb_curate(&rule, &model, room);
    CHECK(all[0] == 1.0 && all[1] == 0.0 && all[2] == 0.0 && all[3] == 4.0);
    model.weight = worst;
    tb_curate(&rule, &model, room);
    CHECK(worst[0] == 0.0 && worst[1] == 2.0 && worst[2] == 0.0 && worst[3] == 0.0);
    model.weight = some;
    tb_curate(&rule, &model, room);
    CHECK(some[1] == 0.0 && some[2] == 3.0);
}

static void check_weights(void) {
    uint32_t id[COUNT] = {0, 1, 2, 3}, place[COUNT] = {0, 1, 2, 3};
    double weight[COUNT] = {1, 2, 3, 4};
    const tb_curation_t rule = {TB_CURATE_WEIGH, 0, LEVELS, level, factor, NULL};
    tb_model_t model = {COUNT, id, weight, 0.0, 0.0, place, COUNT, 0};
    tb_curate(&rule, &model, NULL);
    CHECK(weight[1] == 0.25 * weight[0] && weight[2] == 1.5 * weight[0] && weight[3] == 4.0 * weight[0]);
}

/* The rarest of doubles as a rate: what is accepted by it alone keeps its law. */
static void check_smallest_rate(void) {
    static const double rates[LEVELS] = {0x1p-1074, 0.0, 0.0};
    static const uint32_t same[COUNT] = {0, 0, 0, 0};
    uint32_t id[COUNT] = {0, 1, 2, 3}, place[COUNT] = {0, 1, 2, 3};
    double weight[COUNT] = {0.1, 0.2, 0.3, 0.4}, lump;
    const tb_curation_t rule = {TB_CURATE_WEIGH, 0, LEVELS, same, rates, NULL};
    tb_model_t model = {COUNT, id, weight, 0.0, 0.0, place, COUNT, 0};
    tb_curate(&rule, &model, NULL);
    const double total = tb_model_quantise(&model, tb_isa_best(), &lump);
    for (int i = 0; i < COUNT; i++) CHECK(fabs(weight[i] / total - 0.1 * (i + 1)) < 1e-15);
}

static void check_best(void) {
    static const uint32_t id[COUNT] = {3, 0, 2, 1};
    static const double batch[COUNT] = {5, 2, 7, 1}; /* by level, from the best: 7, 7, 1 */
    const tb_curation_t rule = {TB_CURATE_TOP, 0, LEVELS, level, factor, NULL};
    double room[LEVELS];
    tb_best_t best = tb_find_best(&rule, id, batch, COUNT, 4.0, room);
    CHECK(best.level == 2 && best.total == 7.0 && best.keep == 4.0);
    best = tb_find_best(&rule, id, batch, COUNT, 7.0, room);
    CHECK(best.level == 2 && best.keep == 7.0);
    best = tb_find_best(&rule, id, batch, COUNT, 9.0, room);
    CHECK(best.level == 1 && best.total == 7.0 && best.keep == 2.0);
    best = tb_find_best(&rule, id, batch, COUNT, 15.0, room);
    CHECK(best.level == 0 && best.total == 1.0 && best.keep == 1.0);
}

int main(void) {
    check_rules();
    reward = far;
    check_rules();
    check_choice_among_all();
    check_weights();
    check_smallest_rate();
    check_best();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Sums over a shaped model, for records: of the model given that it is right, as its estimator made it; what counts as
 * present is what the training set holds. */
#include <string.h>

#include "fmath.h"
#include "lineage.h"

/* What those not listed add to the distances from the reference; each has probability p and weight w. */
static void add_reference(const tb_lineage_t *self, double p, double w, tb_sums_t *sums) {
    const tb_plan_t *plan = self->plan;
    const tb_model_t *model = &self->model;
    const size_t categories = model->categories, first = tb_first_below(plan, p);
    double logs = plan->sum_log_q, weight = plan->total, rare = (double)(categories - first);
    double rare_weight = plan->total - tb_weight_below(plan, first);
    for (size_t i = 0; i < model->length; i++) {
        const size_t id = model->id[i];
        if (id == categories) continue;
        logs -= plan->log_q[id];
        weight -= plan->weight[id];
        rare -= id >= first;
        rare_weight -= id >= first ? plan->weight[id] : 0.0;
    }
    sums->cross[0] += w * logs;
    sums->variation[0] += rare * p - rare_weight / plan->total;
    sums->brier[0] += model->others * p * p - 2.0 * p * (weight / plan->total);
}

static void add_edges(const tb_lineage_t *self, double w, tb_sums_t *sums) {
    const tb_model_t *model = &self->model;
    const tb_yardstick_t *by = &self->plan->yardstick;
    for (size_t e = 0; e < by->edge_count; e++) {
        double beyond = (double)model->categories - (double)by->edges[e];
        for (size_t i = 0; i < model->length; i++) {
            beyond -= model->id[i] >= by->edges[e] && model->id[i] < model->categories;
        }
        sums->edge_weight[e][0] += beyond * w;
    }
}

static void add_unlisted(const tb_lineage_t *self, double lump, double total, tb_sums_t *sums) {
    const unsigned what = self->plan->sums;
    const double w = lump / self->model.others;
    if (what & TB_SUM_SHARES) {
        sums->square[0] += lump * w;
        if (w > sums->largest[0]) sums->largest[0] = w;
    }
    if (what & TB_SUM_ENTROPY) sums->entropy[0] += lump * tb_log(w);
    if (what & TB_SUM_EDGES) add_edges(self, w, sums);
    if (what & TB_SUM_REFERENCE) add_reference(self, w / total, w, sums);
}

/* What is counted in the training set, not in the model. */
static void copy_presence(const tb_sums_t *from, tb_sums_t *to, size_t edges) {
    memcpy(to->present, from->present, sizeof to->present);
    memcpy(to->covered, from->covered, sizeof to->covered);
    memcpy(to->edge_present, from->edge_present, edges * sizeof *to->edge_present);
}

/* Nothing is right: nothing is present, and no share is one of anything. */
static void add_nothing(tb_sums_t *sums, double *total) {
    memset(sums, 0, sizeof *sums);
    sums->variation[0] = sums->brier[0] = *total = (double)__builtin_nan("");
}

int tb_add_up_shaped(tb_lineage_t *self, tb_sums_t *sums, double *total) {
    const tb_plan_t *plan = self->plan;
    tb_sums_t counted;
    double lump = 0.0;
    *total = self->total - tb_wrong(self);
    if (*total <= 0.0) {
        add_nothing(sums, total);
        return TB_OK;
    }
    double *at_wrong = tb_wrong_of(self, self->weight);
    const double wrong = tb_wrong(self);
    if (at_wrong) *at_wrong = 0.0;
    tb_add_up(plan, self->weight, self->id, self->length, *total, &counted);
    if (at_wrong) *at_wrong = wrong;
    if (plan->program.estimator.kind == TB_MAXIMUM_LIKELIHOOD) {
        *sums = counted;
        return TB_OK;
    }
    int code = tb_estimate(self, 0);
    if (code) return code;
    if (at_wrong) *tb_wrong_of(self, self->model.weight) = 0.0;
    *total = tb_model_quantise(&self->model, plan->kernels, &lump);
    tb_add_up(plan, self->model.weight, self->id, self->length, *total, sums);
    if (lump > 0.0) add_unlisted(self, lump, *total, sums);
    copy_presence(&counted, sums, plan->yardstick.edge_count);
    return TB_OK;
}

void tb_list_shaped(const tb_lineage_t *self, double total, tb_list_t *present, tb_list_t *model) {
    *present = (tb_list_t){self->weight, self->id, self->length, 1, total, 0.0, 0.0};
    *model = *present;
    if (self->plan->program.estimator.kind == TB_MAXIMUM_LIKELIHOOD || !(total > 0.0)) return;
    model->weight = self->model.weight;
    model->others = self->model.others;
    if (model->others > 0.0) model->other = (total - tb_sum(model->weight, self->length)) / model->others;
}

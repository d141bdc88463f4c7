/* SPDX-License-Identifier: MIT */
/* Rules compiled elsewhere. */
#include <string.h>

#include "lineage.h"

static const double MOST = 0x1p800, LEAST = 0x1p-800;

static int is_wrong(double weight) { return !(weight >= 0.0 && weight <= MOST); }

void tb_tell(const tb_lineage_t *self, int problem, int decoding, double weight) {
    tb_failure_t *failure = self->recorder->output->failure;
    if (failure) *failure = (tb_failure_t){problem, decoding, self->replicate, self->generation, weight};
}

static int fail(const tb_lineage_t *self, int decoding, int problem, double weight) {
    tb_tell(self, problem, decoding, weight);
    return TB_ERR_RULE;
}

/* -0 becomes 0. Whether some cannot be drawn: doubles that can have the order of their bits, those of all others are
 * larger. */
static int settle(double *weight, size_t length) {
    uint64_t most, bits, wrong = 0;
    memcpy(&most, &MOST, sizeof most);
    for (size_t i = 0; i < length; i++) {
        weight[i] += 0.0;
        memcpy(&bits, &weight[i], sizeof bits);
        wrong |= bits | (most - bits);
    }
    return wrong >> 63 != 0;
}

int tb_apply_rule(tb_lineage_t *self, int decoding) {
    const tb_rules_t *rules = &self->plan->program.rules;
    tb_rule_t *rule = decoding ? rules->decoding : rules->estimator;
    tb_model_t *model = &self->model;
    double other = model->other, *wrong = decoding ? NULL : tb_wrong_of(self, model->weight);
    if (wrong) *wrong = 0.0;
    model->whole = 0;
    if (rule(model->weight, model->id, model->length, model->others, &other, self->generation)) {
        return fail(self, decoding, TB_RULE_GAVE_UP, 0.0);
    }
    if (is_wrong(other)) return fail(self, decoding, TB_RULE_WRONG_WEIGHT, other);
    model->other = other + 0.0;
    if (settle(model->weight, model->length)) {
        size_t i = 0;
        while (!is_wrong(model->weight[i])) i++;
        return fail(self, decoding, TB_RULE_WRONG_WEIGHT, model->weight[i]);
    }
    if (wrong) *wrong = 0.0; /* an estimator fits what is right */
    const double total = tb_model_total(model);
    if (total < LEAST) return fail(self, decoding, TB_RULE_NOTHING, 0.0);
    if (!decoding) self->even = model->other * (double)model->categories / total;
    return TB_OK;
}

/* In the counts' unit. */
static void scale_to(tb_model_t *model, double right) {
    const double scale = right / tb_model_total(model);
    if (__builtin_fabs(scale - 1.0) < 0x1p-40) return; /* it is, but for rounding: their bits stay */
    for (size_t i = 0; i < model->length; i++) model->weight[i] *= scale;
    model->other *= scale;
}

int tb_weigh_present(tb_lineage_t *self) {
    tb_model_t *model = &self->model;
    tb_scratch_t *scratch = self->scratch;
    model->id = scratch->present;
    model->length =
        self->plan->kernels->compact(self->id, self->weight, self->length, scratch->present, scratch->beside);
    memset(scratch->beside + model->length, 0, TB_PAD * sizeof *scratch->beside);
    model->others = (double)(model->categories - model->length);
    model->other = 0.0;
    memcpy(model->weight, scratch->beside, model->length * sizeof *model->weight);
    return tb_apply_rule(self, 0);
}

/* From the last to the first, none of which moves down. */
static void list_absent(tb_lineage_t *self) {
    tb_model_t *model = &self->model;
    size_t from = model->length;
    for (size_t i = self->length; i-- > 0;) {
        const int present = self->weight[i] > 0.0;
        from -= (size_t)present;
        model->weight[i] = present ? model->weight[from] : model->other;
    }
    model->id = self->id;
    model->length = self->length;
    model->others = 0.0;
}

int tb_weigh_by_rule(tb_lineage_t *self, double right) {
    tb_model_t *model = &self->model;
    if (!self->full) memcpy(model->weight, self->weight, self->length * sizeof *model->weight);
    int code = self->full ? tb_weigh_present(self) : tb_apply_rule(self, 0);
    if (!code) scale_to(model, right);
    if (!code && self->full) list_absent(self);
    return code;
}

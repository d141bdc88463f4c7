/* SPDX-License-Identifier: MIT */
/* Rules compiled elsewhere. */
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
    model->other = __builtin_fabs(other); /* -0 is 0 */
    for (size_t i = 0; i < model->length; i++) {
        if (is_wrong(model->weight[i])) return fail(self, decoding, TB_RULE_WRONG_WEIGHT, model->weight[i]);
        model->weight[i] = __builtin_fabs(model->weight[i]);
    }
    if (wrong) *wrong = 0.0; /* an estimator fits what is right */
    return tb_model_total(model) < LEAST ? fail(self, decoding, TB_RULE_NOTHING, 0.0) : TB_OK;
}

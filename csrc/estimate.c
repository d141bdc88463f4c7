/* SPDX-License-Identifier: MIT */
/* From the counts of a training set to the weights of a model. Items outside the reference keep their share whatever
 * the estimator; it fits the rest, which is called right here. */
#include <stdlib.h>
#include <string.h>

#include "fmath.h"
#include "lineage.h"

/* What falls below this share of a model that remembers the one before is left out. */
static const double LEAST = 0x1p-53;

double *tb_wrong_of(const tb_lineage_t *self, double *column) {
    const tb_program_t *program = &self->plan->program;
    return program->error_rate > 0.0 ? column + self->place[program->categories] : NULL;
}

double tb_wrong(const tb_lineage_t *self) {
    const double *wrong = tb_wrong_of(self, self->weight);
    return wrong ? *wrong : 0.0;
}

/* Of the right items' law: what is wrong counts 0 here. Beyond the length everything is 0. */
static double sum_squares(const tb_lineage_t *self, double right) {
    const double per_item = 1.0 / right;
    double lane[TB_ROW] = {0};
    for (size_t i = 0; i < self->length; i += TB_ROW) {
        for (size_t j = 0; j < TB_ROW; j++) {
            const double p = self->weight[i + j] * per_item;
            lane[j] += p * p;
        }
    }
    return tb_sum(lane, TB_ROW);
}

/* The share of the target that James & Stein's rule finds (Hausser & Strimmer 2009, JMLR 10:1469). */
static double shrinkage(const tb_lineage_t *self, double right) {
    const tb_estimator_t *by = &self->plan->program.estimator;
    if (by->smoothed && self->generation == 1) return 0.0;
    if (by->amount >= 0.0) return by->amount;
    double *wrong = tb_wrong_of(self, self->weight);
    const double aside = tb_wrong(self), even = 1.0 / (double)self->plan->program.categories;
    if (wrong) *wrong = 0.0;
    double squares, distance;
    if (by->smoothed) {
        self->plan->kernels->compare_models(self->weight, self->before, self->length, 1.0 / right, &squares, &distance);
    } else {
        squares = sum_squares(self, right);
        distance = squares - even;
    }
    if (wrong) *wrong = aside;
    const double share = (1.0 - squares) / ((right - 1.0) * distance);
    return share < 1.0 ? (share > 0.0 ? share : 0.0) : 1.0; /* 1 where the two laws are one, or there is one item */
}

double tb_even_share(const tb_lineage_t *self) {
    const tb_estimator_t *by = &self->plan->program.estimator;
    const double right = self->total - tb_wrong(self);
    if (right <= 0.0 || by->kind == TB_MAXIMUM_LIKELIHOOD) return 0.0;
    if (by->kind == TB_SHRINKAGE && !by->smoothed) return shrinkage(self, right);
    if (by->kind != TB_ADD_K) return -1.0;
    const double added = by->amount * (double)self->plan->program.categories;
    return added / (right + added);
}

/* (1 - share) of the counts and `share` of the even law. */
static void mix_even(tb_lineage_t *self, double right, double share) {
    tb_model_t *model = &self->model;
    model->other = share * right / (double)model->categories;
    for (size_t i = 0; i < self->length; i++) model->weight[i] = (1.0 - share) * self->weight[i] + model->other;
}

/* Nothing is wrong in either law. What is left out is next to nothing. */
static void mix_before(tb_lineage_t *self, double right, double share, int keep) {
    const tb_mixing_t by = {(1.0 - share) / right, share, LEAST, right};
    double *wrong = tb_wrong_of(self, self->weight);
    const double aside = tb_wrong(self);
    if (wrong) *wrong = 0.0;
    self->plan->kernels->mix_models(self->weight, self->before, self->length, &by, keep ? self->before : NULL,
                                    self->model.weight);
    if (wrong) *wrong = aside;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Room for so many distinct counts, without what the old room held. */
static int make_room(tb_lineage_t *self, size_t wanted) {
    tb_spectrum_t *to = &self->spectrum;
    if (wanted <= to->capacity) return TB_OK;
    tb_give(to->value);
    tb_give(to->often);
    tb_give(to->worth);
    to->capacity = 2 * wanted;
    to->value = tb_take(to->capacity, sizeof(double), &self->bytes);
    to->often = tb_take(to->capacity, sizeof(double), &self->bytes);
    to->worth = tb_take(to->capacity, sizeof(double), &self->bytes);
    if (self->bytes > self->peak) self->peak = self->bytes;
    return to->value && to->often && to->worth ? TB_OK : TB_ERR_MEMORY;
}

/* What is wrong has a count that is none of a category's. */
static size_t leave_out(double wrong, uint32_t *often, double *large, size_t count) {
    size_t at = 0;
    if (wrong < (double)TB_SMALL) {
        often[(size_t)wrong]--;
        return count;
    }
    while (large[at] != wrong) at++;
    large[at] = large[--count];
    return count;
}

/* How many categories have each count. Small counts are tallied, the others, of which there are few, sorted. */
static int tally(tb_lineage_t *self, const double *counts, size_t length) {
    tb_spectrum_t *to = &self->spectrum;
    const double *wrong = tb_wrong_of(self, self->weight);
    double *large = self->scratch->levels;
    uint32_t often[TB_SMALL];
    size_t count = self->plan->kernels->tally(counts, length, often, large);
    if (wrong && *wrong > 0.0) count = leave_out(*wrong, often, large, count);
    int code = make_room(self, TB_SMALL + count);
    if (code) return code;
    qsort(large, count, sizeof *large, compare);
    to->count = 0;
    to->least = 0;
    for (size_t c = 1; c < TB_SMALL; c++) {
        to->value[to->count] = (double)c;
        to->often[to->count] = (double)often[c];
        to->count += often[c] > 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && large[i] == large[i - 1]) {
            to->often[to->count - 1] += 1.0;
        } else {
            to->value[to->count] = large[i];
            to->often[to->count++] = 1.0;
        }
    }
    return TB_OK;
}

/* Where a count is that has no place in the table of small ones. */
static size_t find(const tb_spectrum_t *self, double value) {
    size_t low = 0, high = self->count;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (self->value[middle] <= value) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* By the table that was filled. */
double tb_worth(const tb_spectrum_t *self, double value) {
    return value < (double)TB_SMALL ? self->small[(size_t)value] : self->worth[find(self, value)];
}

static double often(const tb_spectrum_t *self, double value) {
    double found = 0.0;
    for (size_t i = 0; i < self->count && self->value[i] <= value; i++) {
        if (self->value[i] == value) found = self->often[i];
    }
    return found;
}

/* The slope of log Z on log r (Gale & Sampson 1995, doi:10.1080/09296179508590051), Z the frequencies averaged over
 * the gaps between the counts that occur; at most -1, beyond which a count would be taken for more than it is. */
static double slope(const tb_spectrum_t *self) {
    const size_t last = self->count - 1;
    double sum_x = 0.0, sum_y = 0.0, xx = 0.0, xy = 0.0;
    for (int pass = 0; pass < 2; pass++) {
        const double mean_x = sum_x / (double)self->count, mean_y = sum_y / (double)self->count;
        for (size_t i = 0; i <= last; i++) {
            const double below = i ? self->value[i - 1] : 0.0;
            const double above = i < last ? self->value[i + 1] : 2.0 * self->value[i] - below;
            const double x = tb_log(self->value[i]), y = tb_log(2.0 * self->often[i] / (above - below));
            if (pass == 0) {
                sum_x += x;
                sum_y += y;
            } else {
                xx += (x - mean_x) * (x - mean_x);
                xy += (x - mean_x) * (y - mean_y);
            }
        }
    }
    return xy < -xx ? xy / xx : -1.0;
}

/* (r + 1) N_{r+1} / N_r; the count itself where none is one larger. With smoothing the line's value from the first
 * count on at which the two do not differ by 1.65 standard deviations. */
static void turing(tb_spectrum_t *self, int smoothed) {
    const double exponent = smoothed && self->count ? slope(self) + 1.0 : 0.0;
    int switched = 0;
    for (size_t i = 0; i < self->count; i++) {
        const double r = self->value[i], line = r * tb_exp(exponent * tb_log1p(1.0 / r));
        const int follows = i + 1 < self->count && self->value[i + 1] == r + 1.0;
        const double ratio = follows ? self->often[i + 1] / self->often[i] : 0.0, raw = (r + 1.0) * ratio;
        if (!smoothed) {
            self->worth[i] = follows ? raw : r;
            continue;
        }
        const double sd = (r + 1.0) * __builtin_sqrt(ratio / self->often[i] * (1.0 + ratio));
        const double difference = raw > line ? raw - line : line - raw;
        switched = switched || !follows || difference <= 1.65 * sd;
        self->worth[i] = switched ? line : raw;
    }
}

/* What counts are taken for becomes weights, those of what was seen adding up to `seen`. */
static void take_for(tb_lineage_t *self, double seen, double floor) {
    tb_spectrum_t *by = &self->spectrum;
    double sum = 0.0;
    for (size_t i = 0; i < by->count; i++) sum += by->often[i] * by->worth[i];
    const double scale = sum > 0.0 ? seen / sum : 0.0;
    for (size_t i = 0; i < by->count; i++) {
        by->worth[i] = by->worth[i] * scale + floor;
        if (by->value[i] < (double)TB_SMALL) by->small[(size_t)by->value[i]] = by->worth[i];
    }
    by->small[0] = self->model.other;
}

static double count_seen(const tb_spectrum_t *self) { return tb_sum(self->often, self->count); }

/* What was never seen gets N_1 / N (Good 1953, doi:10.1093/biomet/40.3-4.237), at most 1 - 1 / N, so that a sample in
 * which everything was seen once leaves itself something; and nothing where nothing is unseen. */
static void good_turing(tb_lineage_t *self, double right) {
    const double unseen = (double)self->model.categories - count_seen(&self->spectrum);
    double open = often(&self->spectrum, 1.0);
    if (open > right - 1.0) open = right - 1.0;
    if (unseen <= 0.0) open = 0.0;
    self->model.other = unseen > 0.0 ? open / unseen : 0.0;
    turing(&self->spectrum, self->plan->program.estimator.smoothed);
    take_for(self, right - open, 0.0);
}

/* max(c - d, 0), and what is taken away is spread evenly (Ney, Essen & Kneser 1994, doi:10.1006/csla.1994.1001);
 * d = n1 / (n1 + 2 n2) where it is left to the data. */
static void discount(tb_lineage_t *self, double right) {
    tb_spectrum_t *by = &self->spectrum;
    const double once = often(by, 1.0), twice = often(by, 2.0), given = self->plan->program.estimator.amount;
    const double d = given >= 0.0 ? given : (once > 0.0 ? once / (once + 2.0 * twice) : 0.0);
    const double taken = d * count_seen(by);
    for (size_t i = 0; i < by->count; i++) by->worth[i] = by->value[i] - d;
    self->model.other = taken / (double)self->model.categories;
    take_for(self, right - taken, self->model.other);
}

/* By a table over counts. */
static int by_spectrum(tb_lineage_t *self, double right) {
    int code = tally(self, self->weight, self->length);
    if (code) return code;
    if (self->plan->program.estimator.kind == TB_DISCOUNT) {
        discount(self, right);
    } else {
        good_turing(self, right);
    }
    return TB_OK;
}

/* The same of the counts and the even law. */
static int mix_spectrum(tb_lineage_t *self, double right, double share) {
    tb_spectrum_t *by = &self->spectrum;
    int code = tally(self, self->weight, self->length);
    self->model.other = share * right / (double)self->model.categories;
    for (size_t i = 0; !code && i < by->count; i++) {
        by->worth[i] = (1.0 - share) * by->value[i] + self->model.other;
        if (by->value[i] < (double)TB_SMALL) by->small[(size_t)by->value[i]] = by->worth[i];
    }
    return code;
}

/* A count is taken for the least that a rule makes of a category which has it. */
static void take_least(tb_lineage_t *self) {
    tb_spectrum_t *by = &self->spectrum;
    const double *count = self->scratch->beside, *weight = self->model.weight, never = __builtin_inf();
    const size_t length = self->model.length;
    for (size_t c = 0; c < TB_SMALL; c++) by->small[c] = never;
    for (size_t i = 0; i < by->count; i++) by->worth[i] = never;
    for (size_t i = 0; i < length; i++) {
        double *worth = count[i] < (double)TB_SMALL ? &by->small[(int)count[i]] : &by->worth[find(by, count[i])];
        if (weight[i] == *worth) continue;
        by->least |= *worth < never;
        if (weight[i] < *worth) *worth = weight[i];
    }
    for (size_t i = 0; i < by->count && by->value[i] < (double)TB_SMALL; i++) {
        by->worth[i] = by->small[(size_t)by->value[i]];
    }
    by->small[0] = self->model.other;
}

static int rule_by_classes(tb_lineage_t *self) {
    int code = tb_weigh_present(self);
    if (!code) code = tally(self, self->scratch->beside, self->model.length);
    if (!code) take_least(self);
    return code;
}

static int weigh(tb_lineage_t *self, double right, int keep) {
    const tb_estimator_t *by = &self->plan->program.estimator;
    if (by->kind == TB_BY_RULE) return tb_weigh_by_rule(self, right);
    const double share = tb_even_share(self);
    if (share >= 0.0) {
        mix_even(self, right, share);
    } else if (by->kind == TB_SHRINKAGE) {
        mix_before(self, right, shrinkage(self, right), keep);
    } else {
        int code = by_spectrum(self, right);
        for (size_t i = 0; !code && i < self->length; i++) {
            self->model.weight[i] = tb_worth(&self->spectrum, self->weight[i]);
        }
        return code;
    }
    return TB_OK;
}

int tb_estimate_classes(tb_lineage_t *self) {
    self->model.categories = self->plan->program.categories;
    if (self->plan->program.estimator.kind == TB_BY_RULE) return rule_by_classes(self);
    const double share = tb_even_share(self);
    return share >= 0.0 ? mix_spectrum(self, self->total, share) : by_spectrum(self, self->total);
}

int tb_estimate(tb_lineage_t *self, int keep) {
    tb_model_t *model = &self->model;
    const double wrong = tb_wrong(self), right = self->total - wrong, even = self->even;
    int code = TB_OK;
    model->id = self->id;
    model->place = self->place;
    model->length = self->length;
    model->categories = self->plan->program.categories;
    model->others = (double)(model->categories - self->length + (self->plan->program.error_rate > 0.0));
    model->other = 0.0;
    model->whole = self->plan->program.estimator.kind == TB_MAXIMUM_LIKELIHOOD;
    if (right > 0.0) {
        code = weigh(self, right, keep);
    } else { /* the model that was fitted last stays the one before */
        memset(model->weight, 0, self->length * sizeof *model->weight);
    }
    if (!keep) self->even = even; /* what is only looked at changes no path */
    if (!code && self->plan->program.error_rate > 0.0) *tb_wrong_of(self, model->weight) = wrong;
    memset(model->weight + self->length, 0, TB_PAD * sizeof *model->weight);
    return code;
}

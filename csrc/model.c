/* SPDX-License-Identifier: MIT */
#include "model.h"

void tb_model_list(tb_model_t *self, size_t count) {
    const size_t end = self->length + count;
    for (size_t id = 0; self->length < end && id < self->categories; id++) {
        if (self->place[id] != TB_NOWHERE) continue;
        self->place[id] = (uint32_t)self->length;
        self->id[self->length] = (uint32_t)id;
        self->weight[self->length++] = self->other;
        self->others -= 1.0;
    }
}

double tb_sum(const double *x, size_t count) {
    double lane[TB_ROW] = {0};
    size_t i = 0;
    for (; i + TB_ROW <= count; i += TB_ROW) {
        for (size_t j = 0; j < TB_ROW; j++) lane[j] += x[i + j];
    }
    for (size_t j = 0; i + j < count; j++) lane[j] += x[i + j];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

double tb_model_total(const tb_model_t *self) {
    return tb_sum(self->weight, self->length) + self->others * self->other;
}

double tb_model_largest(const tb_model_t *self) {
    double lane[TB_ROW] = {0}, most = self->others > 0.0 ? self->other : 0.0;
    size_t i = 0;
    for (; i + TB_ROW <= self->length; i += TB_ROW) {
        for (size_t j = 0; j < TB_ROW; j++) lane[j] = self->weight[i + j] > lane[j] ? self->weight[i + j] : lane[j];
    }
    for (size_t j = 0; j < TB_ROW; j++) {
        if (i + j < self->length && self->weight[i + j] > most) most = self->weight[i + j];
        if (lane[j] > most) most = lane[j];
    }
    return most;
}

static void multiply(tb_model_t *self, double by) {
    for (size_t i = 0; i < self->length; i++) self->weight[i] *= by;
    self->other *= by;
}

/* To where neither the sum nor what it is divided by overflows. Powers of two round nothing; what they push below the
 * smallest double is less than any draw can tell from 0. */
static void bring_within(tb_model_t *self) {
    const double most = tb_model_largest(self);
    if (most > 0x1p500) multiply(self, 0x1p-500);
    for (int i = 0; i < 2 && most > 0.0 && most < 0x1p-500; i++) multiply(self, 0x1p300);
}

double tb_model_quantise(tb_model_t *self, const tb_kernels_t *kernels, double *lump) {
    double total = tb_model_total(self);
    if (!(total > 0x1p-500 && total < 0x1p500)) {
        bring_within(self);
        total = tb_model_total(self);
    }
    const double scale = 0x1p52 / total;
    *lump = (self->others * self->other * scale + 0x1p52) - 0x1p52;
    return kernels->make_whole(self->weight, self->length, scale) + *lump;
}

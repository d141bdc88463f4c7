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

/* To the nearest whole number, up to 2^52: beyond, doubles are whole. */
static double whole(double x) {
    const double nearest = (x + 0x1p52) - 0x1p52;
    return x > 0.0 && nearest < 1.0 ? 1.0 : nearest;
}

double tb_model_quantise(tb_model_t *self, double *lump) {
    const double scale = 0x1p52 / tb_model_total(self);
    for (size_t i = 0; i < self->length; i++) self->weight[i] = whole(self->weight[i] * scale);
    *lump = whole(self->others * self->other * scale);
    return tb_sum(self->weight, self->length) + *lump;
}

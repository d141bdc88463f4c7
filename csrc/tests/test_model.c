/* SPDX-License-Identifier: MIT */
/* Real weights as whole ones. */
#include <float.h>
#include <math.h>

#include "checks.h"
#include "model.h"

enum { COUNT = 100000 };

static uint32_t id[COUNT], place[COUNT];
static double weight[COUNT];

static tb_model_t model_of(size_t length, double others, double other) {
    return (tb_model_t){length, id, weight, others, other, place, COUNT, 0};
}

/* What has less than 2^-53 of all has nothing: together such categories would be drawn, among many items. */
static void check_what_is_next_to_nothing(void) {
    double lump;
    tb_model_t model = model_of(COUNT, 0.0, 0.0);
    weight[0] = 1.0;
    for (size_t i = 1; i < COUNT; i++) weight[i] = 0.99 * 0x1p-53;
    const double total = tb_model_quantise(&model, tb_isa_best(), &lump);
    CHECK(total == weight[0] && lump == 0.0);
    for (size_t i = 1; i < COUNT; i++) CHECK(weight[i] == 0.0);
}

/* To the nearest: beside 2^52 in all, what has 2.75 has 3. */
static void check_rounding(void) {
    static const double parts[] = {0.0, 0.4999, 0.5001, 1.25, 2.75, 7.5, 8.5};
    static const double whole[] = {0.0, 0.0, 1.0, 1.0, 3.0, 8.0, 8.0};
    double sum = 0.0, lump;
    tb_model_t model = model_of(8, 4.0, 0.75);
    for (size_t i = 0; i < 7; i++) sum += weight[i] = parts[i];
    weight[7] = 0x1p52 - sum - 3.0;
    CHECK(tb_model_quantise(&model, tb_isa_best(), &lump) == 0x1p52);
    for (size_t i = 0; i < 7; i++) CHECK(weight[i] == whole[i]);
    CHECK(lump == 3.0);
}

/* Whatever the unit; and the largest never becomes 0, however many there are. */
static void check_units(void) {
    static const double unit[] = {DBL_MIN, 0x1p-900, 0x1p-400, 1.0, 0x1p400, 0x1p900};
    for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
        double lump;
        tb_model_t model = model_of(3, 2.0, 2.0 * unit[u]);
        for (size_t i = 0; i < 3; i++) weight[i] = (double)(4 * i) * unit[u];
        CHECK(tb_model_quantise(&model, tb_isa_best(), &lump) == 0x1p52);
        CHECK(weight[0] == 0.0 && weight[1] == 0x1p50 && weight[2] == 0x1p51 && lump == 0x1p50);
    }
    for (size_t i = 0; i < COUNT; i++) weight[i] = 1e-300;
    double lump;
    tb_model_t model = model_of(COUNT, 1e7, 1e-300);
    const double total = tb_model_quantise(&model, tb_isa_best(), &lump);
    CHECK(weight[0] > 1.0 && weight[COUNT - 1] == weight[0] && fabs(total * 0x1p-52 - 1.0) < 1e-8);
    CHECK(fabs(lump / weight[0] - 1e7) < 1.0);
}

int main(void) {
    check_what_is_next_to_nothing();
    check_rounding();
    check_units();
    return finish();
}

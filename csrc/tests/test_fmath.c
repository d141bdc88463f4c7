/* SPDX-License-Identifier: MIT */
#include "fmath.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "checks.h"
#include "machine.h"

#define GOLDEN UINT64_C(0x70951e88f60d7912)

typedef double (*function_t)(double);

/* Correctly rounded values, from 60-digit arithmetic. */
static const struct {
    function_t function;
    double x;
    double value;
} KNOWN[] = {
    {tb_log, 0x1.56e1fc2f8f359p-997, -0x1.5963447f87fb5p+9},
    {tb_log, 0x1.999999999999ap-4, -0x1.26bb1bbb55515p+1},
    {tb_log, 0x1.0000000000000p-1, -0x1.62e42fefa39efp-1},
    {tb_log, 0x1.fffffffffffffp-1, -0x1.0000000000000p-53},
    {tb_log, 0x1.0000000000001p+0, 0x1.fffffffffffffp-53},
    {tb_log, 0x1.8000000000000p+0, 0x1.9f323ecbf984cp-2},
    {tb_log, 0x1.8000000000000p+1, 0x1.193ea7aad030bp+0},
    {tb_log, 0x1.0f0cf064dd592p+73, 0x1.95414621954fep+5},
    {tb_log1p, -0x1.8000000000000p-1, -0x1.62e42fefa39efp+0},
    {tb_log1p, -0x1.12e0be826d695p-30, -0x1.12e0be84bbb51p-30},
    {tb_log1p, 0x1.79ca10c924223p-67, 0x1.79ca10c924223p-67},
    {tb_log1p, 0x1.0624dd2f1a9fcp-10, 0x1.060354f8c3ebfp-10},
    {tb_log1p, 0x1.999999999999ap-2, 0x1.588c2d9133490p-2},
    {tb_log1p, 0x1.2a05f20000000p+33, 0x1.7069e2aa3184ep+4},
    {tb_exp, -0x1.5e00000000000p+9, 0x1.14f2b0fb9307fp-1010},
    {tb_exp, -0x1.0000000000000p+0, 0x1.78b56362cef38p-2},
    {tb_exp, -0x1.b7cdfd9d7bdbbp-34, 0x1.ffffffff24190p-1},
    {tb_exp, 0x1.3333333333333p-2, 0x1.599058c8c1a96p+0},
    {tb_exp, 0x1.0000000000000p+0, 0x1.5bf0a8b145769p+1},
    {tb_exp, 0x1.9000000000000p+6, 0x1.3494a9b171bf5p+144},
    {tb_exp, 0x1.6280000000000p+9, 0x1.d422d2be5dc9bp+1022},
    {tb_expm1, -0x1.e000000000000p+4, -0x1.ffffffffffcb5p-1},
    {tb_expm1, -0x1.3333333333333p-2, -0x1.0966f2c7907f6p-2},
    {tb_expm1, -0x1.19799812dea11p-40, -0x1.19799812de065p-40},
    {tb_expm1, 0x1.4f8b588e368f1p-17, 0x1.4f8bc681cdfb6p-17},
    {tb_expm1, 0x1.0000000000000p-2, 0x1.22d78f0fa061ap-2},
    {tb_expm1, 0x1.0000000000000p+0, 0x1.b7e151628aed3p+0},
    {tb_expm1, 0x1.9000000000000p+5, 0x1.19103e4080b45p+72},
    {tb_erf, -0x1.0000000000000p+1, -0x1.fd9ae142795e3p-1},
    {tb_erf, 0x1.12e0be826d695p-30, 0x1.362a9ffc610ddp-30},
    {tb_erf, 0x1.3333333333333p-2, 0x1.50838881dea0fp-2},
    {tb_erf, 0x1.6666666666666p-1, 0x1.5b08c21171646p-1},
    {tb_erf, 0x1.199999999999ap+0, 0x1.c2aa3d27302c0p-1},
    {tb_erf, 0x1.8000000000000p+1, 0x1.fffd1ac4135f9p-1},
    {tb_erfc, -0x1.0000000000000p+1, 0x1.fecd70a13caf2p+0},
    {tb_erfc, 0x1.12e0be826d695p-30, 0x1.fffffff64eab0p-1},
    {tb_erfc, 0x1.3333333333333p-2, 0x1.57be3bbf10af8p-1},
    {tb_erfc, 0x1.0000000000000p-1, 0x1.eb02147ce245cp-2},
    {tb_erfc, 0x1.6666666666666p-1, 0x1.49ee7bdd1d374p-2},
    {tb_erfc, 0x1.199999999999ap+0, 0x1.eaae16c67ea00p-4},
    {tb_erfc, 0x1.8000000000000p+1, 0x1.729df6503422ap-16},
    {tb_erfc, 0x1.4000000000000p+3, 0x1.7d8a7f2a8a2d0p-149},
    {tb_erfc, 0x1.a000000000000p+4, 0x1.284bfe1cdea24p-981},
    {tb_stirling_error, 0x1.0000000000000p+0, 0x1.4c071bcda0a5bp-4},
    {tb_stirling_error, 0x1.0000000000000p+1, 0x1.52a9b923ea649p-5},
    {tb_stirling_error, 0x1.e000000000000p+3, 0x1.6c08f6f194a10p-8},
    {tb_stirling_error, 0x1.0000000000000p+4, 0x1.5549f7dd113bcp-8},
    {tb_stirling_error, 0x1.9000000000000p+6, 0x1.b4e7bbdd9cecdp-11},
    {tb_stirling_error, 0x1.dcd6500000000p+29, 0x1.6e80fe033c8c6p-34},
};

static const struct {
    double x;
    double y;
    double value;
} KNOWN_POWERS[] = {
    {0x1.0000000000000p+1, 0x1.0000000000000p-1, 0x1.6a09e667f3bcdp+0},
    {0x1.4000000000000p+3, -0x1.199999999999ap+0, 0x1.455b5a30b035cp-4},
    {0x1.312d000000000p+23, -0x1.199999999999ap+0, 0x1.56c8908ba5ecdp-26},
    {0x1.fffffffffffffp-1, 0x1.bc16d674ec800p+59, 0x1.c6ab6c6b3f2f9p-161},
    {0x1.0000000000001p+0, -0x1.6345785d8a000p+56, 0x1.f3fb9fbf71b1ep-33},
    {0x1.999999999999ap-4, 0x1.2c00000000000p+8, 0x1.56e1fc2f8f3bdp-997},
    {0x1.8000000000000p+1, -0x1.2c00000000000p+9, 0x1.0406143142763p-951},
    {0x0.012688b70e62bp-1022, 0x1.0000000000000p-1, 0x1.1297872d9cbaep-515},
    {-0x1.8000000000000p+1, 0x1.4000000000000p+2, -0x1.e600000000000p+7},
};

static int within_ulps(double got, double value, double ulps) {
    double step = nextafter(fabs(value), DBL_MAX) - fabs(value);

    return fabs(got - value) <= ulps * step;
}

static int same(double a, double b) { return bits_of(a) == bits_of(b); }

static void test_known_values(void) {
    size_t i;

    for (i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        CHECK(within_ulps(KNOWN[i].function(KNOWN[i].x), KNOWN[i].value, 2.0));
    }
    for (i = 0; i < sizeof KNOWN_POWERS / sizeof *KNOWN_POWERS; i++) {
        CHECK(within_ulps(tb_pow(KNOWN_POWERS[i].x, KNOWN_POWERS[i].y), KNOWN_POWERS[i].value, 1.0));
    }
}

static void test_special_values(void) {
    double inf = HUGE_VAL;

    CHECK(tb_log(0.0) == -inf && tb_log(-0.0) == -inf && tb_log(inf) == inf && same(tb_log(1.0), 0.0));
    CHECK(isnan(tb_log(-1.0)) && isnan(tb_log((double)NAN)) && isnan(tb_log(-inf)));
    CHECK(tb_log1p(-1.0) == -inf && tb_log1p(inf) == inf && same(tb_log1p(-0.0), -0.0) && isnan(tb_log1p(-1.5)));
    CHECK(tb_exp(inf) == inf && same(tb_exp(-inf), 0.0) && tb_exp(0.0) == 1.0 && tb_exp(710.0) == inf);
    CHECK(tb_exp(-746.0) == 0.0 && tb_exp(-745.0) == DBL_TRUE_MIN && isnan(tb_exp((double)NAN)));
    CHECK(tb_expm1(inf) == inf && tb_expm1(-inf) == -1.0 && same(tb_expm1(-0.0), -0.0) && isnan(tb_expm1((double)NAN)));
    CHECK(tb_erf(inf) == 1.0 && tb_erf(-inf) == -1.0 && same(tb_erf(-0.0), -0.0) && isnan(tb_erf((double)NAN)));
    CHECK(same(tb_erfc(inf), 0.0) && tb_erfc(-inf) == 2.0 && tb_erfc(0.0) == 1.0 && isnan(tb_erfc((double)NAN)));
    CHECK(same(tb_stirling_error(0.0), 0.0));
}

/* Annex F.10.4.4, by the values of libm. */
static void test_special_powers(void) {
    static const double values[] = {0.0, 0.5, 1.0, 2.0, 3.0, 2.5, 0x1p53, 0x1p1000, 0x1p-1070, HUGE_VAL, (double)NAN};
    size_t n = sizeof values / sizeof *values, i, j;

    for (i = 0; i < 2 * n; i++) {
        for (j = 0; j < 2 * n; j++) {
            double x = i < n ? values[i] : -values[i - n], y = j < n ? values[j] : -values[j - n];
            double got = tb_pow(x, y), value = pow(x, y);

            CHECK(isnan(value) ? isnan(got)
                               : signbit(got) == signbit(value) && (got == value || within_ulps(got, value, 1.0)));
        }
    }
}

/* Every bit of many values: a compiler that contracts, widens or reorders is caught here. */
static void test_golden_bits(void) {
    uint64_t state = 1851, hash = UINT64_C(0xcbf29ce484222325);
    int i;

    for (i = 0; i < 20000; i++) {
        double x = tb_exp(40.0 * next_unit(&state) - 20.0), y = 6.0 * next_unit(&state) - 3.0;

        hash = hash_word(hash, bits_of(x));
        hash = hash_word(hash, bits_of(tb_log(x)));
        hash = hash_word(hash, bits_of(tb_log1p(x)));
        hash = hash_word(hash, bits_of(tb_expm1(y)));
        hash = hash_word(hash, bits_of(tb_pow(x, y)));
        hash = hash_word(hash, bits_of(tb_erf(y)));
        hash = hash_word(hash, bits_of(tb_erfc(3.0 * y)));
        hash = hash_word(hash, bits_of(tb_stirling_error((double)i)));
    }
    if (hash != GOLDEN) {
        printf("hash %#llx\n", (unsigned long long)hash);
    }
    CHECK(hash == GOLDEN);
}

enum { POWERS = 4096 };

/* From all of the range: one base or exponent in sixteen is one that C treats in its own way. */
static double next_argument(uint64_t *state, double size) {
    static const double special[] = {0.0, 1.0, -2.0, 3.0, 0x1p-1070, 0x1p1023, HUGE_VAL, (double)NAN};
    double u = next_unit(state);

    if (u < 1.0 / 16) return special[(int)(u * 16 * 8)];
    return size > 0.0 ? tb_exp(size * (2.0 * next_unit(state) - 1.0)) : -size * (2.0 * next_unit(state) - 1.0);
}

/* Neither special nor near the ends of the range, so that no vector leaves the straight path: |y log x| < 600. */
static void fill_plainly(double *x, double *y, size_t count, uint64_t *state) {
    size_t i;

    for (i = 0; i < count; i++) {
        double size = i % 2 ? 20.0 : 700.0;

        x[i] = tb_exp(size * (2.0 * next_unit(state) - 1.0));
        y[i] = 600.0 / size * (2.0 * next_unit(state) - 1.0);
    }
}

static void check_powers(const tb_kernels_t *kernels, const double *x, size_t x_step, const double *y, size_t y_step,
                         size_t count) {
    double *out = checked_memory(count, sizeof *out);
    size_t i, wrong = 0;

    kernels->powers(x, x_step, y, y_step, count, out);
    for (i = 0; i < count; i++) {
        double value = tb_pow(x[i * x_step], y[i * y_step]);

        wrong += !same(out[i], value) && !(isnan(out[i]) && isnan(value));
    }
    CHECK(wrong == 0);
    free(out);
}

/* Powers of whole arrays have the bits of single ones, whatever stands beside them. */
static void test_powers_of_arrays(void) {
    machine_t machine = this_machine();
    double *x = checked_memory(POWERS, sizeof *x), *y = checked_memory(POWERS, sizeof *y);
    uint64_t state = 1852;
    size_t s, i, count;

    for (i = 0; i < POWERS; i++) {
        x[i] = next_argument(&state, i % 2 ? 20.0 : 700.0);
        y[i] = next_argument(&state, i % 3 ? -3.0 : -60.0);
    }
    for (s = 0; s < machine.count; s++) {
        check_powers(machine.set[s], x, 1, y, 1, POWERS);
        for (count = 0; count < 20; count++) {
            check_powers(machine.set[s], x + count, 1, y + count, 0, 64 + count);
            check_powers(machine.set[s], x + count, 0, y + count, 1, 64 + count);
            check_powers(machine.set[s], x, 1, y, 1, count);
        }
    }
    fill_plainly(x, y, POWERS, &state);
    for (s = 0; s < machine.count; s++) check_powers(machine.set[s], x, 1, y, 1, POWERS);
    free(x);
    free(y);
}

int main(void) {
    test_powers_of_arrays();
    test_known_values();
    test_special_values();
    test_special_powers();
    test_golden_bits();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Normal and chi variates: each word's quantile against extended precision, laws by chi-square, lanes by themselves,
 * and the same bits from every instruction set. */
#include "simd_plain.h"
/**/
#include "checks.h"
#include "kernel_gaussian.h"
#include "law.h"
#include "machine.h"

enum { DRAWS = 200000, CELLS = 64 };

static tb_chi_t chi_law(double freedom) {
    tb_chi_t law;

    law.shape = freedom / 2.0 - 1.0 / 3.0;
    law.slope = 1.0 / (3.0 * sqrt(law.shape));
    law.root = freedom == 1.0 ? 0.0 : sqrt(2.0 * law.shape);
    return law;
}

/* A relative error e of z is one of about z^2 e of the tail beyond it. */
static int is_quantile(uint64_t word) {
    const double z = exact_normal_at(word);
    const int upper = (int)(word >> 63);
    const long double tail = ((long double)(upper ? ~word : word) + 0.5L) * 0x1p-64L;
    const long double found = erfcl((long double)fabs(z) * sqrtl(0.5L)) / 2.0L;

    return (upper ? z > 0.0 : z < 0.0) && fabsl(found - tail) <= 1e-15L * (0.5L + (long double)(z * z)) * tail;
}

static void test_every_scale_of_word(void) {
    uint64_t state = 11;

    CHECK(is_quantile(0) && is_quantile(UINT64_MAX) && is_quantile(UINT64_C(1) << 63));
    for (int i = 0; i < 300000; i++) {
        const uint64_t shift = next_word(&state) % 64, word = next_word(&state) >> shift;

        CHECK(is_quantile(word) && exact_normal_at(~word) == -exact_normal_at(word));
    }
}

/* Next to the median z = sqrt(2 pi) (u - 1/2): words there have all their digits. */
static void test_median(void) {
    for (int shift = 0; shift < 40; shift++) {
        const uint64_t off = UINT64_C(1) << shift;
        const double distance = ((double)off + 0.5) * 0x1p-64, z = exact_normal_at((UINT64_C(1) << 63) + off);

        CHECK(fabs(z / (2.5066282746310002 * distance) - 1.0) < 1e-15);
    }
}

static long double exact_log_rest(long double s) {
    long double sum = 0.0L;

    if (fabsl(s) > 0.25L) return log1pl(s) - s + s * s / 2.0L - s * s * s / 3.0L;
    for (int k = 60; k >= 4; k--) sum = (k % 2 ? 1.0L : -1.0L) / k + sum * s;
    return sum * s * s * s * s;
}

static void test_log_rest(void) {
    uint64_t state = 12;

    for (int i = 0; i < 100000; i++) {
        const double size = exp(-30.0 * next_unit(&state)), s = next_word(&state) & 1 ? 3.0 * size : -0.999 * size;
        const long double exact = exact_log_rest((long double)s);

        CHECK(fabsl((long double)log_rest(s) - exact) <= 1e-15L * fabsl(exact) + (fabs(s) > 0.25 ? 2e-15L : 0.0L));
    }
}

/* Whatever the short test accepts the whole one accepts. */
static void test_short_cut(void) {
    static const double freedoms[] = {2, 3, 4, 7, 30, 1000, 1e9};
    uint64_t state = 13;

    for (size_t f = 0; f < sizeof freedoms / sizeof *freedoms; f++) {
        const tb_chi_t law = chi_law(freedoms[f]);

        for (int i = 0; i < 100000; i++) {
            const uint64_t first = next_word(&state) >> next_word(&state) % 8;
            const long double s = (long double)(exact_normal_at(first) * law.slope);
            const long double bound = 1.5L * (long double)law.shape * s * s * s * s;

            if (fabsl(s) > 0.5L || bound >= 1.0L) continue;
            CHECK(log1pl(-bound) <= 3.0L * (long double)law.shape * exact_log_rest(s));
        }
    }
}

static void number_lanes(tb_lanes_t *lanes, uint32_t first, uint32_t generation) {
    memset(lanes, 0, sizeof *lanes);
    for (size_t l = 0; l < TB_ROW; l++) {
        lanes->generation[l] = generation;
        lanes->replicate[l] = first + l;
    }
}

/* So many draws, by generation and lane. */
static double *draw_chis(const tb_kernels_t *kernels, double freedom, size_t draws) {
    const tb_chi_t law = chi_law(freedom);
    double *out = doubles(draws + TB_ROW);

    for (size_t i = 0; i < draws; i += TB_ROW) {
        tb_lanes_t lanes;

        number_lanes(&lanes, (uint32_t)(i % 4096), (uint32_t)(i / 4096));
        kernels->gaussian->fill_lane_chis(&lanes, 99, TB_FOR_GAUSSIAN, 5, &law, 1, out + i);
    }
    return out;
}

/* Whether draws are chi variates of that many degrees of freedom, in cells of equal probability. Beyond 1e6 degrees
 * sqrt 2 (chi - sqrt(freedom - 1/2)) is normal to 1e-6 of a probability. */
static int are_chis(const double *x, size_t draws, double freedom) {
    double law[CELLS], counts[CELLS] = {0};

    for (size_t c = 0; c < CELLS; c++) law[c] = 1.0 / CELLS;
    for (size_t i = 0; i < draws; i++) {
        const double u = freedom > 1e6 ? 0.5 * erfc(x[i] - sqrt(freedom - 0.5)) : chi_square_tail(x[i] * x[i], freedom);
        const size_t cell = (size_t)(u * CELLS);

        counts[cell < CELLS ? cell : CELLS - 1] += 1.0;
    }
    return fits(law, counts, CELLS, (double)draws);
}

/* Mean and variance of the squares: freedom and 2 freedom, within 6.5 standard errors (1e-10 each). */
static int have_moments(const double *x, size_t draws, double freedom) {
    double mean = 0.0, square = 0.0, count = (double)draws;

    for (size_t i = 0; i < draws; i++) {
        const double z = (x[i] * x[i] - freedom) / sqrt(2.0 * freedom);

        mean += z / count;
        square += z * z / count;
    }
    return fabs(mean) < 6.5 / sqrt(count) && fabs(square - 1.0) < 6.5 * sqrt((2.0 + 12.0 / freedom * 4.0) / count);
}

static void test_chi_laws(void) {
    static const double freedoms[] = {1, 2, 3, 4, 9, 40, 999, 100000, 1e9, 1e12, 999999999999999.0};
    const tb_kernels_t *best = tb_isa_best();

    for (size_t f = 0; f < sizeof freedoms / sizeof *freedoms; f++) {
        double *x = draw_chis(best, freedoms[f], DRAWS);

        CHECK(are_chis(x, DRAWS, freedoms[f]));
        CHECK(freedoms[f] > 1e10 || have_moments(x, DRAWS, freedoms[f]));
        free(x);
    }
}

/* The tests must see one degree of freedom too many, and a rejection left out. */
static void test_wrong_chis_are_seen(void) {
    double *x = draw_chis(tb_isa_best(), 10.0, DRAWS);
    const tb_chi_t law = chi_law(2.0);
    uint64_t state = 14;

    CHECK(!are_chis(x, DRAWS, 11.0) && !have_moments(x, DRAWS, 11.0));
    for (size_t i = 0; i < DRAWS; i++) {
        const double t = 1.0 + law.slope * exact_normal_at(next_word(&state));

        x[i] = t > 0.0 ? law.root * t * sqrt(t) : 0.0;
    }
    CHECK(!are_chis(x, DRAWS, 2.0));
    free(x);
}

static void test_normal_law(void) {
    double law[CELLS], counts[CELLS] = {0};
    double *x = doubles(DRAWS);

    for (size_t c = 0; c < CELLS; c++) law[c] = 1.0 / CELLS;
    for (size_t i = 0; i < DRAWS; i += 8 * TB_ROW) {
        tb_lanes_t lanes;

        number_lanes(&lanes, 0, (uint32_t)i);
        tb_isa_best()->gaussian->fill_lane_normals(&lanes, 98, TB_FOR_GAUSSIAN, 0, 8, x + i);
    }
    for (size_t i = 0; i < DRAWS; i++) counts[(size_t)(0.5 * erfc(-x[i] * sqrt(0.5)) * CELLS)] += 1.0;
    CHECK(fits(law, counts, CELLS, DRAWS));
    free(x);
}

/* Element i is at word i mod 2 of slot + i div 2, whichever function fills it, and whatever the other lanes are. */
static void test_addresses(void) {
    enum { COUNT = 33 };
    const tb_gaussian_kernels_t *kernels = tb_isa_best()->gaussian;
    double *lanewise = doubles(COUNT * TB_ROW), *other = doubles(COUNT * TB_ROW), *alone = doubles(COUNT + 2 * TB_ROW);
    tb_lanes_t lanes;

    number_lanes(&lanes, 40, 7);
    kernels->fill_lane_normals(&lanes, 5, 77, 1000, COUNT, lanewise);
    for (uint32_t l = 0; l < TB_ROW; l++) {
        const tb_address_t at = {5, 7, 40 + l, 77};
        tb_lanes_t mixed;

        kernels->fill_exact_normals(&at, 1000, COUNT, alone);
        number_lanes(&mixed, 900, 3);
        mixed.generation[l] = 7;
        mixed.replicate[l] = 40 + l;
        kernels->fill_lane_normals(&mixed, 5, 77, 1000, COUNT, other);
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t word[2];

            tb_philox(&at, 1000 + (uint32_t)(i / 2), word);
            CHECK(alone[i] == exact_normal_at(word[i % 2]));
            CHECK(lanewise[i * TB_ROW + l] == alone[i] && other[i * TB_ROW + l] == alone[i]);
        }
    }
    free(lanewise);
    free(other);
    free(alone);
}

static void test_same_bits(void) {
    enum { COUNT = 4001 };
    static const double freedoms[] = {1, 2, 3, 12, 1e15};
    const machine_t machine = this_machine();
    tb_lanes_t lanes;
    tb_chi_t law[COUNT];
    double *first = doubles(COUNT * TB_ROW), *x = doubles(COUNT * TB_ROW);

    for (size_t i = 0; i < COUNT; i++) law[i] = chi_law(freedoms[i % 5]);
    number_lanes(&lanes, 3, 8);
    for (size_t m = 0; m < machine.count; m++) {
        const tb_gaussian_kernels_t *kernels = machine.set[m]->gaussian;
        const tb_address_t at = {4, 5, 6, TB_FOR_GAUSSIAN};

        kernels->fill_lane_normals(&lanes, 1, TB_FOR_GAUSSIAN, 9, COUNT, m ? x : first);
        CHECK(m == 0 || same_doubles(x, first, COUNT * TB_ROW));
        if (m) machine.set[0]->gaussian->fill_lane_chis(&lanes, 2, TB_FOR_GAUSSIAN, 9, law, COUNT, first);
        kernels->fill_lane_chis(&lanes, 2, TB_FOR_GAUSSIAN, 9, law, COUNT, x);
        CHECK(m == 0 || same_doubles(x, first, COUNT * TB_ROW));
        machine.set[0]->gaussian->fill_exact_normals(&at, 3, COUNT, first);
        kernels->fill_exact_normals(&at, 3, COUNT, x);
        CHECK(same_doubles(x, first, COUNT));
        machine.set[0]->gaussian->fill_lane_normals(&lanes, 1, TB_FOR_GAUSSIAN, 9, COUNT, first);
    }
    free(first);
    free(x);
}

int main(void) {
    test_every_scale_of_word();
    test_median();
    test_log_rest();
    test_short_cut();
    test_chi_laws();
    test_wrong_chis_are_seen();
    test_normal_law();
    test_addresses();
    test_same_bits();
    return finish();
}

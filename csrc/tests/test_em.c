/* SPDX-License-Identifier: MIT */
/* Kernels of the mixture engine against extended precision, with the same bits from every instruction set; batches in
 * any pieces; laws of counts and of choices by chi-square. */
#include "simd_plain.h"
/**/
#include "batch.h"
#include "checks.h"
#include "kernel_em.h"
#include "kernel_gaussian.h"
#include "law.h"
#include "machine.h"

enum { MOST_ROWS = 70, MOST_D = 13, MOST_K = 11, DRAWS = 200000 };

static machine_t machine;

static double spread(uint64_t *state) { return 6.0 * next_unit(state) - 3.0; }

/* --- Powers of two --- */

static void test_powers(void) {
    uint64_t state = 21;
    long double worst = 0.0L;

    CHECK(em_exp2(0.0) == 1.0 && em_exp2(-0.0) == 1.0);
    for (int i = -900; i <= 0; i++) CHECK(em_exp2((double)i) == ldexp(1.0, i));
    for (int i = 0; i < 1000000; i++) {
        const double t = -next_unit(&state) * (i % 2 ? 900.0 : 3.0);
        const long double error = fabsl((long double)em_exp2(t) / exp2l((long double)t) - 1.0L);

        if (error > worst) worst = error;
    }
    CHECK(worst < 2e-15L);
}

/* --- Expectations --- */

typedef struct {
    tb_em_terms_t terms;
    size_t rows, stride;
    double *x, *items;
    double mean[MOST_K * MOST_D], scale[MOST_K * MOST_D * MOST_D], level[MOST_K];
} case_t;

/* Far items make shares that need the largest level taken off. */
static case_t *new_case(size_t d, size_t k, enum tb_em_form form, size_t rows, uint64_t *state) {
    case_t *self = checked_memory(1, sizeof *self);
    const size_t length = tb_em_form_length(form, d);

    self->terms = (tb_em_terms_t){d, k, form, self->mean, self->scale, self->level};
    self->rows = rows;
    self->stride = tb_em_stride(form, d);
    self->x = checked_memory(rows * d * TB_ROW, sizeof(double));
    self->items = checked_memory(rows * TB_ROW, sizeof(double));
    for (size_t i = 0; i < rows * d * TB_ROW; i++) self->x[i] = spread(state) * (i % 97 == 0 ? 1000.0 : 1.0);
    for (size_t i = 0; i < rows * TB_ROW; i++) self->items[i] = (double)(next_word(state) % 4);
    for (size_t i = 0; i < k * d; i++) self->mean[i] = spread(state);
    for (size_t i = 0; i < k; i++) self->level[i] = spread(state);
    for (size_t c = 0; c < k; c++) {
        for (size_t i = 0; i < length; i++) self->scale[c * length + i] = 0.3 * next_unit(state);
        for (size_t j = 0; form == TB_EM_TRIANGLE && j < d; j++) self->scale[c * length + tb_corner(j) + j] += 0.5;
    }
    return self;
}

static void free_case(case_t *self) {
    free(self->x);
    free(self->items);
    free(self);
}

/* Level of component c for one item, whose coordinates are TB_ROW apart. */
static long double oracle_level(const case_t *self, const double *x, size_t c) {
    const size_t d = self->terms.dimension;
    const double *mean = self->mean + c * d, *scale = self->scale + c * tb_em_form_length(self->terms.form, d);
    long double sum = 0.0L;

    for (size_t j = 0; j < d; j++) {
        long double y = 0.0L;

        if (self->terms.form == TB_EM_TRIANGLE) {
            for (size_t i = 0; i <= j; i++) {
                y += (long double)scale[tb_corner(j) + i] * ((long double)x[i * TB_ROW] - (long double)mean[i]);
            }
        } else {
            y = (long double)x[j * TB_ROW] - (long double)mean[j];
            if (self->terms.form == TB_EM_AXES) y *= (long double)scale[j];
        }
        sum += y * y;
    }
    if (self->terms.form == TB_EM_ROUND) sum *= (long double)scale[0];
    return (long double)self->level[c] - sum;
}

/* Adds one item of weight `own` to the oracle's sums, one for each row of lanes. */
static void oracle_item(const case_t *self, const double *x, long double own, long double *sums) {
    const size_t d = self->terms.dimension, k = self->terms.components;
    long double level[MOST_K], most = -1e4000L, total = 0.0L;

    for (size_t c = 0; c < k; c++) {
        level[c] = oracle_level(self, x, c);
        if (level[c] > most) most = level[c];
    }
    for (size_t c = 0; c < k; c++) total += exp2l(level[c] - most);
    sums[k * self->stride] += own * (most + log2l(total)) * logl(2.0L);
    for (size_t c = 0; c < k; c++) {
        const long double share = own * exp2l(level[c] - most) / total;
        long double *to = sums + c * self->stride;

        to[0] += share;
        for (size_t j = 0; j < d; j++) {
            const long double z = (long double)x[j * TB_ROW] - (long double)self->mean[c * d + j];

            to[1 + j] += share * z;
            if (self->terms.form == TB_EM_ROUND) to[1 + d] += share * z * z;
            if (self->terms.form == TB_EM_AXES) to[1 + d + j] += share * z * z;
            for (size_t i = 0; self->terms.form == TB_EM_TRIANGLE && i <= j; i++) {
                to[1 + d + tb_corner(j) + i] +=
                    share * z * ((long double)x[i * TB_ROW] - (long double)self->mean[c * d + i]);
            }
        }
    }
}

static int close_to_oracle(const case_t *self, const double *items, double weight, const double *lanes) {
    const size_t count = self->terms.components * self->stride + 1, d = self->terms.dimension;
    long double *sums = checked_memory(count, sizeof *sums);
    int close = 1;

    for (size_t i = 0; i < self->rows * TB_ROW; i++) {
        const double own = weight * (items ? items[i] : 1.0);

        oracle_item(self, self->x + i / TB_ROW * d * TB_ROW + i % TB_ROW, (long double)own, sums);
    }
    for (size_t i = 0; i < count; i++) {
        const long double scale = (i == count - 1 ? 1e7L : 1e6L) * (long double)(self->rows * TB_ROW);
        long double sum = 0.0L;

        for (size_t l = 0; l < TB_ROW; l++) sum += (long double)lanes[i * TB_ROW + l];
        close &= fabsl(sum - sums[i]) <= 1e-12L * fabsl(sums[i]) + 1e-18L * scale;
    }
    free(sums);
    return close;
}

static double *expect(const case_t *self, const tb_kernels_t *kernels, const double *items, double weight,
                      size_t piece) {
    const size_t count = (self->terms.components * self->stride + 1) * TB_ROW, d = self->terms.dimension;
    double *sums = checked_memory(count, sizeof *sums);
    double *room = checked_memory(tb_em_room(self->terms.components, d) * TB_ROW, sizeof *room);

    for (size_t row = 0; row < self->rows; row += piece) {
        const size_t some = self->rows - row < piece ? self->rows - row : piece;

        kernels->em->expect(&self->terms, self->x + row * d * TB_ROW, some, items ? items + row * TB_ROW : NULL, weight,
                            sums, room);
    }
    free(room);
    return sums;
}

static void check_case(const case_t *self, const double *items, double weight) {
    const size_t count = (self->terms.components * self->stride + 1) * TB_ROW;
    double *first = expect(self, machine.set[0], items, weight, MOST_ROWS);

    CHECK(close_to_oracle(self, items, weight, first));
    for (size_t s = 0; s < machine.count; s++) {
        double *other = expect(self, machine.set[s], items, weight, s % 2 ? TB_EM_CHUNK : MOST_ROWS);

        CHECK(same_doubles(first, other, count));
        free(other);
    }
    free(first);
}

static void test_expect(void) {
    static const size_t dimensions[] = {1, 2, 3, 4, 5, 8, 13}, components[] = {1, 2, 7, 11}, rows[] = {1, 5, 32, 70};
    uint64_t state = 22;

    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
        for (size_t c = 0; c < sizeof components / sizeof *components; c++) {
            for (int form = TB_EM_ROUND; form <= TB_EM_TRIANGLE; form++) {
                case_t *self = new_case(dimensions[i], components[c], (enum tb_em_form)form, rows[(i + c) % 4], &state);

                check_case(self, NULL, 1.0);
                check_case(self, self->items, 3.0);
                free_case(self);
            }
        }
    }
}

/* Where every density is 0 in doubles, components share alike and nothing is NaN. */
static void test_far_items(void) {
    uint64_t state = 23;
    case_t *self = new_case(1, 2, TB_EM_ROUND, 1, &state);

    for (size_t i = 0; i < TB_ROW; i++) self->x[i] = 1e200;
    for (size_t s = 0; s < machine.count; s++) {
        double *sums = expect(self, machine.set[s], NULL, 1.0, 1);

        CHECK(sums[0] == 0.5 && sums[3 * TB_ROW] == 0.5 && sums[6 * TB_ROW] < -1e299);
        free(sums);
    }
    free_case(self);
}

static void test_nearest(void) {
    uint64_t state = 24;

    for (size_t d = 1; d < 5; d++) {
        case_t *self = new_case(d, 3, TB_EM_ROUND, 9, &state);
        double out[9 * TB_ROW];

        for (size_t s = 0; s < machine.count; s++) {
            machine.set[s]->em->nearest(self->x, 9, d, self->mean, 3, out);
            for (size_t i = 0; i < 9 * TB_ROW; i++) {
                double least = 1e300;

                for (size_t c = 0; c < 3; c++) {
                    double sum = 0.0;

                    for (size_t j = 0; j < d; j++) {
                        const double z = self->x[(i / TB_ROW * d + j) * TB_ROW + i % TB_ROW] - self->mean[c * d + j];

                        sum += z * z;
                    }
                    if (sum < least) least = sum;
                }
                CHECK(out[i] == least);
            }
        }
        free_case(self);
    }
}

/* --- Batches --- */

typedef struct {
    tb_em_settings_t settings;
    double weight[MOST_K], mean[MOST_K * MOST_D], factor[MOST_K * MOST_D * MOST_D];
} law_t;

static law_t *new_law(size_t d, size_t k, enum tb_covariance covariance, uint64_t *state) {
    law_t *self = checked_memory(1, sizeof *self);
    const size_t length =
        (self->settings = (tb_em_settings_t){d, k, covariance, 1e-6, 1e-3, 100}, tb_em_factor_length(&self->settings));

    for (size_t c = 0; c < k; c++) self->weight[c] = (double)(c + 1) * 2.0 / (double)(k * (k + 1));
    for (size_t i = 0; i < k * d; i++) self->mean[i] = spread(state);
    for (size_t i = 0; i < k * length; i++) self->factor[i] = 0.5 + next_unit(state);
    return self;
}

static tb_batch_t batch_of_law(const law_t *law, const tb_kernels_t *kernels, uint64_t count, uint32_t generation) {
    law_t *own;
    tb_batch_t batch;

    memcpy(&own, &law, sizeof own);
    tb_batch_init(&batch, &own->settings, kernels, &(tb_em_law_t){own->weight, own->mean, own->factor}, count,
                  (tb_address_t){77, generation, 5, TB_FOR_MIXTURE});
    return batch;
}

static double *fill(const tb_batch_t *batch, size_t rows, size_t piece) {
    const size_t d = batch->settings->dimension;
    double *x = checked_memory((rows * d + 1) * TB_ROW, sizeof *x);

    for (size_t row = 0; row < rows; row += piece) {
        tb_batch_fill(batch, row, rows - row < piece ? rows - row : piece, x + row * d * TB_ROW);
    }
    return x;
}

static void check_gather(const tb_batch_t *a, const tb_batch_t *b, const double *xa, const double *xb) {
    enum { PICKS = 21 };
    const tb_batch_t *both[2] = {a, b};
    const uint64_t before[2] = {0, a->count};
    const size_t d = a->settings->dimension;
    uint64_t index[PICKS], state = 25;
    double out[(PICKS + TB_ROW) * MOST_D];
    int equal = 1;

    for (size_t i = 0; i < PICKS; i++) index[i] = next_word(&state) % (a->count + b->count);
    index[3] = a->count;
    index[4] = a->count - 1;
    tb_batch_gather(both, before, 2, index, PICKS, out);
    for (size_t i = 0; i < (PICKS + 7) / 8 * 8; i++) {
        const uint64_t item = i >= PICKS ? 0 : index[i] < a->count ? index[i] : index[i] - a->count;
        const double *from = (i < PICKS && index[i] < a->count ? xa : xb) + item / TB_ROW * d * TB_ROW + item % TB_ROW;

        for (size_t j = 0; j < d; j++) {
            const double got = out[(i / TB_ROW * d + j) * TB_ROW + i % TB_ROW];

            equal &= i < PICKS ? got == from[j * TB_ROW] : got == 0.0;
        }
    }
    CHECK(equal);
}

static void test_batches(void) {
    uint64_t state = 26;

    for (int covariance = TB_SPHERICAL; covariance <= TB_FULL; covariance++) {
        for (size_t d = 1; d < 6; d++) {
            law_t *law = new_law(d, 4, (enum tb_covariance)covariance, &state);
            const uint64_t count = 203 + d;
            const size_t rows = (size_t)(count + 7) / 8;
            const tb_batch_t one = batch_of_law(law, machine.set[0], count, 2);
            double *whole = fill(&one, rows, rows);

            CHECK(one.end[3] == count);
            for (uint64_t i = count; i < rows * TB_ROW; i++) {
                for (size_t j = 0; j < d; j++) CHECK(whole[((rows - 1) * d + j) * TB_ROW + i % TB_ROW] == 0.0);
            }
            for (size_t s = 0; s < machine.count; s++) {
                const tb_batch_t same = batch_of_law(law, machine.set[s], count, 2);
                const tb_batch_t next = batch_of_law(law, machine.set[s], 90, 3);
                double *pieces = fill(&same, rows, 3 + s), *others = fill(&next, 12, 12);

                CHECK(same_doubles(whole, pieces, rows * d * TB_ROW));
                check_gather(&same, &next, pieces, others);
                free(pieces);
                free(others);
            }
            free(whole);
            free(law);
        }
    }
}

/* Rows far up have addresses of their own: the upper bits of the slot. */
static void test_pages(void) {
    uint64_t state = 27;
    law_t *law = new_law(2, 2, TB_DIAGONAL, &state);
    const tb_batch_t batch = batch_of_law(law, machine.set[0], 1000000000000u, 2);
    const uint64_t rows[] = {0, 1, (1u << 23) - 1, 1u << 23, (1u << 23) + 1, 5ull << 23};
    double x[6][3 * TB_ROW], gathered[2 * TB_ROW];

    for (size_t i = 0; i < 6; i++) {
        const tb_batch_t *one = &batch;
        const uint64_t before = 0, index = rows[i] * TB_ROW + 5;

        tb_batch_fill(&batch, rows[i], 1, x[i]);
        for (size_t j = 0; j < i; j++) CHECK(x[i][0] != x[j][0] && x[i][5] != x[j][5]);
        tb_batch_gather(&one, &before, 1, &index, 1, gathered);
        CHECK(gathered[0] == x[i][5] && gathered[TB_ROW] == x[i][TB_ROW + 5]);
    }
    free(law);
}

static void test_quantise(void) {
    const double weight[] = {0.5, 0.25, 0.25 - 0x1p-53, 0x1p-53, 0.0}, over[] = {0.5 + 0x1p-52, 0.5, 0x1p-54};
    uint64_t out[5];

    tb_quantise(weight, 5, out);
    CHECK(out[0] == (uint64_t)1 << 52 && out[1] == (uint64_t)1 << 51 && out[3] == 1 && out[4] == 0);
    CHECK(out[2] == ((uint64_t)1 << 51) - 1);
    tb_quantise(over, 3, out); /* more than 2^53 together: half the scale */
    CHECK(out[0] == ((uint64_t)1 << 51) + 1 && out[1] == (uint64_t)1 << 51 && out[2] == 0);
}

/* Three items over components of weights 1/10, 0, 2/10, 3/10, 4/10: every composition has its multinomial probability.
 */
static void test_counts(void) {
    static const double factorial[] = {1.0, 1.0, 2.0, 6.0};
    const double weight[] = {0.1, 0.0, 0.2, 0.3, 0.4};
    double law[256] = {0}, seen[256] = {0};
    tb_em_settings_t settings = {1, 5, TB_SPHERICAL, 1e-6, 1e-3, 100};
    double copy[5], mean[5] = {0}, factor[5] = {1, 1, 1, 1, 1};

    memcpy(copy, weight, sizeof copy);
    for (size_t a = 0; a < 4; a++) {
        for (size_t c = 0; c < 4 - a; c++) {
            for (size_t d = 0; d < 4 - a - c; d++) {
                const size_t e = 3 - a - c - d;

                law[a * 64 + c * 16 + d * 4 + e] = 6.0 / (factorial[a] * factorial[c] * factorial[d] * factorial[e]) *
                                                   pow(0.1, (double)a) * pow(0.2, (double)c) * pow(0.3, (double)d) *
                                                   pow(0.4, (double)e);
            }
        }
    }
    for (uint32_t i = 0; i < DRAWS; i++) {
        tb_batch_t batch;

        tb_batch_init(&batch, &settings, machine.set[0], &(tb_em_law_t){copy, mean, factor}, 3,
                      (tb_address_t){1, i, 2, TB_FOR_MIXTURE});
        CHECK(batch.end[4] == 3 && batch.end[1] == batch.end[0]);
        seen[batch.end[0] * 64 + (batch.end[2] - batch.end[1]) * 16 + (batch.end[3] - batch.end[2]) * 4 +
             (batch.end[4] - batch.end[3])] += 1.0;
    }
    CHECK(fits(law, seen, 256, (double)DRAWS));
}

/* --- Choices --- */

static void check_choices(uint64_t total, uint64_t some) {
    double law[64] = {0}, seen[64] = {0}, sets = 0.0;
    tb_control_t control = {0};

    for (unsigned set = 0; set < 1u << total; set++) sets += (uint64_t)__builtin_popcount(set) == some;
    for (unsigned set = 0; set < 1u << total; set++) {
        if ((uint64_t)__builtin_popcount(set) == some) law[set] = 1.0 / sets;
    }
    for (uint32_t i = 0; i < DRAWS; i++) {
        const tb_address_t at = {9, i, 0, TB_FOR_MIXTURE_SUBSAMPLE};
        uint64_t out[6];
        unsigned set = 0;

        CHECK(tb_choose_items(total, some, &at, out, &control) == TB_OK);
        for (uint64_t j = 0; j < some; j++) set |= 1u << out[j];
        seen[set] += 1.0;
    }
    CHECK(fits(law, seen, 64, (double)DRAWS));
}

static void test_choices(void) {
    const tb_address_t at = {9, 1, 0, TB_FOR_MIXTURE_SUBSAMPLE};
    tb_control_t cancelled = {.cancel = 1};
    uint64_t out[8];

    check_choices(6, 2);
    check_choices(6, 3);
    check_choices(6, 5);
    check_choices(5, 5);
    CHECK(tb_choose_items(1000, 8, &at, out, &cancelled) == TB_ERR_CANCELLED);
}

int main(void) {
    machine = this_machine();
    test_powers();
    test_expect();
    test_far_items();
    test_nearest();
    test_batches();
    test_pages();
    test_quantise();
    test_counts();
    test_choices();
    return finish();
}

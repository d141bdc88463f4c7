/* SPDX-License-Identifier: MIT */
/* Poisson counts of real means: every draw is the law's quantile at its word, in every instruction set; and how far
 * single precision is off, which decides what is looked at again. */
#include "simd_plain.h"
#undef KERNEL
#define KERNEL static inline /* most of them are not used here */
#include "kernel_means.h"
#include "law.h"
#include "machine.h"
#include "oracle.h"

static machine_t machine;

/* 16 bits of one of 64 places in eight slots, as for all Poisson counts, then 48 of the element's own word. */
static uint64_t mean_word(tb_address_t at, size_t i) {
    const uint64_t word = word_at(tb_at(at, TB_FOR_MEANS, 0), (uint32_t)(i / 64 * 8 + i % 16 / 2), i / 32 % 2);
    const uint64_t bits = word >> (32 * (i % 2) + 16 * (i / 16 % 2)) & 0xffff;

    return bits << 48 | word_at(tb_at(at, TB_FOR_MEANS_TIE, 0), (uint32_t)i, 0) >> 16;
}

typedef struct {
    size_t length, blocks, large_count;
    double *x, *weights, *counts, total;
    uint32_t *large;
} drawn_t;

static drawn_t new_drawn(size_t length) {
    drawn_t self = {.length = length, .blocks = (length + TB_PAD - 1) / TB_PAD};

    self.x = doubles(length);
    self.weights = doubles(self.blocks);
    self.counts = doubles(self.blocks);
    self.large = indices(length + TB_ROW);
    return self;
}

static void drop_drawn(drawn_t *self) {
    free(self->x);
    free(self->weights);
    free(self->counts);
    free(self->large);
}

static void draw_all(drawn_t *self, const tb_kernels_t *kernels, const double *weight, double rate, double most,
                     tb_address_t at) {
    tb_means_t law = {rate, most, TB_FOR_MEANS, TB_FOR_MEANS_TIE, self->weights, self->counts, self->large, 0};

    memset(self->x, 0x55, padded_length(self->length) * sizeof(double));
    self->total = kernels->poisson_means(weight, self->length, self->x, &law, &at);
    self->large_count = law.large_count;
}

static void expect_all(drawn_t *self, const double *weight, double rate, double most, tb_address_t at) {
    for (size_t i = 0; i < self->length; i++) {
        if (weight[i] > most) {
            self->large[self->large_count++] = (uint32_t)i;
            continue;
        }
        self->x[i] = (double)tb_poisson_quantile(rate * weight[i], mean_word(at, i));
        self->weights[i / TB_PAD] += weight[i];
        self->counts[i / TB_PAD] += self->x[i];
        self->total += self->x[i];
    }
}

static int same_drawn(const drawn_t *a, const drawn_t *b) {
    return a->total == b->total && a->large_count == b->large_count &&
           !memcmp(a->large, b->large, a->large_count * sizeof *a->large) &&
           same_doubles(a->x, b->x, padded_length(a->length)) && same_doubles(a->weights, b->weights, a->blocks) &&
           same_doubles(a->counts, b->counts, a->blocks);
}

static void check_kernel(const double *weight, size_t length, double rate, tb_address_t at) {
    const double most = (double)TB_MEAN_MOST / rate;
    drawn_t expected = new_drawn(length), found = new_drawn(length);

    expect_all(&expected, weight, rate, most, at);
    for (size_t s = 0; s < machine.count; s++) {
        draw_all(&found, machine.set[s], weight, rate, most, at);
        CHECK(same_drawn(&found, &expected));
    }
    drop_drawn(&expected);
    drop_drawn(&found);
}

enum { TINY, BELOW_ONE, TO_THE_LAST, MIXED, SOME_LARGE, NEXT_TO_THE_LAST, MEAN_KINDS };

static double mean_of(int kind, uint64_t *state) {
    const double u = next_unit(state);

    switch (kind) {
    case TINY:
        return u * 1e-9;
    case BELOW_ONE:
        return u;
    case TO_THE_LAST:
        return TB_MEAN_MOST * u;
    case MIXED:
        return exp(-40.0 * u) * TB_MEAN_MOST;
    case SOME_LARGE:
        return next_word(state) % 5 ? 3.0 * u : 1e3 * u;
    default:
        return TB_MEAN_MOST + (u - 0.5) * 1e-13;
    }
}

/* A quarter of the weights is 0. */
static void test_kernel(void) {
    static const double rates[] = {1.0 / 3.0, 1e-3, 1e-12};
    static const size_t more[] = {255, 256, 257, 1000};
    uint64_t state = 81;

    for (int kind = 0; kind < MEAN_KINDS; kind++) {
        for (size_t l = 0; l < LENGTH_COUNT + 4; l++) {
            const size_t length = l < LENGTH_COUNT ? LENGTHS[l] : more[l - LENGTH_COUNT];
            const double rate = rates[l % 3];
            double *weight = doubles(length);

            for (size_t i = 0; i < length; i++) {
                weight[i] = next_word(&state) % 4 ? floor(mean_of(kind, &state) / rate) : 0.0;
            }
            check_kernel(weight, length, rate, next_address(&state));
            free(weight);
        }
    }
}

/* For one mean the first of 2^16 equal parts in which a count may be k or more, and whether it is in all of it. */
static size_t find_parts(double mean, size_t *part) {
    size_t k = 0;
    long double p = expl(-(long double)mean), sum = 0.0L;

    part[0] = 0;
    while (k < 63 && part[k] < 65536) {
        sum += p;
        part[++k] = (size_t)floorl(sum * 65536.0L);
        p *= (long double)mean / (long double)k;
    }
    return k;
}

/* Every 16 bits where they alone decide, and the quantile where they do not: of 65,536 draws two in three parts are
 * seen, and the parts next to a step are those that rounding could move. */
static void test_next_to_steps(void) {
    enum { LENGTH = 65536, MEANS = 300 };
    drawn_t found = new_drawn(LENGTH);
    double *weight = doubles(LENGTH);
    uint64_t state = 82;

    for (uint32_t m = 0; m < MEANS; m++) {
        const double rate = 0x1p-40, w = floor(next_unit(&state) * TB_MEAN_MOST / rate);
        const tb_address_t at = {83, 1, m, 0};
        size_t part[64], most = find_parts(rate * w, part), wrong = 0;

        for (size_t i = 0; i < LENGTH; i++) weight[i] = w;
        for (size_t s = 0; s < machine.count; s++) {
            if (s != m % machine.count && s + 1 != machine.count) continue;
            draw_all(&found, machine.set[s], weight, rate, TB_MEAN_MOST / rate, at);
            for (size_t i = 0; i < LENGTH; i++) {
                const uint64_t word = mean_word(at, i);
                const size_t bits = word >> 48;
                size_t k = 0;

                while (k < most && part[k + 1] < bits) k++;
                if (k < most && part[k + 1] == bits) k = (size_t)tb_poisson_quantile(rate * w, word);
                wrong += found.x[i] != (double)k;
            }
        }
        CHECK(wrong == 0);
    }
    drop_drawn(&found);
    free(weight);
}

/* The distribution function as the search has it, to the last count of 16 bits: half of what is looked at again. */
static void test_single_precision(void) {
    double worst = 0.0;

    for (size_t m = 0; m <= 40000; m++) {
        const float mean = (float)((double)m / 40000.0 * TB_MEAN_MOST);
        long double p = expl(-(long double)mean), sum = p;
        search_t one = begin_search((vf){mean, mean}, w_set(0));

        for (size_t k = 1; k < MOST_STEPS; k++) {
            worst = fmax(worst, fabs((double)one.beyond[0] + 0x1p-17 - (double)sum));
            step_up(&one, k);
            p *= (long double)mean / (long double)k;
            sum += p;
        }
    }
    CHECK(worst < 0.5 * (MEAN_DOUBT - 0x1p-17));
    printf("off by %.2g at most\n", worst);
}

/* Counts of one mean: a million draws tell a law apart that is wrong by 0.01 sqrt(p). */
static void check_law(double mean) {
    enum { LENGTH = 4096, CELLS = 64, DRAWS = 1 << 20 };
    drawn_t found = new_drawn(LENGTH);
    double *weight = doubles(LENGTH), law[CELLS], other[CELLS], counts[CELLS] = {0};

    for (size_t i = 0; i < LENGTH; i++) weight[i] = 0x1p40;
    for (size_t k = 0; k < CELLS; k++) {
        law[k] = poisson_probability(mean, (double)k);
        other[k] = poisson_probability(1.02 * mean, (double)k);
    }
    for (uint32_t round = 0; round < DRAWS / LENGTH; round++) {
        draw_all(&found, tb_isa_best(), weight, mean * 0x1p-40, 0x1p52, (tb_address_t){84, 1, round, 0});
        for (size_t i = 0; i < LENGTH; i++) counts[(size_t)found.x[i]] += 1.0;
    }
    CHECK(fits(law, counts, CELLS, DRAWS));
    CHECK(!fits(other, counts, CELLS, DRAWS));
    drop_drawn(&found);
    free(weight);
}

int main(void) {
    machine = this_machine();
    test_kernel();
    test_next_to_steps();
    test_single_precision();
    check_law(0.2);
    check_law(1.7);
    check_law(11.9);
    return finish();
}

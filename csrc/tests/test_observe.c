/* SPDX-License-Identifier: MIT */
/* Sums over survivors: against long double, and bit for bit between instruction sets. */
#include <math.h>

#include "checks.h"
#include "machine.h"
#include "oracle.h"

enum {
    CATEGORIES = 700,
    EVERYTHING = TB_SUM_PRESENT | TB_SUM_SHARES | TB_SUM_ENTROPY | TB_SUM_EDGES | TB_SUM_REFERENCE
};

static machine_t machine;
static double reference[CATEGORIES], log_q[CATEGORIES], terms[TB_TERMS];
static const uint32_t EDGES[] = {0, 1, 7, 350, 699, 700, UINT32_MAX};
static tb_yardstick_t yardstick = {
    .weight = reference, .log_q = log_q, .terms = terms, .edges = EDGES, .edge_count = sizeof EDGES / sizeof *EDGES};

static void fill_reference(void) {
    uint64_t state = 41;

    for (size_t i = 0; i < CATEGORIES; i++) yardstick.total += reference[i] = 1.0 + (double)next_number(&state, 30, 30);
    for (size_t i = 0; i < CATEGORIES; i++)
        log_q[i] = (double)logl((long double)reference[i] / (long double)yardstick.total);
}

static void test_terms(void) {
    double other[TB_TERMS];

    machine.set[0]->entropy_terms(TB_TERMS, terms);
    for (size_t i = 0; i < TB_TERMS; i++) {
        const long double exact = i ? (long double)i * logl((long double)i) : 0.0L;

        CHECK(fabsl((long double)terms[i] - exact) <= 4e-16L * exact);
    }
    for (size_t s = 0; s < machine.count; s++) {
        machine.set[s]->entropy_terms(TB_TERMS, other);
        CHECK(same_doubles(terms, other, TB_TERMS));
    }
}

/* A sum beside the sum of what was added: the second says how large rounding may be. */
typedef struct {
    long double sum, size;
} exact_t;

static void add(exact_t *to, long double term) {
    to->sum += term;
    to->size += fabsl(term);
}

static void check_sum(double got, exact_t exact) { CHECK(fabsl((long double)got - exact.sum) <= 1e-13L * exact.size); }

typedef struct {
    double largest;
    exact_t present, square, entropy, covered, cross, variation, brier, brier_parts;
    exact_t edge_present[TB_MAX_EDGES], edge_weight[TB_MAX_EDGES];
} lane_t;

static void add_element(lane_t *to, double weight, uint32_t id, double inverse) {
    const long double w = weight, reference_weight = reference[id], q = reference_weight / yardstick.total;
    const long double difference = w * inverse - q;

    if (weight == 0.0) return;
    to->largest = fmax(to->largest, weight);
    add(&to->present, 1.0L);
    add(&to->square, w * w);
    add(&to->entropy, w * logl(w));
    add(&to->covered, reference_weight);
    add(&to->cross, w * log_q[id]);
    add(&to->variation, difference > 0.0L ? difference : 0.0L);
    add(&to->brier, difference * difference);
    add(&to->brier, -q * q);
    for (size_t e = 0; e < yardstick.edge_count; e++) {
        if (id < EDGES[e]) continue;
        add(&to->edge_present[e], 1.0L);
        add(&to->edge_weight[e], w);
    }
}

static void check_lane(const tb_sums_t *sums, size_t l, const lane_t *lane) {
    /* The difference of two shares is known to a rounding of the larger one only. */
    const exact_t variation = {lane->variation.sum, lane->variation.size + 1.0L};

    CHECK(sums->largest[l] == lane->largest);
    check_sum(sums->present[l], lane->present);
    check_sum(sums->square[l], lane->square);
    check_sum(sums->entropy[l], lane->entropy);
    check_sum(sums->covered[l], lane->covered);
    check_sum(sums->cross[l], lane->cross);
    check_sum(sums->variation[l], variation);
    check_sum(sums->brier[l], lane->brier);
    for (size_t e = 0; e < yardstick.edge_count; e++) {
        check_sum(sums->edge_present[e][l], lane->edge_present[e]);
        check_sum(sums->edge_weight[e][l], lane->edge_weight[e]);
    }
}

static void check_exactly(const tb_sums_t *sums, const double *weight, const uint32_t *id, size_t rows,
                          const double *inverse) {
    for (size_t l = 0; l < TB_ROW; l++) {
        lane_t lane;

        memset(&lane, 0, sizeof lane);
        for (size_t i = l; i < rows * TB_ROW; i += TB_ROW) add_element(&lane, weight[i], id[i], inverse[l]);
        check_lane(sums, l, &lane);
    }
}

/* Each group of sums by itself, and all at once: the same bits. Groups not asked for are left alone. */
static void check_groups(const double *weight, const uint32_t *id, size_t rows, const double *inverse) {
    static tb_sums_t all, other;

    memset(&all, 0, sizeof all);
    machine.set[0]->observe(weight, id, rows, inverse, EVERYTHING, &yardstick, &all);
    check_exactly(&all, weight, id, rows, inverse);
    for (size_t s = 0; s < machine.count; s++) {
        memset(&other, 0, sizeof other);
        machine.set[s]->observe(weight, id, rows, inverse, EVERYTHING, &yardstick, &other);
        CHECK(memcmp(&all, &other, sizeof all) == 0);
        memset(&other, 0, sizeof other);
        for (unsigned group = 1; group <= EVERYTHING; group *= 2) {
            machine.set[s]->observe(weight, id, rows, inverse, group, &yardstick, &other);
        }
        CHECK(memcmp(&all, &other, sizeof all) == 0);
    }
}

static void try_sums(int kind, size_t rows, int one_lineage, uint64_t *state) {
    double *weight = doubles(rows * TB_ROW), inverse[TB_ROW], total[TB_ROW] = {0}, sum = 0.0;
    uint32_t *id = indices(rows * TB_ROW);

    for (size_t i = 0; i < rows * TB_ROW; i++) {
        weight[i] = weight_of(kind, i, rows * TB_ROW, state);
        id[i] = (uint32_t)(one_lineage ? i % CATEGORIES : next_word(state) % CATEGORIES);
        if (weight[i] == 0.0 && !one_lineage) id[i] = 0; /* as in packs */
        total[i % TB_ROW] += weight[i];
        sum += weight[i];
    }
    for (size_t l = 0; l < TB_ROW; l++) {
        const double of = one_lineage ? sum : total[l];

        inverse[l] = of > 0.0 ? 1.0 / of : 0.0;
    }
    check_groups(weight, id, rows, inverse);
    free(weight);
    free(id);
}

static void test_sums(void) {
    static const size_t rows[] = {1, 2, 3, 4, 5, 8, 9, 16, 33, 64, 87, 512};
    uint64_t state = 42;

    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int kind = 0; kind < KINDS; kind++) {
            try_sums(kind, rows[r], rows[r] * TB_ROW <= CATEGORIES, &state);
            try_sums(kind, rows[r], 0, &state);
        }
    }
}

int main(void) {
    machine = this_machine();
    fill_reference();
    test_terms();
    test_sums();
    return finish();
}

/* SPDX-License-Identifier: MIT */
/* Counting assertions for tests of scalar functions. */
#ifndef TB_CHECKS_H
#define TB_CHECKS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int passed;
static int failed;

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (condition) {                                                                                               \
            passed++;                                                                                                  \
        } else {                                                                                                       \
            failed++;                                                                                                  \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                     \
        }                                                                                                              \
    } while (0)

/* To be returned by main. */
static inline int finish(void) {
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

/* One step of the 64-bit FNV-1a hash over the eight bytes of a word, lowest first. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word) {
    int i;

    for (i = 0; i < 8; i++) {
        hash = (hash ^ ((word >> (8 * i)) & 255)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static inline uint64_t bits_of(double x) {
    uint64_t b;

    memcpy(&b, &x, sizeof b);
    return b;
}

/* The splitmix64 generator. */
static inline uint64_t next_word(uint64_t *state) {
    uint64_t x = (*state += UINT64_C(0x9e3779b97f4a7c15));

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* A double in [0, 1). */
static inline double next_unit(uint64_t *state) { return (double)(next_word(state) >> 11) * 0x1p-53; }

#endif

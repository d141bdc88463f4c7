/* SPDX-License-Identifier: MIT */
/* The instruction sets of this machine, and arrays no longer than kernels may rely on. */
#ifndef TB_MACHINE_H
#define TB_MACHINE_H
#include <stdlib.h>
#include <string.h>

#include "tailbiter.h"

typedef struct {
    size_t count;
    const tb_kernels_t *set[4]; /* the first is plain C, which the others are compared with */
} machine_t;

static inline machine_t this_machine(void) {
    static const char *const names[] = {"plain", "sse2", "avx2", "avx512"};
    machine_t machine = {0, {NULL}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const tb_kernels_t *found = tb_isa_find(names[i]);

        if (found) machine.set[machine.count++] = found;
    }
    return machine;
}

static inline void *checked_memory(size_t count, size_t size) {
    void *p = calloc(count ? count : 1, size);

    if (!p) abort();
    return p;
}

/* Zeroed, padded as kernels.h says and not an element more: a sanitizer sees who goes further. */
static inline size_t padded_length(size_t length) { return (length + TB_PAD - 1) / TB_PAD * TB_PAD; }

static inline double *doubles(size_t length) { return checked_memory(padded_length(length), sizeof(double)); }

static inline uint32_t *indices(size_t length) { return checked_memory(padded_length(length), sizeof(uint32_t)); }

static inline int same_doubles(const double *a, const double *b, size_t length) {
    return memcmp(a, b, length * sizeof *a) == 0;
}
#endif

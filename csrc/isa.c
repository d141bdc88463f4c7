/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tailbiter.h"

/* The operating system must save the registers too; the compiler's run-time check covers that. */
static int has(const char *name) {
#if defined(__x86_64__)
    if (!strcmp(name, "avx512")) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    }
    if (!strcmp(name, "avx2")) return __builtin_cpu_supports("avx2");
    if (!strcmp(name, "sse2")) return 1;
#endif
    return !strcmp(name, "plain");
}

static const tb_kernels_t *const ALL[] = {
#if defined(__x86_64__)
    &tb_kernels_avx512, &tb_kernels_avx2, &tb_kernels_sse2,
#endif
    &tb_kernels_plain};

const tb_kernels_t *tb_isa_find(const char *name) {
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        if (!strcmp(ALL[i]->name, name) && has(name)) return ALL[i];
    }
    return NULL;
}

const tb_kernels_t *tb_isa_best(void) {
    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        if (has(ALL[i]->name)) return ALL[i];
    }
    return &tb_kernels_plain;
}

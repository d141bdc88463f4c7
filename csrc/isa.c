/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "tailbiter.h"

#if defined(__x86_64__)
#include <cpuid.h>

/* Which register files the operating system saves. */
static unsigned saved_registers(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* Asked of the processor itself: compilers' own checks need run-time support that not every one of them links. */
static int has_vectors(int wide) {
    unsigned a, b, c, d;
    const unsigned ymm = 0x6, zmm = 0xe6;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_POPCNT) || !(c & bit_FMA)) return 0;
    const unsigned saved = saved_registers();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    const unsigned needed = wide ? bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL : bit_AVX2;
    return (b & needed) == needed && (saved & (wide ? zmm : ymm)) == (wide ? zmm : ymm);
}
#endif

static int has(const char *name) {
#if defined(__x86_64__)
    if (!strcmp(name, "avx512")) return has_vectors(1);
    if (!strcmp(name, "avx2")) return has_vectors(0);
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

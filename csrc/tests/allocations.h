/* SPDX-License-Identifier: MIT */
/* Allocations of the core, counted, and refused where a test says so. Linked with -Wl,--wrap (see Makefile). */
#ifndef TB_ALLOCATIONS_H
#define TB_ALLOCATIONS_H

#include <stddef.h>

enum { EVERY = -1 };

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static int watched;          /* inside the core */
static long allowed = EVERY; /* allocations before the one that fails */
static long live, failures;  /* blocks held, and how often memory was refused */

/* From here on the core is watched, and its n-th allocation (from 0) fails. */
static inline void watch(long n) {
    allowed = n;
    live = failures = 0;
    watched = 1;
}

static inline void unwatch(void) {
    watched = 0;
    allowed = EVERY;
}

static int fails(void) {
    if (!watched || allowed == EVERY || allowed-- > 0) return 0;
    allowed = EVERY;
    failures++;
    return 1;
}

static void *counted(void *p) {
    live += watched && p;
    return p;
}

void *__wrap_malloc(size_t size) { return fails() ? NULL : counted(__real_malloc(size)); }

void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : counted(__real_calloc(count, size)); }

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : counted(__real_aligned_alloc(alignment, size));
}

void *__wrap_realloc(void *p, size_t size) {
    void *q = fails() ? NULL : __real_realloc(p, size);

    live += watched && q && !p;
    return q;
}

void __wrap_free(void *p) {
    live -= watched && p;
    __real_free(p);
}

#endif

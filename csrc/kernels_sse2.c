/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#include "simd_sse2.h"
/**/
#define NAME "sse2"
#define TABLE tb_kernels_sse2
#include "kernels_body.h"
#else
typedef int tb_no_sse2; /* C forbids an empty file */
#endif

/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#include "simd_avx2.h"
/**/
#define NAME "avx2"
#define TABLE tb_kernels_avx2
#include "kernels_body.h"
#else
typedef int tb_no_avx2; /* C forbids an empty file */
#endif

/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#include "simd_avx512.h"
/**/
#define NAME "avx512"
#define TABLE tb_kernels_avx512
#include "kernels_body.h"
#else
typedef int tb_no_avx512; /* C forbids an empty file */
#endif

/* SPDX-License-Identifier: MIT */
#include "simd_plain.h"
/**/
#define NAME "plain"
#define TABLE tb_kernels_plain
#include "kernels_body.h"

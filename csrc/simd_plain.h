/* SPDX-License-Identifier: MIT */
/* One lane in plain C: the reference, and the path of every machine that is not x86-64. */
#ifndef TB_SIMD_H
#define TB_SIMD_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LANES 1
#define SIMD static inline
#define KERNEL static

typedef double vd;
typedef uint64_t vu;
typedef unsigned vm; /* 0 or 1 */
typedef float vf __attribute__((vector_size(8)));
typedef uint32_t vw __attribute__((vector_size(8)));
typedef int32_t vi __attribute__((vector_size(8)));

SIMD vd d_set(double x) { return x; }
SIMD vu u_set(uint64_t x) { return x; }
SIMD vu u_iota(void) { return 0; }
SIMD vd d_load(const double *p) { return *p; }
SIMD void d_store(double *p, vd v) { *p = v; }
SIMD vu u_load(const uint64_t *p) { return *p; }
SIMD void u_store(uint64_t *p, vu v) { *p = v; }
SIMD vu u_load32(const uint32_t *p) { return *p; }
SIMD void u_store32(uint32_t *p, vu v) { *p = (uint32_t)v; }
SIMD vd d_sqrt(vd x) { return __builtin_sqrt(x); }
SIMD vd d_abs(vd x) { return __builtin_fabs(x); }
SIMD vd d_max(vd a, vd b) { return a > b ? a : b; }
SIMD vd d_min(vd a, vd b) { return a < b ? a : b; }
SIMD vm d_lt(vd a, vd b) { return a < b; }
SIMD vm d_le(vd a, vd b) { return a <= b; }
SIMD vm u_lt(vu a, vu b) { return a < b; }
SIMD vm u_eq(vu a, vu b) { return a == b; }
/* a where its first bit is 0, else its complement. */
SIMD vu u_fold(vu a) { return a >> 63 ? ~a : a; }
SIMD vm m_and(vm a, vm b) { return a & b; }
SIMD vm m_or(vm a, vm b) { return a | b; }
SIMD vm m_not(vm a) { return a ^ 1u; }
SIMD unsigned m_bits(vm a) { return a; }
SIMD vd d_sel(vm m, vd a, vd b) { return m ? a : b; }
/* sum + w where that is chosen. */
SIMD vd d_add_where(vm m, vd sum, vd w) { return m ? sum + w : sum; }
SIMD vu u_sel(vm m, vu a, vu b) { return m ? a : b; }
/* Adding 1.5 * 2^52 rounds to an integer; where that went up, one is taken off. For |x| < 2^51. */
SIMD vd d_floor(vd x) {
    vd near = (x + 0x1.8p52) - 0x1.8p52;
    return near > x ? near - 1.0 : near;
}
SIMD vu u_add(vu a, vu b) { return a + b; }
SIMD vu u_sub(vu a, vu b) { return a - b; }
SIMD vu u_xor(vu a, vu b) { return a ^ b; }
SIMD vu u_or(vu a, vu b) { return a | b; }
SIMD vu u_and(vu a, vu b) { return a & b; }
SIMD vu u_shl(vu a, unsigned n) { return a << n; }
SIMD vu u_shr(vu a, unsigned n) { return a >> n; }
SIMD vu u_mul32(vu a, vu b) { return (a & 0xffffffffu) * (b & 0xffffffffu); }
SIMD vd d_of_bits(vu a) {
    vd x;
    memcpy(&x, &a, sizeof x);
    return x;
}
SIMD vu d_bits(vd a) {
    vu x;
    memcpy(&x, &a, sizeof x);
    return x;
}
SIMD vd d_from_u(vu a) { return (double)a; }
SIMD vu u_from_d(vd a) { return (uint64_t)a; }
enum { GATHER_IS_QUICK = 0 };
SIMD vd d_gather(const double *base, vu i) { return base[i]; }
/* An entry of a table of eight, at the last three bits of i. */
SIMD vu u_lookup8(const uint64_t *table, vu i) { return table[i & 7]; }
SIMD void d_split(vd a, vd b, vd *even, vd *odd) {
    *even = a;
    *odd = b;
}
SIMD void d_weave(vd even, vd odd, vd *a, vd *b) {
    *a = even;
    *b = odd;
}
SIMD void u_weave(vu even, vu odd, vu *a, vu *b) {
    *a = even;
    *b = odd;
}
SIMD size_t d_compress(double *p, vm m, vd v) {
    *p = v;
    return m;
}
SIMD size_t u_compress(uint64_t *p, vm m, vu v) {
    *p = v;
    return m;
}
SIMD size_t u_compress32(uint32_t *p, vm m, vu v) {
    *p = (uint32_t)v;
    return m;
}
/* Each lane plus all before it; and the last lane in all. */
SIMD vd d_running(vd a) { return a; }
SIMD vd d_last(vd a) { return a; }
/* Twice as many lanes of 32 bits: see simd_avx512.h. */
/* Rounded once or twice. */
SIMD vd d_fma(vd a, vd b, vd c) { return a * b + c; }
SIMD vf f_set(float x) { return (vf){x, x}; }
SIMD vf f_load(const float *p) { return (vf){p[0], p[1]}; }
SIMD void f_store(float *p, vf v) {
    p[0] = v[0];
    p[1] = v[1];
}
SIMD float least(float a, float b) { return a < b ? a : b; }
SIMD vf f_min(vf a, vf b) { return (vf){least(a[0], b[0]), least(a[1], b[1])}; }
SIMD vf f_max(vf a, vf b) { return (vf){-least(-a[0], -b[0]), -least(-a[1], -b[1])}; }
SIMD vf f_abs(vf a) { return (vf){__builtin_fabsf(a[0]), __builtin_fabsf(a[1])}; }
/* a, or the size of b where that is less; a is not negative. */
SIMD vf f_nearer(vf a, vf b) { return f_min(a, f_abs(b)); }
SIMD vf f_fma(vf a, vf b, vf c) { return a * b + c; }
SIMD vf f_rsqrt(vf a) { return (vf){1.0f / __builtin_sqrtf(a[0]), 1.0f / __builtin_sqrtf(a[1])}; }
SIMD unsigned f_signs(vf a) {
    const vw bits = (vw)a;
    return bits[0] >> 31 | bits[1] >> 31 << 1;
}
SIMD vf f_from_i(vw a) { return (vf){(float)(int32_t)a[0], (float)(int32_t)a[1]}; }
SIMD vf f_join(vd low, vd high) { return (vf){(float)low, (float)high}; }
SIMD vd d_load32(const float *p) { return *p; }
SIMD vw w_upper(vu low, vu high) { return (vw){(uint32_t)(low >> 32), (uint32_t)(high >> 32)}; }
/* Integers from 0 to 2^31 - 1. */
SIMD vw w_set(uint32_t x) { return (vw){x, x}; }
SIMD vw w_iota(void) { return (vw){0, 1}; }
SIMD vw w_load(const uint32_t *p) { return (vw){p[0], p[1]}; }
SIMD void w_store(uint32_t *p, vw v) {
    p[0] = v[0];
    p[1] = v[1];
}
SIMD unsigned w_less(vw a, vw b) { return (unsigned)(a[0] < b[0]) | (unsigned)(a[1] < b[1]) << 1; }
SIMD unsigned w_same(vw a, vw b) { return (unsigned)(a[0] == b[0]) | (unsigned)(a[1] == b[1]) << 1; }
/* Lane by lane, x where a < b, else y. */
SIMD vw w_choose(vw a, vw b, vw x, vw y) { return (vw){a[0] < b[0] ? x[0] : y[0], a[1] < b[1] ? x[1] : y[1]}; }
/* Entries of a table of sixteen. */
SIMD vw w_lookup16(const uint32_t *table, vw i) { return (vw){table[i[0]], table[i[1]]}; }
/* The chosen lanes densely; a whole register is stored. Returns how many. */
SIMD size_t w_compress(uint32_t *p, unsigned lanes, vw v) {
    p[0] = v[0];
    p[lanes & 1] = v[1];
    return (lanes & 1) + (lanes >> 1);
}
SIMD vw w_from_d(vd low, vd high) { return (vw){(uint32_t)low, (uint32_t)high}; }
SIMD void d_from_w(vw a, vd *low, vd *high) {
    *low = (double)a[0];
    *high = (double)a[1];
}
SIMD vw w_of_bits(vu a) { return (vw){(uint32_t)a, (uint32_t)(a >> 32)}; }
#endif

/* SPDX-License-Identifier: MIT */
/* Eight lanes in one 64-byte register. The same names exist in simd_avx2.h, simd_sse2.h and simd_plain.h. */
#ifndef TB_SIMD_H
#define TB_SIMD_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 8
#define SIMD static inline __attribute__((always_inline, target("avx512f,avx512dq,avx512bw,avx512vl,popcnt")))
#define KERNEL static __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,popcnt")))

typedef __m512d vd;
typedef __m512i vu;
typedef __mmask8 vm;
typedef float vf __attribute__((vector_size(8 * LANES)));
typedef uint32_t vw __attribute__((vector_size(8 * LANES)));
typedef int32_t vi __attribute__((vector_size(8 * LANES)));

SIMD vd d_set(double x) { return _mm512_set1_pd(x); }
SIMD vu u_set(uint64_t x) { return _mm512_set1_epi64((long long)x); }
SIMD vu u_iota(void) { return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0); }
SIMD vd d_load(const double *p) { return _mm512_loadu_pd(p); }
SIMD void d_store(double *p, vd v) { _mm512_storeu_pd(p, v); }
SIMD vu u_load(const uint64_t *p) { return _mm512_loadu_si512(p); }
SIMD void u_store(uint64_t *p, vu v) { _mm512_storeu_si512(p, v); }
SIMD vu u_load32(const uint32_t *p) { return _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)p)); }
SIMD void u_store32(uint32_t *p, vu v) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi64_epi32(v)); }
SIMD vd d_sqrt(vd x) { return _mm512_sqrt_pd(x); }
SIMD vd d_floor(vd x) { return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
SIMD vd d_abs(vd x) { return _mm512_abs_pd(x); }
SIMD vd d_max(vd a, vd b) { return _mm512_max_pd(a, b); }
SIMD vd d_min(vd a, vd b) { return _mm512_min_pd(a, b); }
SIMD vm d_lt(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
SIMD vm d_le(vd a, vd b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
SIMD vm u_lt(vu a, vu b) { return _mm512_cmplt_epi64_mask(a, b); }
SIMD vm u_eq(vu a, vu b) { return _mm512_cmpeq_epi64_mask(a, b); }
/* a where its first bit is 0, else its complement. */
SIMD vu u_fold(vu a) { return _mm512_xor_si512(a, _mm512_srai_epi64(a, 63)); }
SIMD vm m_and(vm a, vm b) { return (vm)(a & b); }
SIMD vm m_or(vm a, vm b) { return (vm)(a | b); }
SIMD vm m_not(vm a) { return (vm)~a; }
/* Moved to a general register for certain: gcc 12 may keep the widened mask on the stack, where it writes one byte and
 * reads four. */
SIMD unsigned m_bits(vm a) {
    unsigned bits;
    __asm__("kmovb %1, %0" : "=r"(bits) : "k"(a));
    return bits;
}
SIMD vd d_sel(vm m, vd a, vd b) { return _mm512_mask_blend_pd(m, b, a); }
/* sum + w where that is chosen. */
SIMD vd d_add_where(vm m, vd sum, vd w) { return _mm512_mask_add_pd(sum, m, sum, w); }
SIMD vu u_sel(vm m, vu a, vu b) { return _mm512_mask_blend_epi64(m, b, a); }
SIMD vu u_add(vu a, vu b) { return _mm512_add_epi64(a, b); }
SIMD vu u_sub(vu a, vu b) { return _mm512_sub_epi64(a, b); }
SIMD vu u_xor(vu a, vu b) { return _mm512_xor_si512(a, b); }
SIMD vu u_or(vu a, vu b) { return _mm512_or_si512(a, b); }
SIMD vu u_and(vu a, vu b) { return _mm512_and_si512(a, b); }
SIMD vu u_shl(vu a, unsigned n) { return _mm512_slli_epi64(a, n); }
SIMD vu u_shr(vu a, unsigned n) { return _mm512_srli_epi64(a, n); }
SIMD vu u_mul32(vu a, vu b) { return _mm512_mul_epu32(a, b); }
SIMD vd d_of_bits(vu a) { return _mm512_castsi512_pd(a); }
SIMD vu d_bits(vd a) { return _mm512_castpd_si512(a); }
SIMD vd d_from_u(vu a) { return _mm512_cvtepu64_pd(a); }
SIMD vu u_from_d(vd a) { return _mm512_cvttpd_epu64(a); }
/* Whether a gather takes less time than as many loads. */
enum { GATHER_IS_QUICK = 1 };
SIMD vd d_gather(const double *base, vu i) { return _mm512_i64gather_pd(i, base, 8); }
/* Entries of a table of eight, at the last three bits of i. */
SIMD vu u_lookup8(const uint64_t *table, vu i) { return _mm512_permutexvar_epi64(i, u_load(table)); }
SIMD void d_split(vd a, vd b, vd *even, vd *odd) {
    *even = _mm512_permutex2var_pd(a, _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0), b);
    *odd = _mm512_permutex2var_pd(a, _mm512_set_epi64(15, 13, 11, 9, 7, 5, 3, 1), b);
}
SIMD void u_weave(vu even, vu odd, vu *a, vu *b) {
    *a = _mm512_permutex2var_epi64(even, _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), odd);
    *b = _mm512_permutex2var_epi64(even, _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4), odd);
}
SIMD void d_weave(vd even, vd odd, vd *a, vd *b) {
    *a = _mm512_permutex2var_pd(even, _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), odd);
    *b = _mm512_permutex2var_pd(even, _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4), odd);
}
/* Writes the chosen lanes densely and returns how many; a whole register is stored, so leave LANES slots of slack. The
 * compressing store to memory is microcoded on some machines, the one to a register is not. Halves of a register cross
 * a cache line half as often. */
SIMD size_t d_compress(double *p, vm m, vd v) {
    const unsigned bits = m_bits(m);
    _mm256_storeu_pd(p, _mm256_maskz_compress_pd(m, _mm512_castpd512_pd256(v)));
    _mm256_storeu_pd(p + __builtin_popcount(bits & 15),
                     _mm256_maskz_compress_pd((__mmask8)(m >> 4), _mm512_extractf64x4_pd(v, 1)));
    return (size_t)__builtin_popcount(bits);
}
SIMD size_t u_compress(uint64_t *p, vm m, vu v) {
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi64(m, v));
    return (size_t)__builtin_popcount(m_bits(m));
}
SIMD size_t u_compress32(uint32_t *p, vm m, vu v) {
    u_store32(p, _mm512_maskz_compress_epi64(m, v));
    return (size_t)__builtin_popcount(m_bits(m));
}
/* Each lane plus all before it; and the last lane in all. */
SIMD vd d_running(vd a) {
    const __m512i one = _mm512_set_epi64(6, 5, 4, 3, 2, 1, 0, 0), two = _mm512_set_epi64(5, 4, 3, 2, 1, 0, 0, 0);
    a = a + _mm512_maskz_permutexvar_pd(0xfe, one, a);
    a = a + _mm512_maskz_permutexvar_pd(0xfc, two, a);
    return a + _mm512_maskz_shuffle_f64x2(0xf0, a, a, 0x40);
}
SIMD vd d_last(vd a) { return _mm512_permutexvar_pd(_mm512_set1_epi64(7), a); }
/* Twice as many lanes of 32 bits, for what need not be exact: their low half goes with one register of LANES, their
 * high half with the next. */
/* Rounded once or twice. */
SIMD vd d_fma(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }
SIMD vf f_set(float x) { return (vf)_mm512_set1_ps(x); }
SIMD vf f_load(const float *p) { return (vf)_mm512_loadu_ps(p); }
SIMD void f_store(float *p, vf v) { _mm512_storeu_ps(p, (__m512)v); }
SIMD vf f_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
SIMD vf f_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
SIMD vf f_abs(vf a) { return (vf)_mm512_abs_ps((__m512)a); }
/* a, or the size of b where that is less; a is not negative. */
SIMD vf f_nearer(vf a, vf b) { return (vf)_mm512_range_ps((__m512)a, (__m512)b, 0xa); }
SIMD vf f_fma(vf a, vf b, vf c) { return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c); }
/* To a relative 2^-11 or better. */
SIMD vf f_rsqrt(vf a) { return (vf)_mm512_rsqrt14_ps((__m512)a); }
/* The signs of all lanes, the first in the lowest bit. */
SIMD unsigned f_signs(vf a) { return (unsigned)_mm512_movepi32_mask((__m512i)a); }
SIMD vf f_from_i(vw a) { return (vf)_mm512_cvtepi32_ps((__m512i)a); }
SIMD vf f_join(vd low, vd high) {
    return (vf)_mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}
SIMD vd d_load32(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
/* The upper halves of the lanes of two registers. */
SIMD vw w_upper(vu low, vu high) {
    const __m512i at = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    return (vw)_mm512_permutex2var_epi32(low, at, high);
}
/* Integers from 0 to 2^31 - 1. */
SIMD vw w_set(uint32_t x) { return (vw)_mm512_set1_epi32((int)x); }
SIMD vw w_iota(void) { return (vw)_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0); }
SIMD vw w_load(const uint32_t *p) { return (vw)_mm512_loadu_si512(p); }
SIMD void w_store(uint32_t *p, vw v) { _mm512_storeu_si512(p, (__m512i)v); }
SIMD unsigned w_bits(__mmask16 a) {
    unsigned bits;
    __asm__("kmovw %1, %0" : "=r"(bits) : "k"(a));
    return bits;
}
SIMD unsigned w_less(vw a, vw b) { return w_bits(_mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b)); }
SIMD unsigned w_same(vw a, vw b) { return w_bits(_mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b)); }
/* Lane by lane, x where a < b, else y. */
SIMD vw w_choose(vw a, vw b, vw x, vw y) {
    return (vw)_mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask((__m512i)a, (__m512i)b), (__m512i)y, (__m512i)x);
}
/* Entries of a table of sixteen. */
SIMD vw w_lookup16(const uint32_t *table, vw i) {
    return (vw)_mm512_permutexvar_epi32((__m512i)i, _mm512_loadu_si512(table));
}
/* The chosen lanes densely; a whole register is stored. Returns how many. */
SIMD size_t w_compress(uint32_t *p, unsigned lanes, vw v) {
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32((__mmask16)lanes, (__m512i)v));
    return (size_t)__builtin_popcount(lanes);
}
SIMD vw w_from_d(vd low, vd high) {
    return (vw)_mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(low)), _mm512_cvttpd_epi32(high), 1);
}
SIMD void d_from_w(vw a, vd *low, vd *high) {
    *low = _mm512_cvtepi32_pd(_mm512_castsi512_si256((__m512i)a));
    *high = _mm512_cvtepi32_pd(_mm512_extracti64x4_epi64((__m512i)a, 1));
}
SIMD vw w_of_bits(vu a) { return (vw)a; }
#endif

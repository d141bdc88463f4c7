/* SPDX-License-Identifier: MIT */
/* Four lanes in one 32-byte register; what AVX2 lacks is made from integer operations that give the same bits. */
#ifndef TB_SIMD_H
#define TB_SIMD_H
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 4
#define SIMD static inline __attribute__((always_inline, target("avx2,fma,popcnt")))
#define KERNEL static __attribute__((target("avx2,fma,popcnt")))

typedef __m256d vd;
typedef __m256i vu;
typedef __m256d vm;
typedef float vf __attribute__((vector_size(8 * LANES)));
typedef uint32_t vw __attribute__((vector_size(8 * LANES)));
typedef int32_t vi __attribute__((vector_size(8 * LANES)));

SIMD vd d_set(double x) { return _mm256_set1_pd(x); }
SIMD vu u_set(uint64_t x) { return _mm256_set1_epi64x((long long)x); }
SIMD vu u_iota(void) { return _mm256_set_epi64x(3, 2, 1, 0); }
SIMD vd d_load(const double *p) { return _mm256_loadu_pd(p); }
SIMD void d_store(double *p, vd v) { _mm256_storeu_pd(p, v); }
SIMD vu u_load(const uint64_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
SIMD void u_store(uint64_t *p, vu v) { _mm256_storeu_si256((__m256i *)p, v); }
SIMD vu u_load32(const uint32_t *p) { return _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)p)); }
SIMD __m128i low_halves(vu v) {
    return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(v, _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0)));
}
SIMD void u_store32(uint32_t *p, vu v) { _mm_storeu_si128((__m128i *)p, low_halves(v)); }
SIMD vd d_sqrt(vd x) { return _mm256_sqrt_pd(x); }
SIMD vd d_floor(vd x) { return _mm256_floor_pd(x); }
SIMD vd d_abs(vd x) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x); }
SIMD vd d_max(vd a, vd b) { return _mm256_max_pd(a, b); }
SIMD vd d_min(vd a, vd b) { return _mm256_min_pd(a, b); }
SIMD vm d_lt(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
SIMD vm d_le(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
SIMD vm u_lt(vu a, vu b) { return _mm256_castsi256_pd(_mm256_cmpgt_epi64(b, a)); }
SIMD vm u_eq(vu a, vu b) { return _mm256_castsi256_pd(_mm256_cmpeq_epi64(a, b)); }
/* a where its first bit is 0, else its complement. */
SIMD vu u_fold(vu a) { return _mm256_xor_si256(a, _mm256_cmpgt_epi64(_mm256_setzero_si256(), a)); }
SIMD vm m_and(vm a, vm b) { return _mm256_and_pd(a, b); }
SIMD vm m_or(vm a, vm b) { return _mm256_or_pd(a, b); }
SIMD vm m_not(vm a) { return _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(-1))); }
SIMD unsigned m_bits(vm a) { return (unsigned)_mm256_movemask_pd(a); }
SIMD vd d_sel(vm m, vd a, vd b) { return _mm256_blendv_pd(b, a, m); }
/* sum + w where that is chosen. */
SIMD vd d_add_where(vm m, vd sum, vd w) { return sum + _mm256_and_pd(m, w); }
SIMD vu u_sel(vm m, vu a, vu b) {
    return _mm256_castpd_si256(_mm256_blendv_pd(_mm256_castsi256_pd(b), _mm256_castsi256_pd(a), m));
}
SIMD vu u_add(vu a, vu b) { return _mm256_add_epi64(a, b); }
SIMD vu u_sub(vu a, vu b) { return _mm256_sub_epi64(a, b); }
SIMD vu u_xor(vu a, vu b) { return _mm256_xor_si256(a, b); }
SIMD vu u_or(vu a, vu b) { return _mm256_or_si256(a, b); }
SIMD vu u_and(vu a, vu b) { return _mm256_and_si256(a, b); }
SIMD vu u_shl(vu a, unsigned n) { return _mm256_slli_epi64(a, (int)n); }
SIMD vu u_shr(vu a, unsigned n) { return _mm256_srli_epi64(a, (int)n); }
SIMD vu u_mul32(vu a, vu b) { return _mm256_mul_epu32(a, b); }
SIMD vd d_of_bits(vu a) { return _mm256_castsi256_pd(a); }
SIMD vu d_bits(vd a) { return _mm256_castpd_si256(a); }
/* 2^84 + high half and 2^52 + low half are exact doubles; one rounding is left, so this equals the hardware's. */
SIMD vd d_from_u(vu a) {
    vd high = d_of_bits(u_or(u_shr(a, 32), u_set(0x4530000000000000u)));
    vd low = d_of_bits(u_or(u_and(a, u_set(0xffffffffu)), u_set(0x4330000000000000u)));
    return (high - d_set(0x1.00000001p84)) + low;
}
/* For 0 <= a < 2^52. */
SIMD vu u_from_d(vd a) { return u_xor(d_bits(d_floor(a) + d_set(0x1p52)), u_set(0x4330000000000000u)); }
enum { GATHER_IS_QUICK = 0 };
SIMD vd d_gather(const double *base, vu i) { return _mm256_i64gather_pd(base, i, 8); }
/* Entries of a table of eight, at the last three bits of i: their lower and their upper halves are looked up apart. */
SIMD vu u_lookup8(const uint64_t *table, vu i) {
    const __m256 a = _mm256_castsi256_ps(u_load(table)), b = _mm256_castsi256_ps(u_load(table + 4));
    const vu low = _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88)), 0xd8);
    const vu high = _mm256_permute4x64_epi64(_mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd)), 0xd8);
    const vu at = _mm256_shuffle_epi32(i, 0xa0);
    return _mm256_blend_epi32(_mm256_permutevar8x32_epi32(low, at), _mm256_permutevar8x32_epi32(high, at), 0xaa);
}
SIMD void d_split(vd a, vd b, vd *even, vd *odd) {
    *even = _mm256_permute4x64_pd(_mm256_unpacklo_pd(a, b), 0xd8);
    *odd = _mm256_permute4x64_pd(_mm256_unpackhi_pd(a, b), 0xd8);
}
SIMD void d_weave(vd even, vd odd, vd *a, vd *b) {
    vd low = _mm256_unpacklo_pd(even, odd), high = _mm256_unpackhi_pd(even, odd);
    *a = _mm256_permute2f128_pd(low, high, 0x20);
    *b = _mm256_permute2f128_pd(low, high, 0x31);
}
SIMD void u_weave(vu even, vu odd, vu *a, vu *b) {
    vd x, y;
    d_weave(d_of_bits(even), d_of_bits(odd), &x, &y);
    *a = d_bits(x);
    *b = d_bits(y);
}
/* Pairs of 32-bit indices that move the chosen 64-bit lanes to the front. */
static const uint32_t TB_FRONT[16][8] = {
    {0, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0, 0, 0}, {2, 3, 0, 0, 0, 0, 0, 0}, {0, 1, 2, 3, 0, 0, 0, 0},
    {4, 5, 0, 0, 0, 0, 0, 0}, {0, 1, 4, 5, 0, 0, 0, 0}, {2, 3, 4, 5, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5, 0, 0},
    {6, 7, 0, 0, 0, 0, 0, 0}, {0, 1, 6, 7, 0, 0, 0, 0}, {2, 3, 6, 7, 0, 0, 0, 0}, {0, 1, 2, 3, 6, 7, 0, 0},
    {4, 5, 6, 7, 0, 0, 0, 0}, {0, 1, 4, 5, 6, 7, 0, 0}, {2, 3, 4, 5, 6, 7, 0, 0}, {0, 1, 2, 3, 4, 5, 6, 7}};
SIMD vu to_front(unsigned lanes, vu v) {
    return _mm256_permutevar8x32_epi32(v, _mm256_loadu_si256((const __m256i *)TB_FRONT[lanes]));
}
SIMD size_t u_compress(uint64_t *p, vm m, vu v) {
    u_store(p, to_front(m_bits(m), v));
    return (size_t)__builtin_popcount(m_bits(m));
}
SIMD size_t d_compress(double *p, vm m, vd v) {
    d_store(p, d_of_bits(to_front(m_bits(m), d_bits(v))));
    return (size_t)__builtin_popcount(m_bits(m));
}
SIMD size_t u_compress32(uint32_t *p, vm m, vu v) {
    u_store32(p, to_front(m_bits(m), v));
    return (size_t)__builtin_popcount(m_bits(m));
}
/* Each lane plus all before it; and the last lane in all. */
SIMD vd d_running(vd a) {
    a = a + _mm256_blend_pd(_mm256_setzero_pd(), _mm256_permute4x64_pd(a, 0x90), 0xe);
    return a + _mm256_permute2f128_pd(a, a, 0x08);
}
SIMD vd d_last(vd a) { return _mm256_permute4x64_pd(a, 0xff); }
/* Twice as many lanes of 32 bits: see simd_avx512.h. */
/* Rounded once or twice. */
SIMD vd d_fma(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }
SIMD vf f_set(float x) { return (vf)_mm256_set1_ps(x); }
SIMD vf f_load(const float *p) { return (vf)_mm256_loadu_ps(p); }
SIMD void f_store(float *p, vf v) { _mm256_storeu_ps(p, (__m256)v); }
SIMD vf f_min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
SIMD vf f_max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
SIMD vf f_abs(vf a) { return (vf)_mm256_andnot_ps(_mm256_set1_ps(-0.0f), (__m256)a); }
/* a, or the size of b where that is less; a is not negative. */
SIMD vf f_nearer(vf a, vf b) { return f_min(a, f_abs(b)); }
SIMD vf f_fma(vf a, vf b, vf c) { return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c); }
SIMD vf f_rsqrt(vf a) { return (vf)_mm256_rsqrt_ps((__m256)a); }
SIMD unsigned f_signs(vf a) { return (unsigned)_mm256_movemask_ps((__m256)a); }
SIMD vf f_from_i(vw a) { return (vf)_mm256_cvtepi32_ps((__m256i)a); }
SIMD vf f_join(vd low, vd high) { return (vf)_mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low)); }
SIMD vd d_load32(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
SIMD vw w_upper(vu low, vu high) {
    __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), 0xdd));
    return (vw)_mm256_permute4x64_pd(mixed, 0xd8);
}
/* Integers from 0 to 2^31 - 1. */
SIMD vw w_set(uint32_t x) { return (vw)_mm256_set1_epi32((int)x); }
SIMD vw w_iota(void) { return (vw)_mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0); }
SIMD vw w_load(const uint32_t *p) { return (vw)_mm256_loadu_si256((const __m256i *)p); }
SIMD void w_store(uint32_t *p, vw v) { _mm256_storeu_si256((__m256i *)p, (__m256i)v); }
SIMD unsigned w_bits(__m256i mask) { return (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(mask)); }
SIMD unsigned w_less(vw a, vw b) { return w_bits(_mm256_cmpgt_epi32((__m256i)b, (__m256i)a)); }
SIMD unsigned w_same(vw a, vw b) { return w_bits(_mm256_cmpeq_epi32((__m256i)a, (__m256i)b)); }
/* Lane by lane, x where a < b, else y. */
SIMD vw w_choose(vw a, vw b, vw x, vw y) {
    return (vw)_mm256_blendv_epi8((__m256i)y, (__m256i)x, _mm256_cmpgt_epi32((__m256i)b, (__m256i)a));
}
/* Entries of a table of sixteen. */
SIMD vw w_lookup16(const uint32_t *table, vw i) {
    const __m256i at = (__m256i)i, low = _mm256_permutevar8x32_epi32((__m256i)w_load(table), at);
    const __m256i high = _mm256_permutevar8x32_epi32((__m256i)w_load(table + 8), at);
    return w_choose(w_set(7), i, (vw)high, (vw)low);
}
/* The chosen lanes densely; a whole register is stored. Returns how many. */
SIMD size_t w_compress(uint32_t *p, unsigned lanes, vw v) {
    const vu low = _mm256_cvtepu32_epi64(_mm256_castsi256_si128((__m256i)v));
    const vu high = _mm256_cvtepu32_epi64(_mm256_extracti128_si256((__m256i)v, 1));
    u_store32(p, to_front(lanes & 15, low));
    u_store32(p + __builtin_popcount(lanes & 15), to_front(lanes >> 4, high));
    return (size_t)__builtin_popcount(lanes);
}
SIMD vw w_from_d(vd low, vd high) { return (vw)_mm256_set_m128i(_mm256_cvttpd_epi32(high), _mm256_cvttpd_epi32(low)); }
SIMD void d_from_w(vw a, vd *low, vd *high) {
    *low = _mm256_cvtepi32_pd(_mm256_castsi256_si128((__m256i)a));
    *high = _mm256_cvtepi32_pd(_mm256_extracti128_si256((__m256i)a, 1));
}
SIMD vw w_of_bits(vu a) { return (vw)a; }
#endif

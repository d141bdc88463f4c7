/* SPDX-License-Identifier: MIT */
/* Two lanes with what every x86-64 machine has. */
#ifndef TB_SIMD_H
#define TB_SIMD_H
#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANES 2
#define SIMD static inline __attribute__((always_inline))
#define KERNEL static

typedef __m128d vd;
typedef __m128i vu;
typedef __m128d vm;
typedef float vf __attribute__((vector_size(8 * LANES)));
typedef uint32_t vw __attribute__((vector_size(8 * LANES)));
typedef int32_t vi __attribute__((vector_size(8 * LANES)));

SIMD vd d_set(double x) { return _mm_set1_pd(x); }
SIMD vu u_set(uint64_t x) { return _mm_set1_epi64x((long long)x); }
SIMD vu u_iota(void) { return _mm_set_epi64x(1, 0); }
SIMD vd d_load(const double *p) { return _mm_loadu_pd(p); }
SIMD void d_store(double *p, vd v) { _mm_storeu_pd(p, v); }
SIMD vu u_load(const uint64_t *p) { return _mm_loadu_si128((const __m128i *)p); }
SIMD void u_store(uint64_t *p, vu v) { _mm_storeu_si128((__m128i *)p, v); }
SIMD vu u_load32(const uint32_t *p) {
    return _mm_unpacklo_epi32(_mm_loadl_epi64((const __m128i *)p), _mm_setzero_si128());
}
SIMD void u_store32(uint32_t *p, vu v) { _mm_storel_epi64((__m128i *)p, _mm_shuffle_epi32(v, 0x08)); }
SIMD vd d_sqrt(vd x) { return _mm_sqrt_pd(x); }
SIMD vd d_abs(vd x) { return _mm_andnot_pd(_mm_set1_pd(-0.0), x); }
SIMD vd d_max(vd a, vd b) { return _mm_max_pd(a, b); }
SIMD vd d_min(vd a, vd b) { return _mm_min_pd(a, b); }
SIMD vm d_lt(vd a, vd b) { return _mm_cmplt_pd(a, b); }
SIMD vm d_le(vd a, vd b) { return _mm_cmple_pd(a, b); }
SIMD vm u_sign(vu a) { return _mm_castsi128_pd(_mm_shuffle_epi32(_mm_srai_epi32(a, 31), 0xf5)); }
/* For values below 2^63 the sign of the difference decides. */
SIMD vm u_lt(vu a, vu b) { return u_sign(_mm_sub_epi64(a, b)); }
SIMD vm u_eq(vu a, vu b) {
    vu same = _mm_cmpeq_epi32(a, b);
    return _mm_castsi128_pd(_mm_and_si128(same, _mm_shuffle_epi32(same, 0xb1)));
}
/* a where its first bit is 0, else its complement. */
SIMD vu u_fold(vu a) { return _mm_xor_si128(a, _mm_shuffle_epi32(_mm_srai_epi32(a, 31), 0xf5)); }
SIMD vm m_and(vm a, vm b) { return _mm_and_pd(a, b); }
SIMD vm m_or(vm a, vm b) { return _mm_or_pd(a, b); }
SIMD vm m_not(vm a) { return _mm_xor_pd(a, _mm_castsi128_pd(_mm_set1_epi32(-1))); }
SIMD unsigned m_bits(vm a) { return (unsigned)_mm_movemask_pd(a); }
SIMD vd d_sel(vm m, vd a, vd b) { return _mm_or_pd(_mm_and_pd(m, a), _mm_andnot_pd(m, b)); }
/* sum + w where that is chosen. */
SIMD vd d_add_where(vm m, vd sum, vd w) { return sum + _mm_and_pd(m, w); }
SIMD vu u_sel(vm m, vu a, vu b) {
    vu bits = _mm_castpd_si128(m);
    return _mm_or_si128(_mm_and_si128(bits, a), _mm_andnot_si128(bits, b));
}
/* Adding 1.5 * 2^52 rounds to an integer; where that went up, one is taken off. For |x| < 2^51. */
SIMD vd d_floor(vd x) {
    vd near = (x + _mm_set1_pd(0x1.8p52)) - _mm_set1_pd(0x1.8p52);
    return near - _mm_and_pd(d_lt(x, near), _mm_set1_pd(1.0));
}
SIMD vu u_add(vu a, vu b) { return _mm_add_epi64(a, b); }
SIMD vu u_sub(vu a, vu b) { return _mm_sub_epi64(a, b); }
SIMD vu u_xor(vu a, vu b) { return _mm_xor_si128(a, b); }
SIMD vu u_or(vu a, vu b) { return _mm_or_si128(a, b); }
SIMD vu u_and(vu a, vu b) { return _mm_and_si128(a, b); }
SIMD vu u_shl(vu a, unsigned n) { return _mm_slli_epi64(a, (int)n); }
SIMD vu u_shr(vu a, unsigned n) { return _mm_srli_epi64(a, (int)n); }
SIMD vu u_mul32(vu a, vu b) { return _mm_mul_epu32(a, b); }
SIMD vd d_of_bits(vu a) { return _mm_castsi128_pd(a); }
SIMD vu d_bits(vd a) { return _mm_castpd_si128(a); }
/* 2^84 + high half and 2^52 + low half are exact doubles; one rounding is left. */
SIMD vd d_from_u(vu a) {
    vd high = d_of_bits(u_or(u_shr(a, 32), u_set(0x4530000000000000u)));
    vd low = d_of_bits(u_or(u_and(a, u_set(0xffffffffu)), u_set(0x4330000000000000u)));
    return (high - d_set(0x1.00000001p84)) + low;
}
/* For 0 <= a < 2^51. */
SIMD vu u_from_d(vd a) { return u_xor(d_bits(d_floor(a) + d_set(0x1p52)), u_set(0x4330000000000000u)); }
SIMD void u_out(vu v, uint64_t *out) { _mm_storeu_si128((__m128i *)out, v); }
enum { GATHER_IS_QUICK = 0 };
SIMD vd d_gather(const double *base, vu i) {
    uint64_t at[2];
    u_out(i, at);
    return _mm_set_pd(base[at[1]], base[at[0]]);
}
/* Entries of a table of eight, at the last three bits of i. */
SIMD vu u_lookup8(const uint64_t *table, vu i) {
    const int a = _mm_cvtsi128_si32(i) & 7, b = _mm_cvtsi128_si32(_mm_unpackhi_epi64(i, i)) & 7;
    return _mm_set_epi64x((long long)table[b], (long long)table[a]);
}
SIMD void d_split(vd a, vd b, vd *even, vd *odd) {
    *even = _mm_unpacklo_pd(a, b);
    *odd = _mm_unpackhi_pd(a, b);
}
SIMD void d_weave(vd even, vd odd, vd *a, vd *b) {
    *a = _mm_unpacklo_pd(even, odd);
    *b = _mm_unpackhi_pd(even, odd);
}
SIMD void u_weave(vu even, vu odd, vu *a, vu *b) {
    *a = _mm_unpacklo_epi64(even, odd);
    *b = _mm_unpackhi_epi64(even, odd);
}
SIMD vu to_front(vm m, vu v) { return m_bits(m) == 2 ? _mm_unpackhi_epi64(v, v) : v; }
SIMD size_t u_compress(uint64_t *p, vm m, vu v) {
    u_store(p, to_front(m, v));
    return (size_t)__builtin_popcount(m_bits(m));
}
SIMD size_t d_compress(double *p, vm m, vd v) {
    d_store(p, d_of_bits(to_front(m, d_bits(v))));
    return (size_t)__builtin_popcount(m_bits(m));
}
SIMD size_t u_compress32(uint32_t *p, vm m, vu v) {
    u_store32(p, to_front(m, v));
    return (size_t)__builtin_popcount(m_bits(m));
}
/* Each lane plus all before it; and the last lane in all. */
SIMD vd d_running(vd a) { return a + _mm_unpacklo_pd(_mm_setzero_pd(), a); }
SIMD vd d_last(vd a) { return _mm_unpackhi_pd(a, a); }
/* Twice as many lanes of 32 bits: see simd_avx512.h. */
/* Rounded once or twice. */
SIMD vd d_fma(vd a, vd b, vd c) { return a * b + c; }
SIMD vf f_set(float x) { return (vf)_mm_set1_ps(x); }
SIMD vf f_load(const float *p) { return (vf)_mm_loadu_ps(p); }
SIMD void f_store(float *p, vf v) { _mm_storeu_ps(p, (__m128)v); }
SIMD vf f_min(vf a, vf b) { return (vf)_mm_min_ps((__m128)a, (__m128)b); }
SIMD vf f_max(vf a, vf b) { return (vf)_mm_max_ps((__m128)a, (__m128)b); }
SIMD vf f_abs(vf a) { return (vf)_mm_andnot_ps(_mm_set1_ps(-0.0f), (__m128)a); }
/* a, or the size of b where that is less; a is not negative. */
SIMD vf f_nearer(vf a, vf b) { return f_min(a, f_abs(b)); }
SIMD vf f_fma(vf a, vf b, vf c) { return a * b + c; }
SIMD vf f_rsqrt(vf a) { return (vf)_mm_rsqrt_ps((__m128)a); }
SIMD unsigned f_signs(vf a) { return (unsigned)_mm_movemask_ps((__m128)a); }
SIMD vf f_from_i(vw a) { return (vf)_mm_cvtepi32_ps((__m128i)a); }
SIMD vf f_join(vd low, vd high) { return (vf)_mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high)); }
SIMD vd d_load32(const float *p) { return _mm_cvtps_pd(_mm_castpd_ps(_mm_load_sd((const double *)p))); }
SIMD vw w_upper(vu low, vu high) { return (vw)_mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), 0xdd); }
/* Integers from 0 to 2^31 - 1. */
SIMD vw w_set(uint32_t x) { return (vw)_mm_set1_epi32((int)x); }
SIMD vw w_iota(void) { return (vw)_mm_set_epi32(3, 2, 1, 0); }
SIMD vw w_load(const uint32_t *p) { return (vw)_mm_loadu_si128((const __m128i *)p); }
SIMD void w_store(uint32_t *p, vw v) { _mm_storeu_si128((__m128i *)p, (__m128i)v); }
SIMD unsigned w_bits(__m128i mask) { return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(mask)); }
SIMD unsigned w_less(vw a, vw b) { return w_bits(_mm_cmplt_epi32((__m128i)a, (__m128i)b)); }
SIMD unsigned w_same(vw a, vw b) { return w_bits(_mm_cmpeq_epi32((__m128i)a, (__m128i)b)); }
/* Lane by lane, x where a < b, else y. */
SIMD vw w_choose(vw a, vw b, vw x, vw y) {
    const vw less = (vw)_mm_cmplt_epi32((__m128i)a, (__m128i)b);
    return (less & x) | (~less & y);
}
/* Entries of a table of sixteen. */
SIMD vw w_lookup16(const uint32_t *table, vw i) { return (vw){table[i[0]], table[i[1]], table[i[2]], table[i[3]]}; }
/* The chosen lanes densely; a whole register is stored. Returns how many. */
SIMD size_t w_compress(uint32_t *p, unsigned lanes, vw v) {
    size_t kept = 0;
    for (unsigned i = 0; i < 2 * LANES; i++) {
        p[kept] = v[i];
        kept += lanes >> i & 1;
    }
    return kept;
}
SIMD vw w_from_d(vd low, vd high) { return (vw)_mm_unpacklo_epi64(_mm_cvttpd_epi32(low), _mm_cvttpd_epi32(high)); }
SIMD void d_from_w(vw a, vd *low, vd *high) {
    *low = _mm_cvtepi32_pd((__m128i)a);
    *high = _mm_cvtepi32_pd(_mm_unpackhi_epi64((__m128i)a, (__m128i)a));
}
SIMD vw w_of_bits(vu a) { return (vw)a; }
#endif

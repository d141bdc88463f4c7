/* SPDX-License-Identifier: MIT */
/* Written by tools/make_fmath_tables.py: change that, not this. */
#ifndef TB_QUANTILE_TABLES_H
#define TB_QUANTILE_TABLES_H

/* z/d in 0.18 - d^2, d = u - 1/2; largest relative error 6.0e-17 */
static const double CENTRAL_TOP[9] = {
    0x1.b0be0cf23bb47p1, 0x1.26dc7ee8ba3cfp7, 0x1.39935ae26a267p11, 0x1.4a98a6027521fp14,
    0x1.6b99c19e2d42ap16, 0x1.93a736229f540p17, 0x1.9336aa97b6b76p17, 0x1.15c6c888d32b5p16,
    0x1.d3a4aa0357c8ap11,
};
#define CENTRAL_TOP_DEGREE 8

/* its denominator */
static const double CENTRAL_BOTTOM[9] = {
    0x1.0000000000000p0, 0x1.74bbd8dde5117p5, 0x1.ada782497b4a8p9, 0x1.f4dac115f1626p12,
    0x1.39652c4971f41p15, 0x1.9da42348a5ca1p16, 0x1.0890c044d7233p17, 0x1.0fab2a678732ep16,
    0x1.19869788e3107p13,
};
#define CENTRAL_BOTTOM_DEGREE 8

/* z in sqrt(-log(1 - u)) - 1.5, 0.0757 > 1 - u > 2^-65.5; largest relative error 8.6e-18 */
static const double OUTER_TOP[11] = {
    0x1.4059f9ed66525p0, 0x1.36eaf662d3351p2, 0x1.dd9c6fea3e0c1p2, 0x1.88fb05f6eb219p2,
    0x1.845d3406b8f31p1, 0x1.e27235d441a0bp-1, 0x1.796591c02734cp-3, 0x1.65e713aa3af5ap-6,
    0x1.79cdf8fd7a56dp-10, 0x1.79c276a1c47c8p-15, 0x1.f36bf2fd216fep-22,
};
#define OUTER_TOP_DEGREE 10

/* its denominator */
static const double OUTER_BOTTOM[10] = {
    0x1.0000000000000p0, 0x1.3f8a5dc3570a1p1, 0x1.4f0025ee47575p1, 0x1.820fa466e6303p0,
    0x1.0ba2f425739ebp-1, 0x1.c7712f4ce4b18p-4, 0x1.ccedc80ce3a61p-7, 0x1.fe36b943940eep-11,
    0x1.06fc83daca090p-15, 0x1.61244445e4745p-22,
};
#define OUTER_BOTTOM_DEGREE 9

#endif

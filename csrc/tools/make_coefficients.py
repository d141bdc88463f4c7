# SPDX-License-Identifier: MIT
"""Print the polynomial coefficients of csrc/kernel_random.h, csrc/kernel_normal.h and csrc/kernel_em.h.

Each polynomial is the truncated Chebyshev expansion of its function on the stated interval, computed with
50 digits and rounded once.  Run ``python csrc/tools/make_coefficients.py`` (needs mpmath); the output is C.
"""

from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 50


def chebyshev(f: Callable[[mp.mpf], mp.mpf], lo: float, hi: float, degree: int) -> list[mp.mpf]:
    """Power-basis coefficients in (x - centre) of the Chebyshev interpolant of ``f`` on [lo, hi]."""
    nodes = 4 * degree
    centre, half = (mp.mpf(lo) + hi) / 2, (mp.mpf(hi) - lo) / 2
    angles = [mp.pi * (j + mp.mpf(1) / 2) / nodes for j in range(nodes)]
    values = [f(centre + half * mp.cos(a)) for a in angles]
    waves = [[mp.cos(k * a) for a in angles] for k in range(degree + 1)]
    series = [2 * mp.fdot(values, wave) / nodes for wave in waves]
    series[0] /= 2
    total = [mp.mpf(0)] * (degree + 1)
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    for k, weight in enumerate(series):
        term = before if k == 0 else now
        for i, c in enumerate(term):
            total[i] += weight * c
        if k > 0:
            nxt = [mp.mpf(0), *[2 * c for c in now]]
            for i, c in enumerate(before):
                nxt[i] -= c
            before, now = now, nxt
    return [c / half**i for i, c in enumerate(total)]


def worst(f: Callable[[mp.mpf], mp.mpf], coefficients: list[mp.mpf], lo: float, hi: float) -> mp.mpf:
    """Largest relative error of the rounded polynomial on 500 points."""
    centre = (mp.mpf(lo) + hi) / 2
    rounded = [mp.mpf(float(c)) for c in coefficients]
    points = [mp.mpf(lo) + (mp.mpf(hi) - lo) * i / 499 for i in range(500)]
    return max(abs(mp.polyval(rounded[::-1], x - centre) / f(x) - 1) for x in points)


def show(name: str, f: Callable[[mp.mpf], mp.mpf], lo: float, hi: float, degree: int) -> None:
    """Print one table as a C initialiser with its largest relative error."""
    coefficients = chebyshev(f, lo, hi, degree)
    print(f"/* {name}: [{lo}, {hi}], relative error {mp.nstr(worst(f, coefficients, lo, hi), 2)} */")
    print(f"static const double {name}[{degree + 1}] = {{")
    print(",\n".join(f"    {float(c)!r}" for c in coefficients) + "};")


def log_ratio(t: mp.mpf) -> mp.mpf:
    """log(1 + t) / t."""
    return mp.log1p(t) / t if t else mp.mpf(1)


def central(w: mp.mpf) -> mp.mpf:
    """sqrt(2) erfinv(x) / x with w = -log(1 - x^2)."""
    x = mp.sqrt(-mp.expm1(-w))
    return mp.sqrt(2) * mp.erfinv(x) / x if x else mp.sqrt(mp.pi / 2)


def atanh_ratio(s2: mp.mpf) -> mp.mpf:
    """(2 atanh(s) / s - 2) / s^2 as a function of s^2, for the full-precision logarithm."""
    if s2 < mp.mpf("1e-12"):
        return mp.mpf(2) / 3 + 2 * s2 / 5
    s = mp.sqrt(s2)
    return (2 * mp.atanh(s) / s - 2) / s2


def log2_rest(p: mp.mpf) -> mp.mpf:
    """log2(1 - p) / p."""
    return mp.log1p(-p) / p / mp.log(2) if p else -1 / mp.log(2)


def exp2_ratio(f: mp.mpf) -> mp.mpf:
    """(2^f - 1) / f."""
    return mp.expm1(f * mp.log(2)) / f if f else mp.log(2)


if __name__ == "__main__":
    root_half = float(mp.sqrt(mp.mpf(1) / 2))
    show("LOG_RATIO", log_ratio, root_half - 1, 2 * root_half - 1, 6)
    show("CENTRAL", central, 0.0, 7.5, 9)
    show("LOG2_REST", log2_rest, 0.0, 0.5, 9)
    show("EXP2", lambda f: mp.mpf(2) ** f, -0.5, 0.5, 6)
    show("ATANH_RATIO", atanh_ratio, 0.0, 0.02944, 7)
    show("EXPONENTIAL", mp.exp, -0.34658, 0.34658, 12)
    show("NORMAL_CENTRAL", central, 0.0, 6.25, 23)
    show("EXP2_RATIO", exp2_ratio, -0.0625, 0.0625, 5)

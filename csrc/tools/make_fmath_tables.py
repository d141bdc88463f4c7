# SPDX-License-Identifier: MIT
"""Write the constants of fmath.c and quantile.c, computed with mpmath at 60 digits.

Run from the repository's root after changing a fit:

    python csrc/tools/make_fmath_tables.py fmath > csrc/fmath_tables.h
    python csrc/tools/make_fmath_tables.py quantile > csrc/quantile_tables.h

Every constant is either a rounded closed form (logarithms, powers of two, Stirling errors) or belongs to an
interpolant at Chebyshev nodes, polynomial or rational, whose error is printed beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from mpmath import mp, mpf

mp.dps = 60

LOG_BITS = 6  # 2^6 intervals of the logarithm's argument
LOG_BELOW_ONE = (
    mpf(38) + mpf(11) / 16
)  # intervals below 1: an interval straddles 1, the first starts near 0.698
EXP_BITS = 6
GRANULE = mpf(2) ** -42  # the high parts of log tables are multiples of it: k ln2 + log c is then exact


def hexfloat(x: mpf) -> str:
    """The double nearest to x as a C hexadecimal constant."""
    return float(x).hex().replace("p+", "p")


def split(x: mpf, granule: mpf | None = None) -> tuple[mpf, mpf]:
    """x as high + low doubles; high is a multiple of `granule` if one is given."""
    high = mpf(float(x)) if granule is None else mp.nint(x / granule) * granule
    return high, mpf(float(x - high))


def from_units(units: mpf) -> mpf:
    """The number `units` log intervals above 1 in the order of bit patterns (half as wide below 1)."""
    step = mpf(2) ** -LOG_BITS
    return 1 + units * step * (1 if units >= 0 else mpf(1) / 2)


def log_rows() -> Iterator[list[str]]:
    """Rows (c, high, low) with c near 1/m on each interval and high + low = -log c."""
    for i in range(2**LOG_BITS):
        low, high = from_units(i - LOG_BELOW_ONE), from_units(i + 1 - LOG_BELOW_ONE)
        c = mpf(1) if low < 1 < high else mp.nint(2 / (low + high) * 512) / 512
        yield [hexfloat(v) for v in (c, *split(-mp.log(c), GRANULE))]


def exp_rows() -> Iterator[list[str]]:
    """Rows (high, low) of 2^(j/64)."""
    for j in range(2**EXP_BITS):
        yield [hexfloat(v) for v in split(mpf(2) ** (mpf(j) / 2**EXP_BITS))]


def nodes(a: mpf, b: mpf, n: int) -> list[mpf]:
    """Chebyshev nodes of [a, b]."""
    return [(a + b) / 2 + (b - a) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * n)) for i in range(n)]


Function = Callable[[mpf], mpf]


def fit(f: Function, a: mpf, b: mpf, top: int, bottom: int = 0) -> tuple[list[mpf], list[mpf]]:
    """Coefficients, lowest first, of the P/Q of these degrees, Q(0) = 1, that equals f at Chebyshev nodes."""
    xs = nodes(mpf(a), mpf(b), top + bottom + 1)
    rows = [[x**j for j in range(top + 1)] + [-f(x) * x**j for j in range(1, bottom + 1)] for x in xs]
    solution = list(mp.lu_solve(mp.matrix(rows), mp.matrix([f(x) for x in xs])))
    return solution[: top + 1], [mpf(1), *solution[top + 1 :]]


def worst(f: Function, p: list[mpf], q: list[mpf], a: mpf, b: mpf) -> mpf:
    """Largest relative error of the fit on a fine grid."""
    xs = [mpf(a) + (mpf(b) - mpf(a)) * i / 997 for i in range(998)]
    return max(abs(mp.polyval(p[::-1], x) / mp.polyval(q[::-1], x) / f(x) - 1) for x in xs)


def erf_small(s: mpf) -> mpf:
    """erf(x)/x - 1 as a function of s = x^2."""
    x = mp.sqrt(s)
    return mp.erf(x) / x - 1


def erfc_scaled(t: mpf) -> mpf:
    """(1 + 2x) exp(x^2) erfc(x) as a function of t = (x - 4)/(x + 4)."""
    x = 4 * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


def normal_quantile(tail: mpf) -> mpf:
    """x > 0 with upper tail probability `tail`."""
    x = (
        mp.sqrt(-2 * mp.log(tail)) * mpf("0.8")
        if tail < mpf("0.4")
        else (mpf("0.5") - tail) * mp.sqrt(2 * mp.pi)
    )
    for _ in range(60):
        density = mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)
        step = (mp.erfc(x / mp.sqrt(2)) / 2 - tail) / density
        step = step / (1 - x * step / 2)  # Halley: the third order makes the start unimportant
        x += step
        if abs(step) < mpf(10) ** -50 * x:
            return x
    raise ArithmeticError(f"no convergence at {tail}")


def central(s: mpf) -> mpf:
    """z/d as a function of s = 0.18 - d^2, d = u - 1/2."""
    d = mp.sqrt(mpf("0.18") - s)
    return normal_quantile(mpf("0.5") - d) / d


def outer(s: mpf) -> mpf:
    """z as a function of s = sqrt(-log(1 - u)) - 1.5."""
    return normal_quantile(mp.exp(-((s + mpf("1.5")) ** 2)))


def stirling_error(n: int) -> mpf:
    """log n! - log(sqrt(2 pi n) (n/e)^n)."""
    if n == 0:
        return mpf(0)
    return mp.loggamma(n + 1) - (n + mpf(1) / 2) * mp.log(n) + n - mp.log(2 * mp.pi) / 2


def table(name: str, rows: list[list[str]], comment: str) -> None:
    """Print a two-dimensional array."""
    print(f"\n/* {comment} */\nstatic const double {name}[{len(rows)}][{len(rows[0])}] = {{")
    for row in rows:
        print("    { " + ", ".join(row) + " },")
    print("};")


def array(name: str, values: list[mpf], comment: str) -> None:
    """Print a one-dimensional array."""
    print(f"\n/* {comment} */\nstatic const double {name}[{len(values)}] = {{")
    for i in range(0, len(values), 4):
        print("    " + " ".join(hexfloat(v) + "," for v in values[i : i + 4]))
    print("};")


def preamble(guard: str) -> None:
    """Print the head of a generated header."""
    print("/* SPDX-License-Identifier: MIT */")
    print("/* Written by tools/make_fmath_tables.py: change that, not this. */")
    print(f"#ifndef {guard}\n#define {guard}")


def fitted(name: str, f: Function, ends: tuple[mpf, mpf], degrees: tuple[int, int], what: str) -> None:
    """Print the numerator, and the denominator if there is one, of a fit."""
    a, b = ends
    p, q = fit(f, a, b, *degrees)
    margin = (b - a) * mpf(10) ** -9  # the inverse functions are undefined at the very ends
    error = mp.nstr(worst(f, p, q, a + margin, b - margin), 2)
    array(name, p, f"{what}; largest relative error {error}")
    print(f"#define {name}_DEGREE {degrees[0]}")
    if degrees[1]:
        bottom = name.replace("_TOP", "_BOTTOM")
        array(bottom, q, "its denominator")
        print(f"#define {bottom}_DEGREE {degrees[1]}")


def write_fmath() -> None:
    """Print fmath_tables.h."""
    preamble("TB_FMATH_TABLES_H")
    table("LOG_TABLE", list(log_rows()), "c, high and low part of -log c")
    table("EXP_TABLE", list(exp_rows()), "high and low part of 2^(j/64)")
    edge = mpf("0.46875")
    fitted("ERF_SMALL", erf_small, (mpf(0), mpf(1)), (13, 0), "erf(x)/x - 1 in x^2, |x| <= 1")
    ends = (edge - 4) / (edge + 4), mpf("0.75")
    what = "(1 + 2x) exp(x^2) erfc(x) in t = (x - 4)/(x + 4), 0.46875 <= x <= 28"
    fitted("ERFC_SCALED", erfc_scaled, ends, (22, 0), what)
    array("STIRLING_ERROR", [stirling_error(n) for n in range(16)], "log n! - log(sqrt(2 pi n) (n/e)^n)")
    print("\n#endif")


def write_quantile() -> None:
    """Print quantile_tables.h."""
    preamble("TB_QUANTILE_TABLES_H")
    fitted("CENTRAL_TOP", central, (mpf(0), mpf("0.18")), (8, 8), "z/d in 0.18 - d^2, d = u - 1/2")
    what = "z in sqrt(-log(1 - u)) - 1.5, 0.0757 > 1 - u > 2^-65.5"
    fitted("OUTER_TOP", outer, (mpf("0.1"), mpf("5.24")), (10, 9), what)
    print("\n#endif")


if __name__ == "__main__":
    {"fmath": write_fmath, "quantile": write_quantile}[sys.argv[1]]()

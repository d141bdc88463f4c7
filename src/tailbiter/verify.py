# SPDX-License-Identifier: MIT
"""Simulate, predict, and say where the two part, at a stated rate of false alarms."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tailbiter._checks import whole, within
from tailbiter._variables import ALL as VARIABLE_NAMES
from tailbiter.predict import predict, refusals
from tailbiter.simulate import simulate
from tailbiter.testing import mean_evidence

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.record import Record
    from tailbiter.spec import Spec

Floats = npt.NDArray[np.float64]

__all__ = ["Comparison", "Verification", "verify"]

# With fewer replicates no evidence at the default rate is to be had, however large the difference.
FEWEST = 256
POWER_QUANTILE = 3.09  # of the normal law at .999
# What evidence loses to not knowing the best bet, in its logarithm.
OF_VARIANCE, OF_BOUNDS = 3.5, 6.0
# Means are sums of doubles in some order.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Comparison:
    """One variable, where simulation and theory lie farthest apart.

    Attributes
    ----------
    variable : str
        Name in the Dataset.
    cells : int
        Generations (and bands) compared.
    generation : int or None
        Where the difference is largest; None where no cell is defined.
    band : int or None
        Likewise, of variables by band.
    simulated, predicted : float
        Mean over replicates, and expectation, there.
    kind : str
        Kind of the prediction: exact, bound or limit.
    z : float
        Their difference over the standard error of the mean (by theory where exact, else as simulated).
    sees : float or None
        About the smallest difference that this many replicates would find there (with probability .99, if the
        mean of so many is nearly normal; a value that is rarely not 0 takes more). None for a limit, which is
        not judged, and where neither bounds nor a standard deviation are known.
    verdict : {"agrees", "parts", "not judged"}
        What the evidence says of all cells of the variable.
    """

    variable: str
    cells: int
    generation: int | None
    band: int | None
    simulated: float
    predicted: float
    kind: str
    z: float
    sees: float | None
    verdict: str


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes
    ----------
    rows : tuple of Comparison
        One for each variable that theory knows.
    replicates : int
        How many were simulated.
    rate : float
        Chance that a correct simulation fails anywhere in the table, at most.
    left_out : dict of str to str
        Variables about which theory says nothing, and why.
    """

    rows: tuple[Comparison, ...]
    replicates: int
    rate: float
    left_out: dict[str, str]

    @property
    def agrees(self) -> bool:
        """Whether something was judged, and simulation and theory part nowhere."""
        verdicts = {row.verdict for row in self.rows}
        return "agrees" in verdicts and "parts" not in verdicts

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {**asdict(self), "agrees": self.agrees}

    def text(self) -> str:
        """Table and verdict, for people."""
        return "\n".join([*_table(self.rows), "", *_sentences(self)])


def verify(
    spec: Spec,
    *,
    record: Record | None = None,
    rate: float = 1e-6,
    replicates: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Verification:
    """Compare the means of a simulation with theory, variable by variable.

    Only means are judged: a simulation with the right means and the wrong spread agrees.

    Parameters
    ----------
    spec : Spec
        What to run and to predict.
    record : Record, optional
        Generations and variables to compare.
    rate : float, default 1e-6
        Chance of a false alarm over the whole table, at most; it is shared equally by all cells.
    replicates : int, optional
        How many to simulate; by default as the Spec says, and at least 256: with fewer, hardly any difference
        could be told from chance at such a rate.
    threads, progress
        As for `simulate`.

    Returns
    -------
    Verification

    Raises
    ------
    PredictionError
        If theory knows nothing about this Spec, naming the part of it that rules laws out.
    SpecError
        For an argument that cannot be used.

    Notes
    -----
    The verdict rests on bounds that hold at every number of replicates (`tailbiter.testing.mean_evidence`):
    the normal law is used for no more than the column ``z``, which is there to be looked at.

    Examples
    --------
    >>> import tailbiter as tb
    >>> tb.verify(tb.Spec(reference=tb.Uniform(10), samples=50, generations=20)).agrees
    True
    """
    rate = within(rate, "rate", 1e-300, 0.5, "give a chance of a false alarm such as 1e-6")
    if replicates is None:
        replicates = max(spec.replicates, FEWEST)
    else:
        replicates = whole(replicates, "replicates", 2, 2**32 - 1, f"give at least {FEWEST}")
    spec = spec.replace(replicates=replicates)
    theory = predict(spec, record=record)
    names = [str(name) for name in theory.data_vars if name in VARIABLE_NAMES]
    left_out: dict[str, str] = json.loads(theory.attrs["left_out"])
    if not names:
        raise next(iter(refusals(spec, record=record).values()))
    ds = simulate(spec, record=record, threads=threads, progress=progress)
    cells = sum(theory[name].size for name in names)
    threshold = math.log(cells / rate)
    rows = tuple(_compare(ds[name], theory, threshold) for name in names)
    return Verification(rows, replicates, rate, left_out)


def _compare(measured: xr.DataArray, theory: xr.Dataset, threshold: float) -> Comparison:
    """Look at every generation (and band) of one variable."""
    name, known = str(measured.name), theory[str(measured.name)]
    kind = known.attrs["kind"]
    if measured.shape[1:] != known.shape:  # other bands: another law, or other sizes
        return Comparison(name, known.size, None, None, math.nan, math.nan, kind, math.inf, None, "parts")
    values = measured.values.reshape(measured.sizes["replicate"], -1).astype(np.float64)
    cells = _Cells(
        values,
        known.values.ravel(),
        _beside(theory, f"{name}_error"),
        _beside(theory, f"{name}_sd"),
        _beside(theory, f"{name}_sd", kind="exact"),
        *(_bound(known, end) for end in ("valid_min", "valid_max")),
    )
    if not cells.defined.any():
        return Comparison(name, 0, None, None, math.nan, math.nan, kind, math.nan, None, "not judged")
    log_e = np.full(len(cells.expected), -np.inf)
    if kind != "limit":
        log_e[cells.defined] = cells.evidence()
    parts = bool((log_e >= threshold).any())
    worst = int(np.argmax(np.where(cells.defined, log_e if parts else np.abs(cells.z), -np.inf)))
    where = np.unravel_index(worst, known.shape)
    return Comparison(
        variable=name,
        cells=int(cells.defined.sum()),
        generation=int(known["generation"].values[where[0]]),
        band=int(where[1]) if len(where) > 1 else None,
        simulated=float(cells.mean[worst]),
        predicted=float(cells.expected[worst]),
        kind=kind,
        z=float(cells.z[worst]),
        sees=None if kind == "limit" else cells.sees(worst, threshold),
        verdict="not judged" if kind == "limit" else "parts" if parts else "agrees",
    )


def _beside(theory: xr.Dataset, name: str, kind: str | None = None) -> Floats | None:
    """What stands beside a prediction, if it does, and if it is of this kind."""
    if name not in theory or (kind is not None and theory[name].attrs["kind"] != kind):
        return None
    return theory[name].values.ravel()


def _bound(known: xr.DataArray, name: str) -> Floats | None:
    """Least or largest value that each cell can have, if there is one."""
    if name not in known.attrs:
        return None
    return np.broadcast_to(np.asarray(known.attrs[name], dtype=np.float64), known.shape).ravel()


class _Cells:
    """The generations (and bands) of one variable, side by side.

    Parameters
    ----------
    values : float64[replicates, cells]
        As simulated.
    expected : float64[cells]
        As predicted; NaN where the variable is not defined.
    error, most_sd, sd : float64[cells] or None
        Largest error of what is predicted; a bound on the standard deviation of one replicate, and it itself
        (NaN where not known).
    low, high : float64[cells] or None
        Least and largest value of one replicate.
    """

    def __init__(
        self,
        values: Floats,
        expected: Floats,
        error: Floats | None,
        most_sd: Floats | None,
        sd: Floats | None,
        low: Floats | None,
        high: Floats | None,
    ) -> None:
        unknown = np.full_like(expected, np.nan)
        broken = ~np.isfinite(values).all(axis=0)
        values = np.where(broken, 0.0, values)  # they are told by themselves
        self.values = values
        self.low, self.high = low, high
        self.expected = expected
        self.defined = np.isfinite(expected)
        self.broken = self.defined & broken
        self.error = np.zeros_like(expected) if error is None else error
        self.most_sd = unknown if most_sd is None else most_sd
        exact_sd = unknown if sd is None else sd
        self.sd = np.where(np.isfinite(exact_sd), exact_sd, self._sample_sd())
        self.certain = (exact_sd == 0) & (self.error == 0)
        self.mean = np.where(broken, np.nan, values.mean(axis=0))
        self.z = self._z()

    def _sample_sd(self) -> Floats:
        """As simulated; where all are alike, the most that values between bounds have about a mean."""
        sd = self.values.std(axis=0, ddof=1)
        if self.low is None or self.high is None:
            return sd
        most = np.sqrt(np.clip((self.expected - self.low) * (self.high - self.expected), 0.0, None))
        return np.where((sd == 0) & self.defined, most, sd)

    def _z(self) -> Floats:
        """Differences beyond the error of prediction, over their standard errors."""
        difference = self.mean - self.expected
        rounding = ROUNDING * (1e-3 + np.abs(self.expected))
        beyond = np.maximum(np.abs(difference) - self.error - rounding, 0.0)
        se = self.sd / math.sqrt(len(self.values))
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.sign(difference) * np.where(beyond > 0, beyond / se, 0.0)
        return np.where(self.broken, np.inf, z)

    def evidence(self) -> Floats:
        """Natural logarithm of an e-value for each cell that is defined; 0 where nothing bounds it."""
        log_e = np.zeros(len(self.expected))
        impossible = self.defined & (self.broken | self._outside() | self._strayed())
        log_e[impossible] = np.inf  # no right simulation gets there
        spread = np.isfinite(self.most_sd)
        bounded = self.low is not None or self.high is not None
        for group, sd in ((spread, self.most_sd), (~spread & bounded, None)):
            chosen = group & self.defined & ~impossible
            if chosen.any():
                # What rounding carries over a bound, as an entropy of one category, is taken back to it.
                low = -np.inf if self.low is None else self.low[chosen]
                high = np.inf if self.high is None else self.high[chosen]
                log_e[chosen] = mean_evidence(
                    np.clip(self.values[:, chosen], low, high),
                    self.expected[chosen],
                    low=None if self.low is None else self.low[chosen],
                    high=None if self.high is None else self.high[chosen],
                    variance=None if sd is None else sd[chosen] ** 2,
                    error=self.error[chosen],
                )
        return log_e[self.defined]

    def _outside(self) -> npt.NDArray[np.bool_]:
        """Cells that hold a value which none can have."""
        outside = np.zeros(len(self.expected), dtype=bool)
        if self.low is not None:
            outside |= self.values.min(axis=0) < self.low - ROUNDING
        if self.high is not None:
            outside |= self.values.max(axis=0) > self.high + ROUNDING * (1.0 + self.high)
        return outside

    def _strayed(self) -> npt.NDArray[np.bool_]:
        """Cells whose value is certain (nothing varies, or the mean is a bound), and that hold another."""
        certain = self.certain.copy()
        for bound in (self.low, self.high):
            if bound is not None:
                certain |= (self.expected == bound) & (self.error == 0)
        slack = ROUNDING * (1.0 + np.abs(self.expected))
        return np.asarray(certain & (np.abs(self.values - self.expected) > slack).any(axis=0))

    def sees(self, cell: int, threshold: float) -> float | None:
        """Difference that is found; larger by a share of the width where only bounds are known."""
        if np.isfinite(self.most_sd[cell]):
            price, by_bounds = OF_VARIANCE, 0.0
        elif self.low is not None and self.high is not None:
            price = OF_BOUNDS
            by_bounds = float(self.high[cell] - self.low[cell]) * (threshold + price) / len(self.values)
        else:
            return None
        steps = math.sqrt(2.0 * (threshold + price)) + POWER_QUANTILE
        return float(self.error[cell] + steps * self.sd[cell] / math.sqrt(len(self.values)) + by_bounds)


def _table(rows: tuple[Comparison, ...]) -> list[str]:
    head = ("variable", "generation", "band", "simulated", "predicted", "kind", "z", "sees", "verdict")
    lines = [head, *(_cells_of(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    left = {0, 5, 8}
    return [
        "  ".join(
            cell.ljust(width) if index in left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _cells_of(row: Comparison) -> tuple[str, ...]:
    return (
        row.variable,
        "-" if row.generation is None else f"{row.generation:,}",
        "-" if row.band is None else str(row.band),
        f"{row.simulated:.6g}",
        f"{row.predicted:.6g}",
        row.kind,
        f"{row.z:.2f}",
        "-" if row.sees is None else f"{row.sees:.2g}",
        row.verdict,
    )


def _sentences(found: Verification) -> list[str]:
    cells = sum(row.cells for row in found.rows)
    parted = [row.variable for row in found.rows if row.verdict == "parts"]
    where = (
        f"Each row is where {found.replicates:,} replicates lie farthest from theory, in standard errors (z)"
    )
    lines = [f"{where}, of {cells:,} values; sees = the least difference that would be found there."]
    lines += [
        f"Theory says nothing here about {', '.join(names)} (because of {field})."
        for field, names in _by_reason(found.left_out).items()
    ]
    if parted:
        names = ", ".join(parted)
        lines.append(f"Simulation and theory part in {names}; by chance at most {found.rate:g} of the time.")
    elif all(row.verdict == "not judged" for row in found.rows):
        lines.append("Nothing is judged here: a limit is no bound on how far a run may be from it.")
    else:
        lines.append(f"Simulation and theory agree (rate of false alarms: {found.rate:g}).")
    return lines


def _by_reason(left_out: dict[str, str]) -> dict[str, list[str]]:
    """Variables by the part of the Spec that rules them out."""
    by_field: dict[str, list[str]] = {}
    for name, why in left_out.items():
        by_field.setdefault(why.partition(":")[0], []).append(name)
    return by_field

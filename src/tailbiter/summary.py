# SPDX-License-Identifier: MIT
"""The short table people read after a run, and the sentences below it.

Everything is a median over replicates: the mean mass of a tail never falls under pure resampling, however
many of its categories are gone, so a mean would hide what happened.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.dataset import hill_numbers, share_alive
from tailbiter.stages import as_plain, in_words, stages

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "Forgetting",
    "Row",
    "Summary",
    "aligned",
    "band_names",
    "counted",
    "expected_table",
    "half_gone",
    "log_spaced",
    "median_first",
    "medians",
    "percent",
    "power",
    "printable",
    "summarise",
]

ROWS = 10
EXAMPLES = 5
# Categories looked at in one go while searching for the most common ones that vanished.
CHUNK = 4096
# Of held-out data, what a sentence tells.
SCORES = ("oov_tokens", "largest_share", "top_share_held_out")
LABEL_WIDTH = 40
KINDS = {"exact": "Exact", "bound": "Within a proved bound", "limit": "In a limit only"}


@dataclass(frozen=True)
class Row:
    """One generation of the table; all values are medians over replicates.

    Attributes
    ----------
    generation : int
        Resamplings since the reference.
    survivors : float
        Categories present in the training set.
    effective_number : float or None
        exp(entropy); None when entropy was not recorded.
    share_alive : list of float or None
        By band, from rare to common; None for a band without categories.
    """

    generation: int
    survivors: float | None
    effective_number: float | None
    share_alive: list[float | None]


@dataclass(frozen=True)
class Forgetting:
    """One category and when it was forgotten: the median over replicates.

    Attributes
    ----------
    label : str
        Its label, or its position in the reference.
    expected : float
        Items of it expected in the first human sample.
    generation : float
        Median generation of forgetting.
    """

    label: str
    expected: float
    generation: float


@dataclass(frozen=True)
class Summary:
    """What a run comes to.

    Attributes
    ----------
    replicates, categories : int
        Size of the run.
    bands : list of str
        Names of the bands, from rare to common: the counts expected in the first human sample.
    rows : list of Row
        About ten generations, log-spaced.
    missed_at_once : float or None
        Categories the first sample already missed; None unless generation 1 was recorded.
    first_forgotten, commonest_forgotten : list of Forgetting
        What most replicates forgot first, of what the first sample held; the most common categories that most
        replicates forgot. Empty unless forgetting was recorded.
    absence_is_final : bool or None
        False where the regime may bring a category back: then forgotten only means absent up to the end.
    tail_categories : int or None
        Size of the tail; None unless recorded.
    tail_half_gone : float or None
        First recorded generation at which fewer than half of the tail categories of generation 1 are present;
        None when most replicates had not reached it.
    last_generation : int
        Where the run ended.
    stages : dict of str to float or None
        Median onset of each stage of collapse; empty unless what they need was recorded.
    judged : dict of str to list of float
        Scores on held-out data at generation 1 and at the end.
    told : list of str
        The stages in sentences.
    """

    replicates: int
    categories: int
    last_generation: int
    bands: list[str]
    rows: list[Row]
    missed_at_once: float | None
    first_forgotten: list[Forgetting]
    commonest_forgotten: list[Forgetting]
    absence_is_final: bool | None
    tail_categories: int | None
    tail_half_gone: float | None
    stages: dict[str, float | None]
    judged: dict[str, list[float]]
    told: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self)

    def text(self) -> str:
        """Table and sentences, for people."""
        return "\n".join([*_table(self), "", *_sentences(self)])


def summarise(ds: xr.Dataset) -> Summary:
    """Reduce a run to a table of about ten rows and a few facts.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.

    Returns
    -------
    Summary
        Medians over replicates.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(categories=8), samples=8, generations=5, replicates=2)
    >>> summarise(tb.simulate(spec)).rows[0].survivors
    8.0
    """
    forgotten = ds.get("forgotten")
    if forgotten is not None and _one_for_good(ds):
        forgotten = abs(forgotten).assign_attrs(forgotten.attrs, absence_is_final=True)
    tail = ds.get("tail_survivors")
    found = stages(ds) if _can_be_staged(ds) else None
    return Summary(
        replicates=ds.sizes["replicate"],
        categories=int(ds.attrs["categories"]),
        last_generation=int(ds["generation"][-1]),
        bands=band_names(ds) if "band_survivors" in ds else [],
        rows=_rows(ds),
        missed_at_once=_missed(ds),
        first_forgotten=[] if forgotten is None else _first(forgotten),
        commonest_forgotten=[] if forgotten is None else _commonest(forgotten),
        absence_is_final=None if forgotten is None else bool(forgotten.attrs["absence_is_final"]),
        tail_categories=None if tail is None else int(tail.attrs["categories"]),
        tail_half_gone=None if tail is None else half_gone(tail),
        stages={} if found is None else as_plain(found),
        judged=_judged(ds),
        told=[] if found is None else in_words(found),
    )


BY_THE_DATA: tuple[dict[str, Any], ...] = (
    {"kind": "good_turing", "smoothing": None},
    {"kind": "discount", "smoothing": None},
    {"kind": "shrinkage", "target": "uniform", "smoothing": None},
)


def _one_for_good(ds: xr.Dataset) -> bool:
    """Whether one category is left everywhere, and an estimator that goes by the data gives it all."""
    if ds["forgotten"].attrs["absence_is_final"] or "survivors" not in ds:
        return False
    if bool((ds["survivors"].isel(generation=-1) != 1).any()):
        return False
    spec = json.loads(ds.attrs["spec"])
    samples, estimator = spec["samples"], {**spec["estimator"], "smoothing": None}
    if spec["regime"]["kind"] != "replace" or "rule" in spec.get("decoding", {}) or spec.get("error_rate"):
        return False
    several = isinstance(samples, int | list) and np.min(samples) > 1  # of one item, some is given away
    return bool(several) and estimator in BY_THE_DATA


def _can_be_staged(ds: xr.Dataset) -> bool:
    return "tail_coverage" in ds and bool((ds["generation"] == 1).any())


def _judged(ds: xr.Dataset) -> dict[str, list[float]]:
    """Medians of the scores on held-out data at generation 1 and at the end."""
    if not (ds["generation"] == 1).any():
        return {}
    ends = ds.isel(generation=[int(np.flatnonzero(ds["generation"] == 1)[0]), -1])
    return {name: medians(ends[name]) for name in SCORES if name in ends}


def half_gone(tail: xr.DataArray) -> float | None:
    """When half of the tail that generation 1 still had is gone: median over replicates.

    Parameters
    ----------
    tail : xarray.DataArray
        ``tail_survivors``, dims replicate, generation.

    Returns
    -------
    float or None
        The Kaplan-Meier median of the first recorded generation at which fewer than half are present. All
        replicates are censored at the same last generation, so it is the smallest generation that half of
        them have reached; None when fewer have, or when the tail is empty or generation 1 was not recorded.
    """
    generation = tail["generation"].values
    first = np.flatnonzero(generation == 1)
    if tail.attrs["categories"] == 0 or first.size == 0:
        return None
    values = tail.values
    start = values[:, first]
    # A tail that generation 1 missed altogether was gone then.
    return median_first(((2 * values < start) | (start == 0)) & (generation >= 1), generation)


def median_first(reached: np.ndarray, generation: np.ndarray) -> float | None:
    """When half of the replicates had reached something: the Kaplan-Meier median.

    Parameters
    ----------
    reached : bool[replicates, generations]
        What counts is the first time.
    generation : int[generations]
        Those recorded.

    Returns
    -------
    float or None
        A recorded generation; None where fewer than half of the replicates reach it.
    """
    when = np.where(reached.any(axis=1), generation[reached.argmax(axis=1)], np.inf)
    median = np.sort(when)[(when.size - 1) // 2]
    return float(median) if np.isfinite(median) else None


def _missed(ds: xr.Dataset) -> float | None:
    if "survivors" not in ds or not (ds["generation"] == 1).any():
        return None
    return float(ds.attrs["categories"] - np.median(ds["survivors"].sel(generation=1)))


def _rows(ds: xr.Dataset) -> list[Row]:
    at = log_spaced(ds["generation"].values)
    part = ds.isel(generation=at)
    survivors = medians(part["survivors"]) if "survivors" in part else [None] * at.size
    effective = medians(hill_numbers(part, 1)) if "entropy" in part else [None] * at.size
    shares = (
        [[] for _ in at] if "band_survivors" not in part else np.median(share_alive(part), axis=0).tolist()
    )
    return [
        Row(int(t), alive, number, [None if math.isnan(share) else share for share in row])
        for t, alive, number, row in zip(part["generation"].values, survivors, effective, shares, strict=True)
    ]


def medians(values: xr.DataArray) -> list[float]:
    """Medians over replicates, which come first."""
    return [float(value) for value in np.median(values, axis=0)]


def log_spaced(generation: np.ndarray, rows: int = ROWS) -> np.ndarray:
    """Indices of generation 0 and of at most so many more, evenly spread in log t."""
    later = np.flatnonzero(generation > 0)
    if later.size == 0:
        return np.arange(generation.size)
    wanted = np.geomspace(generation[later[0]], generation[later[-1]], rows)
    nearest = np.abs(np.log(generation[later]) - np.log(wanted)[:, None]).argmin(axis=1)
    return np.union1d(np.flatnonzero(generation == 0), later[nearest])


def _first(forgotten: xr.DataArray) -> list[Forgetting]:
    """What most replicates forgot first, the rarest first among equals; never what was not even sampled."""
    ids = np.empty(0, dtype=np.int64)
    generations = np.empty(0)
    for stop in range(forgotten.sizes["category"], 0, -CHUNK):
        part = np.arange(max(0, stop - CHUNK), stop)[::-1]
        when = _median_generation(forgotten.values[:, part])
        ids = np.concatenate([ids, part[when >= 2]])
        generations = np.concatenate([generations, when[when >= 2]])
        best = np.argsort(generations, kind="stable")[:EXAMPLES]
        ids, generations = ids[best], generations[best]
        if generations.size == EXAMPLES and generations[-1] == 2:
            break  # nothing sampled is forgotten earlier
    return _named(forgotten, ids, generations)


def _commonest(forgotten: xr.DataArray) -> list[Forgetting]:
    """The most common categories that most replicates forgot; categories run from common to rare."""
    ids: list[int] = []
    generations: list[float] = []
    for start in range(0, forgotten.sizes["category"], CHUNK):
        when = _median_generation(forgotten.values[:, start : start + CHUNK])
        gone = np.flatnonzero(np.isfinite(when))[: EXAMPLES - len(ids)]
        ids += (start + gone).tolist()
        generations += when[gone].tolist()
        if len(ids) == EXAMPLES:
            break
    return _named(forgotten, np.array(ids, dtype=np.int64), np.array(generations))


def _median_generation(forgotten: np.ndarray) -> np.ndarray:
    """Kaplan-Meier median by category, with censoring at the end: the lower middle of the sorted values."""
    when = np.where(forgotten == 0, np.inf, forgotten)
    return np.sort(when, axis=0)[(when.shape[0] - 1) // 2]


def _named(forgotten: xr.DataArray, ids: np.ndarray, when: np.ndarray) -> list[Forgetting]:
    names = forgotten["label"] if "label" in forgotten.coords else forgotten["category"]
    expected = forgotten["expected_count"].values
    return [
        Forgetting(str(names.values[i]), float(expected[i]), float(t))
        for i, t in zip(ids, when, strict=True)
        if math.isfinite(t)
    ]


def band_names(ds: xr.Dataset) -> list[str]:
    """Name the bands by their edges, from rare to common."""
    edges = zip(ds["band_lo"].values, ds["band_hi"].values, strict=True)
    return [f"[{_number(lo)},{_number(hi)})" for lo, hi in edges]


def _number(value: float) -> str:
    """Round numbers as 100, 1e5; others with three digits."""
    if math.isinf(value):
        return "inf"
    if value >= 10_000 and value == 10 ** round(math.log10(value)):
        return f"1e{round(math.log10(value))}"
    return f"{value:.4g}"


def counted(number: int, one: str, many: str) -> str:
    """Write a number with its noun.

    Parameters
    ----------
    number : int
        How many.
    one, many : str
        The noun, in both numbers.

    Returns
    -------
    str

    Examples
    --------
    >>> counted(1, "category", "categories"), counted(2000, "category", "categories")
    ('1 category', '2,000 categories')
    """
    return f"{number:,} {one if number == 1 else many}"


_PLAIN = ("log_det", "squared_mean_error", "w2_squared", "kl", "components_alive")


def expected_table(theory: xr.Dataset) -> str:
    """Table of expectations at about ten generations, for people.

    Parameters
    ----------
    theory : xarray.Dataset
        As `predict` returned it.

    Returns
    -------
    str
        Survivors with the standard deviation of one replicate, the share of each band alive and the
        Gini-Simpson index, or what a family without categories has one number of, as far as theory knows
        them; then what it does not know.

    Examples
    --------
    >>> import tailbiter as tb
    >>> print(expected_table(tb.predict(tb.Spec(reference=tb.Uniform(8), samples=8, generations=1))))
    ... # doctest: +ELLIPSIS
    generation  ...
    """
    part = theory.isel(generation=log_spaced(theory["generation"].values))
    columns = [["generation", *(f"{t:,}" for t in part["generation"].values)]]
    if "survivors" in part:
        columns.append(["survivors", *map(_count, part["survivors"].values)])
        if "survivors_sd" in part:
            columns.append(["+-", *(f"{sd:.2g}" for sd in part["survivors_sd"].values)])
    if "band_survivors" in part:
        shares = part["band_survivors"].values / part["band_categories"].values.clip(1)
        names = zip(band_names(part), shares.T, part["band_categories"].values, strict=True)
        columns += [[name, *map(percent, share)] for name, share, size in names if size]
    if "gini_simpson" in part:
        columns.append(["gini_simpson", *map(_six, part["gini_simpson"].values)])
    for name in _PLAIN:
        if name in part and "survivors" not in part:
            columns.append([name, *(f"{value:.4g}" for value in part[name].values)])
    if "weights" in part:
        rarest = int(part["reference_weight"].values.argmin())
        expected, spread = (part[name].values[:, rarest] for name in ("weights", "weights_sd"))
        columns.append([f"weight of component {rarest}", *map(percent, expected)])
        columns.append(["+-", *map(percent, spread)])
    return "\n".join([*aligned(columns), "", *_known_sentences(theory)])


def _six(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.6f}"


def _known_sentences(theory: xr.Dataset) -> list[str]:
    names = [str(name) for name in theory.data_vars if "kind" in theory[name].attrs]
    names = [name for name in names if not name.endswith("_sd")]
    kinds = {kind: [name for name in names if theory[name].attrs["kind"] == kind] for kind in KINDS}
    lines = ["Expectations over replicates; +- = standard deviation of one, or a bound on it from above."]
    lines += [f"{said}: {', '.join(kinds[kind])}." for kind, said in KINDS.items() if kinds[kind]]
    without: dict[str, list[str]] = {}
    for name in names:
        _, _, where = theory[name].attrs["statement"].partition("; no mean ")
        without.setdefault(where, []).append(name)
    lines += [f"No mean {where}: {', '.join(found)}." for where, found in without.items() if where]
    return [*lines, *_left_out_sentences(json.loads(theory.attrs["left_out"]))]


def _left_out_sentences(left_out: dict[str, str]) -> list[str]:
    """Tell every reason once, of all the variables that it holds for."""
    alike: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        alike.setdefault(reason.replace(repr(name), "each"), []).append(name)
    told = {", ".join(names): left_out[names[0]] if len(names) == 1 else r for r, names in alike.items()}
    return [f"Not known: {names}: {reason}." for names, reason in told.items()]


def aligned(columns: list[list[str]]) -> list[str]:
    """Lines of a table whose columns end together."""
    widths = [max(map(len, column)) for column in columns]
    lines = zip(*columns, strict=True)
    return ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]


def _table(summary: Summary) -> list[str]:
    shown = [b for b in range(len(summary.bands)) if summary.rows[0].share_alive[b] is not None]
    columns = [["generation", *(f"{row.generation:,}" for row in summary.rows)]]
    if _has_survivors(summary):
        columns.append(["survivors", *(_count(row.survivors) for row in summary.rows)])
    bands = slice(len(columns), len(columns) + len(shown))
    columns += [[summary.bands[b], *(percent(row.share_alive[b]) for row in summary.rows)] for b in shown]
    if _has_effective(summary):
        columns.append(["effective", *(_count(row.effective_number) for row in summary.rows)])
    widths = [max(map(len, column)) for column in columns]
    text = aligned(columns)
    if not shown:
        return text
    left = sum(width + 2 for width in widths[: bands.start])
    width = sum(width + 2 for width in widths[bands]) - 2
    title = "share alive, by count expected in the first sample"
    return [" " * left + title.center(width).rstrip(), *text]


def _has_survivors(summary: Summary) -> bool:
    return any(row.survivors is not None for row in summary.rows)


def _has_effective(summary: Summary) -> bool:
    return any(row.effective_number is not None for row in summary.rows)


def percent(share: float | None) -> str:
    """Write a share in percent."""
    if share is None:
        return "-"
    # Small shares are what the table is about: they keep a digit that is not zero.
    return f"{100 * share:.1f} %" if share == 0 or share >= 0.0005 else f"{100 * share:.1g} %"


def power(log_value: float | None) -> str:
    """A number known by its natural logarithm, however small; "-" for None."""
    if log_value is None or log_value == -math.inf:
        return "-" if log_value is None else "0"
    if abs(log_value) < 9:
        return f"{math.exp(log_value):.3g}"
    power = math.floor(log_value / math.log(10))
    lead = math.exp(log_value - power * math.log(10))
    return f"{lead:.1f}e{power}" if round(lead, 1) < 10 else f"1.0e{power + 1}"


def _count(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def printable(label: str) -> str:
    """A label as it can stand in a line: on a terminal, control characters could do anything."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in label)
    safe = safe or "(no name)"
    return safe if len(safe) <= LABEL_WIDTH else f"{safe[: LABEL_WIDTH - 3]}..."


def _sentences(summary: Summary) -> list[str]:
    over = f"Medians over {counted(summary.replicates, 'replicate', 'replicates')}"
    lines = [over + ("; effective = exp(entropy), the effective number." if _has_effective(summary) else ".")]
    if summary.missed_at_once is not None:
        categories = counted(summary.categories, "category", "categories")
        lines.append(f"The first sample already missed {_count(summary.missed_at_once)} of {categories}.")
    if summary.absence_is_final is not None:
        lines += _final_sentences(summary) if summary.absence_is_final else _passing_sentences(summary)
    if summary.tail_categories is not None:
        lines.append(_tail_sentence(summary))
    return [*lines, *_judged_sentences(summary), *summary.told]


def _judged_sentences(summary: Summary) -> list[str]:
    """How the held-out data fare, from generation 1 to the end."""
    if len(summary.judged) < len(SCORES):
        return []
    first, last = ({name: ends[i] for name, ends in summary.judged.items()} for i in (0, 1))
    absent = f"{percent(first['oov_tokens'])} of tokens absent at generation 1, {percent(last['oov_tokens'])}"
    sure, true = percent(last["largest_share"]), percent(last["top_share_held_out"])
    end = f"at generation {summary.last_generation:,}"
    return [f"Held-out data: {absent} {end}. The model's top category then has {sure}, in truth {true}."]


def _final_sentences(summary: Summary) -> list[str]:
    """What was forgotten, where nothing comes back."""
    if not summary.commonest_forgotten:
        return ["No category vanished in most replicates."]
    first = ", ".join(
        f"{printable(item.label)} ({_count(item.generation)})" for item in summary.first_forgotten
    )
    common = "; ".join(
        f"{printable(item.label)} (expected {_count(item.expected)}, generation {_count(item.generation)})"
        for item in summary.commonest_forgotten
    )
    lines = [f"Forgotten first (generation): {first}."] if first else []
    return [*lines, f"The most common that vanished: {common}."]


def _passing_sentences(summary: Summary) -> list[str]:
    """What is absent at the end, where it may come back: no date would mean anything."""
    if not summary.commonest_forgotten:
        return ["No category is absent at the end in most replicates."]
    common = ", ".join(
        f"{printable(item.label)} (expected {_count(item.expected)})" for item in summary.commonest_forgotten
    )
    return [f"The most common absent at the end: {common}. In this regime they may come back."]


def _tail_sentence(summary: Summary) -> str:
    if not summary.tail_categories:
        return "No tail to follow: the rarest categories, equally rare, together hold more than tail_mass."
    tail = f"The tail ({counted(summary.tail_categories, 'rarest category', 'rarest categories')})"
    if summary.tail_half_gone is None:
        return f"{tail}: half gone was not reached by the end."
    when = _count(summary.tail_half_gone)
    return f"{tail}: half of what generation 1 still held was gone by generation {when}."

# SPDX-License-Identifier: MIT
"""Tables that people read, made from the measured dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

RATIO_HEAD = (
    "workload",
    "beside",
    "ours",
    "theirs",
    "ratio",
    "(least..most)",
    "by CPU",
    "bar",
    "aim",
    "verdict",
)
COST_HEAD = (
    *("workload", "CPU", "RNG only", "gather only", "SG", "ns/SG", "API/loop", "2 threads"),
    *("core MB", "RSS MB", "tables MB", "core/state"),
)


def facts(machine: dict[str, Any]) -> str:
    """Return the machine's facts in a few lines."""
    isa, load, floors = machine["isa"], machine["load"], machine["floors"]
    build = "; ".join(f"{key} {value}" for key, value in machine["build"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return "\n".join(
        [
            f"processor  {machine['processors']} x {machine['processor']}; load {load[0]:.1f}",
            f"ISA        {isa['chosen']} of {', '.join(isa['found'])}",
            f"floors     a random word {floors['rng']:.2f} ns, a look-up {floors['gather']:.2f} ns",
            f"build      {build}",
            f"versions   Python {machine['python']}, {versions}; {machine['system']}",
        ]
    )


def legend(results: Sequence[dict[str, Any]]) -> str:
    """Return what the names of the rows stand for."""
    return _table([(result["name"], result["title"]) for result in results])


def ratios(results: Sequence[dict[str, Any]], isa: str) -> str:
    """Return the table of ratios: their time over ours, per replicate, with bar and aim beside it.

    The bar is that of the instruction set in use; sides without one are shown but not judged.
    """
    rows = [RATIO_HEAD]
    for result in results:
        mine = result["sides"]["tailbiter"]
        for name, ratio in result["ratios"].items():
            bar = ratio["bar"] or {}
            least, aim = bar.get(isa), bar.get("aim")
            rows.append(
                (
                    result["name"],
                    name,
                    _seconds(mine["seconds"]),
                    _seconds(result["sides"][name]["seconds"]),
                    f"{ratio['median']:.1f}x",
                    f"({ratio['least']:.1f}..{ratio['greatest']:.1f})",
                    f"{ratio['by_cpu']:.1f}x",
                    "-" if least is None else f"{least:g}x",
                    "-" if aim is None else f"{aim:g}x",
                    verdict(ratio["median"], least, aim),
                )
            )
    return _table(rows)


def costs(results: Sequence[dict[str, Any]]) -> str:
    """Return the table of where our time and memory go, with the floors of the machine beside them.

    SG is survivor-generations of one replicate, fresh human draws counted in. Times are of the processor
    alone. Limits are left out where sizes are too small to judge.
    """
    rows = [COST_HEAD]
    for result in results:
        work, memory, judged = result["work"], result["memory"], result["judged"]
        draws = work["survivor_generations"] + work["human_draws"]
        seconds = result["sides"]["tailbiter"]["cpu_seconds"]
        rows.append(
            (
                result["name"],
                _seconds(seconds),
                _seconds(1e-9 * draws * result["floors"]["rng"]),
                _seconds(1e-9 * draws * result["floors"]["gather"]),
                f"{draws:.3g}",
                f"{1e9 * seconds / draws:.2f}",
                _at_most(result["api"]["median"], result["api"]["bar"], judged),
                _at_least(result["threads"]["median"], result["threads"]["bar"], judged),
                *(f"{1e-6 * memory[part]:.2f}" for part in ("held", "rise", "shared")),
                _at_most(memory["ratio"], memory["bar"], judged),
            )
        )
    return _table(rows)


def widths(reports: dict[str, dict[str, Any]]) -> str:
    """Return our time per replicate of each workload under each instruction set."""
    rows: dict[str, list[str]] = {}
    for report in reports.values():
        for result in (*report["workloads"], *report["families"]):
            rows.setdefault(result["name"], []).append(_seconds(result["sides"]["tailbiter"]["seconds"]))
    return _table([("workload", *reports), *((name, *times) for name, times in rows.items())])


def busy(results: Sequence[dict[str, Any]], share: float = 0.9) -> list[str]:
    """Return the sides that waited for a processor: their times are not to be trusted."""
    return [
        f"{result['name']}: {name} had a processor {100 * side['cpu_share']:.0f} % of the time"
        for result in results
        for name, side in result["sides"].items()
        if side["cpu_share"] < share
    ]


def verdict(ratio: float, least: float | None, aim: float | None) -> str:
    """Return where a ratio stands; empty without a bar."""
    if aim is not None and ratio >= aim:
        return "aim met"
    if least is None:
        return ""
    return "bar met" if ratio >= least else "BELOW"


def _at_most(value: float, limit: float, judged: bool) -> str:
    return _judged(value, f"<={limit:g}", value > limit) if judged else f"{value:.2f}"


def _at_least(value: float | None, limit: float, judged: bool) -> str:
    if value is None:
        return "-"
    return _judged(value, f">={limit:g}", value < limit) if judged else f"{value:.2f}"


def _judged(value: float, limit: str, missed: bool) -> str:
    return f"{value:.2f} ({limit}{': MISSED' if missed else ''})"


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def _table(rows: Sequence[Sequence[str]]) -> str:
    sizes = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)

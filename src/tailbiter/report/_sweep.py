# SPDX-License-Identifier: MIT
"""The page of a sweep's store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._cells import Cells, fields_of, quantities
from ._page import fill
from ._shared import needed, portable, shortened, without_folders
from ._told import run_in_words, without

if TYPE_CHECKING:
    from pathlib import Path

    from tailbiter.store import Status, Store

__all__ = ["page_of_store"]

MOST_FAILURES = 20
# Values of a field that are written out.
MOST_VALUES = 12
# What a cell's Spec and the sweep's base differ in is the cell's number in the sweep: @ stands for it.
ALONE = """import tailbiter as tb

sweep = tb.Sweep.from_toml("sweep.toml")
spec = sweep.spec(@)
ds = tb.simulate(spec, record=tb.Record({record}))
tb.write_run(ds, spec, "cell-@")
tb.report("cell-@", "cell-@.html")"""


def page_of_store(directory: Path) -> str:
    """Return the page of the sweep that a store holds, finished or not."""
    from tailbiter.store import Store

    store = Store(directory)
    cells = Cells.of(store)
    sweep = store.sweep
    generations, shown, left_out = quantities(cells)
    fields = fields_of(sweep)
    alone = ALONE.format(record="forgotten=True" if sweep.base.reference.traits.has_categories else "")
    data = {
        "product": sweep.design == "product" or len(fields) == 1,
        "fields": fields,
        "ids": cells.ids,
        "failed": _failed(store, cells),
        "generations": generations,
        "quantities": shown,
        "alone": alone,
    }
    status = store.status()
    toml = sweep.to_toml()
    shown_toml, cut = shortened(portable(toml), directory / "sweep.toml")
    return fill(
        "sweep",
        data=data,
        tables={
            "fields": _values(fields),
            "held": run_in_words(without(sweep.base.to_dict(), [*sweep.names, "seed"])),
            "failures": _failures(store),
            "facts": _facts(store, cells, left_out),
        },
        title=f"{len(sweep):,} cells: {', '.join(sweep.names)}",
        lead="Models trained on the output of models: what is left of the human distribution, by setting.",
        status=_done(status),
        theory=_theory(shown),
        sentences=_extremes(cells, fields, shown, generations[-1]),
        spec=shown_toml,
        files=f"{cut} {needed(toml, directory, beside='sweep.toml')}".strip(),
        alone=alone.replace("@", "0"),
        command="tailbiter sweep sweep.toml --out sweep",
    )


def _done(status: Status) -> str:
    """How far the sweep is."""
    failed = f"{status.failed:,} failed when last tried, " if status.failed else ""
    runnable, missing = status.cells - status.skipped, status.missing - status.failed
    why = " What failed, and why:" if status.failed else ""
    return f"{status.done:,} of {runnable:,} cells done, {failed}{missing:,} missing.{why}"


def _failed(store: Store, cells: Cells) -> list[int]:
    """Numbers of the cells that failed when last tried, and are not there."""
    failures = store.failures()
    if not failures:
        return []
    return [
        number for number, name in enumerate(store.sweep.ids) if name in failures and not cells.ids[number]
    ]


def _theory(shown: list[dict[str, Any]]) -> str:
    """What is exact in the charts, and where a cell's prediction is."""
    beside = any(one["human"] for one in shown)
    dotted = "The dotted lines are exact: what human data alone, drawn anew, are expected to hold. "
    return (
        f"{dotted if beside else ''}What theory expects of a cell stands in a report of its own, made as"
        " below, and tb.predict(spec) returns it."
    )


def _values(fields: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(field["name"], _listed(list(dict.fromkeys(field["labels"])))) for field in fields]


def _listed(labels: list[Any]) -> str:
    words = [_told(label) for label in labels]
    if len(words) > MOST_VALUES:
        words = [*words[:3], "...", *words[-3:], f"({len(labels):,} values)"]
    return "; ".join(words) if any("," in word for word in words) else ", ".join(words)


def _told(label: Any) -> str:
    return f"{label:.6g}" if isinstance(label, float) else str(label)


def _facts(store: Store, cells: Cells, left_out: list[str]) -> list[tuple[str, str]]:
    counts = sorted({int(count) for count in cells.replicates if count})
    found = [
        ("seed", str(store.sweep.seed)),
        ("design", store.sweep.design.replace("_", " ")),
        ("replicates", " to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))),
        ("content of the store", store.digest()),
    ]
    if left_out:
        found.append(("no room here for", "; ".join(left_out)))
    return found


def _failures(store: Store) -> list[tuple[str, str]]:
    """What failed when last tried, with its message."""
    failures = list(store.failures().values())
    toml = store.sweep.to_toml()
    found = [
        (_named(one.values), f"{one.kind}: {without_folders(one.message, toml)}")
        for one in failures[:MOST_FAILURES]
    ]
    rest = len(failures) - len(found)
    return [*found, (f"and {rest:,} more", "not listed here")] if rest else found


def _named(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_told(value)}" for name, value in values.items())


def _extremes(cells: Cells, fields: list[dict[str, Any]], shown: list[dict[str, Any]], last: int) -> str:
    """Which cells keep least and most of the first quantity that is one number a generation."""
    chosen = next((one for one in shown if len(one["lines"]) == 1), None)
    if chosen is None:
        return ""
    count = len(cells.ids)
    values = np.array(chosen["median"], np.float64).reshape(count, -1)[:, -1]
    if not np.isfinite(values).any():
        return ""
    least, most = int(np.nanargmin(values)), int(np.nanargmax(values))
    return (
        f"{chosen['title']}, at generation {last:,}, by median: from {values[least]:,.6g} "
        f"({_cell(cells, fields, least)}) to {values[most]:,.6g} ({_cell(cells, fields, most)})."
    )


def _cell(cells: Cells, fields: list[dict[str, Any]], number: int) -> str:
    shape = [len(field["labels"]) for field in fields]
    at = [number] * len(fields)
    if cells.dims != ("cell",):
        at = [int(place) for place in np.unravel_index(number, shape)]
    return _named({field["name"]: field["labels"][place] for field, place in zip(fields, at, strict=True)})

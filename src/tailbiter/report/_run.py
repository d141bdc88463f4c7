# SPDX-License-Identifier: MIT
"""The page of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.errors import DataError, PredictionError, SpecError
from tailbiter.summary import counted

from ._charts import MOST_LINES, charts, line_names
from ._page import fill
from ._shared import needed, portable, shortened
from ._told import definitions, isolated, run_in_words
from ._words import ranks, words

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.families import Summary
    from tailbiter.spec import Spec

__all__ = ["page_of_run"]

# Theory takes longer for more different probabilities, and for longer runs: beyond these it is left out.
MOST_MASSES, MOST_GENERATIONS = 20_000, 5_000
KINDS = {"exact": "exact", "bound": "a proved bound", "limit": "in a limit only"}
# What human data alone have, and theory knows at any size at once.
OF_PRESENCE = ("survivors", "coverage", "tail_survivors", "band_survivors")


def page_of_run(run: Path) -> str:
    """Return the page of the run that a directory holds."""
    from tailbiter.run_files import read_run
    from tailbiter.spec import Spec

    ds = read_run(run)
    path = run / "spec.toml"
    if not path.is_file():
        raise DataError("run", str(run), "holds no spec.toml", "name a directory that a run was written to")
    try:
        spec: Spec | None = Spec.from_toml(path)
    except SpecError:
        spec = None  # its table has moved; what was run can be shown all the same
    text = path.read_text(encoding="utf-8")
    shown, cut = shortened(portable(text), path)
    files = "" if spec is None else needed(text, run, beside="spec.toml")
    return _page(ds, spec, shown, f"{cut} {files}".strip())


def _page(ds: xr.Dataset, spec: Spec | None, text: str, files: str) -> str:
    theory, about = _theory(spec, ds)
    human = _human(spec, ds)
    provenance = json.loads(ds.attrs["provenance"])
    summary = _summary(ds)
    table, _, sentences = summary.text().partition("\n\n")
    named = [*getattr(summary, "first_forgotten", ()), *getattr(summary, "commonest_forgotten", ())]
    told = " ".join([*isolated(sentences, named).split("\n"), *_baseline(human)])
    data = {
        "generations": ds["generation"].values.tolist(),
        "charts": charts(ds, theory, human),
        "words": words(ds),
        "snapshots": ranks(ds),
    }
    return fill(
        "run",
        data=data,
        tables={
            "run": _run(ds),
            "terms": definitions(ds) if getattr(summary, "told", None) else [],
            "expected": _expected(theory, ds),
            "facts": _facts(provenance),
        },
        title=_title(ds),
        lead="Models trained on the output of models: what is left of the human distribution.",
        summary=table,
        sentences=told,
        unlisted=_unlisted(ds),
        theory=about,
        spec=text,
        files=files,
        command="tailbiter run spec.toml --out run",
    )


def _unlisted(ds: xr.Dataset) -> str:
    """Why no categories are listed, where there are any."""
    if "forgotten" in ds or "categories" not in ds.attrs:
        return ""
    return "Which categories vanished was not recorded: run it again with forgotten = true below [record]."


def _spec(ds: xr.Dataset) -> dict[str, Any]:
    """The Spec as the run kept it, also where its table has moved."""
    spec: dict[str, Any] = json.loads(ds.attrs["spec"])
    return spec


def _size(ds: xr.Dataset) -> str:
    from tailbiter.families import family_named

    return family_named(ds.attrs["family"]).size(ds)


def _title(ds: xr.Dataset) -> str:
    size = _size(ds)
    return (
        f"{size[0].upper()}{size[1:]} over {counted(_spec(ds)['generations'], 'generation', 'generations')}"
    )


def _run(ds: xr.Dataset) -> list[tuple[str, str]]:
    return run_in_words(_spec(ds), _size(ds))


def _summary(ds: xr.Dataset) -> Summary:
    from tailbiter.families import family_named

    return family_named(ds.attrs["family"]).summarise(ds)


def _theory(spec: Spec | None, ds: xr.Dataset) -> tuple[xr.Dataset | None, str]:
    """A prediction at the run's generations, and what to say of it."""
    from tailbiter.predict import predict
    from tailbiter.record import Record

    if spec is None:
        return None, "The table that the run was made from is not where it was, so that nothing is predicted."
    if spec.generations > MOST_GENERATIONS or _masses(spec) > MOST_MASSES:
        return None, "Left out here, as it would take long: tailbiter predict spec.toml."
    at = tuple(ds["generation"].values.tolist())
    try:
        theory = predict(spec, record=Record(generations=at))
    except PredictionError as error:
        return None, f"Theory knows no law of this run: {error}."
    known = [name for name, array in theory.data_vars.items() if "kind" in array.attrs and name in ds]
    if not known:
        return theory, "Theory knows nothing of what this run recorded."
    return (
        theory,
        "Means over lineages, as theory has them: thin lines in the charts, and at the end as follows.",
    )


def _expected(theory: xr.Dataset | None, ds: xr.Dataset) -> list[tuple[str, str]]:
    """What theory expects at the end, beside the mean of the run."""
    rows = []
    for name, law in ({} if theory is None else theory.data_vars).items():
        if name not in ds or "kind" not in law.attrs or ds[name].dims[:2] != ("replicate", "generation"):
            continue
        mean = ds[name].isel(generation=-1).mean("replicate").values
        pairs = zip(line_names(ds, ds[name]), np.atleast_1d(law.values[-1]), np.atleast_1d(mean), strict=True)
        told = [(line, *values) for line, *values in pairs if np.isfinite(values).all()]
        title = str(ds[name].attrs["long_name"])
        for line, wanted, found in told[:MOST_LINES]:
            of = title if line == name else f"{title}, {line}"
            rows.append((of, f"{wanted:,.6g} ({KINDS[law.attrs['kind']]}); this run: {found:,.6g}"))
    return rows


def _human(spec: Spec | None, ds: xr.Dataset) -> xr.Dataset | None:
    """What models of human data alone are expected to have, drawn anew for each generation."""
    from tailbiter.predict import predict
    from tailbiter.record import Record
    from tailbiter.regime import RealOnly
    from tailbiter.spec import Spec

    names = [name for name in OF_PRESENCE if name in ds]
    if spec is None or not names or not spec.reference.traits.has_categories:
        return None
    kept = {name: getattr(spec, name) for name in ("samples", "generations", "bands", "tail_mass")}
    human = Spec(reference=spec.reference, regime=RealOnly(), **kept)
    at = tuple(ds["generation"].values.tolist())
    return predict(human, record=Record(generations=at, variables=tuple(names)))


def _baseline(human: xr.Dataset | None) -> list[str]:
    """What human data alone would have at the end, in a sentence."""
    if human is None or "survivors" not in human:
        return []
    held, of = float(human["survivors"][-1]), int(human.attrs["categories"])
    when = f"{int(human['generation'][-1]):,}"
    return [
        f"Human data alone, drawn anew for generation {when}, are expected to hold {held:,.0f} of {of:,}."
    ]


def _masses(spec: Spec) -> int:
    """How many different probabilities the reference has."""
    return len(np.unique(spec.reference.support.ranked)) if spec.reference.traits.has_categories else 0


def _facts(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("digest of the Spec", provenance["digest"]),
        ("tailbiter", f"{provenance['tailbiter']}, on {provenance['machine']} ({provenance['isa']})"),
        ("took", f"{provenance['wall_seconds']} s on {counted(provenance['threads'], 'thread', 'threads')}"),
    ]

# SPDX-License-Identifier: MIT
"""What was run, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from unicodedata import bidirectional

from tailbiter.summary import counted, printable

from ._shared import base_name

if TYPE_CHECKING:
    import xarray as xr

    from tailbiter.summary import Forgetting

__all__ = ["definitions", "isolated", "run_in_words", "without"]

# Fields of a Spec that say what happens in each generation, in the order in which they act.
_ACTING = ("decoding", "error_rate", "curation", "detector", "fault")
_INLINE = 60  # characters of a list that is written out


def run_in_words(spec: Mapping[str, Any], size: str = "") -> list[tuple[str, str]]:
    """Return what was run, row by row: a name, and what is said of it.

    Parameters
    ----------
    spec : mapping
        A Spec, as `Spec.to_dict` has it; of what it lacks nothing is said.
    size : str, optional
        How large its reference is, in words.
    """
    told: dict[str, tuple[str, Callable[[Any], str]]] = {
        "reference": ("human distribution", lambda reference: _human(reference, size)),
        "regime": ("regime", _kind),
        "samples": ("batch", _samples),
        "generations": ("generations", _value),
        "replicates": ("lineages", lambda count: counted(count, "replicate", "replicates")),
        "estimator": ("fit", _kind),
        **{name: (name.replace("_", " "), _kind) for name in _ACTING},
        "seed": ("seed", str),
    }
    return [(row, said(spec[name])) for name, (row, said) in told.items() if spec.get(name) is not None]


def without(spec: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return what is left of a Spec where some of its fields are not told.

    Parameters
    ----------
    spec : mapping
        A Spec, as `Spec.to_dict` has it.
    fields : iterable of str
        As a sweep names them: ``"samples"``, ``"regime.real"``.
    """
    kept = dict(spec)
    for field in fields:
        name, _, inner = field.partition(".")
        if not inner:
            kept.pop(name, None)
        elif isinstance(kept.get(name), Mapping):
            kept[name] = without(kept[name], [inner])
    return kept


def isolated(text: str, forgotten: Iterable[Forgetting]) -> str:
    """Return sentences in which a label that is written from right to left does not turn what is around it.

    Parameters
    ----------
    text : str
        A summary's.
    forgotten : iterable of Forgetting
        Whose labels stand in it.
    """
    for label in {printable(item.label) for item in forgotten}:
        if any(bidirectional(c) in ("R", "AL", "AN") for c in label):
            text = text.replace(f"{label} (", f"\u2068{label}\u2069 (")
    return text


def definitions(ds: xr.Dataset) -> list[tuple[str, str]]:
    """Return what a run's sentences call collapse, and what each of these holds of.

    Parameters
    ----------
    ds : xarray.Dataset
        A run whose stages can be told.
    """
    from tailbiter.stages import named, stages

    found = stages(ds)
    pairs = zip(found["stage"].values.tolist(), found["definition"].values.tolist(), strict=True)
    # Late collapse is either of two, which follow.
    return [(named(stage), said) for stage, said in pairs if stage != "late"]


def _human(reference: Mapping[str, Any], size: str) -> str:
    """Its file, or its law with the law's numbers; its size where that is known."""
    plain = {
        name: value for name, value in reference.items() if not isinstance(value, Mapping | list | tuple)
    }
    if "path" in reference:
        return f"{size} ({base_name(reference['path'])})".strip()
    if size:
        plain.pop("categories", None)
    return f"{size} ({_kind(plain)})" if size else _kind(plain)


def _samples(samples: Any) -> str:
    if isinstance(samples, int):
        return f"{counted(samples, 'sample', 'samples')} in each generation"
    return f"samples: {_value(samples)}"


def _kind(given: Any) -> str:
    if not isinstance(given, Mapping):
        return _value(given)
    rest = ", ".join(
        f"{name.replace('_', ' ')} = {_value(value)}" for name, value in given.items() if name != "kind"
    )
    kind = str(given.get("kind", "")).replace("_", " ")
    return ", ".join(part for part in (kind, rest) if part)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({_kind(value)})"
    if isinstance(value, list | tuple):
        text = ", ".join(_value(one) for one in value)
        return (
            text
            if len(text) <= _INLINE
            else f"{_value(value[0])}, ..., {_value(value[-1])} ({len(value):,} values)"
        )
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)

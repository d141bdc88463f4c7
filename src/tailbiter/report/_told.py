# SPDX-License-Identifier: MIT
"""What was run, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tailbiter.summary import counted

__all__ = ["run_in_words"]

# Fields of a Spec that say what happens in each generation, in the order in which they act.
_ACTING = ("decoding", "error_rate", "curation", "detector", "fault")
_INLINE = 60  # characters of a list that is written out


def run_in_words(spec: Mapping[str, Any], size: str) -> list[tuple[str, str]]:
    """Return what was run, row by row: a name, and what is said of it.

    Parameters
    ----------
    spec : mapping
        A Spec, as `Spec.to_dict` has it.
    size : str
        How large its reference is, in words.
    """
    reference = spec["reference"]
    source = reference.get("path", reference["kind"].replace("_", " "))
    rows = [
        ("human distribution", f"{size} ({source})"),
        ("regime", _kind(spec["regime"])),
        ("batch", _samples(spec["samples"])),
        ("generations", f"{spec['generations']:,}"),
        ("lineages", counted(spec["replicates"], "replicate", "replicates")),
        ("fit", _kind(spec["estimator"])),
    ]
    rows += [(name.replace("_", " "), _kind(spec[name])) for name in _ACTING if spec.get(name)]
    return [*rows, ("seed", str(spec["seed"]))]


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

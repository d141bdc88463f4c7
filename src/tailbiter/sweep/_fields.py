# SPDX-License-Identifier: MIT
"""Fields of a Spec by dotted name: ``samples``, ``regime.real``, ``regime.sources.fresh.share``."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

import msgspec

from tailbiter._checks import fields_of, nearest
from tailbiter.errors import SpecError
from tailbiter.reference import Groups, Table
from tailbiter.spec import Spec

__all__ = ["is_whole", "known_fields", "refuse_unknown", "replaced", "takes_numbers"]

SHARED = ("common_random_numbers",)  # of a whole sweep, never of one cell


def known_fields(base: Spec) -> list[str]:
    """Every field that a sweep over this Spec can vary, by dotted name."""
    out = []
    for name in base.__struct_fields__:
        if name not in SHARED:
            out += [name, *(f"{name}.{inner}" for inner in _inner(getattr(base, name)))]
    return out


def _inner(value: object) -> list[str]:
    """Dotted names below a value; a table's columns are no fields to vary."""
    if isinstance(value, Table | Groups):
        return []
    if isinstance(value, msgspec.Struct):
        out = []
        for field in fields_of(type(value)):
            out += [field.name, *(f"{field.name}.{below}" for below in _inner(getattr(value, field.name)))]
        return out
    return [f"{kind}.{below}" for kind, struct in _by_kind(value).items() for below in _inner(struct)]


def _by_kind(value: object) -> dict[str, msgspec.Struct]:
    """Structs of a tuple by their kind, as a Mix holds its sources."""
    if not isinstance(value, tuple):
        return {}
    return {str(item.__struct_config__.tag): item for item in value if isinstance(item, msgspec.Struct)}


def refuse_unknown(base: Spec, name: str) -> None:
    """Raise a SpecError that names the nearest field, if this Spec has no such one."""
    known = known_fields(base)
    if name not in known:
        raise SpecError("sweep.vary", name, "is not a field of this Spec", nearest(name, known))


def is_whole(base: Spec, name: str) -> bool:
    """Whether the field takes whole numbers and no fractions."""
    kinds = _kinds(base, name)
    return int in kinds and float not in kinds


def takes_numbers(base: Spec, name: str) -> bool:
    """Whether the field takes numbers."""
    return bool(_kinds(base, name) & {int, float})


def _kinds(base: Spec, name: str) -> set[Any]:
    """Types that a field takes; none of what is not a field, such as a source by its kind."""
    *way, last = name.split(".")
    owner: Any = base
    for step in way:
        owner = _step(owner, step)
    struct: type[msgspec.Struct] = type(owner)
    return next((_alternatives(field.type) for field in fields_of(struct) if field.name == last), set())


def _alternatives(annotation: Any) -> set[Any]:
    inner = typing.get_args(annotation)
    if not inner or isinstance(annotation, type):
        return {annotation}
    return set().union(*(_alternatives(one) for one in inner if one is not None))


def _step(owner: Any, name: str) -> Any:
    return _by_kind(owner)[name] if isinstance(owner, tuple) else getattr(owner, name)


def replaced(owner: Any, changes: Sequence[tuple[Sequence[str], Any]]) -> Any:
    """Return a struct, or a tuple of them, with values changed below it, validated anew.

    Parameters
    ----------
    owner : Struct or tuple of Struct
        What the ways start from.
    changes : sequence of (way, value)
        Where to, step by step, and what to put there.
    """
    heads: dict[str, list[tuple[Sequence[str], Any]]] = {}
    for (head, *rest), value in changes:
        heads.setdefault(head, []).append((rest, value))
    new = {
        head: below[0][1] if not below[0][0] else replaced(_step(owner, head), below)
        for head, below in heads.items()
    }
    if isinstance(owner, tuple):
        return tuple(new.get(kind, item) for kind, item in _by_kind(owner).items())
    return msgspec.structs.replace(owner, **new)

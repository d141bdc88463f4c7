# SPDX-License-Identifier: MIT
"""Checks of single values, shared by everything a user can write into a Spec."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeGuard, cast

import msgspec
from msgspec.structs import FieldInfo

from .errors import SpecError

_LISTED = 15  # names in one message

SET = msgspec.structs.force_setattr  # a frozen struct may only be normalised while it is being made


def number(value: object, field: str, remedy: str) -> float:
    """Return ``value`` as a finite float, or raise a SpecError."""
    if type(value) is float and math.isfinite(value):  # most are; to ask what is a number takes long
        return value + 0.0
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise SpecError(field, value, "is not a number", remedy)
    try:
        result = float(value)
    except OverflowError as error:
        raise SpecError(field, value, "is too large", remedy) from error
    if not math.isfinite(result):
        raise SpecError(field, value, "is not finite", remedy)
    return result + 0.0  # -0.0 becomes 0.0, so that equal values are written equally


def within(value: object, field: str, low: float, high: float, remedy: str) -> float:
    """Return ``value`` as a float in ``[low, high]``, or raise a SpecError."""
    result = number(value, field, remedy)
    if not low <= result <= high:
        raise SpecError(field, result, f"is outside [{low:g}, {high:g}]", remedy)
    return result


def whole(value: object, field: str, low: int, high: int, remedy: str) -> int:
    """Return ``value`` as an int in ``low..high``; ``2e5`` counts as 200000."""
    if type(value) is int:  # most are; to ask what is a whole number takes long
        result = value
    elif isinstance(value, numbers.Integral) and not isinstance(value, bool):
        result = int(value)
    else:
        real = number(value, field, remedy)
        if not real.is_integer():
            raise SpecError(field, value, "is not a whole number", remedy)
        result = int(real)
    if not low <= result <= high:
        raise SpecError(field, value, f"is outside {low:,} to {high:,}", remedy)
    return result


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value is a sequence of items, and not text or bytes."""
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))


def with_article(word: str) -> str:
    """Return the word after "a" or "an"."""
    return f"an {word}" if word[0] in "aeio" else f"a {word}"  # a user, a uniform law


def check_table(data: object, field: str) -> None:
    """Refuse what is no mapping of keys to values."""
    if not isinstance(data, Mapping):
        raise SpecError(field, data, "is not a table", "give keys and values, as to_dict returns them")


def nearest(word: object, options: Iterable[str]) -> str:
    """Say which of ``options`` was probably meant, and list them all; of very many, the most alike."""
    known = list(options)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    shown = known if len(known) <= _LISTED else difflib.get_close_matches(str(word), known, _LISTED, 0)
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    listed = "known: " + ", ".join(shown) + more
    return f"did you mean {close[0]!r}? ({listed})" if close else listed


def choice(value: object, field: str, options: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``options``, or raise a SpecError."""
    if isinstance(value, str) and value in options:
        return value
    raise SpecError(field, value, "is not known here", nearest(value, options))


def check_keys(data: Mapping[str, Any], known: Iterable[str], field: str) -> None:
    """Refuse the first key that is not known, naming the nearest one that is."""
    names = list(known)
    for key in data:
        if key not in names:
            raise SpecError(field, key, "is not a known key", nearest(key, names))


class _Caller(msgspec.StructMeta):
    """Constructors that say in one line which argument they cannot take."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Make one; only where that fails are the arguments looked at."""
        try:
            return _construct(self, *args, **kwargs)
        except TypeError:
            _refuse_arguments(cast("type[msgspec.Struct]", self), args, kwargs)
            raise


_construct = msgspec.StructMeta.__call__


class Described(msgspec.Struct, metaclass=_Caller, frozen=True):
    """What a user writes down: base of a Spec, of its parts, and of what stands beside it."""


def _refuse_arguments(cls: type[msgspec.Struct], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise a SpecError where arguments do not fit the fields."""
    names, placed = cls.__struct_fields__, cls.__match_args__
    if len(args) > len(placed):
        problem = "is given without a name" if len(placed) < len(names) else "is one too many"
        remedy = f"write {cls.__name__}({', '.join(f'{name}=...' for name in names)})"
        raise SpecError(cls.__name__, args[len(placed)], problem, remedy)
    check_keys(kwargs, names, cls.__name__)
    given = {*placed[: len(args)], *kwargs}
    missing = [f.name for f in fields_of(cls) if f.required and f.name not in given]
    if missing:
        raise SpecError(cls.__name__, sorted(given), f"lacks {missing[0]!r}", f"add {missing[0]}=...")
    twice = [name for name in placed[: len(args)] if name in kwargs]
    if twice:
        raise SpecError(f"{cls.__name__}.{twice[0]}", kwargs[twice[0]], "is given twice", "give it once")


@cache  # msgspec evaluates the annotations at every call
def fields_of(cls: type[msgspec.Struct]) -> tuple[FieldInfo, ...]:
    """Return the fields of a struct class."""
    return msgspec.structs.fields(cls)


def build(kinds: Mapping[str, type[msgspec.Struct]], data: Mapping[str, Any], field: str) -> Any:
    """Make the struct that ``data["kind"]`` names from the other keys of ``data``.

    Parameters
    ----------
    kinds : mapping of str to struct class
        What may stand here, by its ``kind``.
    data : mapping
        A table as TOML or JSON gives it.
    field : str
        Where the table stands, for messages.
    """
    rest = dict(data)
    if "kind" not in rest:
        raise SpecError(field, sorted(rest), "lacks the key 'kind'", "known: " + ", ".join(kinds))
    cls = kinds[choice(rest.pop("kind"), f"{field}.kind", list(kinds))]
    return make(cls, rest, field)


def make(cls: type[msgspec.Struct], data: Mapping[str, Any], field: str) -> Any:
    """Make a ``cls`` from a table, refusing unknown keys and naming missing ones."""
    check_table(data, field)
    fields = fields_of(cls)
    check_keys(data, [f.name for f in fields], field)
    missing = [f.name for f in fields if f.required and f.name not in data]
    if missing:
        raise SpecError(field, sorted(data), f"lacks the key {missing[0]!r}", f"add {missing[0]} = ...")
    return cls(**data)


def as_dict(struct: msgspec.Struct, *, defaults: bool = True) -> dict[str, Any]:
    """Turn a struct into plain data with its ``kind``; absent (None) values are left out.

    With ``defaults=False`` values equal to their default are left out too.
    """
    tag = struct.__struct_config__.tag
    out: dict[str, Any] = {} if tag is None else {"kind": tag}
    for f in fields_of(type(struct)):
        value = getattr(struct, f.name)
        if value is None or (not defaults and not f.required and value == f.default):
            continue
        out[f.name] = _plain(value, defaults)
    return out


def _plain(value: object, defaults: bool) -> object:
    if isinstance(value, msgspec.Struct):
        return as_dict(value, defaults=defaults)
    if isinstance(value, tuple):
        return [_plain(item, defaults) for item in value]
    if callable(plain := getattr(value, "plain", None)):
        return plain()
    return value

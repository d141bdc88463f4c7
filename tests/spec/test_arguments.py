# SPDX-License-Identifier: MIT
"""Arguments that a part of a Spec does not take: one line that names part, argument and remedy."""

import inspect
import pickle
from typing import Any

import msgspec
import pytest

import tailbiter as tb
from tailbiter._checks import Described

PARTS = sorted(
    name
    for name in tb.__all__
    if isinstance(getattr(tb, name), type) and issubclass(getattr(tb, name), msgspec.Struct)
)


def line_of(name: str, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(tb.SpecError) as caught:
        getattr(tb, name)(*args, **kwargs)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(name)
    return line


def test_all_that_a_user_writes_down_is_among_them() -> None:
    assert {"Spec", "Record", "Sweep", "Target", "Stages", "BestOf", "AddK", "Zipf", "Detector"} <= set(PARTS)
    assert len(PARTS) > 40


@pytest.mark.parametrize("name", PARTS)
def test_arguments_that_do_not_fit_are_one_line(name: str) -> None:
    part = getattr(tb, name)
    many = [0.5] * (len(part.__match_args__) + 1)
    assert " 0.5 is " in line_of(name, *many)
    line = line_of(name, wieght=0.5)
    assert line.startswith(f"{name}: 'wieght' is not a known key; ")
    needed = [field.name for field in msgspec.structs.fields(part) if field.required]
    if needed:
        assert f"lacks {needed[0]!r}; add {needed[0]}=..." in line_of(name)


@pytest.mark.parametrize(
    ("name", "args", "given", "line"),
    [
        ("BestOf", (2,), {}, "2 is given without a name; write BestOf(reward=..., wrong=..., k=...)"),
        ("BestOf", (), {"k": 2, "rewards": [1]}, "'rewards' is not a known key; did you mean 'reward'? "),
        ("Anchored", (0.1,), {}, "0.1 is given without a name; write Anchored(real=..., "),
        ("AddK", (1, 2), {}, "2 is one too many; write AddK(k=...)"),
        ("Zipf", (10,), {"categories": 9}, "9 is given twice; give it once"),
    ],
)
def test_what_is_wrong_is_said(name: str, args: tuple[Any, ...], given: dict[str, Any], line: str) -> None:
    assert line_of(name, *args, **given).partition(": ")[2].startswith(line)


def test_errors_of_another_kind_are_left_alone() -> None:
    class Own(Described, frozen=True):
        k: int = 1

        def __post_init__(self) -> None:
            raise TypeError("its own")

    for call in (Own, lambda: Own(2), lambda: Own(k=2)):
        with pytest.raises(TypeError, match=r"^its own$"):
            call()


def test_signatures_are_still_told() -> None:
    assert list(inspect.signature(tb.AddK).parameters) == ["k"]
    assert pickle.loads(pickle.dumps(tb.AddK(2))) == tb.AddK(k=2)

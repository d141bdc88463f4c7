# SPDX-License-Identifier: MIT
"""What users wrote: found by import path, known by source, compiled early, told in one line if it fails."""

import sys
import textwrap

import numba
import pytest

import tailbiter as tb
from tailbiter.errors import SpecError
from tailbiter.jit import Family, _compile
from tests.jit import laws

CALLS = """
SCALE = {scale}

def helper(x):
    return x * SCALE

def function(x):
    return helper(x) + 1
"""


def made(folder, monkeypatch, text, name="made_up"):
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop(name, None)
    return _compile.locate(f"{name}:function", "f")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (CALLS.format(scale=2), True),
        ("# another line\n" + CALLS.format(scale=2), True),
        (CALLS.format(scale=3), False),
        (CALLS.format(scale=2).replace("x * SCALE", "x / SCALE"), False),
        (CALLS.format(scale=2).replace("+ 1", "+ 2"), False),
    ],
)
def test_identity_follows_the_source_and_all_it_names(tmp_path, monkeypatch, text, same):
    own = []
    for k, source in enumerate((CALLS.format(scale=2), text)):
        (tmp_path / str(k)).mkdir()
        own.append(_compile.digest(made(tmp_path / str(k), monkeypatch, source)))
    assert (own[0] == own[1]) is same


def test_a_variable_of_an_outer_function_counts():
    def maker(scale):
        def function(x):
            return scale * x

        return function

    assert _compile.digest(maker(1)) != _compile.digest(maker(2))
    assert _compile.digest(maker(1)) == _compile.digest(maker(1))


def test_functions_that_call_each_other_end():
    def one(x):
        return two(x)

    def two(x):
        return one(x)

    assert _compile.digest(one) != _compile.digest(two)


def test_functions_without_a_file_are_known_by_their_code():
    def at(text):
        names = {}
        exec(textwrap.dedent(text), names)
        return _compile.digest(names["f"])

    assert at("def f(x): return x + 1") == at("def f(x): return x + 1")
    assert at("def f(x): return x + 1") != at("def f(x): return x + 2")


def test_compiled_or_not_is_one_law():
    other = Family(
        "normal",
        numba.njit(laws.normal_log_density),
        laws.normal_fit,
        laws.normal_sample,
        parameters=laws.NAMES,
    )
    assert other.identity == laws.normal.identity


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("laws", "is not an import path; give it as module:function"),
        (
            "no_such_module:f",
            "cannot be imported (ModuleNotFoundError: No module named 'no_such_module'); put",
        ),
        ("tests.jit.laws:gone", "names nothing: tests.jit.laws has no 'gone'; give"),
        (3, "3 is not an import path"),
    ],
)
def test_paths_that_lead_nowhere(path, message):
    with pytest.raises(SpecError) as caught:
        _compile.locate(path, "reference.laws.fit")
    assert message in str(caught.value)
    assert str(caught.value).startswith("reference.laws.fit: ")


def altered(**functions):
    given = {"log_density": laws.normal_log_density, "fit": laws.normal_fit, "sample": laws.normal_sample}
    return Family("normal", **(given | functions), parameters=laws.NAMES)


BROKEN = {
    "no type": (
        {"log_density": laws.untyped},
        "log_density: 'untyped' does not compile: No implementation of",
    ),
    "no name": (
        {"log_density": laws.unknown},
        "log_density: 'unknown' does not compile: NameError: name 'no_such_name' is not defined; write",
    ),
    "no number": (
        {"log_density": laws.returns_text},
        "'returns_text' returns Literal[str](a), not a number; return",
    ),
    "a result": ({"fit": laws.returns_fit}, "fit: 'returns_fit' returns float64, which nobody reads; write"),
    "reads beyond": (
        {"log_density": laws.reads_beyond},
        "log_density: 'reads_beyond' reaches outside an array: index 7 is out of bounds for axis 0 with size",
    ),
    "writes beyond": ({"fit": laws.fits_beyond}, "fit: 'fits_beyond' reaches outside an array: index 5 is"),
    "no item": (
        {"sample": laws.plane_sample},
        "sample: 'plane_sample' does not compile: Signature mismatch: 2 argument",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_compile_is_told_in_one_line(case):
    functions, message = BROKEN[case]
    with pytest.raises(SpecError) as caught:
        tb.simulate(tb.Spec(reference=tb.UserMixture(altered(**functions), [0.0, 1.0]), samples=10))
    told = str(caught.value)
    assert told.startswith("reference.laws.")
    assert message in told
    assert "\n" not in told
    assert "\x1b" not in told

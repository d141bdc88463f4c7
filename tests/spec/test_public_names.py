# SPDX-License-Identifier: MIT
"""Every public name loads, from the module that defines it."""

import subprocess
import sys

import pytest

import tailbiter as tb


def test_names_are_listed_once():
    assert len(set(tb.__all__)) == len(tb.__all__)
    assert set(tb._HOME_OF) | set(tb._MODULES) == set(tb.__all__) <= set(dir(tb))


@pytest.mark.parametrize("name", tb.__all__)
def test_name_loads(name):
    home = tb._HOME_OF.get(name, name)
    value = getattr(tb, name)
    assert getattr(value, "__module__", value.__name__).startswith(f"tailbiter.{home}")


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'Zipfy'"):
        _ = tb.Zipfy


@pytest.mark.parametrize("first", ["import tailbiter.simulate", "from tailbiter.simulate import simulate"])
def test_simulate_is_the_function_whatever_loads_first(first):
    code = f"{first}\nimport tailbiter\nprint(callable(tailbiter.simulate))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"

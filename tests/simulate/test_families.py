# SPDX-License-Identifier: MIT
"""What stands above the families knows none by its name: one that is made up here runs like any other."""

import dataclasses
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter import _variables
from tailbiter.cli import main
from tailbiter.estimate import Part, refuse_parts
from tailbiter.families import family_of
from tailbiter.reference import KINDS, Reference, Traits
from tailbiter.run_files import read_run, write_run
from tailbiter.simulate import simulate_rows


class Clock(Reference, frozen=True, tag="clock"):
    """Generation t is t times the step, in every replicate."""

    traits: ClassVar[Traits] = Traits("clock", 10, None)

    step: float = 1.0


class Control:
    progress = 0

    def cancel(self) -> None:
        raise AssertionError("nothing goes wrong here")


class Engine:
    def __init__(self, program: SimpleNamespace) -> None:
        self.program = program

    def outputs(self, replicates: int) -> dict[str, np.ndarray]:
        return {"hands": np.full((replicates, len(self.program.at), 2), -1.0)}

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Control) -> None:
        out["hands"][start:stop, :, 0] = self.program.step * self.program.at
        out["hands"][start:stop, :, 1] = np.arange(start, stop)[:, None]


@dataclasses.dataclass
class Told:
    rows: int

    def text(self) -> str:
        return f"the clock was read {self.rows} times"

    def to_dict(self) -> dict[str, int]:
        return dataclasses.asdict(self)


class ClockFamily:
    def lower(self, spec: tb.Spec, record: tb.Record) -> SimpleNamespace:
        return SimpleNamespace(
            step=spec.reference.step,
            at=record.at(spec.generations),
            variables=record.names_of("clock"),
        )

    def refuse_if_too_large(self, program: SimpleNamespace, replicates: int, threads: int) -> None:
        refuse_parts([Part(replicates * 10**7, "reference", "a clock", "look at it less often")])

    def engine(self, program: SimpleNamespace) -> Engine:
        return Engine(program)

    def control(self) -> Control:
        return Control()

    def dataset(self, program, engine, outputs, attrs, replicates) -> xr.Dataset:
        about = {"long_name": "hands", "units": "1"}
        data = {"hands": (("replicate", "generation", "hand"), outputs["hands"], about)}
        coords = {
            "generation": program.at.astype(int),
            "replicate": np.arange(replicates),
            "hand": [0.5, 1.5],
        }
        return xr.Dataset(data, coords, dict(attrs))

    def is_large(self, program: SimpleNamespace) -> bool:
        return False

    def for_summary(self, spec: tb.Spec, record: tb.Record) -> tb.Record:
        return record

    def size(self, ds: xr.Dataset) -> str:
        return "1 clock"

    def summarise(self, ds: xr.Dataset) -> Told:
        return Told(ds.sizes["generation"])

    def draw(self, ds: xr.Dataset, path: Path) -> None:
        path.write_bytes(b"a face")


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("tailbiter.families.clock")
    module.FAMILY = ClockFamily()
    monkeypatch.setitem(sys.modules, "tailbiter.families.clock", module)
    monkeypatch.setitem(KINDS, "clock", Clock)
    hands = {"hands": _variables.Variable("hands", "1", "hand")}
    monkeypatch.setitem(_variables.FAMILIES, "clock", _variables.Variables(hands))


def spec(**fields) -> tb.Spec:
    return tb.Spec(reference=Clock(0.5), samples=5, generations=4, replicates=20, **fields)


def test_it_runs() -> None:
    assert isinstance(family_of(Clock()), ClockFamily)
    run = tb.simulate(spec(), threads=2)
    assert run["hands"].values[:, :, 0].tolist() == [[0.0, 0.5, 1.0, 1.5, 2.0]] * 20
    assert run["hands"].values[:, 0, 1].tolist() == list(range(20))
    assert run.attrs["family"] == "clock"
    assert tb.Spec.from_json(run.attrs["spec"]) == spec()
    assert simulate_rows(spec(), 3, 5)["replicate"].values.tolist() == [3, 4]


def test_its_limits_are_kept() -> None:
    with pytest.raises(tb.SpecError, match="samples: 11 is outside 1 to 10;"):
        spec().replace(samples=11)
    with pytest.raises(tb.SpecError, match=r"bands: .* which a clock reference has none of"):
        spec(bands=[1.0])
    with pytest.raises(tb.SpecError, match="'kl' is not measured of a clock reference; known: hands"):
        tb.lower(spec(), tb.Record(variables=["kl"]))
    with pytest.raises(tb.MemoryEstimateError, match="'a clock' needs"):
        tb.simulate(spec().replace(replicates=2**32 - 1))


def test_it_is_written_and_read(tmp_path: Path) -> None:
    run = tb.simulate(spec())
    back = read_run(write_run(run, spec(), tmp_path / "run"))
    xr.testing.assert_identical(back, run)
    assert (tmp_path / "run" / "tails.png").read_bytes() == b"a face"
    assert tb.Spec.from_toml(tmp_path / "run" / "spec.toml") == spec()


def test_the_command_line_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec().to_toml(tmp_path / "spec.toml")
    assert main(["run", str(tmp_path / "spec.toml")]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 clock, 5 samples, regime replace")
    assert "the clock was read 5 times" in out

# SPDX-License-Identifier: MIT
"""Families of models: what differs between counts, normal laws and mixtures, from Spec to picture.

Everything above this package works through the `Family` of a Spec's reference, and knows none by its name.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import numpy as np
    import xarray as xr

    from tailbiter.record import Record
    from tailbiter.reference import Reference
    from tailbiter.spec import Spec

__all__ = ["Control", "Engine", "Family", "Summary", "family_named", "family_of", "lower"]

P = TypeVar("P")


class Control(Protocol):
    """Progress of a run, and the flag that stops it."""

    @property
    def progress(self) -> int:
        """Generations finished, over all replicates."""

    @property
    def survivors(self) -> int:
        """Survivors of these generations, added up; about, and 0 for models without categories."""

    def cancel(self) -> None:
        """Stop at the next generation."""


class Engine(Protocol):
    """Runs replicates of one program."""

    def outputs(self, replicates: int) -> dict[str, np.ndarray]:
        """Empty arrays for the records of so many replicates, by variable."""

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Any) -> None:
        """Fill rows start to stop-1; safe to call from many threads at once."""


class Summary(Protocol):
    """What a run comes to."""

    def text(self) -> str:
        """Table and sentences, for people."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""


class Family(Protocol[P]):
    """A family of models. ``P`` is its program: what its engine runs.

    Its variables are in ``tailbiter._variables``, under its name; what a Spec must know of it are the
    ``traits`` of its references.
    """

    def lower(self, spec: Spec, record: Record) -> P:
        """Turn a Spec and a Record into a program; SpecError if the Record does not fit."""

    def refuse_if_too_large(self, program: P, replicates: int, threads: int) -> None:
        """Raise a MemoryEstimateError before a run that cannot fit in memory."""

    def engine(self, program: P) -> Engine:
        """Return an engine that runs the program."""

    def control(self) -> Control:
        """Return what watches and stops its runs."""

    def dataset(
        self,
        program: P,
        engine: Engine,
        outputs: Mapping[str, np.ndarray],
        attrs: Mapping[str, Any],
        replicates: int,
    ) -> xr.Dataset:
        """Wrap what an engine filled, with names, units and coordinates."""

    def values(self, program: P, outputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return records as a Dataset has them, each of one type for all Specs: NaN where there is none."""

    def is_large(self, program: P) -> bool:
        """Whether the reference is too large to stand in a Dataset's attributes."""

    def for_summary(self, spec: Spec, record: Record) -> Record:
        """Return the Record with what a summary needs beside it, where that is cheap."""

    def size(self, ds: xr.Dataset) -> str:
        """Say how large the reference is."""

    def summarise(self, ds: xr.Dataset) -> Summary:
        """Reduce a run to a short table and a few sentences."""

    def draw(self, ds: xr.Dataset, path: str | os.PathLike[str]) -> None:
        """Write a picture of the run, if it recorded what that shows."""


def family_of(reference: Reference) -> Family[Any]:
    """Return the family of models that is fitted to a reference.

    Parameters
    ----------
    reference : Reference
        The human distribution.

    Examples
    --------
    >>> from tailbiter.reference import Zipf
    >>> type(family_of(Zipf(10))).__name__
    'CategoricalFamily'
    """
    return family_named(reference.family)


def family_named(name: str) -> Family[Any]:
    """Return a family of models by its name, as a Dataset's attributes have it.

    Parameters
    ----------
    name : str
        Such as "categorical".

    Examples
    --------
    >>> type(family_named("gaussian")).__name__
    'GaussianFamily'
    """
    family: Family[Any] = importlib.import_module(f".{name}", __name__).FAMILY
    return family


def lower(spec: Spec, record: Record | None = None) -> Any:
    """Turn a Spec and a Record into the program that an engine runs: whole numbers and plain arrays.

    Parameters
    ----------
    spec : Spec
        What to run.
    record : Record, optional
        What to keep; the default Record if left out.

    Returns
    -------
    Program, GaussianProgram or MixtureProgram
        As the family of the reference has it. Equal programs give equal bits.

    Raises
    ------
    SpecError
        If a recorded generation lies beyond the end, the family does not know a variable, or a reference
        value is too small to keep a weight.

    Examples
    --------
    >>> import tailbiter as tb
    >>> lower(tb.Spec(reference=tb.Counts([1, 9, 4]), samples=14)).weights.tolist()
    [9, 4, 1]
    >>> lower(tb.Spec(reference=tb.Gaussian(covariance=4.0), samples=14)).factor.tolist()
    [2.0]
    """
    from tailbiter.record import Record

    return family_of(spec.reference).lower(spec, Record() if record is None else record)

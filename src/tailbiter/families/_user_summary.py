# SPDX-License-Identifier: MIT
"""The short table people read after a run of laws that users wrote: medians."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tailbiter.summary import aligned, counted, log_spaced, medians, percent

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["UserRow", "UserSummary", "summarise", "summarise_variables"]

MOST = 6  # columns of parameters


@dataclass(frozen=True)
class UserRow:
    """One generation of the table; values are medians over replicates, None where not recorded.

    Attributes
    ----------
    generation : int
        Resamplings since the reference.
    alive : float or None
        Components with a weight.
    smallest_weight : float or None
        The smallest weight of a component; 0 where one is dead.
    log_likelihood : float or None
        Mean log-likelihood of the training set's items in the fit.
    parameters : list of float
        By parameter, component after component, the first six.
    """

    generation: int
    alive: float | None
    smallest_weight: float | None
    log_likelihood: float | None
    parameters: list[float]


@dataclass(frozen=True)
class UserSummary:
    """What a run of laws that users wrote comes to.

    Attributes
    ----------
    laws : str
        Name of the family.
    replicates, components, last_generation : int
        Size of the run.
    parameters : list of str
        What the rows' parameters are, ``name[component]`` where there are several components.
    rows : list of UserRow
        About ten generations, log-spaced.
    died : list of int or None
        For each component, replicates in which its weight is 0 at the end.
    """

    laws: str
    replicates: int
    components: int
    last_generation: int
    parameters: list[str]
    rows: list[UserRow]
    died: list[int] | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self)

    def text(self) -> str:
        """Table and sentences, for people."""
        return "\n".join([*_table(self), "", *_sentences(self)])


def summarise(ds: xr.Dataset) -> UserSummary:
    """Reduce a run to a table of about ten rows and a few facts.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.

    Returns
    -------
    UserSummary
        Medians over replicates.

    Examples
    --------
    >>> import tailbiter as tb
    >>> law = tb.UserMixture(tb.jit.laplace, [0, 1])
    >>> spec = tb.Spec(reference=law, samples=50, generations=9, replicates=3)
    >>> summarise(tb.simulate(spec)).parameters
    ['location', 'scale']
    """
    weights, components = ds.get("weights"), int(ds.attrs["components"])
    died = None if weights is None else (weights.isel(generation=-1).values == 0).sum(axis=0).tolist()
    return UserSummary(
        laws=ds.attrs["laws"],
        replicates=ds.sizes["replicate"],
        components=components,
        last_generation=int(ds["generation"][-1]),
        parameters=_names(ds, components) if "parameters" in ds else [],
        rows=_rows(ds),
        died=died,
    )


def summarise_variables(ds: xr.Dataset, laws: str, names: list[str]) -> UserSummary:
    """Reduce a run of laws without components to medians of some variables, the first six columns of them.

    Parameters
    ----------
    ds : xarray.Dataset
        As `simulate` returned it. What was not recorded is left out of the summary.
    laws : str
        What the models are.
    names : list of str
        Variables with one dim beside the rows'.

    Returns
    -------
    UserSummary
        Medians over replicates.
    """
    at = log_spaced(ds["generation"].values)
    there = [name for name in names if name in ds]
    columns = [f"{name}[{j}]" for name in there for j in range(ds[name].shape[-1])][:MOST]
    values = np.concatenate([np.median(ds[name].values[:, at], axis=0) for name in there], axis=1)
    return UserSummary(
        laws=laws,
        replicates=ds.sizes["replicate"],
        components=1,
        last_generation=int(ds["generation"][-1]),
        parameters=columns,
        rows=[
            UserRow(int(t), None, None, None, row[:MOST])
            for t, row in zip(ds["generation"].values[at], values.tolist(), strict=True)
        ],
        died=None,
    )


def _names(ds: xr.Dataset, components: int) -> list[str]:
    pairs = zip(ds["parameter"].values.tolist(), ds["parameter_component"].values.tolist(), strict=True)
    return [name if components == 1 else f"{name}[{k}]" for name, k in list(pairs)[:MOST]]


def _rows(ds: xr.Dataset) -> list[UserRow]:
    at = log_spaced(ds["generation"].values)
    smallest = None if "weights" not in ds else ds["weights"].min("component")
    columns = [
        [None] * at.size if values is None else medians(values.isel(generation=at))
        for values in (ds.get("components_alive"), smallest, ds.get("log_likelihood"))
    ]
    parameters: list[list[float]] = [[] for _ in at]
    if "parameters" in ds:
        parameters = np.median(ds["parameters"].values[:, at, :MOST], axis=0).tolist()
    generations = ds["generation"].values[at]
    return [UserRow(int(t), *row) for t, *row in zip(generations, *columns, parameters, strict=True)]


def _table(summary: UserSummary) -> list[str]:
    rows = summary.rows
    columns = [["generation", *(f"{row.generation:,}" for row in rows)]]
    if summary.components > 1 and rows[0].alive is not None:
        columns.append(["alive", *(f"{row.alive:g}" for row in rows)])
    if summary.components > 1 and rows[0].smallest_weight is not None:
        columns.append(["smallest weight", *(percent(row.smallest_weight) for row in rows)])
    for i, name in enumerate(summary.parameters):
        columns.append([name, *(f"{row.parameters[i]:.4g}" for row in rows)])
    return aligned(columns)


def _sentences(summary: UserSummary) -> list[str]:
    of = counted(summary.replicates, "replicate", "replicates")
    lines = [f"Medians over {of}."]
    if summary.died is None or summary.components == 1:
        return lines
    dead = [k for k, count in enumerate(summary.died) if count]
    lines += [f"Component {k} is dead at the end in {summary.died[k]:,} of {of}." for k in dead[:MOST]]
    return lines if dead else [*lines, "No component died."]

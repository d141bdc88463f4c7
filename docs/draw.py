# SPDX-License-Identifier: MIT
"""Draws the pictures that the documentation shows: ``python docs/draw.py docs/images``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import xarray as xr
from matplotlib.axes import Axes

import tailbiter as tb

DPI, COLOURS = 100, 64


@cache
def words() -> tuple[tb.Spec, xr.Dataset]:
    """The table that ships, with held-out plays and a group, as a run that recorded what pictures need."""
    reference = tb.Counts.read("tailbiter:shakespeare", counts="train")
    familiar = dict.fromkeys(("thou", "thee", "thy", "thine", "art", "hast", "dost", "doth", "hath"), "thou")
    spec = tb.Spec(
        reference=reference,
        held_out="heldout",
        groups=familiar,
        samples=20_000,
        generations=200,
        replicates=8,
    )
    return spec, tb.simulate(spec, record=tb.Record(forgotten=True, snapshots=[0, 1, 10, 200]))


def tails() -> Axes:
    """With theory's lines and those of human data alone."""
    spec, ds = words()
    return tb.plot.tails(ds, theory=tb.predict(spec))


def spread() -> Axes:
    """A Gaussian fitted to 100 numbers at a time."""
    return tb.plot.spread(
        tb.simulate(tb.Spec(reference=tb.Gaussian(), samples=100, generations=2_000, replicates=32))
    )


def densities() -> Axes:
    """One lineage of the same with fewer numbers."""
    spec = tb.Spec(reference=tb.Gaussian(), samples=20, generations=100)
    return tb.plot.densities(tb.simulate(spec, record=tb.Record(variables=["mean", "factor", "exponent"])))


def phase() -> Axes:
    """A sweep of two fields: reference mass of what is present at its end."""
    spec = tb.Spec(reference=tb.Zipf(1_000), regime=tb.Anchored(real=0.1), generations=100, replicates=8)
    vary = {"regime.real": [0.0, 0.003, 0.01, 0.03, 0.1, 0.3], "samples": [300, 1_000, 3_000, 10_000]}
    with TemporaryDirectory() as folder:
        tb.run_sweep(tb.Sweep(spec, vary=vary), Path(folder) / "sweep", threads=1)
        return tb.plot.phase(tb.open_sweep(Path(folder) / "sweep"))


PICTURES: dict[str, Callable[[], Axes]] = {
    "tails": tails,
    "survival": lambda: tb.plot.survival(words()[1]),
    "rank_frequency": lambda: tb.plot.rank_frequency(words()[1]),
    "flow": lambda: tb.plot.flow(words()[1], replicate=3),
    "confidence": lambda: tb.plot.confidence(words()[1]),
    "spread": spread,
    "densities": densities,
    "phase": phase,
}


def draw(folder: Path) -> None:
    """Write every picture into a folder."""
    import matplotlib.pyplot as plt
    from PIL import Image

    for name, picture in PICTURES.items():
        drawn = BytesIO()
        picture().figure.savefig(drawn, dpi=DPI)
        plt.close("all")
        # A page that people load: a third of the size, and no difference to see.
        Image.open(drawn).convert("RGB").quantize(COLOURS).save(folder / f"{name}.png", optimize=True)


if __name__ == "__main__":
    mpl.use("agg")
    draw(Path(sys.argv[1]))

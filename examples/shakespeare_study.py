# SPDX-License-Identifier: MIT
"""What keeps Shakespeare's rare words when models train on models.

    python examples/shakespeare_study.py [--samples 200000] [--generations 100] [--replicates 8]

The words of 31 plays are the reference; seven plays that no model is trained on are the judge. Each row
changes one thing.
"""

import argparse
from typing import Any

import tailbiter as tb

HUMAN = (0.0, 0.001, 0.01, 0.1, 0.5)
DETECTORS = ((0.0, 0.0), (0.5, 0.01), (0.9, 0.01), (0.99, 0.01), (0.99, 0.2))
DECODING = {
    "as it is": tb.Decoding(),
    "top-p 0.95": tb.Decoding(top_p=0.95),
    "temperature 0.9": tb.Decoding(temperature=0.9),
    "temperature 1.1": tb.Decoding(temperature=1.1),
}
ESTIMATORS = {
    "maximum likelihood": tb.MLE(),
    "add 0.01": tb.AddK(k=0.01),
    "add 1": tb.AddK(k=1),
    "Good-Turing": tb.GoodTuring(),
    "absolute discounting": tb.Discount(),
    "James-Stein": tb.Shrinkage(),
}


def last_row(size: dict[str, int], **fields: Any) -> list[str]:
    """Medians at the last generation: words kept by band, held-out words unknown, distance."""
    spec = tb.Spec(
        reference=tb.Counts.read("tailbiter:shakespeare", counts="train"),
        held_out="heldout",  # a column of the same file
        seed=1851,
        **size,
        **fields,
    )
    record = tb.Record(
        generations=[0, spec.generations], variables=["band_survivors", "oov_tokens", "total_variation"]
    )
    ds = tb.simulate(spec, record=record)
    alive = tb.share_alive(ds).isel(generation=-1).median("replicate").values
    kept = [f"{share:.1%}" for share in alive[1:4]]
    last = ds.isel(generation=-1).median("replicate")
    return [*kept, *(f"{float(last[name]):.1%}" for name in ("oov_tokens", "total_variation"))]


def table(title: str, rows: dict[str, dict[str, Any]], size: dict[str, int]) -> None:
    """Print one question and its answers."""
    head = [title, "[1,10)", "[10,100)", "[100,1000)", "unknown", "distance"]
    lines = [head, *([name, *last_row(size, **fields)] for name, fields in rows.items())]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        values = [text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *values]))
    print()


def regime(share: float) -> tb.Replace | tb.Anchored:
    """So much fresh human text in every batch."""
    return tb.Anchored(real=share) if share else tb.Replace()


def main() -> None:
    """Ask the four questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("samples", 200_000), ("generations", 100), ("replicates", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    size = vars(parser.parse_args())
    table("human text", {f"{share:.1%}": {"regime": regime(share)} for share in HUMAN}, size)
    crawl = tb.Crawl(real=0.1)
    detectors = {
        f"finds {tpr:.0%}, wrongly {fpr:.0%}": {"regime": crawl, "detector": tb.Detector(tpr=tpr, fpr=fpr)}
        for tpr, fpr in DETECTORS
    }
    table("detector, 10 % human", detectors, size)
    anchor = tb.Anchored(real=0.01)
    table("decoding, 1 % human", {n: {"decoding": d, "regime": anchor} for n, d in DECODING.items()}, size)
    table("estimator, no human", {name: {"estimator": e} for name, e in ESTIMATORS.items()}, size)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""Levers by flag: the same run as by Spec, and errors that name the flag."""

import json

import pytest

import tailbiter as tb
from tailbiter.cli import main

SIZE = ["--samples", "500", "--generations", "5", "--replicates", "2"]


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (["--temperature", "0.9", "--top-p", "0.95"], {"decoding": tb.Decoding(temperature=0.9, top_p=0.95)}),
        (["--top-k", "50", "--min-p", "0.01"], {"decoding": tb.Decoding(top_k=50, min_p=0.01)}),
        (["--epsilon", "3e-4"], {"decoding": tb.Decoding(epsilon=3e-4)}),
        (["--estimator", "good-turing"], {"estimator": tb.GoodTuring()}),
        (["--estimator", "add_k"], {"estimator": tb.AddK()}),
        (["--error-rate", "0.02"], {"error_rate": 0.02}),
        (
            ["--regime", "crawl", "--real", "0.3", "--tpr", "0.9", "--fpr", "0.05"],
            {"regime": tb.Crawl(real=0.3), "detector": tb.Detector(tpr=0.9, fpr=0.05)},
        ),
        (
            ["--regime", "crawl", "--real", "0.3", "--tpr", "0.9"],
            {"regime": tb.Crawl(real=0.3), "detector": tb.Detector(tpr=0.9, fpr=0.0)},
        ),
    ],
    ids=" ".join,
)
def test_flags_say_what_a_spec_says(words, fields, capsys):
    assert main(["run", *SIZE, *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    shakespeare = tb.Counts.read("tailbiter:shakespeare", counts="train", labels="word")
    spec = tb.Spec(
        reference=shakespeare, samples=500, generations=5, replicates=2, held_out="heldout", **fields
    )
    assert found["digest"] == spec.digest()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--temperature", "0"], "--temperature: 0"),
        (["--top-p", "1.5"], "--top-p: 1.5"),
        (["--top-k", "0.5"], "--top-k: 0.5"),
        (["--estimator", "guess"], "guess"),
        (["--error-rate", "2"], "--error-rate: 2"),
        (["--tpr", "0.9"], "use regime = Crawl"),
        (["--regime", "crawl"], "--real"),
        (["--regime", "crawl", "--real", "0.1", "--fpr", "-1"], "--fpr: -1"),
        (["--table", "none.csv", "--top-k", "5"], "none.csv"),
    ],
    ids=str,
)
def test_bad_flags_are_one_line(words, says, capsys):
    assert main(["run", *SIZE, *words]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1

# SPDX-License-Identifier: MIT
"""Stages of made-up runs whose onsets are known, of real ones, and what is no stage."""

import json
import math

import numpy as np
import pytest
import xarray as xr

import tailbiter as tb
from tailbiter.errors import SpecError
from tailbiter.stages import in_words, kaplan_meier, median

GENERATIONS = [0, 1, 2, 4, 8, 16]


def made_up(sample: dict[str, float] | None = None, **rows: list[list[float]]) -> xr.Dataset:
    """A run with these values, rows replicates, columns the generations above, beside a human sample.

    That has the values of the first replicate's generation 1, and none that chance moves.
    """
    data = {name: (("replicate", "generation"), np.array(values, float)) for name, values in rows.items()}
    count = len(next(iter(rows.values())))
    coords = {"replicate": np.arange(count), "generation": GENERATIONS}
    expected = {name: values[0][1] for name, values in rows.items()} | (sample or {})
    still = {"sd": 0.0, "rates": [1e12], "logs": [0.0], "one": 0.0, "reference": 0.8}
    chance = {name: {"mean": value, **still} for name, value in expected.items() if name != "wrong_mass"}
    human = {"items": 10**12, "expected": expected, "fewest": 10**12, "chance": chance}
    return xr.Dataset(
        data, coords, {"family": "categorical", "spec": "{}", "human_sample": json.dumps(human)}
    )


def onsets(ds: xr.Dataset, stage: str, thresholds: tb.Stages | None = None) -> list[float]:
    return tb.stages(ds, thresholds).onset.sel(stage=stage).values.tolist()


TAIL = [
    [0.05, 0.02, 0.02, 0.0099, 0.0, 0.0],
    [0.05, 0.02, 0.02, 0.01, 0.0, 0.0],
    [0.05, 0.02, 0.0, 0.0, 0.0, 0.02],
]
HEAD = [[0.0, 0.05, 0.05, 0.05, 0.2, 0.2], [0.0, 0.05, 0.05, 0.2, 0.2, 0.05], [0.0, 0.05, 0.1, 0.3, 0.3, 0.3]]


def test_early_collapse_is_of_a_tail_while_the_head_stays() -> None:
    ds = made_up(tail_coverage=TAIL, head_total_variation=HEAD)
    np.testing.assert_array_equal(
        onsets(ds, "early"), [4, 16, np.nan]
    )  # half is not below half, .1 not below .1
    np.testing.assert_array_equal(onsets(ds, "tail_lost"), [4, 8, 2])
    stricter = tb.Stages(tail_left=0.25, head_moved=0.25)
    np.testing.assert_array_equal(onsets(ds, "early", stricter), [8, 8, 2])


def test_an_onset_lies_between_two_records() -> None:
    found = tb.stages(made_up(tail_coverage=TAIL, head_total_variation=HEAD)).sel(stage="early")
    assert found.onset_after.values.tolist() == [2, 8, 16]
    assert float(found.median_onset) == 16
    assert float(found.share_reached) == pytest.approx(2 / 3)


def test_late_collapse_concentrates_or_flattens() -> None:
    gini = [[0.9, 0.8, 0.7, 0.41, 0.39, 0.1], [0.8, 0.5, 0.6, 0.7, 0.8, 0.9], [0.9, 0.8, 0.8, 0.8, 0.8, 0.8]]
    moved = [[0, 0.2, 0.3, 0.6, 0.6, 0.9], [0, 0.1, 0.59, 0.61, 0.9, 0.9], [0, 0.1, 0.6, 0.6, 0.6, 0.6]]
    wide = [[5, 4, 3, 2, 1, 0.5], [4, 4, 4, 4, 5, 6], [5, 4, 3.9, 3.9, 3.9, 3.9]]
    ds = made_up(gini_simpson=gini, total_variation=moved, entropy=wide)
    np.testing.assert_array_equal(onsets(ds, "late_concentrating"), [8, np.nan, np.nan])
    np.testing.assert_array_equal(onsets(ds, "late_flattening"), [np.nan, 4, np.nan])
    np.testing.assert_array_equal(onsets(ds, "late"), [8, 4, np.nan])
    assert float(tb.stages(ds).median_onset.sel(stage="late")) == 8


def test_the_profile_has_its_thresholds() -> None:
    ds = made_up(
        brier=[[0.0, 0.1, 0.11, 0.1101, 0.5, 0.6]],
        gini_simpson=[[0.8, 0.8, 0.5, 0.3, 0.2, 0.03]],
        coverage=[[1, 0.8, 0.6, 0.39, 0.2, 0.1]],
        largest_share=[[0.1, 0.2, 0.59, 0.61, 0.7, 0.9]],
        entropy=np.log([[100, 80, 41, 39, 10, 2]]).tolist(),
        survivors=[[100, 80, 60, 20, 2, 1]],
        wrong_mass=[[0, 0, 0.05, 0.051, 0.2, 0.3]],
        cross_entropy_floor_1e_9=(5 + np.log([[1, 1, 1.49, 1.51, 2, 3]])).tolist(),
    )
    found = tb.stages(ds)
    onset = dict(zip(found.stage.values.tolist(), found.onset.values[0].tolist(), strict=True))
    assert onset["risk_rise"] == 4
    assert onset["risk_catastrophic"] == 8  # .4 of .7 on the way
    assert onset["variance"] == 16
    assert onset["modes_lost"] == 4
    assert onset["mode_collapse"] == 4
    assert onset["entropy_lost"] == 4
    assert onset["one_left"] == 16
    assert onset["hallucination"] == 4
    assert onset["test_loss"] == 4


def test_a_stage_must_last_where_chance_reaches_it_too() -> None:
    """At one of 4 records in a row, with 1e-6 in all."""
    ds = made_up(brier=[[0.0, 0.1, 0.2, 0.2, 0.2, 0.2]])
    human = json.loads(ds.attrs["human_sample"])
    human["chance"]["brier"]["sd"] = 1 / 1200  # .01 above the mean, twelve deviations: 1/145, four times 2e-9
    ds.attrs["human_sample"] = json.dumps(human)
    assert int(tb.stages(ds).records_in_a_row.sel(stage="risk_rise")) == 4
    assert onsets(ds, "risk_rise") == [2]
    ds.brier[0, 4] = 0.1
    np.testing.assert_array_equal(onsets(ds, "risk_rise"), [np.nan])
    assert tb.stages(ds).onset_after.values.tolist() == [[8]]  # 16 is above, and may be the first of four
    human["chance"]["brier"]["sd"] = 1.0  # three deviations: 1/10
    ds.attrs["human_sample"] = json.dumps(human)
    assert "7 records in a row, of 4" in json.loads(tb.stages(ds).attrs["left_out"])["risk_rise"]


def test_without_a_law_of_human_samples_a_stage_lies_beyond_every_generation_1() -> None:
    """With 100 replicates that happens six times in a row by chance with 1 in 1.7e9, five times in 9.7e7."""
    law = {"reference": tb.Zipf(100), "samples": 100, "generations": 100, "stages": tb.Stages()}
    ds = tb.simulate(tb.Spec(replicates=100, estimator=tb.GoodTuring(), **law))
    found = tb.stages(ds)
    assert int(found.records_in_a_row.sel(stage="risk_rise")) == 6
    bare = tb.stages(tb.simulate(tb.Spec(replicates=1, estimator=tb.GoodTuring(), **law)))
    assert "replicates show" in json.loads(bare.attrs["left_out"])["late_concentrating"]
    highest = ds.brier.sel(generation=1).max()
    beyond = (ds.brier > max(1.1 * ds.brier.sel(generation=1).mean(), highest)).values[:, 2:]
    first = [next((t for t in range(94) if row[t : t + 6].all()), np.nan) for row in beyond]
    np.testing.assert_array_equal(found.onset.sel(stage="risk_rise"), np.array(first) + 2)


def test_what_a_run_cannot_tell_is_listed_with_the_reason() -> None:
    left_out = json.loads(tb.stages(made_up(survivors=[[9, 8, 7, 6, 5, 4]])).attrs["left_out"])
    assert left_out["early"].startswith("needs tail_coverage and head_total_variation")
    assert {"risk_diverging", "scaling_law"} < left_out.keys()
    no_tail = tb.Spec(reference=tb.Uniform(9), samples=9, generations=5, stages=tb.Stages())
    assert "tail_coverage" in json.loads(tb.stages(tb.simulate(no_tail)).attrs["left_out"])["tail_lost"]


def test_thresholds_are_the_specs_and_stand_in_the_definitions() -> None:
    law = tb.Zipf(50)
    spec = tb.Spec(reference=law, samples=500, generations=20, stages=tb.Stages(tail_left=0.25))
    found = tb.stages(tb.simulate(spec))
    assert json.loads(found.attrs["thresholds"])["tail_left"] == 0.25
    assert "below 0.25 of the first human sample's" in str(found.definition.sel(stage="tail_lost").values)
    assert spec.digest() != spec.replace(stages=tb.Stages()).digest()
    assert spec.replace(stages=tb.Stages()).digest() == spec.replace(stages=None).digest()
    assert tb.Spec.from_toml(spec.to_toml()) == spec


def test_kaplan_meier_by_hand() -> None:
    """Freireich et al. 1963, remission under 6-mercaptopurine, as in every textbook: median 23 weeks."""
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    seen = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    times, surviving = kaplan_meier(weeks, np.array(seen, bool))
    assert times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    np.testing.assert_allclose(surviving, [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], atol=5e-4)
    assert median(weeks, np.array(seen, bool)) == 23


def test_kaplan_meier_at_its_ends() -> None:
    assert math.isnan(median([5, 5, 5], [True, False, False]))
    assert median([1, 2, 9, 9], [True, True, False, False]) == 2  # half is half, whatever the rounding
    assert math.isnan(median([7], [False]))


def test_stages_in_words() -> None:
    ds = made_up(tail_coverage=TAIL, head_total_variation=HEAD, survivors=[[9, 8, 7, 6, 5, 1]] * 3)
    first, second = in_words(tb.stages(ds))
    assert first == "Early collapse: by generation 16 (median)."
    assert second == "Other definitions (median onset): loss of the tail 4, one category left 16."


def test_what_was_not_reached_in_words() -> None:
    ds = made_up(tail_coverage=TAIL, head_total_variation=[HEAD[2]] * 3)
    ds.tail_coverage[2] = 0.02
    assert in_words(tb.stages(ds))[0] == "Early collapse: reached by no replicate by generation 16."
    ds.head_total_variation[0] = 0.0
    said = "Early collapse: reached by 33 % of the replicates by generation 16, too few for a median."
    assert in_words(tb.stages(ds))[0] == said
    few = tb.Spec(reference=tb.Zipf(1000), samples=10, generations=50, replicates=4, stages=tb.Stages())
    first = in_words(tb.stages(tb.simulate(few)))[0]
    assert first.startswith(
        "Early collapse: not to be told from chance. Late collapse, concentrating: by gen"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tb.Stages(tail_left=2), "stages.tail_left: 2.0 is outside [0, 1]"),
        (lambda: tb.Stages(risk_rise=-1), "stages.risk_rise: -1.0 is negative"),
        (lambda: tb.Spec(reference=tb.Uniform(3), stages=5), "stages: 5 is no set of thresholds"),
        (lambda: tb.Spec(reference=tb.Uniform(3), stages={"tail": 1}), "did you mean 'tail_left'"),
        (lambda: tb.Spec(reference=tb.Gaussian(), stages=tb.Stages()), "is about categories"),
        (lambda: tb.stages(made_up(survivors=[[1] * 6]).isel(generation=[0, 2])), "leaves out generation 1"),
        (lambda: tb.stages(xr.Dataset(attrs={"family": "gaussian"})), "stages are not defined"),
        (lambda: tb.stages(None), "ds: None is not a run; give a Dataset, as simulate returns it"),
        (lambda: tb.Spec(reference=tb.Uniform(3), held_out=[1, 2, 3]), "give Counts(...) of it, with the"),
    ],
)
def test_bad_input_is_told_in_one_line(call, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        call()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

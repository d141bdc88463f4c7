# SPDX-License-Identifier: MIT
"""Over the whole space of Specs, no simulated mean lies outside of what theory allows.

False alarms: 1e-9 for every example, shared by its variables, generations and bands.
"""

import pytest
from hypothesis import HealthCheck, given, settings

import tailbiter as tb
from tailbiter.testing import specs

REPLICATES = 1000
WHOLE = settings(
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def agrees(spec: tb.Spec) -> None:
    found = tb.verify(spec, rate=1e-9, replicates=REPLICATES)
    assert found.agrees, found.text()


@pytest.mark.long
@pytest.mark.slow
@settings(WHOLE, max_examples=200)
@given(specs())
def test_two_hundred_specs(spec: tb.Spec) -> None:
    agrees(spec)


@pytest.mark.verification
@settings(WHOLE, max_examples=2000)
@given(specs(max_categories=60, max_generations=40))
def test_two_thousand_specs(spec: tb.Spec) -> None:
    agrees(spec)

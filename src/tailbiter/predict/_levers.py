# SPDX-License-Identifier: MIT
"""What theory knows of runs whose models are shaped before they are sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailbiter.errors import PredictionError

from ._known import SIMULATE

if TYPE_CHECKING:
    from tailbiter.spec import Spec

    from ._known import Known

__all__ = ["shaped"]


def shaped(spec: Spec, name: str) -> Known:
    """Return what is known of a variable under the levers of a Spec."""
    law = spec.law()
    field = next(field for field in LEVERS if field in law)
    raise PredictionError(field, law[field], f"is a lever under which no law is known for {name}", SIMULATE)


LEVERS = ("estimator", "error_rate")

# SPDX-License-Identifier: MIT
"""What happens to the tails when models train on their own output.

Names load when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import jit as jit
    from . import plot as plot
    from . import testing as testing
    from . import theory as theory
    from .curation import BestOf as BestOf
    from .curation import Choice as Choice
    from .curation import TopShare as TopShare
    from .curation import Verifier as Verifier
    from .dataset import hill_numbers as hill_numbers
    from .dataset import share_alive as share_alive
    from .decoding import Decoding as Decoding
    from .density import density_coverage as density_coverage
    from .density import held_out_log_likelihood as held_out_log_likelihood
    from .detector import Detector as Detector
    from .errors import DataError as DataError
    from .errors import MemoryEstimateError as MemoryEstimateError
    from .errors import PredictionError as PredictionError
    from .errors import SpecError as SpecError
    from .errors import TailbiterError as TailbiterError
    from .estimator import EM as EM
    from .estimator import MLE as MLE
    from .estimator import AddK as AddK
    from .estimator import Discount as Discount
    from .estimator import GoodTuring as GoodTuring
    from .estimator import Shrinkage as Shrinkage
    from .estimator import Smoothing as Smoothing
    from .estimator import UserEstimator as UserEstimator
    from .execute import run_sweep as run_sweep
    from .families import lower as lower
    from .fault import Duplication as Duplication
    from .fault import LabelNoise as LabelNoise
    from .fault import Truncation as Truncation
    from .judgement import Stages as Stages
    from .plan import Plan as Plan
    from .plan import Target as Target
    from .plan import phase as phase
    from .plan import plan as plan
    from .predict import predict as predict
    from .predict import total_collapse as total_collapse
    from .program import Program as Program
    from .record import Record as Record
    from .reference import KDE as KDE
    from .reference import Bernoulli as Bernoulli
    from .reference import CategoricalMixture as CategoricalMixture
    from .reference import Counts as Counts
    from .reference import Dirichlet as Dirichlet
    from .reference import Exponential as Exponential
    from .reference import Gaussian as Gaussian
    from .reference import GaussianMixture as GaussianMixture
    from .reference import Geometric as Geometric
    from .reference import Poisson as Poisson
    from .reference import Probabilities as Probabilities
    from .reference import Uniform as Uniform
    from .reference import UserMixture as UserMixture
    from .reference import Zipf as Zipf
    from .regime import Accumulate as Accumulate
    from .regime import AccumulateSubsample as AccumulateSubsample
    from .regime import Anchored as Anchored
    from .regime import Crawl as Crawl
    from .regime import Mix as Mix
    from .regime import RealOnly as RealOnly
    from .regime import Replace as Replace
    from .regime import Window as Window
    from .report import report as report
    from .reproduce import reproduce as reproduce
    from .run_files import read_run as read_run
    from .run_files import write_run as write_run
    from .samples import Growth as Growth
    from .simulate import simulate as simulate
    from .sources import Crawled as Crawled
    from .sources import Fixed as Fixed
    from .sources import Fresh as Fresh
    from .sources import Hoard as Hoard
    from .sources import Schedule as Schedule
    from .sources import Synthetic as Synthetic
    from .spec import Spec as Spec
    from .stages import stages as stages
    from .store import Store as Store
    from .store import open_sweep as open_sweep
    from .store import sweep_table as sweep_table
    from .store import variance_saved as variance_saved
    from .sweep import Range as Range
    from .sweep import Sweep as Sweep
    from .verify import Verification as Verification
    from .verify import verify as verify

    __version__: str

_HOMES = {
    "curation": ("BestOf", "Choice", "TopShare", "Verifier"),
    "dataset": ("hill_numbers", "share_alive"),
    "density": ("density_coverage", "held_out_log_likelihood"),
    "decoding": ("Decoding",),
    "errors": ("DataError", "MemoryEstimateError", "PredictionError", "SpecError", "TailbiterError"),
    "detector": ("Detector",),
    "estimator": ("EM", "MLE", "AddK", "Discount", "GoodTuring", "Shrinkage", "Smoothing", "UserEstimator"),
    "execute": ("run_sweep",),
    "families": ("lower",),
    "fault": ("Duplication", "LabelNoise", "Truncation"),
    "judgement": ("Stages",),
    "plan": ("Plan", "Target", "phase", "plan"),
    "predict": ("predict", "total_collapse"),
    "program": ("Program",),
    "record": ("Record",),
    "reference": (
        "KDE",
        "Bernoulli",
        "CategoricalMixture",
        "Counts",
        "Dirichlet",
        "Exponential",
        "Gaussian",
        "GaussianMixture",
        "Geometric",
        "Poisson",
        "Probabilities",
        "Uniform",
        "UserMixture",
        "Zipf",
    ),
    "regime": (
        "Accumulate",
        "AccumulateSubsample",
        "Anchored",
        "Crawl",
        "Mix",
        "RealOnly",
        "Replace",
        "Window",
    ),
    "report": ("report",),
    "reproduce": ("reproduce",),
    "run_files": ("read_run", "write_run"),
    "samples": ("Growth",),
    "simulate": ("simulate",),
    "sources": ("Crawled", "Fixed", "Fresh", "Hoard", "Schedule", "Synthetic"),
    "spec": ("Spec",),
    "stages": ("stages",),
    "store": ("Store", "open_sweep", "sweep_table", "variance_saved"),
    "sweep": ("Range", "Sweep"),
    "verify": ("Verification", "verify"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_MODULES = ("jit", "plot", "testing", "theory")

__all__ = [
    "EM",
    "KDE",
    "MLE",
    "Accumulate",
    "AccumulateSubsample",
    "AddK",
    "Anchored",
    "Bernoulli",
    "BestOf",
    "CategoricalMixture",
    "Choice",
    "Counts",
    "Crawl",
    "Crawled",
    "DataError",
    "Decoding",
    "Detector",
    "Dirichlet",
    "Discount",
    "Duplication",
    "Exponential",
    "Fixed",
    "Fresh",
    "Gaussian",
    "GaussianMixture",
    "Geometric",
    "GoodTuring",
    "Growth",
    "Hoard",
    "LabelNoise",
    "MemoryEstimateError",
    "Mix",
    "Plan",
    "Poisson",
    "PredictionError",
    "Probabilities",
    "Program",
    "Range",
    "RealOnly",
    "Record",
    "Replace",
    "Schedule",
    "Shrinkage",
    "Smoothing",
    "Spec",
    "SpecError",
    "Stages",
    "Store",
    "Sweep",
    "Synthetic",
    "TailbiterError",
    "Target",
    "TopShare",
    "Truncation",
    "Uniform",
    "UserEstimator",
    "UserMixture",
    "Verification",
    "Verifier",
    "Window",
    "Zipf",
    "density_coverage",
    "held_out_log_likelihood",
    "hill_numbers",
    "jit",
    "lower",
    "open_sweep",
    "phase",
    "plan",
    "plot",
    "predict",
    "read_run",
    "report",
    "reproduce",
    "run_sweep",
    "share_alive",
    "simulate",
    "stages",
    "sweep_table",
    "testing",
    "theory",
    "total_collapse",
    "variance_saved",
    "verify",
    "write_run",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        value: object = version("tailbiter")
    elif name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    elif name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Keeps public names: on loading, Python binds a module to its package, over ``simulate`` too."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and name in _HOME_OF:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

# SPDX-License-Identifier: MIT
"""What to run: a frozen, validated, hashable description of a law."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np

from . import _document
from ._checks import (
    SET,
    Described,
    as_dict,
    build,
    check_keys,
    check_table,
    is_list,
    make,
    nearest,
    number,
    whole,
    with_article,
    within,
)
from ._compose import Composition, compose
from ._variables import GROUPS, HELD_OUT, STAGES
from .curation import CURATIONS, Curation, TopShare
from .decoding import Decoding
from .detector import Detector
from .errors import SpecError
from .estimator import ESTIMATORS, Estimator
from .fault import FAULTS, Fault
from .jit._rule import located
from .judgement import Stages, as_stages
from .record import Record
from .reference import (
    KINDS,
    Counts,
    Groups,
    Reference,
    Table,
    Traits,
    UserMixture,
    as_groups,
    as_held_out,
)
from .regime import REGIMES, Regime, Replace, canonical
from .samples import Growth, Samples, as_samples, sizes

__all__ = ["MAX_GENERATIONS", "STREAM_VERSION", "Spec"]

STREAM_VERSION = 1
"""Changes only when the random bits of an unchanged Spec do."""

MAX_GENERATIONS = 10**7
_MAX_REPLICATES = 2**32 - 1  # a replicate's number has 32 bits in the address of a draw
_LAST_SEED = 2**63 - 1  # what TOML can hold
_MAX_EDGES = 254
_TAIL_MASS = 0.05
_OF_CATEGORIES = (
    ("bands", None),
    ("tail_mass", _TAIL_MASS),
    ("error_rate", 0.0),
    ("fault", None),
    ("stages", None),
)


class Spec(Described, frozen=True, kw_only=True, dict=True):
    """A recursive fit-and-resample run, validated on construction.

    Parameters
    ----------
    reference : Counts, Probabilities, Zipf, Gaussian, GaussianMixture or another Reference
        The human distribution: generation 0.
    regime : Regime, default Replace()
        What each generation is trained on.
    estimator : MLE, AddK, GoodTuring, Discount, Shrinkage, EM or another estimator, optional
        How each generation is fitted; by default, and with None, ``EM()`` for mixtures and ``MLE()`` for all
        others.
    decoding : Decoding, optional
        How each model is sampled; by default as it is. For references with categories, as are error_rate and
        curation.
    error_rate : float, default 0.0
        Share, in [0, 1], of what models put out that lies outside the reference: plausible and wrong. It is
        carried on through training as one category more, which decoding and curation treat like any other,
        and recorded as ``wrong_mass``; every other variable describes a model
        given that it is right.
    curation : Choice, BestOf, Verifier or TopShare, optional
        What is kept of a model's output for its quality; by default all.
    detector : Detector, optional
        What keeps synthetic data out of a crawl; under regime `Crawl`.
    fault : LabelNoise, Truncation or Duplication, optional
        What is wrong with the human data of generation 1, and of no other: a kept set is clean. For
        references with categories.
    samples : int, sequence of int or Growth, default 200_000
        Items newly drawn for each generation, from 1 to 1e12 (1e15 for Gaussians). A sequence has an entry
        for every generation; one more gives the size of the batch drawn from the last model.
    generations : int, default 2_000
        Resamplings, from 1 to 1e7.
    replicates : int, default 32
        Lineages, from 1 to 2**32 - 1.
    seed : int, default 1851
        From 0 to 2**63 - 1.
    bands : sequence of float, optional
        Ascending edges of the expected count in generation 1's batch; 0 stands before them and the last band
        is open. By default 0, 1, 10, 100, ... up to the decade of the commonest category. For references with
        categories, as is tail_mass.
    tail_mass : float, default 0.05
        Most reference mass that the tail may hold, in [0, 1].
    held_out : Counts, str or mapping, optional
        Human data that no generation is trained on, to judge each of them by: counts, or the column of the
        file that the reference was read from. Joined to the reference by label.
    groups : str, sequence or mapping, optional
        The group of each category: a column of the reference's file, a name for each row, or a mapping of
        labels to names.
    stages : Stages, optional
        Thresholds by which `stages` tells early from late collapse; with them, what it needs is recorded by
        default. For references with categories, as are held_out and groups.
    common_random_numbers : bool, default False
        Let the random words follow from the seed alone, so that Specs with one seed share them. By default
        they follow from the seed and the law, and two laws have nothing in common.

    Raises
    ------
    SpecError
        For anything that cannot be run; one line names the field, the value and the remedy.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Uniform(10), samples=1e3, generations=50)
    >>> spec.samples
    1000
    >>> spec == tb.Spec.from_toml(spec.to_toml())
    True
    """

    reference: Reference
    regime: Regime = Replace()
    estimator: Estimator = cast("Estimator", None)  # the family's own, from __post_init__ on
    decoding: Decoding = Decoding()
    error_rate: float = 0.0
    curation: Curation | None = None
    detector: Detector | None = None
    fault: Fault | None = None
    samples: Samples = 200_000
    generations: int = 2_000
    replicates: int = 32
    seed: int = 1851
    bands: tuple[float, ...] | None = None
    tail_mass: float = _TAIL_MASS
    held_out: Counts | None = None
    groups: Groups | None = None
    stages: Stages | None = None
    common_random_numbers: bool = False

    def __post_init__(self) -> None:
        SET(self, "reference", _as_reference(self.reference))
        traits = self.reference.traits
        SET(self, "regime", _as_regime(self.regime))
        SET(self, "estimator", _as_estimator(self.estimator, traits))
        SET(self, "decoding", _as_decoding(self.decoding, traits))
        SET(self, "curation", _as_curation(self.curation, self.reference))
        SET(self, "error_rate", within(self.error_rate, "error_rate", 0, 1, "give a share such as 0.01"))
        SET(self, "detector", _as_detector(self.detector))
        SET(self, "fault", _as_fault(self.fault))
        SET(self, "samples", as_samples(self.samples, traits.most_samples))
        remedy = "give a number of generations such as 2000"
        SET(self, "generations", whole(self.generations, "generations", 1, MAX_GENERATIONS, remedy))
        remedy = "give a number of replicates such as 32"
        SET(self, "replicates", whole(self.replicates, "replicates", 1, _MAX_REPLICATES, remedy))
        SET(self, "seed", whole(self.seed, "seed", 0, _LAST_SEED, "give a whole number such as 1851"))
        SET(self, "bands", _as_bands(self.bands))
        SET(self, "tail_mass", within(self.tail_mass, "tail_mass", 0, 1, "give a share such as 0.05"))
        SET(self, "held_out", as_held_out(self.held_out, self.reference))
        SET(self, "groups", as_groups(self.groups, self.reference))
        SET(self, "stages", as_stages(self.stages))
        if not isinstance(self.common_random_numbers, bool):
            value = self.common_random_numbers
            raise SpecError("common_random_numbers", value, "is not true or false", "give true or false")
        if not traits.has_categories:
            self._refuse_bands()
        if self.detector is not None and self.regime.as_mix().source("crawled") is None:
            problem = "judges where items come from, which this regime knows"
            raise SpecError("detector", as_dict(self.detector), problem, "use regime = Crawl(real=...)")
        self.estimator.check(self.composition)  # which itself refuses what cannot be run
        if self.curation is not None:
            self.curation.check(self.composition)
            if isinstance(self.curation, TopShare) and self.composition.crawled is not None:
                problem = "keeps a share of as many items as a crawl leaves to chance"
                raise SpecError("curation", "top_share", problem, "use Anchored(real=...), or BestOf(k)")

    def _refuse_bands(self) -> None:
        for name, default in _OF_CATEGORIES:
            if (value := getattr(self, name)) != default:
                raise _without_categories(name, value, self.reference.family)
        if self.detector is not None:
            self.detector.refuse_bands(self.reference.family)

    @cached_property
    def composition(self) -> Composition:
        """What goes into each generation's training set, in whole numbers."""
        traits = self.reference.traits
        return compose(self.regime, sizes(self.samples, self.generations, traits.most_samples), traits)

    def digest(self) -> str:
        """Return the identity of the Spec: SHA-256 (hex) of its canonical JSON.

        Defaults are left out, a named regime is written as its `Mix`, tables stand by their digest. The
        number of generations and of replicates is not in it, so that a longer run extends a shorter one.
        """
        data = self.law()
        data["reference"] = self.reference.canonical()
        data["seed"] = self.seed
        if self.bands is not None:
            data["bands"] = self.bands
        if self.tail_mass != _TAIL_MASS:
            data["tail_mass"] = self.tail_mass
        if self.held_out is not None:
            data["held_out"] = self.held_out.canonical()
        if self.groups is not None:
            data["groups"] = self.groups.digest
        if self.stages is not None and self.stages != Stages():
            data["stages"] = self.stages.to_dict()
        if self.common_random_numbers:
            data["common_random_numbers"] = True
        return _sha256(data)

    @cached_property
    def key(self) -> int:
        """The 64-bit key of all random words.

        It follows from the seed and the law alone: labels, bands, the tail, held-out data, groups and stages,
        which only name and measure, change no bit. With common random numbers the law has no part in it.
        """
        law = {"stream": STREAM_VERSION} if self.common_random_numbers else self.law()
        return _key(self.seed, bytes.fromhex(_sha256(law)))

    def law(self) -> dict[str, Any]:
        """What decides the law of a lineage, and nothing else."""
        return self._law.copy()

    @cached_property
    def _law(self) -> dict[str, Any]:
        samples = self.samples
        law = {
            "stream": STREAM_VERSION,
            "reference": self.reference.canonical(labels=False),
            "regime": canonical(self.regime),
            "samples": as_dict(samples, defaults=False) if isinstance(samples, Growth) else samples,
        }
        for lever in ("estimator", "decoding", "curation"):
            value = getattr(self, lever)
            if value is not None and (plain := value.canonical()) is not None:
                law[lever] = plain
        if self.error_rate:
            law["error_rate"] = self.error_rate
        if self.detector is not None and (detector := self.detector.canonical()) is not None:
            law["detector"] = detector
            if self.detector.by_band and self.bands is not None:
                law["bands"] = self.bands
        if self.fault is not None:
            law["fault"] = self.fault.canonical()
        return law

    @property
    def also_recorded(self) -> tuple[str, ...]:
        """Names of the variables that its levers, and what it is judged by, add to the standard set."""
        names = ["wrong_mass"] if self.error_rate else []
        if self.regime.as_mix().source("crawled") is not None:
            names += ["real_share", "real_share_crawled"]
        if self.detector is not None:
            names += ["real_discarded"]
            names += ["band_real_discarded"] if self.reference.traits.has_categories else []
        judged = ((self.held_out, HELD_OUT), (self.groups, GROUPS), (self.stages, STAGES))
        return (*names, *(name for value, some in judged if value is not None for name in some))

    def replace(self, **changes: Any) -> Spec:
        """Return a Spec with some fields changed, validated anew.

        Examples
        --------
        >>> import tailbiter as tb
        >>> tb.Spec(reference=tb.Uniform(10)).replace(seed=7).seed
        7
        """
        check_keys(changes, _NAMES, "spec")
        return msgspec.structs.replace(self, **changes)

    def to_dict(self, *, folder: str | os.PathLike[str] | None = None, brief: bool = False) -> dict[str, Any]:
        """Return the Spec as plain data, defaults included.

        Parameters
        ----------
        folder : path, optional
            Files at or below it are named relative to it.
        brief : bool, default False
            Name large tables that no file holds by digest only. Such data cannot be read back.
        """
        out: dict[str, Any] = {}
        for name in ("samples", "generations", "replicates", "seed", "bands", "tail_mass"):
            value = getattr(self, name)
            if isinstance(value, Growth):
                value = as_dict(value)
            if name == "tail_mass" and not self.reference.traits.has_categories:
                continue
            if value is not None:
                out[name] = list(value) if isinstance(value, tuple) else value
        if self.error_rate:
            out["error_rate"] = self.error_rate
        if self.common_random_numbers:
            out["common_random_numbers"] = True
        out["reference"] = self.reference.to_dict(folder=folder, brief=brief)
        out["regime"] = as_dict(self.regime)
        out["estimator"] = as_dict(self.estimator)
        if not self.decoding.neutral:
            out["decoding"] = as_dict(self.decoding, defaults=False)
        if self.curation is not None:
            out["curation"] = self.curation.to_dict()
        if self.held_out is not None:
            out["held_out"] = self.held_out.to_dict(folder=folder, brief=brief)
        if self.groups is not None:
            out["groups"] = self.groups.plain(brief=brief)
        given = {name: getattr(self, name) for name in ("detector", "fault", "stages")}
        return out | {name: as_dict(value) for name, value in given.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, folder: str | os.PathLike[str] | None = None) -> Spec:
        """Make a Spec from plain data.

        Parameters
        ----------
        data : mapping
            As `to_dict` returns it.
        folder : path, optional
            Where relative paths of tables start from; the working directory if left out.

        Raises
        ------
        SpecError
            For an unknown key (the nearest known one is named) and for anything that cannot be run.
        """
        check_table(data, "spec")
        rest = dict(data)
        if isinstance(rest.get("reference"), Mapping):
            rest["reference"] = _reference_from(rest["reference"], folder)
            if isinstance(rest.get("held_out"), Mapping):
                rest["held_out"] = as_held_out(rest["held_out"], rest["reference"], folder)
        for name in {"estimator", "decoding"} & rest.keys():
            rest[name] = located(rest[name], name, None if folder is None else Path(folder))
        return make(cls, rest, "spec")

    def to_json(self, *, brief: bool = False) -> str:
        """Return the Spec as JSON on one line, keys sorted."""
        return _document.write_json(self.to_dict(brief=brief))

    @classmethod
    def from_json(cls, text: str | bytes) -> Spec:
        """Make a Spec from JSON."""
        return cls.from_dict(_document.read_json(text))

    def to_toml(self, path: str | os.PathLike[str] | None = None, *, record: Record | None = None) -> str:
        """Return the Spec as TOML, and write it to ``path`` if given.

        Parameters
        ----------
        path : path, optional
            The file to write. Tables at or below its folder are then named relative to it.
        record : Record, optional
            Written into the same document, as ``[record]``.
        """
        data = self.to_dict(folder=None if path is None else Path(path).resolve().parent)
        if record is not None:
            data["record"] = record.to_dict()
        text = _document.write_toml(data)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @classmethod
    def from_toml(cls, source: str | os.PathLike[str]) -> Spec:
        """Make a Spec from a TOML file or text; ``[record]`` is for `Record.from_toml`, ``[plan]`` for plans.

        A relative path of a table starts from the file's folder.
        """
        data, folder = _document.read_toml(source)
        for other in ("record", "plan"):
            data.pop(other, None)
        return cls.from_dict(data, folder=folder)


_NAMES = Spec.__struct_fields__


def _sha256(data: object) -> str:
    return hashlib.sha256(_document.write_json(data).encode()).hexdigest()


def _key(seed: int, digest: bytes) -> int:
    """What ``SeedSequence(seed, spawn_key=digest)`` gives, its words put together here: in half the time."""
    words = np.zeros(4 + len(digest) // 4, np.uint32)
    words[:2] = seed & 0xFFFFFFFF, seed >> 32
    words[4:] = np.frombuffer(digest, ">u4")
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0])


def _as_reference(value: object) -> Reference:
    if isinstance(value, Mapping):
        return _reference_from(value, None)
    if not isinstance(value, Reference):
        *names, last = (cls.__name__ for cls in KINDS.values())
        remedy = f"give {', '.join(names)} or {last}"
        if isinstance(value, str) and value in KINDS:
            remedy = (
                f'give {KINDS[value].__name__}(...), or in TOML a table: [reference] kind = "{value}" ...'
            )
        raise SpecError("reference", value, "is not a reference", remedy)
    return value


def _reference_from(data: Mapping[str, Any], folder: str | os.PathLike[str] | None) -> Reference:
    kind = data.get("kind")
    table = KINDS.get(kind) if isinstance(kind, str) else None
    if table is not None and issubclass(table, Table | UserMixture):
        return table.from_dict({key: value for key, value in data.items() if key != "kind"}, folder)
    reference: Reference = build(KINDS, data, "reference")
    return reference


def _as_regime(value: object) -> Regime:
    if isinstance(value, Mapping):
        value = build(REGIMES, value, "regime")
    if not isinstance(value, tuple(REGIMES.values())):
        names = [cls.__name__ for cls in REGIMES.values()]
        remedy = _as_kind("regime", value, REGIMES) or nearest(value, names)
        raise SpecError("regime", value, "is not a regime", remedy)
    return value  # type: ignore[return-value]  # one of REGIMES, which are the Regime union


def _as_kind(field: str, value: object, kinds: Mapping[str, type]) -> str | None:
    """Say what stands for a kind that was given by its name alone, or by nearly that."""
    if not isinstance(value, str):
        return None
    known = get_close_matches(value, list(kinds), n=1, cutoff=0.7)
    if not known:
        return None
    return f'give {kinds[known[0]].__name__}(...), or in TOML a table: [{field}] kind = "{known[0]}"'


def _as_estimator(value: object, traits: Traits) -> Estimator:
    if value is None:
        value = ESTIMATORS[traits.estimators[0]]()
    if isinstance(value, Mapping):
        value = build(ESTIMATORS, value, "estimator")
    remedy = f"give {ESTIMATORS[traits.estimators[0]].__name__}(), or leave it out (None)"
    kind = next((kind for kind, cls in ESTIMATORS.items() if isinstance(value, cls)), None)
    if kind is None:
        fitting = {name: ESTIMATORS[name] for name in traits.estimators}
        raise SpecError(
            "estimator", value, "is not an estimator", _as_kind("estimator", value, fitting) or remedy
        )
    if kind not in traits.estimators:
        problem = f"does not fit the models of {with_article(traits.family)} reference"
        raise SpecError("estimator", kind, problem, remedy)
    return cast("Estimator", value).of(traits)


def _as_decoding(value: object, traits: Traits) -> Decoding:
    decoding = Decoding() if value is None else value
    if isinstance(decoding, Mapping):
        decoding = make(Decoding, decoding, "decoding")
    if not isinstance(decoding, Decoding):
        raise SpecError("decoding", value, "is not a decoding", "give Decoding(temperature=0.8), say")
    if not decoding.neutral and not traits.has_categories:
        raise _without_categories("decoding", value, traits.family)
    return decoding


def _as_curation(value: object, reference: Reference) -> Curation | None:
    if value is None:
        return None
    rule = build(CURATIONS, value, "curation") if isinstance(value, Mapping) else value
    if not isinstance(rule, tuple(CURATIONS.values())):
        names = ", ".join(cls.__name__ for cls in CURATIONS.values())
        remedy = _as_kind("curation", value, CURATIONS) or f"give one of {names}"
        raise SpecError("curation", value, "is not a curation", remedy)
    if not reference.traits.has_categories:
        raise _without_categories("curation", value, reference.family)
    return cast("Curation", rule).of(reference)


def _without_categories(field: str, value: object, family: str) -> SpecError:
    problem = f"is about categories, which {with_article(family)} reference has none of"
    return SpecError(field, value, problem, "leave it out")


def _as_detector(value: object) -> Detector | None:
    if isinstance(value, Mapping):
        value = make(Detector, value, "detector")
    if value is not None and not isinstance(value, Detector):
        raise SpecError("detector", value, "is not a detector", "give Detector(tpr=0.9, fpr=0.05)")
    return value


def _as_fault(value: object) -> Fault | None:
    if isinstance(value, Mapping):
        value = build(FAULTS, value, "fault")
    if value is not None and not isinstance(value, tuple(FAULTS.values())):
        remedy = _as_kind("fault", value, FAULTS) or "give LabelNoise, Truncation or Duplication"
        raise SpecError("fault", value, "is not a fault", remedy)
    return cast("Fault | None", value)


def _as_bands(value: object) -> tuple[float, ...] | None:
    if value is None:
        return None
    remedy = "give ascending edges such as [1, 10, 100]"
    items = value.tolist() if isinstance(value, np.ndarray) else value
    if not is_list(items) or not 1 <= len(items) <= _MAX_EDGES:
        raise SpecError("bands", value, f"is not a list of 1 to {_MAX_EDGES} edges", remedy)
    edges = tuple(number(item, f"bands[{index}]", remedy) for index, item in enumerate(items))
    for index, edge in enumerate(edges):
        if edge < 0 or (index and edge <= edges[index - 1]):
            raise SpecError(f"bands[{index}]", edge, "is not above what stands before it", remedy)
    return edges

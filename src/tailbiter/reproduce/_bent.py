# SPDX-License-Identifier: MIT
"""Published results about decoding and curation."""

from __future__ import annotations

import math

import numpy as np

from ._claim import Claim, Row
from ._words import mean_of, measured

# So many samples that the map of infinite samples holds to ten digits.
MANY = 10**12


def _temperature(threads: int | None) -> list[Row]:
    from tailbiter.decoding import Decoding
    from tailbiter.reference import Zipf
    from tailbiter.regime import Anchored, Regime, Replace
    from tailbiter.spec import Spec

    last = 40
    cases: tuple[tuple[str, float, Regime, float], ...] = (
        ("temperature 0.9", 0.9, Replace(), 0.0),
        ("temperature 1.1", 1.1, Replace(), 0.0),
        ("temperature 0.9, half the data human", 0.9, Anchored(real=0.5), 0.5),
    )
    rows = []
    for name, temperature, regime, human in cases:
        spec = Spec(
            reference=Zipf(20),
            regime=regime,
            decoding=Decoding(temperature=temperature),
            samples=MANY,
            generations=last,
            replicates=32,
            seed=2404,
        )
        mean, error = mean_of(measured(spec, "entropy", [last], threads)[:, 0])
        q = 1 / np.arange(1.0, 21.0)
        p = q = q / q.sum()
        for _ in range(last - 1):
            hot = p ** (1 / temperature)
            p = human * q + (1 - human) * hot / hot.sum()
        entropy = float(-(p * np.log(p)).sum())
        rows.append(
            Row(
                f"entropy at t = {last} (at first 2.47, at most 3.00), {name}",
                float(mean),
                float(error) + 1e-6,
                exact=entropy,
                holds={"temperature 0.9": entropy < 0.01, "temperature 1.1": entropy > 2.99}.get(name),
                note="exact: the map of infinite samples",
            )
        )
    return rows


def _curated(threads: int | None) -> list[Row]:
    from tailbiter.curation import Choice
    from tailbiter.reference import Counts
    from tailbiter.spec import Spec

    last, first = 12, 0.1
    choice = Choice(k=2, reward=(1.0, 0.0))
    spec = Spec(
        reference=Counts(np.array([1, 9])),
        curation=choice,
        samples=MANY,
        generations=last,
        replicates=32,
        seed=2407,
    )
    mean, error = mean_of(measured(spec, "total_variation", [last], threads)[:, 0] + first)
    share = first
    for _ in range(last - 1):
        share += math.tanh(0.5) * share * (1 - share)
    rows = [
        Row(
            f"share of the preferred one of two, choice between two, t = {last} (at first 0.1)",
            float(mean),
            float(error) + 1e-6,
            exact=share,
            holds=share > 0.9,
            note="exact: the map of infinite samples, p' - p = tanh(1/2) p (1-p)",
        )
    ]
    slight = Choice(k=2, reward=(0.02, 0.0))
    spec = Spec(
        reference=Counts(np.array([1, 9])),
        curation=slight,
        samples=100,
        generations=2000,
        replicates=20_000,
        seed=2407,
    )
    won = measured(spec, "coverage", [2000], threads)[:, 0] < 0.5
    mean, error = mean_of(won.astype(np.float64))
    return [
        *rows,
        Row(
            "chance that a slightly preferred one of share 0.1 takes all, N = 100",
            float(mean),
            float(error),
            exact=_fixation(100, 0.1, math.tanh(0.01)),
            published=(1 - math.exp(-0.2)) / (1 - math.exp(-2)),
            tolerance=0.003,
            note="published: Kimura's diffusion; tolerance: generation 1 is human, untouched by selection",
        ),
    ]


def _fixation(samples: int, share: float, preference: float) -> float:
    """Chance that one of two takes all, where all draws but the first are biased; by the chain's matrix."""
    from scipy.stats import binom

    counts = np.arange(samples + 1)
    p = counts / samples
    step = binom.pmf(counts, samples, (p + preference * p * (1 - p))[:, None])
    inner = step[1:-1, 1:-1]
    chance = np.linalg.solve(np.eye(samples - 1) - inner, step[1:-1, -1])
    return float(binom.pmf(counts, samples, share) @ np.concatenate([[0.0], chance, [1.0]]))


def _verifier(threads: int | None) -> list[Row]:
    from tailbiter.curation import Verifier
    from tailbiter.reference import Uniform
    from tailbiter.spec import Spec

    errors, last = 0.1, 300
    rows = []
    for accepts_bad, side in ((0.8, "below"), (0.95, "above")):
        verifier = Verifier(accepts_good=1.0, accepts_bad=accepts_bad, reward=(1.0,) * 10)
        spec = Spec(
            reference=Uniform(10),
            curation=verifier,
            error_rate=errors,
            samples=MANY,
            generations=last,
            replicates=32,
            seed=2406,
        )
        mean, error = mean_of(measured(spec, "wrong_mass", [last], threads)[:, 0])
        wrong = 0.0
        for _ in range(last - 1):
            said = errors + (1 - errors) * wrong
            wrong = said * accepts_bad / (said * accepts_bad + (1 - said))
        rows.append(
            Row(
                f"wrong share at t = {last}, bad output accepted {accepts_bad} times as often as good",
                float(mean),
                float(error) + 1e-6,
                exact=wrong,
                holds=wrong < 0.5 if side == "below" else wrong > 0.99,
                note="one in ten items is wrong anew: the verifier breaks down where that ratio is above 0.9",
            )
        )
    return rows


def _tails(threads: int | None) -> list[Row]:
    from tailbiter.decoding import Decoding
    from tailbiter.reference import Zipf
    from tailbiter.spec import Spec

    exponent, ranks = 1.5, (100, 1000)
    lost, errors = [], []
    for k in ranks:
        spec = Spec(
            reference=Zipf(10**6, exponent=exponent),
            decoding=Decoding(top_k=k),
            samples=10**9,
            generations=2,
            replicates=8,
            seed=2402,
        )
        mean, error = mean_of(1 - measured(spec, "coverage", [2], threads)[:, 0])
        lost.append(float(mean))
        errors.append(float(error) / float(mean))
    q = np.arange(1.0, 1e6 + 1) ** -exponent
    exact = [float(q[k:].sum() / q.sum()) for k in ranks]
    return [
        Row(
            "exponent of the mass lost where the tail is cut at rank k, Zipf exponent 1.5",
            math.log(lost[0] / lost[1]) / math.log(10),
            sum(errors) / math.log(10) + 1e-4,
            exact=math.log(exact[0] / exact[1]) / math.log(10),
            published=exponent - 1,
            tolerance=0.02,
            note="the law k^-(exponent - 1) holds for a support without end; tolerance: for its end at 10^6",
        )
    ]


CLAIMS = (
    Claim(
        "temperature",
        "Marchi et al. 2024, arXiv 2404.02325",
        "Any temperature but 1 degenerates a closed loop, to one output or to noise; human data stop it.",
        _temperature,
    ),
    Claim(
        "curated",
        "Ferbach et al. 2024, arXiv 2407.09499",
        "Curated by preference, the mean reward rises to its maximum, and diversity goes.",
        _curated,
    ),
    Claim(
        "verifier",
        "Feng et al. 2025, arXiv 2406.07515",
        "An imperfect verifier keeps a model right up to a breakdown point, and not beyond.",
        _verifier,
    ),
    Claim(
        "tails",
        "Dohmatob et al. 2024, arXiv 2402.07043",
        "Where tails are cut at rank k, what is lost falls with k by a power law.",
        _tails,
    ),
)

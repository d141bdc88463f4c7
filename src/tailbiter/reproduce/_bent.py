# SPDX-License-Identifier: MIT
"""Published results about decoding and curation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ._claim import Claim, Row
from ._measure import Floats, expected, halved, jackknifed, mean_of, measured

if TYPE_CHECKING:
    from tailbiter.regime import Regime

# So many samples that the map of infinite samples holds to ten digits.
MANY = 10**12
ROUNDING = 5e-6
ENDLESS = "half a unit of the second decimal; the law is of a support without end"
SETTLED = "theory: the map of infinite samples; ours has 10^12 of them"


def _temperature(threads: int | None) -> list[Row]:
    from tailbiter.decoding import Decoding
    from tailbiter.reference import Zipf
    from tailbiter.regime import Anchored, Replace
    from tailbiter.spec import Spec

    last, q = 40, 1 / np.arange(1.0, 21.0)
    cases: tuple[tuple[str, float, Regime, float | None, float | None], ...] = (
        ("temperature 0.9", 0.9, Replace(), 0.01, None),
        ("temperature 1.1", 1.1, Replace(), None, 2.99),
        ("temperature 0.9, half human", 0.9, Anchored(real=0.5), None, 2.3),
        ("temperature 1.1, half human", 1.1, Anchored(real=0.5), 2.7, None),
    )
    rows = []
    for name, temperature, regime, below, above in cases:
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
        p = _heated(q / q.sum(), temperature, 0.5 if isinstance(regime, Anchored) else 0.0, last)
        rows.append(
            Row(
                f"entropy, t = {last}, {name}",
                float(mean),
                float(error),
                sees=1e-4,
                exact=float(-(p * np.log(p)).sum()),
                resolution=ROUNDING,
                note=f"the reference's entropy is 2.53, the largest 3.00; {SETTLED}",
                below=below,
                above=above,
            )
        )
    return [*rows, *_held(threads)]


def _heated(q: Floats, temperature: float, human: float, last: int) -> Floats:
    """Model of samples without end, each generation's batch heated and mixed with human data."""
    p = q
    for _ in range(last - 1):
        hot = p ** (1 / temperature)
        p = human * q + (1 - human) * hot / hot.sum()
    return p


def _coin(human: float, generations: int, replicates: int, threads: int | None, at: list[int]) -> Floats:
    """Total variation from the reference, two outcomes alike, models sampled at temperature 0.9."""
    from tailbiter.decoding import Decoding
    from tailbiter.reference import Uniform
    from tailbiter.regime import Anchored
    from tailbiter.spec import Spec

    spec = Spec(
        reference=Uniform(2),
        regime=Anchored(real=human),
        decoding=Decoding(temperature=0.9),
        samples=MANY,
        generations=generations,
        replicates=replicates,
        seed=2404,
    )
    return measured(spec, "total_variation", at, threads)


def _held(threads: int | None) -> list[Row]:
    """How much human data holds a loop whose two outcomes are equally common, and from where on."""
    last, rows = 1000, []
    for human, below, above in ((0.05, None, 0.3), (0.15, 0.001, None)):
        mean, error = mean_of(_coin(human, last, 32, threads, [last])[:, 0])
        rows.append(
            Row(
                f"bias of a fair coin, t = {last}, temperature 0.9, {100 * human:.0f} % human",
                float(mean),
                float(error),
                sees=1e-4,
                exact=_lopsided(0.9, human),
                resolution=ROUNDING,
                note="a fair coin: two outcomes equally common in the reference",
                below=below,
                above=above,
            )
        )
    return [*rows, _threshold(threads)]


def _lopsided(temperature: float, human: float) -> float:
    """Where two outcomes alike end, from the least imbalance on: the total variation from one half each."""
    share = 0.5 + 1e-9
    for _ in range(100_000):
        hot = share ** (1 / temperature)
        cold = (1 - share) ** (1 / temperature)
        share = human / 2 + (1 - human) * hot / (hot + cold)
    return share - 0.5


def _threshold(threads: int | None) -> Row:
    """The human share at which a small imbalance neither grows nor shrinks.

    It is multiplied by G = (1 - share) / temperature a generation, so that its mean square gains G^2k times
    as much in generations k to 2k as in the first k. 1 - share is in proportion to G: the line through two
    shares is exact in ln(1 - share).
    """
    k, shares = 50, (0.09, 0.11)
    at = [1, k + 1, 2 * k + 1]
    squares = np.stack([_coin(share, at[-1], 5000, threads, at) ** 2 for share in shares], axis=1)
    ends = np.log1p([-share for share in shares])

    def crossing(means: Floats) -> float:
        gains = np.diff(means, axis=1)
        logs = np.log(gains[:, 1] / gains[:, 0]) / (2 * k)
        return float(-np.expm1(ends[0] + logs[0] / (logs[0] - logs[1]) * (ends[1] - ends[0])))

    found, error = jackknifed(squares, crossing)
    return Row(
        "human share from which the coin stays fair, temperature 0.9",
        found,
        error,
        sees=0.006,
        exact=1 - 0.9,
        note="with human share a the coin's bias is multiplied by (1 - a)/temperature a generation: it dies"
        " out from a = 1 - temperature on, and below that grows until one outcome is the common one",
    )


def _curated(threads: int | None) -> list[Row]:
    from tailbiter.curation import Choice
    from tailbiter.reference import Counts
    from tailbiter.spec import Spec
    from tailbiter.theory import selection

    last, first = 12, 0.1
    spec = Spec(
        reference=Counts(np.array([1, 9])),
        curation=Choice(k=2, reward=(1.0, 0.0)),
        samples=MANY,
        generations=last,
        replicates=32,
        seed=2407,
    )
    mean, error = mean_of(measured(spec, "total_variation", [last], threads)[:, 0] + first)
    share = first
    for _ in range(last - 1):
        share += math.tanh(0.5) * share * (1 - share)
    certain = Row(
        f"share of the preferred one of two, t = {last} (at first 0.1)",
        float(mean),
        float(error),
        sees=1e-4,
        exact=share,
        above=0.9,
        resolution=ROUNDING,
        note=f"choice between two candidates, p' - p = tanh(1/2) p (1 - p); {SETTLED}",
    )
    spec = Spec(
        reference=Counts(np.array([1, 9])),
        curation=Choice(k=2, reward=(0.02, 0.0)),
        samples=100,
        generations=1000,
        replicates=12_000,
        seed=2407,
    )
    won = measured(spec, "coverage", [1000], threads)[:, 0] < 0.5
    mean, error = mean_of(won.astype(np.float64))
    kimura = float(selection.fixation(0.1, math.tanh(0.01), 100).values)
    return [
        certain,
        Row(
            "chance that a slightly preferred one of 0.1 takes all, N = 100",
            float(mean),
            float(error),
            sees=0.03,
            exact=_fixation(100, 0.1, math.tanh(0.01)),
            published=kimura,
            tolerance=(1 / 100 + math.tanh(0.01)) * kimura,
            because="the diffusion leaves out terms of the order 1/N + s, 2 % of itself",
            note="the published number of the last row is not Ferbach's but Kimura's of 1962,"
            " (1 - e^-2Nsp)/(1 - e^-2Ns): preference is selection, and few samples add drift. It starts at p"
            " before the first sample, as does that chain's exact .20948; here preference begins with the"
            " second, since the first is human, and theory has the exact chance of that",
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


def _wrong(errors: float, ratio: float, at: list[int], threads: int | None) -> Floats:
    """Wrong share of the training sets, where bad output is accepted ``ratio`` times as often as good."""
    from tailbiter.curation import Verifier
    from tailbiter.reference import Uniform
    from tailbiter.spec import Spec

    spec = Spec(
        reference=Uniform(10),
        curation=Verifier(accepts_good=1.0, accepts_bad=ratio, reward=(1.0,) * 10),
        error_rate=errors,
        samples=MANY,
        generations=at[-1],
        replicates=32,
        seed=2406,
    )
    return measured(spec, "wrong_mass", at, threads)


def _verifier(threads: int | None) -> list[Row]:
    from tailbiter.theory import selection

    errors, last, rows = 0.1, 300, []
    for ratio, below, above in ((0.8, 0.5, None), (0.95, None, 0.99)):
        mean, error = mean_of(_wrong(errors, ratio, [last], threads)[:, 0])
        rows.append(
            Row(
                f"wrong share, t = {last}, bad accepted {ratio} times as often as good",
                float(mean),
                float(error),
                sees=1e-4,
                exact=float(selection.verified(errors, 1.0, ratio, last).values[0]),
                resolution=ROUNDING,
                note="an analogue of the paper's breakdown, which is of classifiers trained on data that a"
                " verifier selects: here models train on what it accepts of their own output, one in ten"
                " items of which goes wrong anew",
                below=below,
                above=above,
            )
        )
    return [*rows, *(_breakdown(errors, threads) for errors in (0.1, 0.3))]


def _breakdown(errors: float, threads: int | None) -> Row:
    """The ratio of acceptances from which on wrong items take everything.

    The odds of a wrong item are multiplied by ratio / (1 - errors) a generation, and fed: below breakdown
    they gain less in the second half of a run than in the first, beyond it more.
    """

    def broken(ratio: float) -> bool:
        share = _wrong(errors, ratio, [1, 21, 41], threads)
        odds = (share / (1 - share)).mean(axis=0)
        return bool(odds[2] - odds[1] > odds[1] - odds[0])

    found, half = halved(broken, 0.5, 1.0, 12)
    return Row(
        f"ratio from which on wrong output wins, {100 * errors:.0f} % errors",
        found,
        sees=0.0002,
        exact=1 - errors,
        resolution=half,
        note="found by halving brackets; the odds o of a wrong item become r (e + o) / (1 - e), r the ratio"
        " of bad to good that is accepted and e the rate of errors, and grow without end from r = 1 - e on",
    )


def _tails(threads: int | None) -> list[Row]:
    return [
        *(_exponent(exponent, size, threads) for exponent, size in ((1.5, 4 * 10**6), (2.0, 10**6))),
        _unseen(2.0, 10**6, 1, {10**4: 500, 10**7: 32}, 0.005, threads),
        _unseen(3.0, 20_000, 1, {1000: 10_000, 10**7: 1000}, 0.005, threads),
        _unseen(3.0, 20_000, 10, {1000: 10_000, 10**5: 5000}, 0.015, threads),
    ]


def _exponent(exponent: float, size: int, threads: int | None) -> Row:
    """How fast the mass lost falls with the rank of the cut, between ranks 100 and 1000."""
    from tailbiter.decoding import Decoding
    from tailbiter.reference import Zipf
    from tailbiter.spec import Spec

    ranks = (100, 1000)
    lost = []
    for k in ranks:
        spec = Spec(
            reference=Zipf(size, exponent=exponent),
            decoding=Decoding(top_k=k),
            samples=MANY,
            generations=2,
            replicates=2,
            seed=2402,
        )
        lost.append(float(1 - measured(spec, "coverage", [2], threads)[:, 0].mean()))
    q = np.arange(1.0, size + 1) ** -exponent
    exact = [float(q[k:].sum() / q.sum()) for k in ranks]
    return Row(
        f"exponent of the mass beyond rank k, Zipf exponent {exponent}",
        math.log10(lost[0] / lost[1]),
        sees=0.001,
        resolution=1e-4,
        exact=math.log10(exact[0] / exact[1]),
        published=exponent - 1,
        tolerance=0.005,
        because=ENDLESS,
    )


def _unseen(
    exponent: float, size: int, t: int, replicates: dict[int, int], sees: float, threads: int | None
) -> Row:
    """How fast the mass that the t-th model has lost falls with the samples, by two of their numbers."""
    from tailbiter.reference import Zipf
    from tailbiter.spec import Spec

    lost, exact, squared = [], [], 0.0
    for samples, count in replicates.items():
        spec = Spec(
            reference=Zipf(size, exponent=exponent),
            samples=samples,
            generations=t,
            replicates=count,
            seed=2402,
        )
        mean, error = mean_of(1 - measured(spec, "coverage", [t], threads)[:, 0])
        lost.append(float(mean))
        if t == 1:  # which is cheap where 10^6 probabilities by theory's general way are not
            exact.append(_never_seen(exponent, size, samples))
        else:
            exact.append(1 - float(expected(spec, "coverage", [t])[0]))
        squared += (float(error) / float(mean)) ** 2
    first, last = replicates
    decades = math.log(last / first)
    return Row(
        f"exponent of the mass lost by t = {t}, N = 10^{math.log10(first):.0f} to 10^{math.log10(last):.0f},"
        f" Zipf exponent {exponent}",
        math.log(lost[0] / lost[1]) / decades,
        math.sqrt(squared) / decades,
        sees=sees,
        exact=math.log(exact[0] / exact[1]) / decades,
        published=1 - 1 / exponent,
        tolerance=0.005,
        because=ENDLESS,
        note="the mass lost is the test error of the paper's simplest model, which is right where it has seen"
        " its case; it falls as N^-(1 - 1/b) in the first generation, and in the tenth, only from higher up."
        " How the paper's error grows with the generations, and its mixtures of old and new data, are not"
        " measured",
    )


def _never_seen(exponent: float, size: int, samples: int) -> float:
    """Mass of the reference that its first sample is expected to miss."""
    q = np.arange(1.0, size + 1) ** -exponent
    q /= q.sum()
    return float((q * (1 - q) ** samples).sum())


CLAIMS = (
    Claim(
        "temperature",
        "Marchi et al. 2024, arXiv 2404.02325",
        "At any temperature but 1 a closed loop ends in one output or in noise, if human data are too few.",
        ("statement", "theory"),
        _temperature,
    ),
    Claim(
        "curated",
        "Ferbach et al. 2024, arXiv 2407.09499; Kimura 1962 for few samples",
        "Curated by preference, models come to make only what is preferred most, and diversity is lost.",
        ("statement", "paper"),
        _curated,
    ),
    Claim(
        "verifier",
        "Feng et al. 2025, arXiv 2406.07515 (an analogue)",
        "An imperfect verifier keeps models right up to a breakdown point, and beyond it wrong output wins.",
        ("statement", "theory"),
        _verifier,
    ),
    Claim(
        "tails",
        "Dohmatob et al. 2024, arXiv 2402.07043",
        "Where a tail with Zipf exponent b is cut at rank k, the mass that is lost falls as k^-(b - 1); where"
        " N samples cut it, as N^-(1 - 1/b).",
        ("paper",),
        _tails,
    ),
)

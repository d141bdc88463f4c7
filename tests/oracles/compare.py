# SPDX-License-Identifier: MIT
"""The comparisons that the engine and the wrong samplers both go through."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

import numpy as np

from tests.oracles.chain import Vector, path_law, presence, reduced
from tests.oracles.gallery import Tiny
from tests.oracles.stat import Verdict, g_test
from tests.oracles.twin import Counts

REPLICATES = 100_000


def compare_paths(tiny: Tiny, batches: Iterable[Counts]) -> Iterator[Verdict]:
    """Test training weights, ``[generation of tiny.at, replicate, category]`` a batch, by enumeration.

    Three tests share the false-alarm rate: the joint law over the generations; the last generation alone
    (fewer cells, so a smaller effect); and what replicates 2r and 2r+1 have left at the last generation,
    which must be independent. Totals are part of the outcomes, except where items are weighted and only
    ratios mean anything.
    """
    plan = tiny.plan
    weighted = plan.item_weights is not None or set(plan.ages or (1,)) != {1}
    paths, pairs = Counter[tuple[Vector, ...]](), Counter[tuple[Vector, ...]]()
    for batch in batches:
        models = batch // np.gcd.reduce(batch, axis=2, keepdims=True) if weighted else batch
        paths += _tally(models)
        half = models.shape[1] // 2 * 2
        here = (models[-1] > 0).astype(np.int64)
        pairs += _tally(np.array([here[:half:2], here[1:half:2]]))
    law = path_law(plan, tiny.at, view=reduced if weighted else lambda vector: vector)
    yield _test(law, paths)
    ends = _merged(law, lambda path: path[-1])
    yield _test(ends, _merged(paths, lambda path: path[-1]))
    left = _merged(ends, presence)
    yield _test({(a, b): p * q for a, p in left.items() for b, q in left.items()}, pairs)


def _merged(law: Mapping, view: Callable) -> dict:
    result: dict = defaultdict(float)
    for outcome, p in law.items():
        result[view(outcome)] += p
    return result


def _tally(rows: Counts) -> Counter[tuple[Vector, ...]]:
    """How often each outcome ``(vector, vector, ...)`` occurs: ``rows[g, replicate]`` is its g-th vector."""
    flat = np.concatenate(list(rows), axis=1)
    base = int(flat.max()) + 1
    digits = base ** np.arange(flat.shape[1])
    assert base ** flat.shape[1] < 2**63, "too many outcomes for one integer name"
    names, counts = np.unique(flat @ digits, return_counts=True)
    vectors = (names[:, None] // digits % base).reshape(len(names), len(rows), -1).tolist()
    return Counter({tuple(map(tuple, outcome)): int(n) for outcome, n in zip(vectors, counts, strict=True)})


def _test(law: Mapping[Hashable, float], seen: Mapping) -> Verdict:
    """All outcomes the law forbids share one last cell of probability 0."""
    forbidden = sum(n for outcome, n in seen.items() if outcome not in law)
    return g_test([*(seen.get(outcome, 0) for outcome in law), forbidden], [*law.values(), 0.0], tests=3)


def first_revival(models: Counts) -> tuple[int, int, int] | None:
    """(generation index, replicate, category) of the first category that comes back from nothing, if any."""
    back = np.argwhere((models[1:] > 0) & (models[:-1] == 0))
    return None if not len(back) else (int(back[0][0]) + 1, int(back[0][1]), int(back[0][2]))

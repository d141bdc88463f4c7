# SPDX-License-Identifier: MIT
"""The recursive loop in plain numpy: items of the past kept as they are, fits by the twin.

Words are the engine's (its batches and choices, which have tests of their own); what generations are trained
on and how they are fitted is worked out here anew.
"""

import numpy as np

from tailbiter._core import mixture

from . import twin


def run(program, replicate):
    """Records of every generation 1..T: (law, log-likelihood, iterations, converged)."""
    reference = (program.weights, program.means, program.factors)
    law, past, kept, out = reference, [], None, []
    for t in range(1, len(program.samples)):
        if t == 1:
            batch, kept = _human(program, reference, replicate)
            sources = [batch]
        else:
            sources = _sources(program, t, law, reference, replicate)
        past.append(sources)
        data, weights = _training_set(program, t, past, kept, replicate)
        law, *rest = twin.fit(
            data, law, program.covariance, weights, program.floor, program.tolerance, program.iterations
        )
        out.append((law, *rest))
    return out


def _sample(program, count, law, t, replicate, purpose):
    if count == 0:
        return np.empty((0, law[1].shape[1]))
    return mixture.sample(count, law, program.covariance, program.key, t, replicate, purpose)[0]


def _human(program, reference, replicate):
    n = int(program.samples[0])
    kept = program.kept or n
    both = _sample(program, min(n, kept), reference, 1, replicate, "human")
    more = _sample(program, abs(n - kept), reference, 1, replicate, "human_more")
    stream = np.concatenate([both, more])
    return stream[:n], stream[:kept]


def _sources(program, t, law, reference, replicate):
    fresh, kept = int(program.fresh[t - 1]), int(program.from_kept[t - 1])
    synthetic = int(program.samples[t - 1]) - fresh - kept
    return [
        _sample(program, synthetic, law, t, replicate, "synthetic"),
        _sample(program, fresh, reference, t, replicate, "fresh"),
    ]


def _training_set(program, t, past, kept, replicate):
    """Items and weights."""
    if program.draw is not None:
        pool = np.concatenate([items for sources in past for items in sources])
        some = int(program.draw[t - 1])
        chosen = mixture.choose(len(pool), some, program.key, t, replicate, "subsample")
        return pool[chosen], np.ones(some)
    if len(program.ages) == 1:
        sources = list(past[-1])
        weights = [1, 1, 1] if program.item_weights is None or t == 1 else program.item_weights[t - 1]
        if t > 1 and program.from_kept[t - 1]:
            sources.append(_from_kept(program, t, kept, replicate))
        parts = [(items, float(weight)) for items, weight in zip(sources, weights, strict=False)]
    else:
        reach = len(program.ages) or t
        ages = program.ages if len(program.ages) else np.ones(t)
        parts = [(items, float(ages[age])) for age in range(min(reach, t)) for items in past[t - 1 - age]]
    data = np.concatenate([items for items, _ in parts])
    return data, np.concatenate([np.full(len(items), weight) for items, weight in parts])


def _from_kept(program, t, kept, replicate):
    some = int(program.from_kept[t - 1])
    if some == len(kept):
        return kept
    return kept[mixture.choose(len(kept), some, program.key, t, replicate, "kept")]

# SPDX-License-Identifier: MIT
"""The plain way: sample every item, fit by numpy, many replicates at once. Shares nothing with the engine."""

import numpy as np


def fit(items, weights, ddof):
    """Weighted mean and covariance of items (replicates, items, d); ddof=1 as np.cov's aweights has it."""
    total, squares = weights.sum(), (weights**2).sum()
    mean = np.einsum("i,rid->rd", weights, items) / total
    off = items - mean[:, None]
    return mean, np.einsum("i,rid,rie->rde", weights, off, off) / (total - ddof * squares / total)


def draw(rng, mean, covariance, n):
    """Items of normal laws, one for each replicate; the covariance may be singular."""
    value, vector = np.linalg.eigh(covariance)
    root = vector * np.sqrt(np.maximum(value, 0.0))[:, None]
    return mean[:, None] + rng.standard_normal((len(mean), n, mean.shape[1])) @ np.swapaxes(root, 1, 2)


def lineages(made, ddof, mean, factor, replicates, generations, rng):
    """Models of the last generation: means (replicates, d) and covariances (replicates, d, d)."""
    reference = np.tile(mean, (replicates, 1)), np.tile(factor @ factor.T, (replicates, 1, 1))
    first, kept = int(made.samples[0]), int(made.kept)
    human = draw(rng, *reference, max(first, kept))
    batches = [human[:, :first]]
    weights = [np.ones(first)]
    model = reference
    for t in range(1, generations + 1):
        if t > 1:
            fresh, old = int(made.fresh[t - 1]), int(made.from_kept[t - 1])
            rest = int(made.samples[t - 1]) - fresh - old
            parts = [draw(rng, *model, rest), draw(rng, *reference, fresh), human[:, :old]]
            item = (1, 1, 1) if made.item_weights is None else made.item_weights[t - 1]
            batches.append(np.concatenate(parts, axis=1))
            weights.append(np.repeat(np.array(item, float), [rest, fresh, old]))
        ages = [1] * t if made.ages.size == 0 else made.ages[:t].tolist()
        chosen = [(batches[-1 - a], weights[-1 - a] * float(w)) for a, w in enumerate(ages) if w]
        model = fit(
            np.concatenate([b for b, _ in chosen], axis=1), np.concatenate([w for _, w in chosen]), ddof
        )
    return model

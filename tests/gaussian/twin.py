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


def chooser(rng, replicates):
    """A function that takes some items of each replicate without replacement; all of them in their order."""

    def chosen(items, count):
        if count == items.shape[1]:
            return items
        order = np.argsort(rng.random((replicates, items.shape[1])), axis=1)[:, :count]
        return np.take_along_axis(items, order[:, :, None], axis=1)

    return chosen


def lineages(made, ddof, mean, factor, replicates, generations, rng):
    """Models of the last generation: means (replicates, d) and covariances (replicates, d, d)."""
    reference = np.tile(mean, (replicates, 1)), np.tile(factor @ factor.T, (replicates, 1, 1))
    first, kept = int(made.samples[0]), int(made.kept)
    human = draw(rng, *reference, max(first, kept))
    chosen = chooser(rng, replicates)
    batches = [human[:, :first]]
    weights = [np.ones(first)]
    model = reference
    for t in range(1, generations + 1):
        if t > 1:
            fresh, old = int(made.fresh[t - 1]), int(made.from_kept[t - 1])
            rest = int(made.samples[t - 1]) - fresh - old
            parts = [draw(rng, *model, rest), draw(rng, *reference, fresh), chosen(human[:, :kept], old)]
            item = (1, 1, 1) if made.item_weights is None else made.item_weights[t - 1]
            batches.append(np.concatenate(parts, axis=1))
            weights.append(np.repeat(np.array(item, float), [rest, fresh, old]))
        ages = [1] * t if made.ages.size == 0 else made.ages[:t].tolist()
        used = [(batches[-1 - a], weights[-1 - a] * float(w)) for a, w in enumerate(ages) if w]
        items, weight = np.concatenate([b for b, _ in used], axis=1), np.concatenate([w for _, w in used])
        if made.draw is not None:
            items = chosen(items, int(made.draw[t - 1]))
            weight = np.ones(items.shape[1])
        model = fit(items, weight, ddof)
    return model

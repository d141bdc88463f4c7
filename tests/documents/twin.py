# SPDX-License-Identifier: MIT
"""Mixtures of categorical laws the plain way: documents by their words, and the fit, in numpy."""

import numpy as np

from tests.totals.twin import philox

# Purposes of words, as philox.h numbers them.
SYNTHETIC, FRESH, HUMAN, HUMAN_MORE, SUBSAMPLE, KEPT = 48, 49, 50, 51, 52, 53


def whole(law):
    """Weights scaled by the largest power of two with a total of at most 2^53, rounded half up."""
    shift = 53
    while True:
        out = [int(np.floor(np.ldexp(p, shift) + 0.5)) for p in law]
        if sum(out) <= 2**53:
            return out
        shift -= 1


def item_at(weights, word):
    """The quantile of the law of these weights at a word: plain sums, one after the other."""
    wanted, total = word * sum(weights) >> 64, 0
    for index, weight in enumerate(weights):
        total += weight
        if wanted < total:
            return index
    raise AssertionError("beyond the end")


def batch(weights, probabilities, lengths, count, key, generation, replicate, purpose):
    """Counts of every document, ``[count, C]``, and its component."""
    components, categories = whole(weights), [whole(row) for row in probabilities]
    stride = 1 + (max(lengths) + 1) // 2
    out, chosen = np.zeros((count, len(probabilities[0])), int), []
    for i in range(count):
        words = []
        length = lengths[i % len(lengths)]
        for call in range(1 + (length + 1) // 2):
            words += philox(key, i * stride + call, generation, replicate, purpose)
        k = item_at(components, words[0])
        chosen.append(k)
        for word in words[2 : 2 + length]:
            out[i, item_at(categories[k], word)] += 1
    return out, chosen


def fit(counts, items, law, floor, tolerance, iterations):
    """EM by its textbook form; also the log-likelihood before the last step, and the number of steps."""
    weights, probabilities = (np.array(part, float) for part in law)
    before, steps, converged = 0.0, 0, False
    while not converged and steps < iterations:
        with np.errstate(divide="ignore"):
            levels = np.log(weights) + counts @ np.log(np.maximum(probabilities, floor)).T
        most = levels.max(axis=1, keepdims=True)
        shares = np.exp(levels - most)
        total = shares.sum(axis=1, keepdims=True)
        mean = float(items @ (most + np.log(total))[:, 0] / items.sum())
        shares *= items[:, None] / total
        weights = shares.sum(axis=0) / items.sum()
        alive = weights >= 2.0**-53
        weights = np.where(alive, weights, 0.0)
        tokens = shares.T @ counts
        probabilities = np.where(
            alive[:, None], tokens / np.maximum(tokens.sum(axis=1, keepdims=True), 1e-300), probabilities
        )
        converged = steps > 0 and abs(mean - before) < tolerance
        before = mean
        steps += 1
    return weights, probabilities, before, steps


def models(spec, replicate):
    """Weights and probabilities of one lineage, generations 0 to T, from its own words."""
    made, law, em = spec.composition, spec.reference, spec.estimator
    lengths = law.lengths.tolist()
    human = np.array(law.weights), np.array(law.probabilities)
    model = human
    out, held = [model], []

    def draw(of, count, t, purpose):
        return batch(*of, lengths, count, spec.key, t, replicate, purpose)[0] if count else None

    n, kept = int(made.samples[0]), made.kept or int(made.samples[0])
    both = draw(human, min(n, kept), 1, HUMAN)
    more = draw(human, abs(n - kept), 1, HUMAN_MORE)
    keeps = [both] if kept <= n or more is None else [both, more]
    for t in range(1, spec.generations + 1):
        fresh, old = int(made.fresh[t - 1]), int(made.from_kept[t - 1]) if t > 1 else 0
        rest = int(made.samples[t - 1]) - fresh - old
        item = [1, 1, 1] if made.item_weights is None else made.item_weights[t - 1].tolist()
        if t == 1:
            new = [(both, 1), (more if n > kept else None, 1)]
        else:
            new = [(draw(model, rest, t, SYNTHETIC), item[0]), (draw(human, fresh, t, FRESH), item[1])]
        held.append([(counts, float(w)) for counts, w in new if counts is not None])
        ages = [1] * t if made.ages.size == 0 else made.ages[:t].tolist()
        parts = [
            (c, w * age) for age, group in list(zip(ages, held[::-1], strict=False))[::-1] for c, w in group
        ]
        parts += [(c, float(item[2])) for c in keeps] if old else []
        counts = np.concatenate([c for c, w in parts if w])
        items = np.concatenate([np.full(len(c), float(w)) for c, w in parts if w])
        *model, _, _ = fit(counts, items, model, em.floor, em.tolerance, em.iterations)
        out.append(model)
    return out

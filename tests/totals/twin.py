# SPDX-License-Identifier: MIT
"""The plain way: every item drawn by numpy, fitted by a weighted mean, many replicates at once."""

import numpy as np

# Purposes of words, as philox.h numbers them.
SYNTHETIC, FRESH, HUMAN, HUMAN_MORE = 29, 30, 31, 32
M0, M1, W0, W1 = 0xD2511F53, 0xCD9E8D57, 0x9E3779B9, 0xBB67AE85
LOW = 0xFFFFFFFF


def philox(key, slot, generation, replicate, purpose, attempt=0):
    """Two words of Philox4x32-10 at an address, in Python's own integers (Salmon et al. 2011)."""
    x, k = [slot, generation, replicate, purpose | attempt << 8], [key & LOW, key >> 32]
    for _ in range(10):
        p, q = M0 * x[0], M1 * x[2]
        x = [(q >> 32) ^ x[1] ^ k[0], q & LOW, (p >> 32) ^ x[3] ^ k[1], p & LOW]
        k = [(k[0] + W0) & LOW, (k[1] + W1) & LOW]
    return x[0] | x[1] << 32, x[2] | x[3] << 32


def poisson_sum(mean, *address):
    """The quantile of a Poisson law at a word, by scipy."""
    from scipy.stats import poisson

    return float(poisson.ppf((philox(*address)[0] + 0.5) / 2.0**64, mean))


def gamma_sum(shape, *address):
    """A gamma variate by Marsaglia and Tsang (2000), in the form of their paper."""
    from scipy.special import ndtri

    d = shape - 1 / 3
    c = 1 / np.sqrt(9 * d)
    for attempt in range(256):
        first, second = philox(*address, attempt)
        x, u = ndtri((first + 0.5) / 2.0**64), (second + 0.5) / 2.0**64
        v = (1 + c * x) ** 3
        if v > 0 and np.log(u) < 0.5 * x * x + d - d * v + d * np.log(v):
            return d * v
    raise AssertionError("no attempt was accepted")


def means(spec, key, replicate):
    """Means of the models of one lineage, generations 0 to T, from its own words; the newest batch trains."""
    made, law = spec.composition, spec.reference.family
    start = spec.reference.mean
    out = [start]

    def total(mean, count, t, purpose):
        address = (key, 0, t, replicate, purpose)
        return poisson_sum(mean * count, *address) if law == "poisson" else mean * gamma_sum(count, *address)

    n, kept = int(made.samples[0]), made.kept or int(made.samples[0])
    both = total(start, min(n, kept), 1, HUMAN)
    more = total(start, abs(n - kept), 1, HUMAN_MORE) if n != kept else 0.0
    out.append((both + (more if n > kept else 0.0)) / n)
    held = both + (more if kept > n else 0.0)
    for t in range(2, spec.generations + 1):
        fresh, old = int(made.fresh[t - 1]), int(made.from_kept[t - 1])
        rest = int(made.samples[t - 1]) - fresh - old
        weights = [1, 1, 1] if made.item_weights is None else made.item_weights[t - 1].tolist()
        sums = [
            total(out[-1], rest, t, SYNTHETIC) if rest and out[-1] else 0.0,
            total(start, fresh, t, FRESH) if fresh else 0.0,
            held if old else 0.0,
        ]
        counts = [rest, fresh, old]
        out.append(np.dot(weights, sums) / np.dot(weights, counts))
    return out


def lineages(made, mean, draw, replicates, rng):
    """Means of the last models, every item drawn one by one: ``draw(rng, mean, (replicates, n))``."""
    sizes = made.samples[:-1].astype(int)
    human = draw(rng, np.full(replicates, mean), max(int(sizes[0]), made.kept))
    batches, weights = [human[:, : sizes[0]]], [np.ones(sizes[0])]
    model = batches[0].mean(axis=1)
    for t in range(1, len(sizes)):
        fresh, old = int(made.fresh[t]), int(made.from_kept[t])
        rest = int(sizes[t]) - fresh - old
        new = draw(rng, np.full(replicates, mean), fresh)
        batches.append(np.concatenate([draw(rng, model, rest), new, human[:, :old]], axis=1))
        item = (1, 1, 1) if made.item_weights is None else made.item_weights[t]
        weights.append(np.repeat(np.array(item, float), [rest, fresh, old]))
        ages = [1] * (t + 1) if made.ages.size == 0 else made.ages[: t + 1].tolist()
        used = [(batches[-1 - a], weights[-1 - a] * float(w)) for a, w in enumerate(ages) if w]
        items, weight = np.concatenate([b for b, _ in used], axis=1), np.concatenate([w for _, w in used])
        model = items @ weight / weight.sum()
    return model

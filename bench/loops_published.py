# SPDX-License-Identifier: MIT
"""The loops of code that papers publish: every item of a batch is drawn, then all are counted.

`choice` is how simulations of a vocabulary are written in numpy, `tokens` how models of text are: a list
of words, a `Counter` of them, and the words of the next list drawn by its counts.
"""

from __future__ import annotations

from collections import Counter
from math import log
from random import Random

import numpy as np

from bench.series import Series, blank
from bench.workloads import Workload


def choice(workload: Workload, replicates: int, seed: int) -> Series:
    """Draw N items by `Generator.choice` over all K categories, and count them by `bincount`."""
    q, tail, n, human = workload.reference(), workload.tail_start(), workload.samples, workload.human
    series = blank(workload, replicates)
    for r in range(replicates):
        rng, p = np.random.default_rng([seed, r]), q
        for t in range(1, workload.generations + 1):
            fresh = human if t > 1 else 0
            items = rng.choice(q.size, size=n - fresh, p=p)
            if fresh:
                items = np.concatenate([items, rng.choice(q.size, size=fresh, p=q)])
            counts = np.bincount(items, minlength=q.size)
            p = counts / n
            alive = p[counts > 0]
            series.survivors[r, t] = alive.size
            series.entropy[r, t] = -(alive * np.log(alive)).sum()
            series.tail_mass[r, t] = p[tail:].sum()
    return series


def tokens(workload: Workload, replicates: int, seed: int) -> Series:
    """Draw a list of N words by `random.choices`, with the counts of the list before as weights."""
    q, tail, n, human = workload.reference(), workload.tail_start(), workload.samples, workload.human
    vocabulary, shares = range(q.size), q.tolist()
    series = blank(workload, replicates)
    for r in range(replicates):
        rng, counts = Random(f"{seed}, {r}"), dict(enumerate(shares))
        for t in range(1, workload.generations + 1):
            fresh = human if t > 1 else 0
            words = rng.choices(list(counts), list(counts.values()), k=n - fresh)
            words += rng.choices(vocabulary, shares, k=fresh)
            counts = Counter(words)
            series.survivors[r, t] = len(counts)
            series.entropy[r, t] = log(n) - sum(count * log(count) for count in counts.values()) / n
            series.tail_mass[r, t] = sum(count for word, count in counts.items() if word >= tail) / n
    return series

# SPDX-License-Identifier: MIT
"""Rules as users write them."""

import numba
import numpy as np


def as_counted(weights, ranks, others, other, generation):
    return 0.0


def as_they_are(weights, ranks, others, other, generation):
    return other


def add_one(weights, ranks, others, other, generation):
    weights += 1.0
    return 1.0


def add_one_as_built_in(weights, ranks, others, other, generation):
    """The formula of csrc/estimate.c, operation by operation."""
    total, categories = weights.sum(), float(len(weights) + others)
    share = categories / (total + categories)
    even = share * total / categories
    for i in range(len(weights)):
        weights[i] = (1.0 - share) * weights[i] + even
    return even


def add_one_beside_wrong(weights, ranks, others, other, generation):
    """The same, where one of those listed lies outside the reference."""
    total, categories = weights.sum(), float(len(weights) + others - 1)
    share = categories / (total + categories)
    even = share * total / categories
    for i in range(len(weights)):
        weights[i] = (1.0 - share) * weights[i] + even
    return even


def add_a_little(weights, ranks, others, other, generation):
    weights += 0.001
    return 0.001


def add_one_by_halves(weights, ranks, others, other, generation):
    """A wrong one: what was not seen gets half."""
    weights += 1.0
    return 0.5


def min_p(weights, ranks, others, other, generation):
    least = 0.4 * max(weights.max(), other if others else 0.0)
    for i in range(len(weights)):
        if weights[i] < least:
            weights[i] = 0.0
    return other if other >= least else 0.0


def min_p_by_less(weights, ranks, others, other, generation):
    """A wrong one."""
    least = 0.1 * weights.max()
    for i in range(len(weights)):
        if weights[i] < least:
            weights[i] = 0.0
    return other if other >= least else 0.0


def squared(weights, ranks, others, other, generation):
    weights *= weights
    return other * other


def rarest_doubled(weights, ranks, others, other, generation):
    """Knows which category is which, and in which generation."""
    for i in range(len(weights)):
        if ranks[i] == 2:
            weights[i] *= 2.0 if generation < 3 else 1.0
    return other


def rarest_doubled_beside_one(weights, ranks, others, other, generation):
    """Add-one, but for one category: weights of one count differ."""
    weights += 1.0
    for i in range(len(weights)):
        if ranks[i] % 50 == 2:
            weights[i] *= 2.0
    return 1.0


def raises_in_third(weights, ranks, others, other, generation):
    if generation == 3:
        raise ValueError("enough")
    return other


def raises_of_few(weights, ranks, others, other, generation):
    """In some lineages, and in each in another generation."""
    if generation > 3 and len(weights) < 30:
        raise ValueError("too few")
    return other


def add_one_to_many(weights, ranks, others, other, generation):
    weights += 1.0
    if generation > 5 and len(weights) < 1500:
        raise ValueError("too few")
    return 1.0


def not_a_number(weights, ranks, others, other, generation):
    if generation == 2:
        weights[0] = np.nan
    return other


def negative(weights, ranks, others, other, generation):
    weights[0] = -1.0
    return other


def infinite_rest(weights, ranks, others, other, generation):
    return np.inf


def nothing(weights, ranks, others, other, generation):
    weights[:] = 0.0
    return 0.0


def too_large(weights, ranks, others, other, generation):
    weights[:] = 1e241
    return other


def too_small(weights, ranks, others, other, generation):
    weights *= 1e-250
    return other


def as_large_as_may_be(weights, ranks, others, other, generation):
    weights *= 2.0**790
    return other


def as_small_as_may_be(weights, ranks, others, other, generation):
    weights *= 2.0**-800
    return other


def does_not_compile(weights, ranks, others, other, generation):
    return weights + "a"


def returns_nothing(weights, ranks, others, other, generation):
    weights += 1.0


def writes_ranks(weights, ranks, others, other, generation):
    ranks[0] = 10**9
    return other


def half_of_every_third(weights, ranks, others, other, generation):
    """A reward: every third category counts half."""
    for i in range(len(weights)):
        if ranks[i] % 3 == 0:
            weights[i] *= 0.5
    return other


def all_for_the_one_of_the_day(weights, ranks, others, other, generation):
    """A reward that changes: nothing but the category of the generation's number."""
    for i in range(len(weights)):
        if ranks[i] != generation % 5:
            weights[i] *= 1e-300
    return other


# Of tb.Zipf(40): one number for each rank, and one more for what lies outside the reference.
OF_RANK = np.linspace(1.0, 2.0, 40)
OF_ALL = np.append(OF_RANK, 0.5)


def by_a_table_of_ranks(weights, ranks, others, other, generation):
    for i in range(len(weights)):
        weights[i] *= OF_RANK[ranks[i]]
    return other


def by_a_table_of_all(weights, ranks, others, other, generation):
    for i in range(len(weights)):
        weights[i] *= OF_ALL[ranks[i]]
    return other


def by_a_table_of_generations(weights, ranks, others, other, generation):
    weights *= OF_RANK[generation - 1]
    return other


def beside_the_one_before(weights, ranks, others, other, generation):
    """Reads the last where there is none before, as negative indices do, also of the table."""
    for i in range(len(weights)):
        weights[i] += weights[i - 1] * 0.0 + OF_RANK[ranks[i] - 1] * 0.0
    return other


def reads_the_one_after(weights, ranks, others, other, generation):
    for i in range(len(weights)):
        weights[i] += 0.5 * weights[i + 1]
    return other


def indexed_by_ranks(weights, ranks, others, other, generation):
    for i in range(len(ranks)):
        weights[ranks[i]] *= 2.0
    return other


def asks_for_two(weights, ranks, others, other, generation):
    weights[1] = 0.0
    return other


@numba.njit
def _set_at(weights, at):
    weights[at] = 0.0


def by_compiled_help(weights, ranks, others, other, generation):
    _set_at(weights, len(weights))
    return other

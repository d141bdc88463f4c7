# SPDX-License-Identifier: MIT
"""Expectation and maximisation in plain numpy: one item a row, moments about the new means, no shortcuts.

Shares nothing with the package but conventions: factors are standard deviations or packed lower Cholesky
factors (row by row), one for all components where covariances are tied; a component whose weight falls below
2**-53 is dead.
"""

import numpy as np

LONG = np.longdouble


def unpack(factor, dimension):
    """Lower triangle out of its rows."""
    out = np.zeros((dimension, dimension))
    out[np.tril_indices(dimension)] = factor
    return out


def covariances(factors, covariance, components, dimension):
    """Covariance of each component."""
    if covariance == "spherical":
        return np.array([f[0] ** 2 * np.eye(dimension) for f in factors])
    if covariance == "diagonal":
        return np.array([np.diag(f**2) for f in factors])
    each = [unpack(f, dimension) @ unpack(f, dimension).T for f in factors]
    return np.array(each * components if covariance == "tied" else each)


def log_densities(data, law, covariance):
    """log of weight times density: items x components."""
    weights, means, factors = law
    k, d = means.shape
    out = np.full((len(data), k), -np.inf, LONG)
    for c, sigma in enumerate(covariances(factors, covariance, k, d)):
        if weights[c] == 0:
            continue
        lower = np.linalg.cholesky(sigma).astype(LONG)
        y = (data - means[c]).astype(LONG)
        for i in range(d):
            y[:, i] = (y[:, i] - y[:, :i] @ lower[i, :i]) / lower[i, i]
        log_det = np.log(np.diag(lower)).sum()
        level = np.log(LONG(weights[c])) - d * np.log(2 * LONG(np.pi)) / 2 - log_det
        out[:, c] = level - (y**2).sum(axis=1) / 2
    return out


def step(data, law, covariance, items=None, floor=1e-6):
    """One iteration: the next law, and the mean log-likelihood of the law before."""
    _, means, factors = law
    k, d = means.shape
    items = np.ones(len(data), LONG) if items is None else np.asarray(items, LONG)
    logs = log_densities(data, law, covariance)
    most = logs.max(axis=1, keepdims=True)
    evidence = most[:, 0] + np.log(np.exp(logs - most).sum(axis=1))
    shares = np.exp(logs - evidence[:, None]) * items[:, None]
    log_likelihood = float((evidence * items).sum() / items.sum())
    counts = shares.sum(axis=0)
    alive = counts / items.sum() >= LONG(2) ** -53
    new_weights = np.where(alive, counts / items.sum(), 0).astype(float)
    new_means, scatters = means.copy(), np.zeros((k, d, d), LONG)
    for c in np.flatnonzero(alive):
        mean = (shares[:, [c]] * data).sum(axis=0) / counts[c]
        between = data - mean
        new_means[c] = mean
        scatters[c] = (shares[:, [c]] * between).T @ between
    factor = maximise(scatters, counts, alive, factors, covariance, floor)
    return (new_weights, new_means, factor), log_likelihood


def maximise(scatters, counts, alive, factors, covariance, floor):
    """Factors of the components that are alive; the others keep theirs."""
    d = scatters.shape[1]
    lower = np.tril_indices(d)
    out = factors.copy()
    if covariance == "tied":
        pooled = scatters[alive].sum(axis=0) / counts[alive].sum() + floor * np.eye(d)
        return np.linalg.cholesky(pooled.astype(float))[lower][None]
    for c in np.flatnonzero(alive):
        sigma = (scatters[c] / counts[c]).astype(float)
        if covariance == "spherical":
            out[c] = np.sqrt(np.trace(sigma) / d + floor)
        elif covariance == "diagonal":
            out[c] = np.sqrt(np.diag(sigma) + floor)
        else:
            out[c] = np.linalg.cholesky(sigma + floor * np.eye(d))[lower]
    return out


def fit(data, law, covariance, items=None, floor=1e-6, tolerance=1e-3, iterations=100):
    """Iterations until the mean log-likelihood changes by less than the tolerance."""
    before, converged, count = -np.inf, False, 0
    while not converged and count < iterations:
        law, log_likelihood = step(data, law, covariance, items, floor)
        converged = abs(log_likelihood - before) < tolerance
        before = log_likelihood
        count += 1
    return law, log_likelihood, count, converged

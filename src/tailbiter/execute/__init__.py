# SPDX-License-Identifier: MIT
"""Running sweeps: by threads, processes, Dask or any Executor, into a store."""

from ._run import run_sweep

__all__ = ["run_sweep"]

# SPDX-License-Identifier: MIT
"""One Spec in, one Dataset out: replicates over threads, the GIL released, the same bits however run."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from tailbiter.errors import SpecError, TailbiterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    import numpy as np
    import xarray as xr

    from tailbiter.record import Record
    from tailbiter.spec import Spec

    Rng = int | Sequence[int] | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator

__all__ = ["default_threads", "simulate"]

# The engine packs replicates in eights.
PACK = 8
# Lineages that the engine holds at a time: larger blocks are no faster, and the last to finish is waited for.
MAX_BLOCK = 256
# Seconds the main thread sleeps between looks at the progress: at most so long does Ctrl-C wait for it.
TICK = 0.1
SEED_LIMIT = 2**63
MAX_THREADS = 4096


class Engine(Protocol):
    """What `run_blocks` needs of the compiled engine."""

    def run(self, start: int, stop: int, out: dict[str, np.ndarray], control: Any) -> None:
        """Fill rows start to stop-1 of the outputs."""


def simulate(
    spec: Spec,
    *,
    record: Record | None = None,
    threads: int | None = None,
    rng: Rng | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Run a Spec.

    Parameters
    ----------
    spec : Spec
        What to run.
    record : Record, optional
        What to keep; by default the standard variables at no more than 200 generations, log-spaced.
    threads : int, optional
        By default as many as this process may use. Changes no bit of the result.
    rng : int, sequence of int, SeedSequence, BitGenerator or Generator, optional
        Replaces the Spec's seed: resolved to one integer (a generator is advanced by one draw), which the
        Dataset's Spec records. By default the Spec's own seed.
    progress : bool
        Show a progress bar, on a terminal only.

    Returns
    -------
    xarray.Dataset
        dims replicate, generation, band, and category or snapshot_entry where asked for; of a Gaussian, level
        in the place of band, and dimension or entry where asked for; of a mixture, component, and
        component_dimension or entry where asked for. Attributes ``spec``, ``record`` and
        ``provenance`` are JSON. Categories run from common to rare; their coordinate is the place in the
        reference as it was given. A table of more than 100,000 categories that was given without a file
        stands in ``spec`` by its digest only.

    Raises
    ------
    SpecError
        For an argument that cannot be used.
    MemoryEstimateError
        Before anything is allocated, when the run would not fit in memory.
    KeyboardInterrupt
        Within a second of Ctrl-C; nothing is kept.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(categories=1000), samples=1000, generations=100, replicates=4)
    >>> ds = tb.simulate(spec)
    >>> dict(ds.sizes)["replicate"]
    4
    """
    from tailbiter.spec import Spec

    _refuse_other(spec, Spec, "spec")
    spec = spec if rng is None else spec.replace(seed=_seed(rng))
    return simulate_rows(spec, 0, spec.replicates, record=record, threads=threads, progress=progress)


def simulate_rows(
    spec: Spec,
    start: int,
    stop: int,
    *,
    record: Record | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Run replicates ``start`` to ``stop - 1`` of a Spec, the same as these rows of a larger run.

    Parameters
    ----------
    spec : Spec
        What to run; its own number of replicates plays no part.
    start, stop : int
        Numbers of replicates, ``0 <= start < stop``.
    record, threads, progress
        As for `simulate`.

    Returns
    -------
    xarray.Dataset
        As `simulate` makes it, with these replicates as coordinate.
    """
    from tailbiter.families import family_of
    from tailbiter.record import Record

    started = time.perf_counter()
    record = Record() if record is None else record
    _refuse_other(record, Record, "record")
    workers = _threads(threads)
    family = family_of(spec.reference)
    program = family.lower(spec, record)
    rows = stop - start
    family.refuse_if_too_large(program, rows, workers)
    engine = family.engine(program)
    outputs = engine.outputs(stop)  # rows before the first are never touched, and so take no memory
    control = family.control()
    run_blocks(engine, outputs, rows, workers, control, _bar(progress, rows * spec.generations), first=start)
    wall = time.perf_counter() - started
    attrs = {
        "family": spec.reference.family,
        "spec": spec.to_json(brief=family.is_large(program)),
        "record": record.to_json(),
        "provenance": json.dumps(_provenance(spec, _used(rows, workers), wall)),
    }
    wanted = {name: values[start:] for name, values in outputs.items()}
    ds = family.dataset(program, engine, wanted, attrs, rows)
    if start:
        numbers = ds["replicate"].variable
        ds = ds.assign_coords(replicate=(numbers.dims, numbers.values + start, numbers.attrs))
    return ds


def _refuse_other(value: object, wanted: type, field: str) -> None:
    if not isinstance(value, wanted):
        remedy = f"give a {wanted.__name__}, such as {wanted.__name__}.from_dict(...) makes"
        raise SpecError(field, value, f"is not a {wanted.__name__}", remedy)


def default_threads() -> int:
    """Processors this process may use.

    Returns
    -------
    int
        At least 1.
    """
    if sys.version_info >= (3, 13):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _threads(threads: int | None) -> int:
    from tailbiter._checks import whole

    if threads is None:
        return default_threads()
    return whole(
        threads, "threads", 1, MAX_THREADS, "give a whole number, or leave it out to use all processors"
    )


def _seed(rng: Rng) -> int:
    """One integer for what numpy users pass as rng (Scientific Python's SPEC 7)."""
    import numpy as np

    if isinstance(rng, np.random.BitGenerator):
        rng = np.random.Generator(rng)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(SEED_LIMIT))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        return int(rng)
    if isinstance(rng, np.random.SeedSequence | list | tuple | np.ndarray):
        try:
            sequence = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
            return int(sequence.generate_state(1, np.uint64)[0]) % SEED_LIMIT
        except (TypeError, ValueError):
            pass  # told below, like everything else that is no source of randomness
    raise SpecError("rng", rng, "cannot be resolved to a seed", "give an int, a SeedSequence or a Generator")


def split(replicates: int, threads: int) -> list[tuple[int, int]]:
    """Ranges of replicates, whole packs where there are enough of them.

    Lineages are faster the more of them run side by side, and threads end together only if what is handed out
    last is small. So every thread is first given a block of three quarters of its share, in whole packs and
    no larger than a block may be; then of its share of the rest; and so on.
    """
    least = min(PACK, -(-replicates // threads))
    blocks: list[tuple[int, int]] = []
    start = 0
    while start < replicates:
        share = -(-(replicates - start) // threads)
        packs = -(-share // least) if threads == 1 else max(1, 3 * share // (4 * least))
        size = min(packs * least, MAX_BLOCK)
        stop = min(start + size * threads, replicates)
        blocks += [(first, min(first + size, stop)) for first in range(start, stop, size)]
        start = stop
    return blocks


def _used(replicates: int, threads: int) -> int:
    """Threads that have anything to do."""
    return min(threads, len(split(replicates, threads)))


def run_blocks(
    engine: Engine,
    outputs: dict[str, np.ndarray],
    replicates: int,
    threads: int,
    control: Any,
    bar: AbstractContextManager[Any] | None = None,
    *,
    first: int = 0,
) -> None:
    """Fill all rows of the outputs, from a pool of threads that lives no longer than this call.

    Parameters
    ----------
    engine : Engine
        Filled in blocks of replicates.
    outputs : dict of arrays
        What it fills.
    replicates, threads : int
        How many, and how many blocks at a time.
    control : Control
        Cancelled when anything goes wrong, Ctrl-C included; the call returns when every thread has stopped.
        Of several blocks that fail the first one's exception is raised: those before it are waited for.
    bar : context manager, optional
        A progress bar (anything with `n` and `refresh`), or none.
    first : int
        The first row to fill.
    """
    blocks = [(first + start, first + stop) for start, stop in split(replicates, threads)]
    pool = ThreadPoolExecutor(_used(replicates, threads), thread_name_prefix="tailbiter")
    with nullcontext() if bar is None else bar as shown:
        try:
            futures = [pool.submit(engine.run, start, stop, outputs, control) for start, stop in blocks]
            _watch(futures, control, shown)
        except BaseException:
            # Ctrl-C reaches only this thread: the others must be told.
            control.cancel()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _watch(futures: Sequence[Future[None]], control: Any, bar: Any) -> None:
    """Wait in short naps, which a signal can end, and hand on the exception of the first block that has one.

    Blocks before one that failed are waited for: so the replicate that is named is the lowest that fails,
    however many threads there are.
    """
    wanted, failed = list(futures), None
    while wanted:
        wait(wanted, timeout=TICK, return_when=FIRST_EXCEPTION)
        ended = [future for future in wanted if future.done()]
        first = next((future for future in ended if future.exception()), None)
        if first is not None:
            failed, place = first, wanted.index(first)
            for future in wanted[place:]:
                future.cancel()
            wanted = wanted[:place] if isinstance(first.exception(), TailbiterError) else []
        wanted = [future for future in wanted if future not in ended]
        if bar is not None:
            bar.n = control.progress
            bar.refresh()
    if failed is not None:
        failed.result()


def _bar(progress: bool, total: int) -> AbstractContextManager[Any] | None:
    """A progress bar where somebody can see it."""
    if not (progress and sys.stderr.isatty()):
        return None
    from tqdm import tqdm

    # A terminal that does not tell its size (a bare pseudo-terminal) would be given an empty bar.
    columns, lines = os.get_terminal_size(sys.stderr.fileno())
    bar: AbstractContextManager[Any] = tqdm(
        desc="tailbiter",
        total=total,
        unit="gen",
        unit_scale=True,
        leave=False,
        ncols=columns or 80,
        nrows=lines or 24,
    )
    return bar


def _provenance(spec: Spec, threads: int, wall: float) -> dict[str, Any]:
    """Everything that may explain a difference between two runs, apart from the Spec itself."""
    import numpy as np

    import tailbiter
    from tailbiter import _core

    return {
        "tailbiter": tailbiter.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "isa": _core.isa()["chosen"],
        "build": _core.build_info(),
        "seed": spec.seed,
        "digest": spec.digest(),
        "threads": threads,
        "wall_seconds": round(wall, 6),
    }

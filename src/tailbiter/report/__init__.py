# SPDX-License-Identifier: MIT
"""A run, or a sweep, as one page that can be looked at, searched and sent."""

from __future__ import annotations

import os
from pathlib import Path

from tailbiter.errors import SpecError

__all__ = ["report"]


def report(run: str | os.PathLike[str], out: str | os.PathLike[str], *, force: bool = False) -> Path:
    """Write a report: one self-contained page that needs no network.

    Of a run it says what was run and what happened; charts every recorded variable over generations (hover,
    or move the slider), with what theory says and what human data alone would have beside it; says, if the
    run recorded when categories were forgotten, what vanished by each generation: by rank (hover for the
    words there) and by name, searchable, all of 200,000 categories, of more the commonest and the rarest; and
    how to run it again, with tables named by file and SHA-256. Of a sweep's store it draws each recorded
    variable over any two of the swept fields, generations and bands, with the line where it crosses a value;
    lists every cell; charts the one that is picked; and says how to run the sweep, or that cell alone, again.

    Parameters
    ----------
    run : path
        Directory of a run, as ``tailbiter run --out`` or `write_run` wrote it, or a sweep's store,
        finished or not.
    out : path
        The page to write.
    force : bool, default False
        Replace a file that is there.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    DataError
        If the directory holds neither, or a sweep with no finished cell, or with more than 20,000 cells.
    SpecError
        If the page cannot be written.

    Examples
    --------
    >>> import tailbiter as tb
    >>> spec = tb.Spec(reference=tb.Zipf(50), samples=100, generations=20, replicates=4)
    >>> _ = tb.write_run(tb.simulate(spec, record=tb.Record(forgotten=True)), spec, "zipf-run")
    >>> tb.report("zipf-run", "zipf.html").name
    'zipf.html'
    """
    from ._run import page_of_run
    from ._sweep import page_of_store

    target = _target(out, force)
    source = Path(run)
    page = page_of_store(source) if (source / "sweep.toml").is_file() else page_of_run(source)
    staged = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        staged.write_text(page, encoding="utf-8")
        staged.replace(target)
    except OSError as error:
        staged.unlink(missing_ok=True)
        problem = f"cannot be written ({(error.strerror or str(error)).lower()})"
        raise SpecError("out", str(target), problem, "name a file that you may write") from error
    return target


def _target(out: str | os.PathLike[str], force: bool) -> Path:
    target = Path(out)
    if target.is_dir():
        raise SpecError("out", str(target), "is a directory", "name a file such as report.html")
    if not target.parent.is_dir():
        raise SpecError("out", str(target), "has no parent directory", f"create {target.parent} first")
    if target.exists() and not force:
        raise SpecError("out", str(target), "is there already", "name a new file, or pass --force")
    return target

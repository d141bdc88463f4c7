# SPDX-License-Identifier: MIT
"""The command line's verb about published results."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import Parameter

from tailbiter._flags import flag, numeric
from tailbiter.errors import SpecError

__all__ = ["reproduce"]

DIFFERS = 1
LEGEND = (
    "paper: a number ± once or twice what the paper states, half a unit of its last digit, the order of what",
    "  its expansion leaves out, or three standard errors of its own runs (a note says which); or a bound.",
    "ours ± five standard errors, exceeded by chance once in 1.7 million rows, and what ours lacks besides.",
    "sees: so large a change of ours turns the verdict (a bound's: towards the bound).",
)


def reproduce(
    *names: Annotated[str, Parameter(help="Results by name; see --list")],
    every: Annotated[bool, flag("All of them", "--all")] = False,
    listed: Annotated[bool, flag("Say what each claims, and run nothing", "--list")] = False,
    threads: Annotated[int | None, numeric("By default all processors; changes no number")] = None,
    as_json: Annotated[bool, flag("Print it as JSON", "--json")] = False,
) -> int:
    """Measure published results anew, beside papers' numbers or statements and theory; exit 1 if one differs.

    Example: tailbiter reproduce forgetting workflows

    paper: a number ± once or twice what the paper states, half a unit of its last digit, the order of what
    its expansion leaves out, or three standard errors of its own runs (a note says which); or a bound.

    ours ± five standard errors, exceeded by chance once in 1.7 million rows, and what ours lacks besides.

    sees: so large a change of ours turns the verdict (a bound's: towards the bound).
    """
    from tailbiter.reproduce import reproduce as measure
    from tailbiter.reproduce import tally

    if not (names or every or listed):
        raise SpecError("name", list(names), "names no result", "give a name, --all, or --list to see them")
    if names and every:
        raise SpecError("--all", list(names), "stands beside names", "give one of the two")
    if listed:
        return _list(as_json)
    found = []
    for outcome in measure(None if every else names, threads=threads):
        found.append(outcome)
        if not as_json:
            print(outcome.text(), "", sep="\n", flush=True)
    if as_json:
        print(json.dumps([outcome.to_dict() for outcome in found]))
    else:
        print(*LEGEND, sep="\n")
    if every and not as_json:
        print(f"{len(found)} results, {tally(found)}")
    return 0 if all(outcome.agrees for outcome in found) else DIFFERS


def _list(as_json: bool) -> int:
    from tailbiter.reproduce import claims

    if as_json:
        print(json.dumps([claim.to_dict() for claim in claims()]))
        return 0
    for claim in claims():
        print(claim.text())
    return 0

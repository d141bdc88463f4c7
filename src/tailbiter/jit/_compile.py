# SPDX-License-Identifier: MIT
"""Functions written by users: where they are, what they are, and how they become machine code.

Knows nothing of what the functions are for. Numba loads when something is compiled, never on import.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tailbiter.errors import SpecError

__all__ = ["compiled", "digest", "import_path", "keep_by", "locate", "raised", "specialised"]

# Loops over items become vector code where a division by zero is infinite, as numpy has it, and raises
# nothing. No fast-math: which of two versions of such a loop runs depends on where arrays lie in memory.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
# What only compiled code calls needs no way in from Python.
INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_PATH = "give it as module:function"
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LIBRARIES = {"builtins", "math", "numba", "numpy", "scipy", "tailbiter"}
_BOILERPLATE = ("Failed in", "During:", "File ", "<source")
_LINE = re.compile(r'File "([^"]+)", line (\d+)')


def plain(function: Any) -> FunctionType:
    """Return the Python function, whether Numba has wrapped it or not."""
    found: FunctionType = getattr(function, "py_func", function)
    return found


def as_function(value: object, field: str, remedy: str) -> Callable[..., Any]:
    """Return a Python function, compiled by Numba or not, or raise a SpecError."""
    if not isinstance(plain(value), FunctionType):
        raise SpecError(field, value, "is not a Python function", remedy)
    return value  # type: ignore[return-value]  # a function, or a dispatcher of one


def import_path(function: Any) -> str:
    """Where a function stands, as ``module:name``."""
    own = plain(function)
    return f"{own.__module__}:{own.__qualname__}"


def locate(path: object, field: str, folder: Path | None = None) -> Any:
    """Import what ``module:name`` says.

    Parameters
    ----------
    path : str
        The import path.
    field : str
        Where it stands, for messages.
    folder : Path, optional
        Where to look for a module that is not installed: it joins the end of ``sys.path``.

    Raises
    ------
    SpecError
        If there is no such module or name.
    """
    if not isinstance(path, str) or not re.fullmatch(r"[\w.]+:[\w.]+", path):
        raise SpecError(field, path, "is not an import path", _PATH)
    module, _, name = path.partition(":")
    if folder is not None and str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:  # a module of the user's may raise anything
        said = _one_line(f"{type(error).__name__}: {error}")
        remedy = "put the module beside the Spec file, or on the Python path"
        raise SpecError(field, path, f"cannot be imported ({said})", remedy) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise SpecError(field, path, f"names nothing: {module} has no {part!r}", _PATH)
        found = getattr(found, part)
    return found


# --- Identity ---


def digest(function: Any) -> str:
    """Return the SHA-256 of what a function does: its source, and all that it names.

    Functions that it calls count by their own source, numbers and arrays by their values, as Numba freezes
    them; what belongs to an installed library counts by its name.

    Parameters
    ----------
    function : callable
        A Python function, compiled or not.

    Examples
    --------
    >>> len(digest(locate))
    64
    """
    own = hashlib.sha256()
    for part in _parts(plain(function), set()):
        own.update(part.encode())
        own.update(b"\0")
    return own.hexdigest()


def _parts(function: FunctionType, seen: set[int]) -> Iterator[str]:
    if id(function) in seen:
        return
    seen.add(id(function))
    yield _source(function)
    yield repr(function.__defaults__)
    for name, given in sorted(_named(function).items()):
        yield name
        value: Any = plain(given)
        if isinstance(value, FunctionType) and not _is_library(value.__module__):
            yield from _parts(value, seen)
        else:
            yield _value(value)


def _source(function: FunctionType) -> str:
    """The text of a function, or what it was compiled to where no file holds it."""
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        return "\n".join(_code(function.__code__))


def _code(code: CodeType) -> Iterator[str]:
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        else:
            yield repr(constant)


def _named(function: FunctionType) -> dict[str, Any]:
    """Globals and variables of an outer function that a function uses."""
    outer = inspect.getclosurevars(function)
    return {**outer.globals, **outer.nonlocals}


def _value(value: object) -> str:
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value)
        return f"{array.dtype.str}{array.shape}{hashlib.sha256(array.tobytes()).hexdigest()}"
    if isinstance(value, ModuleType):
        return value.__name__ if _is_library(value.__name__) else _text_of(value)
    if isinstance(value, FunctionType | BuiltinFunctionType | type):
        return f"{value.__module__}:{value.__qualname__}"
    known = isinstance(value, int | float | complex | str | tuple)
    return repr(value) if known else type(value).__name__


def _text_of(module: ModuleType) -> str:
    """A module of the user's counts as a whole: which of its names are used is not followed."""
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return module.__name__


def _is_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES


# --- Machine code ---


def compiled(function: Any, arguments: tuple[Any, ...], field: str, returns: str) -> Any:
    """Compile a user's function for given types, at once.

    Parameters
    ----------
    function : callable
        A Python function, or one that Numba compiles already, whose options are kept.
    arguments : tuple of numba types
        What it will be called with.
    field : str
        Where it stands, for messages.
    returns : {"number", "nothing"}
        What it must return.

    Returns
    -------
    numba dispatcher

    Raises
    ------
    SpecError
        If Numba cannot compile it, in one line with Numba's reason; or if it returns something else.
    """
    import numba

    name = plain(function).__name__
    dispatcher = function if function is not plain(function) else numba.njit(**OPTIONS)(function)
    try:
        dispatcher.compile(arguments)
    except Exception as error:  # Numba's own are of many types
        remedy = "write it as Numba can compile it, or try it alone under numba.njit"
        raise SpecError(field, name, f"does not compile: {_reason(str(error))}", remedy) from error
    returned = dispatcher.overloads[arguments].signature.return_type
    if returns == "number" and not isinstance(returned, numba.types.Float | numba.types.Integer):
        raise SpecError(field, name, f"returns {returned}, not a number", "return one number")
    if returns == "nothing" and returned != numba.types.none:
        problem = f"returns {returned}, which nobody reads"
        raise SpecError(field, name, problem, "write the result into the last array, and return nothing")
    return dispatcher


def _reason(text: str) -> str:
    """What Numba has to say, of the pages that it says."""
    lines = [line.strip() for line in _COLOUR.sub("", text).splitlines()]
    place = _LINE.search("\n".join(lines))
    told = [line for line in lines if line and not line.startswith(_BOILERPLATE)]
    reason = told[0] if told else "for a reason that Numba does not tell"
    if reason.endswith(":") and len(told) > 1:
        reason = f"{reason} {told[1].removeprefix('>>> ')}"
    where = "" if place is None else f" ({Path(place[1]).name}, line {place[2]})"
    return _one_line(reason + where)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def raised(field: str, function: Any, error: BaseException, where: str) -> SpecError:
    """Say in one line what a user's function raised, and where in the run.

    Parameters
    ----------
    field : str
        Where the function stands.
    function : callable
        The function.
    error : Exception
        What it raised.
    where : str
        Such as "generation 3 of replicate 0".
    """
    said = _one_line(f"{type(error).__name__}: {error}").rstrip(": ")
    return SpecError(field, plain(function).__name__, f"raised {said}, in {where}", "mend the function")


def specialised(function: Any, identity: str, *, inner: bool = False) -> Any:
    """Compile a function of this package that calls user's functions, and keep the machine code on disk.

    Numba would know it by the dispatchers that it calls, which are new in every process; so it is known by
    what they do.

    Parameters
    ----------
    function : function
        Calls others by variables of an outer function.
    identity : str
        Changes whenever one of these does; `keep_by` makes it.
    inner : bool, default False
        Whether only compiled code calls it.

    Returns
    -------
    numba dispatcher
    """
    import numba
    from numba.core.caching import FunctionCache

    class ByIdentity(FunctionCache):
        def _index_key(self, sig: Any, codegen: Any) -> Any:
            return (sig, codegen.magic_tuple(), identity)

    dispatcher = numba.njit(**OPTIONS | (INNER if inner else {}))(function)
    try:
        dispatcher._cache = ByIdentity(function)  # type: ignore[no-untyped-call]  # Numba has no types
    except RuntimeError:  # nowhere to write: compiled anew in every process
        return dispatcher
    return dispatcher


def keep_by(*functions: Any) -> str:
    """What machine code that calls functions is known by: they, how they are compiled, and this package."""
    own = hashlib.sha256(_package().encode())
    for function in functions:
        own.update(digest(function).encode())
        own.update(_options(function).encode())
    return own.hexdigest()


def _options(function: Any) -> str:
    """How a function is compiled; sets are written in one order."""
    options = getattr(function, "targetoptions", {})
    return repr([(k, sorted(v) if isinstance(v, set) else v) for k, v in sorted(options.items())])


@cache
def _package() -> str:
    """Digest of the modules whose code is compiled into that of users."""
    own = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        own.update(path.read_bytes())
    return own.hexdigest()

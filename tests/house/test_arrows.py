# SPDX-License-Identifier: MIT
"""Imports inside the package run one way: docs/architecture.md draws the arrows, this test keeps them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "tailbiter"

# From what knows least to what knows most: a module imports from its own layer and from those before it.
LAYERS = (
    {"errors"},
    {"_core", "_checks", "_document", "_interrupt", "_variables", "data", "judgement"},
    {"jit"},
    {
        "reference",
        "samples",
        "sources",
        "regime",
        "estimator",
        "decoding",
        "curation",
        "detector",
        "fault",
        "record",
        "_compose",
    },
    {"spec"},
    {"sweep"},
    {"levers", "program", "theory"},
    {"human_sample"},
    {"dataset", "estimate", "density", "stages"},
    {"summary", "plot"},
    {"families"},
    {"simulate", "predict"},
    {"run_files", "testing"},
    {"verify", "store", "reproduce", "plan", "report"},
    {"execute"},
    {"_flags"},
    {"_sweep_verbs", "_reproduce_verb", "_plan_verbs"},
    {"cli"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# Who may call the compiled core.
CALLERS_OF_CORE = {
    "_core",
    "jit",
    "reference",
    "sources",
    "families",
    "sweep",
    "simulate",
    "execute",
    "cli",
    "curation",
    "density",
}


def imported(source: str, inside: tuple[str, ...]) -> Iterator[str]:
    """Modules of tailbiter that this source imports when it runs ("" for the package itself)."""
    tree = ast.parse(source)
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (within(alias.name) for alias in node.names if alias.name.split(".")[0] == "tailbiter")
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(("tailbiter", *inside)[: len(inside) + 2 - node.level]) if node.level else ""
            target = ".".join(filter(None, (base, node.module)))
            if target == "tailbiter":
                yield from (alias.name for alias in node.names)
            elif target.startswith("tailbiter."):
                yield within(target)


def within(dotted: str) -> str:
    return dotted.split(".")[1] if "." in dotted else ""


def complaints(module: str, imports: set[str]) -> list[str]:
    """What is wrong with these imports."""
    found = []
    for name in sorted(imports & LEVEL.keys() - {module}):
        if LEVEL[name] > LEVEL[module] or name == "cli":
            found.append(f"{module} imports {name}, which is above it")
        if name == "_core" and module not in CALLERS_OF_CORE:
            found.append(f"{module} calls the core")
    for name in sorted(imports - LEVEL.keys() - {"", "__version__"}):
        found.append(f"{module} imports {name} from the package, not from the module that defines it")
    return found


def package_imports() -> dict[str, set[str]]:
    graph: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        *inside, stem = path.relative_to(PACKAGE).with_suffix("").parts
        if not inside and stem in ("__init__", "__main__"):
            continue
        top = inside[0] if inside else stem
        graph.setdefault(top, set()).update(imported(path.read_text(encoding="utf-8"), tuple(inside)))
    return graph


GRAPH = package_imports()


def test_every_module_has_its_place() -> None:
    assert GRAPH.keys() <= LEVEL.keys()


@pytest.mark.parametrize("module", sorted(GRAPH))
def test_imports_run_one_way(module: str) -> None:
    assert complaints(module, GRAPH[module]) == []


def test_no_circle_within_a_layer() -> None:
    for names in LAYERS:
        left = {name: GRAPH.get(name, set()) & names - {name} for name in names}
        while ready := {name for name, needs in left.items() if not needs & left.keys()}:
            left = {name: needs for name, needs in left.items() if name not in ready}
        assert left == {}


def test_the_package_itself_does_not_import_the_command_line() -> None:
    assert "cli" not in set(imported((PACKAGE / "__init__.py").read_text(encoding="utf-8"), ()))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("spec", "from tailbiter.program import lower"),
        ("spec", "def f():\n    from . import simulate"),
        ("simulate", "import tailbiter.cli"),
        ("plot", "from tailbiter import _core"),
        ("plot", "from ._core import engine"),
        ("errors", "from .record import Record"),
        ("simulate", "from tailbiter import Spec"),
    ],
)
def test_the_rules_catch_a_wrong_arrow(module: str, source: str) -> None:
    assert len(complaints(module, set(imported(source, ())))) == 1


@pytest.mark.parametrize(
    ("inside", "source"),
    [
        (("reference",), "from ..errors import SpecError"),
        (("reference",), "from .. import _core"),
        (("reference",), "from .support import Support"),
        ((), "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tailbiter.spec import Spec"),
    ],
)
def test_the_rules_pass_a_right_arrow(inside: tuple[str, ...], source: str) -> None:
    assert complaints("reference", set(imported(source, inside))) == []

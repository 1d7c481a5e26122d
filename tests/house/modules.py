"""The source tree as the house tests see it: modules, what they import, how long their functions
are."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@cache
def modules() -> dict[str, ast.Module]:
    """Dotted name -> syntax tree of every module of the package."""
    found = {}
    for path in sorted((SOURCE / "anyorder").rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


def room(name: str) -> str:
    """The first part below the package; the package itself is its public names."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


def of_room(*rooms: str) -> list[str]:
    """The modules of these rooms."""
    return [name for name in modules() if room(name) in rooms]


def file_of(name: str) -> Path:
    """Where a module's text is."""
    path = SOURCE / Path(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def length_of(name: str) -> int:
    """Lines of a module."""
    return file_of(name).read_text(encoding="utf-8").count("\n")


def imports(name: str, *, top_level: bool = False) -> set[str]:
    """Dotted names that a module imports; `from a import b` counts as a.b where that is a module.
    Type-checking imports do not count."""
    return _imported(modules()[name].body if top_level else _running(modules()[name]))


@cache
def neighbours() -> Mapping[str, set[str]]:
    """Module -> the modules of the package that it knows: imported at the top, in a function, or
    for its types only."""
    known = {name: _imported(list(ast.walk(tree))) for name, tree in modules().items()}
    return {name: found & modules().keys() - {name} for name, found in known.items()}


def _imported(nodes: list[ast.AST] | list[ast.stmt]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                f"{node.module}.{alias.name}"
                if f"{node.module}.{alias.name}" in modules()
                else node.module
                for alias in node.names
            }
    return found - {"__future__"}


def _running(tree: ast.AST) -> list[ast.AST]:
    nodes: list[ast.AST] = []
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        nodes += [child, *_running(child)]
    return nodes


def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function with its module's name."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [
        (name, node)
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
    ]

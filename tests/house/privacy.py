"""The use of another module's private names."""

from __future__ import annotations

import ast
from collections.abc import Collection

NAMED_TUPLE = {"_replace", "_asdict", "_make", "_fields"}  # public, whatever they look like
OURSELVES = {"self", "cls"}


def borrowed(tree: ast.Module, modules: Collection[str]) -> list[str]:
    """The private names that a module takes from others: imported, or an attribute that nothing in
    the module itself defines. A method may use what its class inherits."""
    return [*_imported(tree, modules), *_attributes(tree)]


def _imported(tree: ast.Module, modules: Collection[str]) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{name.name}" for name in node.names if private(name.name)]
    return [name for name in found if name not in modules]


def _attributes(tree: ast.Module) -> list[str]:
    own = _defined(tree) | NAMED_TUPLE
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and private(node.attr)
        and node.attr not in own
        and ast.unparse(node.value) not in OURSELVES
    ]


def _defined(tree: ast.Module) -> set[str]:
    """Names of functions, classes, variables and attributes that this module gives a meaning."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return found


def private(name: str) -> bool:
    """Does a name begin with one underscore?"""
    return name.startswith("_") and not name.startswith("__")

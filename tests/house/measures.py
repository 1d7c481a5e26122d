"""How dense a room is: branches, conditional expressions and comments, counted one way for all."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

BRANCHES = (ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
NARROW = 88  # columns: what all projects are compared at, so that wide lines buy nothing


class Measured(NamedTuple):
    """A function: its name, its complexity, and its lines without the docstring."""

    name: str
    complexity: int
    lines: int


class Density:
    """What a room's texts add up to."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.nodes = [node for text in texts for node in ast.walk(ast.parse(text))]

    @cached_property
    def functions(self) -> list[Measured]:
        """Every function that does something, methods and inner ones too."""
        functions = [node for node in self.nodes if isinstance(node, FUNCTIONS)]
        return [measured(node) for node in functions if not is_promise(node)]

    @property
    def ninetieth(self) -> int:
        """The complexity that nine of ten functions do not exceed."""
        found = sorted(function.complexity for function in self.functions)
        return found[min(len(found) - 1, int(len(found) * 0.9))]

    @property
    def branches_a_line(self) -> float:
        """All complexity over all lines of functions."""
        lines = sum(function.lines for function in self.functions)
        return sum(function.complexity for function in self.functions) / lines

    @property
    def conditional_expressions(self) -> float:
        """`x if c else y`, for each hundred statements."""
        statements = sum(isinstance(node, ast.stmt) for node in self.nodes)
        return 100 * sum(isinstance(node, ast.IfExp) for node in self.nodes) / statements

    @property
    def comments(self) -> float:
        """Comments, for each hundred lines that are neither blank nor only a comment."""
        lines = [line.strip() for text in self.texts for line in text.splitlines()]
        code = sum(1 for line in lines if line and not line.startswith("#"))
        return 100 * sum(map(comments_of, self.texts)) / code


def is_promise(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Has it a docstring and nothing else, as the methods of a protocol? Then it decides
    nothing."""
    return len(node.body) == 1 and ast.get_docstring(node) is not None


def measured(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Measured:
    """One for the function; one for each branch, each source and each filter of a comprehension;
    one for each operand of `and` and `or` beyond the first."""
    complexity = 1
    for inner in ast.walk(node):
        complexity += isinstance(inner, BRANCHES)
        if isinstance(inner, ast.BoolOp):
            complexity += len(inner.values) - 1
        elif isinstance(inner, ast.comprehension):
            complexity += len(inner.ifs)
    return Measured(node.name, complexity, _lines(node))


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    length = _span(node)
    return length - _span(node.body[0]) if ast.get_docstring(node) else length


def _span(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def comments_of(text: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT for token in tokens)


def narrowed(files: Sequence[Path]) -> list[str]:
    """The texts of these files as they are at 88 columns."""
    with TemporaryDirectory() as folder:
        copies = [Path(folder) / f"{number}.py" for number, _ in enumerate(files)]
        for file, copy in zip(files, copies, strict=True):
            shutil.copyfile(file, copy)
        words = ["-m", "ruff", "format", "--quiet", "--isolated", "--line-length", str(NARROW)]
        subprocess.run([sys.executable, *words, folder], check=True, capture_output=True)
        return [copy.read_text(encoding="utf-8") for copy in copies]

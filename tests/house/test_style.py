"""What ruff is told to overlook, and that it is less with every change; and a line that decides two
things."""

from __future__ import annotations

import ast
import tomllib

import pytest

from tests.house.modules import ROOT, modules

WIDTH = 100
MOST = 0  # modules with wider lines; there were 49 when the width was set


def exempt() -> list[str]:
    """The modules in which lines may be wider."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ignored = settings["tool"]["ruff"]["lint"]["per-file-ignores"]
    return [name for name, rules in ignored.items() if "E501" in rules]


def test_the_list_of_wide_modules_only_shrinks() -> None:
    assert len(exempt()) <= MOST


def test_where_everything_is_decided_no_line_is_wide() -> None:
    rooms = ("src/anyorder/_core/", "src/anyorder/guard/")

    assert [name for name in exempt() if name.startswith(rooms)] == []


def test_a_module_is_on_the_list_of_wide_ones_only_while_it_is_wide() -> None:
    lines = {name: (ROOT / name).read_text(encoding="utf-8").splitlines() for name in exempt()}

    assert [name for name, found in lines.items() if max(map(len, found)) <= WIDTH] == []


def decides_twice(node: ast.AST) -> bool:
    """`a if b else c if d else e`, or `a or b if c else d`, of which nobody sees at once what binds
    what."""
    if not isinstance(node, ast.IfExp):
        return False
    parts = (node.test, node.body, node.orelse)
    is_nested = any(isinstance(inner, ast.IfExp) for part in parts for inner in ast.walk(part))
    return is_nested or isinstance(node.body, ast.BoolOp) or isinstance(node.orelse, ast.BoolOp)


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_conditional_expression_decides_twice(name: str) -> None:
    assert [ast.unparse(node) for node in ast.walk(modules()[name]) if decides_twice(node)] == []


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("a if b else c", False),
        ("a if b and c else d", False),
        ("a if b else c if d else e", True),
        ("a or b if c else d", True),
        ("a if b else c or d", True),
        ("f(a if b else c) if d else e", True),
    ],
)
def test_what_decides_twice_is_seen(text: str, twice: bool) -> None:
    assert any(map(decides_twice, ast.walk(ast.parse(text)))) is twice

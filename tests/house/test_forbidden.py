"""What may be spelled in one place only, or nowhere."""

from __future__ import annotations

import ast

import pytest

from tests.house.modules import modules, of_room

FAMILIES = "anyorder._core.families"
POSITIONS = {"LogPosition", "OwnCommitPosition", "OffsetPosition", "ScalarPosition"}


def asks_what_a_position_is(node: ast.AST) -> bool:
    """`isinstance(x, LogPosition)`, with any of the families, alone or among others; or `case
    LogPosition(...)`."""
    if isinstance(node, ast.MatchClass):
        asked: ast.AST = node.cls
    elif called(node, "isinstance") and isinstance(node, ast.Call):
        asked = node.args[1]
    else:
        return False
    return any(
        getattr(inner, "id", getattr(inner, "attr", "")) in POSITIONS for inner in ast.walk(asked)
    )


def called(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def spells(node: ast.AST, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


def test_only_the_families_ask_of_which_family_a_position_is() -> None:
    """A new family is one module: nobody else lists them."""
    others = {name: tree for name, tree in modules().items() if not name.startswith(FAMILIES)}
    asking = [
        name for name, tree in others.items() if any(map(asks_what_a_position_is, ast.walk(tree)))
    ]

    assert asking == []


def test_one_module_knows_how_the_rest_of_the_columns_is_spelled() -> None:
    names = of_room("_core", "guard", "stores")
    knowing = [
        name for name in names if any(spells(node, "*") for node in ast.walk(modules()[name]))
    ]

    assert knowing == ["anyorder._core.names"]


def test_nothing_is_matched_by_where_it_lies_in_memory() -> None:
    """An object's number is given to another one when it is gone."""
    calling = [
        name
        for name, tree in modules().items()
        if any(called(node, "id") for node in ast.walk(tree))
    ]

    assert calling == []


def test_what_a_verb_prints_is_printed_in_one_place() -> None:
    """There a terminal's controls are spelled out. The demo tells what it has made itself."""
    printing = [
        name
        for name in of_room("cli")
        if any(called(node, "print") for node in ast.walk(modules()[name]))
    ]

    assert printing == ["anyorder.cli.demo", "anyorder.cli.terminal"]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("isinstance(a, LogPosition)", True),
        ("isinstance(a, families.LogPosition)", True),
        ("isinstance(a, str | ScalarPosition)", True),
        ("isinstance(a, (int, OffsetPosition))", True),
        ("isinstance(LogPosition, type)", False),
        ("isinstance(a, Event)", False),
        ("LogPosition(a)", False),
    ],
)
def test_the_question_of_which_family_is_seen(text: str, asks: bool) -> None:
    assert any(map(asks_what_a_position_is, ast.walk(ast.parse(text)))) is asks
    arm = "match x:\n    case LogPosition(): pass"
    assert any(map(asks_what_a_position_is, ast.walk(ast.parse(arm))))

"""The house rules that a reader relies on: who imports whom, what the core never touches, how big
things are."""

from __future__ import annotations

import ast
import statistics
import sys

import pytest

from tests.house.circles import circles, reached
from tests.house.modules import (
    functions,
    imports,
    length_of,
    modules,
    neighbours,
    of_room,
    room,
)
from tests.house.privacy import borrowed

LAYERS = {
    "errors": set(),
    "urls": set(),
    "mistyped": set(),
    "notebook": set(),
    "_core": {"errors"},
    "instrumentation": {"_core", "errors"},
    "envelopes": {"mistyped", "_core", "errors"},
    "guard": {"notebook", "_core", "errors"},
    "why": {"notebook", "guard", "_core", "errors"},
    "doors": {"errors"},
    "stores": {
        "doors",
        "urls",
        "mistyped",
        "guard",
        "_core",
        "errors",
    },  # of guard the contract only: see below
    "sources": {"doors", "urls", "mistyped", "envelopes", "_core", "errors"},
    "contract": {"sources", "guard", "_core", "errors"},
    "tables": {"why", "sources", "stores", "guard", "envelopes", "_core", "errors"},
}
LAYERS["runtime"] = LAYERS["tables"] | {"tables", "urls", "mistyped"}
LAYERS["guests"] = LAYERS["runtime"] | {"runtime"}
LAYERS["aws"] = LAYERS["guests"] | {"guests"}
LAYERS["testing"] = LAYERS["guests"] | {"guests"}
LAYERS["check"] = LAYERS["testing"] | {"testing"}
LAYERS["demo"] = LAYERS["runtime"] | {"runtime"}
LAYERS["cli"] = LAYERS["testing"] | {"testing", "demo"}
LAYERS["__main__"] = {"cli"}
IMPURE = {
    "time",
    "random",
    "secrets",
    "socket",
    "asyncio",
    "logging",
    "threading",
    "multiprocessing",
    "subprocess",
    "os",
    "io",
    "pathlib",
    "datetime",
}


@pytest.mark.parametrize("name", sorted(n for n in modules() if room(n)))
def test_a_module_imports_only_from_the_rooms_below_its_own(name: str) -> None:
    allowed = LAYERS[room(name)] | {room(name)}
    found = {room(target) for target in neighbours()[name]}

    assert found <= allowed, f"{name} imports from {sorted(found - allowed)}"


def test_a_store_knows_the_contract_of_the_guard_and_nothing_else_of_it() -> None:
    """A store that calls the guard's loop would write the guard's protocol a second time."""
    known = {
        name: {target for target in neighbours()[name] if room(target) == "guard"}
        for name in of_room("stores")
    }
    above = {name: found - {"anyorder.guard.contract"} for name, found in known.items()}

    assert {name: found for name, found in above.items() if found} == {}


@pytest.mark.parametrize("name", sorted({room(name) for name in modules()}))
def test_modules_of_a_room_do_not_know_each_other_in_a_circle(name: str) -> None:
    """Neither at the top, nor in a function, nor for types only: who reads one of the circle must
    read them all."""
    assert [circle for circle in circles(neighbours()) if room(circle[0]) == name] == []


def test_a_circle_is_seen_however_long_it_is_and_only_once() -> None:
    known = {
        "a": {"b"},
        "b": {"c"},
        "c": {"a", "d"},
        "d": {"e"},
        "e": set(),
        "f": {"g"},
        "g": {"f"},
    }

    assert circles(known) == [["a", "b", "c"], ["f", "g"]]
    assert reached(known, "d") == {"e"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_uses_no_private_name_of_another(name: str) -> None:
    assert borrowed(modules()[name], modules().keys()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from anyorder.tables import _name", ["anyorder.tables._name"]),
        ("import anyorder.tables as t\nt._name()", ["t._name"]),
        ("def f(store):\n    return store._database", ["store._database"]),
        ("from anyorder._core import decide", []),
        ("class A:\n    def f(self):\n        return self._inherited", []),
        ("class A:\n    _own = 1\ndef f(a: A):\n    return a._own", []),
        ("def f(named):\n    return named._replace(x=1)", []),
    ],
)
def test_a_private_name_of_another_module_is_seen(text: str, found: list[str]) -> None:
    assert borrowed(ast.parse(text), {"anyorder._core"}) == found


@pytest.mark.parametrize("name", sorted(n for n in modules() if room(n) == "_core"))
def test_the_core_imports_no_clock_randomness_or_io(name: str) -> None:
    found = {target.split(".")[0] for target in imports(name)}

    assert not found & IMPURE
    assert found - {"anyorder", "msgspec"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_driver_is_imported_at_top_level(name: str) -> None:
    found = {target.split(".")[0] for target in imports(name, top_level=True)}

    assert found - {"anyorder", "msgspec"} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", sorted(modules()))
def test_a_module_stays_below_600_lines(name: str) -> None:
    assert length_of(name) <= 600


def test_half_of_the_functions_are_shorter_than_ten_lines() -> None:
    lengths = [
        node.end_lineno - node.lineno + 1 for _, node in functions() if node.end_lineno is not None
    ]

    assert statistics.median(lengths) < 10

"""The house rules that a reader relies on: who imports whom, what the core never touches, how big
things are."""

from __future__ import annotations

import statistics
import sys

import pytest

from tests.house.modules import functions, imports, length_of, modules

LAYERS = {
    "errors": set(),
    "_core": {"errors"},
    "instrumentation": {"_core", "errors"},
    "envelopes": {"_core", "errors"},
    "guard": {"_core", "errors"},
    "stores": {"guard", "_core", "errors"},
    "sources": {"envelopes", "_core", "errors"},
    "tables": {"sources", "stores", "guard", "envelopes", "_core", "errors"},
    "runtime": {"tables", "sources", "stores", "guard", "envelopes", "_core", "errors"},
}
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


def room(name: str) -> str:
    """The first part below the package; the package itself is its public names."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else ""


@pytest.mark.parametrize("name", sorted(n for n in modules() if room(n)))
def test_a_module_imports_only_from_the_rooms_below_its_own(name: str) -> None:
    allowed = LAYERS[room(name)] | {room(name)}
    found = {room(target) for target in imports(name) if target.startswith("anyorder.")}

    assert found <= allowed, f"{name} imports from {sorted(found - allowed)}"


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

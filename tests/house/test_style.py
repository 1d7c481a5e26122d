"""What ruff is told to overlook, and that it is less with every change."""

from __future__ import annotations

import tomllib

from tests.house.modules import ROOT

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

"""R7 and R11: between two clocks that do not compare only a person decides, column by column, and
nothing but what is newer for certain undoes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from anyorder._core import moves, word
from anyorder._core.columns import KEEP, Columns
from anyorder._core.moves import Moves, Orders
from anyorder._core.position import NEWER, UNDECIDED
from tests.model.conftest import Report
from tests.model.unrelated import search_all

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize(("letters", "length"), [("PXYD", 3), ("PXD", 4)])
def test_a_word_between_two_clocks_is_final(
    letters: str, length: int, whole: bool, report: Report
) -> None:
    every = 1 if whole else 12 ** (length - 2)
    histories, states, worst = search_all(letters, length, every)

    report(histories=histories, states=states)
    assert worst is None, str(worst)


def the_rows_clock_decides(patch: Patch) -> None:
    patch.setattr(moves, "_is_by_word", lambda cell, stamp: False)


def with_orders(patch: Patch, wrong: Callable[[Any], Any]) -> None:
    right = word._orders

    def orders(*told: Any) -> Orders:
        return {name: wrong(order) for name, order in right(*told).items()}

    patch.setattr(word, "_orders", orders)


def accept_takes_what_is_newer(patch: Patch) -> None:
    with_orders(patch, lambda order: order and NEWER)


def accept_takes_only_what_is_older(patch: Patch) -> None:
    right = word._moves

    def only_older(memory: Any, columns: Columns, orders: Orders, *rest: Any) -> Moves:
        found = right(memory, columns, orders, *rest)
        kept = [name for name, order in orders.items() if order is UNDECIDED]
        return found | dict.fromkeys(kept, KEEP)

    patch.setattr(word, "_moves", only_older)


VARIANTS = {
    "what is newer than the row takes all of it": (the_rows_clock_decides, 3),
    "accept takes away what is newer": (accept_takes_what_is_newer, 3),
    "accept takes only what is older for certain": (accept_takes_only_what_is_older, 2),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_tempting_way_to_mix_two_clocks_is_caught(
    name: str, monkeypatch: Patch, report: Report
) -> None:
    variant, length = VARIANTS[name]

    variant(monkeypatch)
    *_, worst = search_all("PX", length)

    assert worst is not None, f"{name}: no counterexample"
    report(trace=str(worst))

"""Positions, times and changes as the demo spells them."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery
from anyorder._core.outcome import Outcome
from anyorder.demo.blocks import Cell, Tone

OPERATIONS = {"c": "create", "u": "change", "d": "delete", "r": "snapshot"}
TONES: dict[Outcome, Tone] = {
    Outcome.APPLIED: "good",
    Outcome.IGNORED: "quiet",
    Outcome.QUARANTINED: "held",
}


def change_in(delivery: Delivery) -> dict[str, Any] | None:
    """The change that a record tells; None for the null record after a delete."""
    return None if delivery.value is None else msgspec.json.decode(delivery.value)


def operation(delivery: Delivery) -> str:
    """`create`, `change`, `delete`, `snapshot`, or `null`."""
    change = change_in(delivery)
    return "null" if change is None else OPERATIONS[change["op"]]


def position(delivery: Delivery) -> int | None:
    """The log position of the change."""
    change = change_in(delivery)
    return None if change is None else int(change["source"]["lsn"])


def lsn(value: int | None) -> str:
    """A log position as PostgreSQL spells it."""
    return "" if not value else f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"


def ending(decision: Decision) -> Cell:
    """`applied`, `ignored: stale`, `quarantined: late`."""
    outcome = decision.outcome
    why = "" if outcome is Outcome.APPLIED else f": {decision.reason.value.replace('_', ' ')}"
    return Cell(f"{outcome.value}{why}", TONES[outcome])


def day(seconds: float) -> str:
    """`14 February 2019`."""
    moment = time.gmtime(seconds)
    return f"{moment.tm_mday} {MONTHS[moment.tm_mon - 1]} {moment.tm_year}"


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

"""What contradicts itself is malformed, however it comes and however often it is decided."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder._core.coherence import coherent
from anyorder._core.columns import Written
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, pack, unpack
from anyorder._core.misfit import is_plain, kinds_told
from anyorder.errors import ConfigurationError

FIRST, SECOND, THIRD = (ScalarPosition("version", "s", (number,)) for number in (1, 2, 3))


def put(fields: dict[str, Any], key: object = 1, **more: Any) -> Event:
    return Event(Kind.PUT, "t", {"id": key}, SECOND, fields, **more)


@pytest.mark.parametrize(
    ("key", "told", "is_same"),
    [
        (7, 7, True),
        (7, 7.0, True),
        (7, Decimal(7), True),
        ("42", 42, True),
        ("1.50", "1.50", True),
        ("1.5", 1.5, True),
        ("A-17", "A-17", True),
        (7, "007", False),
        (7, "7", False),
        ("007", 7, False),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (7, None, False),
        ("o-1", "evt-77", False),
        ("o-1", {"o": 1}, False),
    ],
)
def test_the_row_s_column_of_the_key_s_name_is_the_key_or_the_event_is_malformed(
    key: object, told: object, is_same: bool
) -> None:
    event = put({"id": told, "x": 1}, key)

    judged = coherent(event)

    assert (judged is event) is is_same
    assert is_same or (judged.kind is Kind.MALFORMED and "its key says id is" in judged.note)
    assert coherent(put({"x": 1}, key)).kind is Kind.PUT


@pytest.mark.parametrize("name", ["", "\x00*"])
def test_a_column_without_a_name_is_malformed_told_or_not(name: str) -> None:
    assert coherent(put({name: 1})).kind is Kind.MALFORMED
    assert coherent(put({}, holes=frozenset({name}))).kind is Kind.MALFORMED
    assert coherent(put({"*": 1}, holes=frozenset({"**"}))).kind is Kind.PUT


@pytest.mark.parametrize(
    "event",
    [
        put({"id": True}),
        put({"id": 0}, key=False),
        put({"id": 8}, key=7),
        put({"": 1}),
        put({"\x00*": 1}),
        put({}, holes=frozenset({""})),
    ],
)
def test_no_glance_lets_in_what_contradicts_itself(event: Event) -> None:
    kinds = kinds_told(event.key or {})

    assert coherent(event).kind is Kind.MALFORMED
    assert not is_plain(event, kinds)


def test_what_is_held_for_contradicting_itself_is_not_let_in_when_its_key_moves(
    tmp_path: Path,
) -> None:
    """Nor by an operator's word: the bytes say what they say."""
    table = anyorder.table(f"sqlite:///{tmp_path}/a.db", "t", key="id", envelope="raw")
    odd = {"key": b"o-1", "value": b'{"id": "evt-77", "x": 1}', "topic": "t", "partition": 0}

    held = table.apply([{**odd, "offset": 5}])
    moved = table.apply([{**odd, "offset": 6, "value": b'{"x": 2}'}])
    (entry,) = table.quarantine.entries()

    assert (held.quarantined, moved.applied) == ({"malformed": 1}, 1)
    with pytest.raises(ConfigurationError, match="cannot be accepted: its key says id is"):
        table.quarantine.accept(entry.id)
    table.close()


def _memory(*events: Event) -> Memory:
    memory: Memory | None = None
    for event in events:
        memory = decide(memory, event, Limits()).memory
    assert memory is not None
    return memory


def test_a_column_called_as_the_rest_is_told_apart_from_it_in_memory_and_in_what_is_written() -> (
    None
):
    """Written by a whole put, by a part, by an older event; and its memory is read as written."""
    whole = Event(Kind.PUT, "t", {"id": 1}, SECOND, {"*": 2, "x": 2})
    newer = Event(Kind.PUT, "t", {"id": 1}, THIRD, {"*": 3}, partial=True)
    older = Event(Kind.PUT, "t", {"id": 1}, FIRST, {"*": 1, "x": 1, "y": 1})

    after = decide(_memory(whole), newer, Limits())
    filled = decide(_memory(newer), older, Limits())
    again = decide(after.memory, older, Limits())

    assert decide(None, whole, Limits()).written == Written({"*": 2, "x": 2}, frozenset())
    assert after.written == Written({"*": 3})
    assert filled.written == Written({"x": 1, "y": 1}, frozenset({"*"}))
    assert again.written is None
    assert after.memory is not None
    assert unpack(pack(after.memory)) == after.memory

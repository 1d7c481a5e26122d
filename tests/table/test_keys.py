"""A key column has one kind: what that means for memories of before, for what is held, and for a
person's word."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import anyorder
from anyorder import Event
from anyorder._core.event import Kind
from anyorder._core.families import ScalarPosition
from anyorder.errors import ConfigurationError


def table(path: Path, **more: Any) -> anyorder.Table:
    said = {"key": "/id", "position": "/version", **more}
    return anyorder.table(f"sqlite:///{path}", "t", **said)


def forgetting(path: Path, **more: Any) -> anyorder.Table:
    return table(path, retention=0, position_scope="stream", deleted="/gone", **more)


def execute(path: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    found = database.execute(statement, values).fetchall()
    database.commit()
    database.close()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.db"


def test_a_table_of_before_goes_on_by_the_kind_of_its_memories(path: Path) -> None:
    """Its catalogue tells no kinds, and what comes first now is of another one."""
    table(path).apply([{"id": 7, "version": 1}])
    execute(path, "UPDATE anyorder_table SET recorded = json_remove(recorded, '$.kinds')")

    report = table(path).apply([{"id": "7", "version": 2}, {"id": 7, "version": 3}])

    assert (report.applied, report.quarantined) == (1, {"malformed": 1})
    assert execute(path, "SELECT id, version FROM t") == [(7, 3)]


def test_a_kind_stays_when_everything_is_forgotten(path: Path) -> None:
    forgetting(path).apply([{"id": 7, "version": 1, "gone": True}])
    assert execute(path, "SELECT * FROM anyorder_memory_t") == []

    assert forgetting(path).apply([{"id": "7", "version": 2}]).quarantined == {"malformed": 1}


def test_a_row_of_before_whose_key_is_a_double_is_found(path: Path) -> None:
    """Keys went through floats then; the row is the same entity's."""
    table(path).apply([b'{"id": 1.5, "version": 1}'])
    assert execute(path, "SELECT typeof(id) FROM t") == [("real",)]

    table(path).apply([b'{"id": 1.50, "version": 2}'])

    assert execute(path, "SELECT id, version FROM t") == [(1.5, 2)]


def test_a_decimal_beyond_a_double_is_a_key_of_its_own(path: Path) -> None:
    lines = [b'{"id": 0.1, "version": 1}', b'{"id": 0.1000000000000000000001, "version": 1}']

    table(path).apply(lines)

    assert execute(path, "SELECT id FROM t ORDER BY id") == [(0.1,), ("0.1000000000000000000001",)]
    assert table(path).why(Decimal("0.1000000000000000000001")).state == "row"
    assert table(path).why(0.1).state == "row"


def test_the_key_of_a_memory_is_read_as_exactly_as_it_was_spelled(path: Path) -> None:
    """A truncate's sweep knows no more of a row than the entity of its memory."""
    keys = ("0.1000000000000000000001", "18446744073709551616", "1.5")
    users = table(path)
    users.apply([f'{{"id": {key}, "version": 1}}'.encode() for key in keys])

    with users.store.transaction(1.0) as transaction:
        seen = {entity: key for entity, key, _ in transaction.memories(users.spec)}

    assert [seen[f'{{"id":{key}}}'] for key in keys] == [
        {"id": Decimal(keys[0])},
        {"id": 2**64},
        {"id": Decimal("1.5")},
    ]


def test_what_is_held_is_not_decided_on_the_memory_of_another_key(path: Path) -> None:
    """A pointer was corrected, by which the entry is of another key than it was held under."""
    users = forgetting(path, key={"id": "/one"})
    users.apply([{"one": "a", "version": 5, "gone": True}])
    users.apply([{"one": "a", "two": "b", "version": 4}])
    (entry,) = users.quarantine.entries()
    assert entry.reason == "late"
    users.close()

    later = forgetting(path, key={"id": "/two"})
    later.apply([{"two": "a", "version": 6}])

    assert later.quarantine.show(entry.id).state == "open"
    assert execute(path, "SELECT id, version FROM t") == [("a", 6)]


def test_no_word_of_a_person_makes_one_row_of_two_entities(path: Path) -> None:
    users = table(path)
    users.apply([{"id": 1, "version": 5}, {"id": True, "version": 3}])
    (entry,) = users.quarantine.entries()

    with pytest.raises(ConfigurationError, match="'id' of table t is a number"):
        users.quarantine.accept(entry.id)

    assert execute(path, "SELECT id, version FROM t") == [(1, 5)]


def test_a_key_that_a_program_gives_is_spelled_as_a_document_s(path: Path) -> None:
    """Bytes are the text of their base64; a float is a number only if it is an integer."""
    users = table(path)

    def event(key: object, version: int) -> Event:
        position = ScalarPosition("version", "json:t", (version,))
        return Event(Kind.PUT, "t", {"id": key}, position, {"n": version})

    assert event(b"\x01", 1).key == event(bytearray(b"\x01"), 1).key == {"id": "AQ=="}
    assert event(1.0, 1).entity == event(Decimal("1.00"), 1).entity == event(1, 1).entity
    connection = sqlite3.connect(path)
    with users.transaction(connection) as guard:
        connection.execute("CREATE TABLE IF NOT EXISTS t (id PRIMARY KEY, n)")
        odd = (1.5, float("nan"), None, [1])
        decisions = [guard.accept(event(key, version)) for version, key in enumerate(odd)]
    connection.close()

    assert {decision.reason for decision in decisions} == {"malformed"}
    assert "a key is an exact number" in decisions[0].detail


def test_a_kind_that_is_none_is_misuse(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="one of number, text, boolean"):
        table(path, kinds={"id": "integer"})
    with pytest.raises(ConfigurationError, match="kinds names name"):
        table(path, kinds={"name": "text"})


def test_why_finds_a_key_as_it_is_said(path: Path) -> None:
    texts = table(path, kinds={"id": "text"})
    texts.apply([{"id": "42", "version": 1}])

    assert [texts.why(key).state for key in (42, "42", {"id": 42})] == ["row", "row", "row"]
    assert texts.why(True).key == {"id": "true"}
    assert texts.why("042").state == "unknown"


@pytest.mark.parametrize("row", [{"id": 42, "name": "bad"}, {"id": "x", "": 1}])
@pytest.mark.parametrize("together", [True, False])
def test_what_contradicts_itself_teaches_no_kind(
    path: Path, row: dict[str, object], together: bool
) -> None:
    """It is malformed, and the good ones after it are applied."""

    def record(key: object, fields: dict[str, object], offset: int) -> dict[str, object]:
        return {"topic": "t", "partition": 0, "offset": offset, "key": {"id": key}, "value": fields}

    good = [record(number, {"id": number, "name": "a"}, number) for number in (1, 2, 3)]
    bad = record("x", row, 0)
    users = anyorder.table(f"sqlite:///{path}", "t", envelope="raw")
    reports = [users.apply(batch) for batch in ([[bad, *good]] if together else [[bad], good])]

    assert sum(report.applied for report in reports) == 3
    assert [entry.reason for entry in users.quarantine.entries()] == ["malformed"]

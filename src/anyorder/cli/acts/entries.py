"""An entry, for people and for scripts."""

from __future__ import annotations

import time
from pathlib import Path

from anyorder._core.event import Delivery
from anyorder._core.outcome import REASONS, Reason
from anyorder.cli.output import encoded
from anyorder.envelopes.provenance import source_of
from anyorder.guard.choice import content_text, event_in
from anyorder.guard.contract import Content, Decode, Entry
from anyorder.urls import without_secrets


def summary(entry: Entry) -> dict[str, object]:
    """One line of the list; scripts rely on id, table, key, reason and state."""
    return {
        "id": entry.id,
        "table": entry.table,
        "key": entry.key,
        "reason": entry.reason,
        "state": entry.state,
        "count": entry.count,
        "first_seen": when(entry.first_seen),
        "last_seen": when(entry.last_seen),
        "detail": entry.detail,
        "identity": entry.identity,
    }


def brief(entry: Entry) -> dict[str, object]:
    """The same for people, as much as fits a terminal."""
    whole = summary(entry)
    return {
        name: whole[name]
        for name in ("id", "table", "key", "reason", "state", "count", "last_seen", "detail")
    }


def shown(entry: Entry, format: str, decode: Decode) -> str:
    """One entry with its bytes, for people or for scripts."""
    delivery = entry.delivery
    record = (
        {}
        if delivery is None
        else {
            "event": decode(entry.provenance, delivery).kind.value,
            "source": without_secrets(source_of(entry.provenance)),
            "place": _place(entry.provenance, delivery),
            "headers": delivery.headers,
            "record_key": _readable(delivery.key),
            "value": _readable(delivery.value),
        }
    )
    contents = [_content(entry, one, decode) for one in entry.contents]
    if format != "table":
        return encoded({**summary(entry), **record, "contents": contents})
    lines = [
        f"{name:<11} {value if isinstance(value, str) else encoded(value)}"
        for name, value in {**summary(entry), **record}.items()
    ]
    lines += [_content_line(entry, one, decode) for one in entry.contents]
    meaning = REASONS[Reason(entry.reason)]
    return "\n".join(
        [*lines, "", f"{entry.reason}: {meaning.when}", f"What to do: {meaning.to_do}"]
    )


def _content(entry: Entry, content: Content, decode: Decode) -> dict[str, object]:
    """A content that the entry of a dispute lists; scripts accept it by its number."""
    event = event_in(entry, content, decode)
    return {
        "number": content.number,
        "event": event.kind.value,
        "fields": event.fields,
        # What the row showed when the other one came; its own delivery is not known any more.
        "from_row": bool(content.shown),
        "chosen": content.chosen,
    }


def _content_line(entry: Entry, content: Content, decode: Decode) -> str:
    notes = ["as the row showed it"] if content.shown else []
    if content.chosen:
        notes.append("chosen by an operator's word")
    name = f"content {content.number}"
    told = content_text(event_in(entry, content, decode))
    return f"{name:<11} {told}" + (f" ({', '.join(notes)})" if notes else "")


def when(seconds: float) -> str:
    """A moment in time, as people and scripts read it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _place(provenance: str, delivery: Delivery) -> str:
    """Where a delivery came from; a line with the name of its file."""
    if delivery.partition >= 0 or delivery.offset < 0:
        return delivery.place
    file = Path(source_of(provenance).partition(":")[2]).name or "standard input"
    line = f"{file} line {delivery.offset}"
    return f"{delivery.topic}, {line}" if delivery.topic else line


def _readable(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")

"""The story of one key: what is remembered of it and why, in sentences."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from anyorder._core.columns import holes
from anyorder._core.event import canonical
from anyorder._core.explain import explain_memory
from anyorder._core.memory import Memory
from anyorder._core.outcome import REASONS, Reason, outcome_of
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Entry, EntryQuery, Store, TableSpec
from anyorder.guard.recall import NOTHING


class Story(msgspec.Struct, frozen=True):
    """What `why` answers. `outcome` and `reason` of the latest event that counts; `position` in
    words; `holes`: columns nobody has told.

    `state` is "row", "tombstone" or "unknown"; `entries` are the key's quarantine entries. Prints
    as sentences.
    """

    table: str
    key: dict[str, object]
    state: str
    outcome: str | None
    reason: str | None
    position: str | None
    holes: list[str]
    disputed: list[str]
    sentences: list[str]
    entries: list[Entry]

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def story_of(store: Store, spec: TableSpec, key: object) -> Story:
    """Read a key's memory and entries. Raises ConfigurationError if the key does not fit the
    table."""
    with store.reading() as transaction:
        facts = next((facts for facts in transaction.tables() if facts.name == spec.name), None)
        columns = facts.key if facts is not None else spec.key
        named = _named(key, columns or spec.key, spec.name)
        entity = canonical(named)
        memory = (
            transaction.remembered(spec, [entity]).get(entity, NOTHING).memory
            if facts is not None
            else None
        )
        entries = list(transaction.entries(EntryQuery("", spec.name, entity)))
    known = set(facts.columns) - set(facts.key) if facts is not None else set()
    return _told(spec.name, named, memory, known, entries)


def _named(key: object, columns: tuple[str, ...], table: str) -> dict[str, object]:
    if isinstance(key, Mapping):
        return dict(key)
    if len(columns) != 1:
        names = ", ".join(columns) or "not known yet"
        raise ConfigurationError(
            f"the key of table {table} is ({names}): give a mapping of all its columns, not {key!r}"
        )
    return {columns[0]: key}


def _told(
    table: str,
    key: dict[str, object],
    memory: Memory | None,
    columns: set[str],
    entries: list[Entry],
) -> Story:
    waiting = [entry for entry in entries if entry.state == "open"]
    reason = (
        Reason.APPLIED if memory is not None else Reason(waiting[-1].reason) if waiting else None
    )
    return Story(
        table=table,
        key=key,
        state="unknown" if memory is None else "row" if memory.live else "tombstone",
        outcome=None if reason is None else outcome_of(reason).value,
        reason=None if reason is None else reason.value,
        position=None if memory is None else memory.stamp.position.text(),
        holes=[] if memory is None else holes(memory, columns),
        disputed=[] if memory is None else sorted(memory.disputed),
        sentences=explain_memory(f"{table} {canonical(key)}", memory, columns)
        + [_held_text(entry) for entry in waiting],
        entries=entries,
    )


def _held_text(entry: Entry) -> str:
    """An open entry, what its reason means, and what to do."""
    meaning = REASONS[Reason(entry.reason)]
    seen = "once" if entry.count == 1 else f"{entry.count} times"
    cause = f" ({entry.detail})" if entry.detail else ""
    return f"In quarantine since {_when(entry.first_seen)}, seen {seen}: #{entry.id}, {entry.reason}{cause}. {meaning.when} {meaning.to_do}"


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds))

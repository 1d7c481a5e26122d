"""The story of one key: what is remembered of it and why, in sentences."""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from anyorder._core.columns import holes
from anyorder._core.event import canonical
from anyorder._core.explain import explain_memory
from anyorder._core.key import NO_KINDS, Kinds, asked
from anyorder._core.memory import Memory
from anyorder._core.misfit import other_kinds
from anyorder._core.outcome import REASONS, Reason, outcome_of
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import (
    Catalogued,
    Entry,
    EntryQuery,
    Store,
    TableSpec,
    Transaction,
)
from anyorder.guard.kinds import known_kinds
from anyorder.guard.owners import origin
from anyorder.guard.recall import NOTHING
from anyorder.guard.targets import listed
from anyorder.notebook import paragraphs, table
from anyorder.why.said import Said

replace = msgspec.structs.replace
OF_BEFORE = (
    "The key column {0} is a {1} now, and this key has a {2}, of before: no event reaches it any "
    "more."
)


class Story(msgspec.Struct, frozen=True):
    """What `why` answers. `outcome` and `reason` of the latest event that counts; `position` in
    words; `holes`: columns nobody has told; `sources`: the source tables of the table.

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
    sources: list[str] = []

    @property
    def is_known(self) -> bool:
        """Is there anything to tell?"""
        return self.state != "unknown" or bool(self.entries)

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def _repr_html_(self) -> str:
        """As a notebook shows it: the sentences, and the key's entries."""
        told = paragraphs(self.sentences)
        if not self.entries:
            return told
        rows = [(one.id, one.reason, one.state, one.count, one.detail) for one in self.entries]
        return told + table(("entry", "reason", "state", "seen", "detail"), rows)


def story_of(store: Store, spec: TableSpec, key: object, *, exactly: bool = False) -> Story:
    """Read a key's memory and entries. A mapping, or a value that is told `exactly`, is first taken
    as it is spelled, then as it is meant. Raises ConfigurationError if the key does not fit the
    table."""
    with store.reading() as transaction:
        # A question about a table that no event has reached yet is no error.
        target = listed(transaction, spec.name)
        named = _named(key, _columns_of(transaction, spec, target), spec.name)
        kinds = known_kinds(transaction, spec)
        # Under a key of another kind than its column's there may be something of before.
        keys = [asked(named, kinds), asked(named, NO_KINDS)]
        if exactly or isinstance(key, Mapping):
            keys.reverse()
        first = _story(transaction, spec, target, keys[0], kinds)
        second = _story(transaction, spec, target, keys[1], kinds)
    # Nothing is known of either: then it is the key that was asked for first.
    return second if second.is_known > first.is_known else first


def _story(
    transaction: Transaction,
    spec: TableSpec,
    target: Catalogued | None,
    named: dict[str, object],
    kinds: Kinds,
) -> Story:
    entity = canonical(named)
    memory = None
    columns: set[str] = set()
    # A table that the store does not guard yet has no memories to ask for.
    if target is not None:
        memory = transaction.remembered(spec, [entity]).get(entity, NOTHING).memory
        # The key's own columns are told by every event, so they are never holes.
        columns = set(target.columns) - set(target.key)
    entries = list(transaction.entries(EntryQuery("", spec.name, entity)))
    said = Said(transaction, spec, memory, columns, entries, entity)
    story = _told(spec.name, named, memory, columns, entries, said)
    sentences = [
        *story.sentences,
        *_of_before(memory, named, kinds),
    ]
    sources: list[str] = []
    # Nobody knows yet whose a table is to which no change has come.
    if target is not None and target.known.sources:
        kept_from = origin(target.known)
        sentences.append(f"The table is kept from {kept_from}.")
        sources += target.known.sources
    return replace(story, sentences=sentences, sources=sources)


def _of_before(
    memory: Memory | None,
    key: dict[str, object],
    kinds: Kinds,
) -> list[str]:
    """What is remembered under a key of another kind than its columns are by now."""
    # A key that nobody has used is of no kind.
    if memory is None:
        return []
    others = other_kinds(
        key,
        kinds,
    )
    return [OF_BEFORE.format(*other) for other in others]


def _columns_of(
    transaction: Transaction,
    spec: TableSpec,
    target: Catalogued | None,
) -> tuple[str, ...]:
    """The key columns of a table; none while nobody knows them."""
    # A table that no event has reached has no memories to ask.
    if target is None:
        return spec.key
    known = target.key or spec.key
    if known:
        return known
    # A table of the user's own whose key was learned from events: each memory tells it.
    _, key, _ = next(transaction.memories(spec), ("", {}, None))
    return tuple(key)


def _named(key: object, columns: tuple[str, ...], table: str) -> dict[str, object]:
    # As the user said it, where only he knows which column is which.
    if isinstance(key, Mapping):
        named = dict(key)
        fits = set(named) == set(columns) or not columns
    else:
        # A bare value is the one key column's. Of several, it would be a guess which.
        named = dict.fromkeys(columns, key)
        fits = len(columns) == 1
    if fits:
        return named
    names = ", ".join(columns) or "not known yet"
    raise ConfigurationError(
        f"the key of table {table} is ({names}): give a mapping of all its columns, not {key!r}"
    )


def _told(
    table: str,
    key: dict[str, object],
    memory: Memory | None,
    columns: set[str],
    entries: list[Entry],
    said: Said,
) -> Story:
    waiting = [entry for entry in entries if entry.state == "open"]
    reason = _reason(memory, waiting)
    sentences = explain_memory(f"{table} {canonical(key)}", memory, columns)
    sentences += said.sentences()
    sentences += [_held_text(entry, said) for entry in waiting]
    story = Story(
        table=table,
        key=key,
        state="unknown",
        outcome=None,
        reason=None,
        position=None,
        holes=[],
        disputed=[],
        sentences=sentences,
        entries=entries,
    )
    if reason is not None:
        story = replace(story, outcome=outcome_of(reason).value, reason=reason.value)
    if memory is None:
        return story
    return replace(
        story,
        state="row" if memory.live else "tombstone",
        position=memory.stamp.position.text(),
        holes=holes(memory, columns),
        disputed=sorted(memory.disputed),
    )


def _reason(memory: Memory | None, waiting: list[Entry]) -> Reason | None:
    """The reason of the latest event that counts."""
    # What is remembered was applied; an entry beside it is told in a sentence of its own.
    if memory is not None:
        return Reason.APPLIED
    # The latest one counts; nothing at all has been heard where there is none.
    if not waiting:
        return None
    latest = waiting[-1]
    return Reason(latest.reason)


def _held_text(entry: Entry, said: Said) -> str:
    """An open entry, what its reason means, and what to do."""
    meaning = REASONS[Reason(entry.reason)]
    since = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(entry.first_seen))
    seen = "once" if entry.count == 1 else f"{entry.count} times"
    cause = f" ({entry.detail})" if entry.detail else ""
    what_to_do = said.of_new(entry) or f"{meaning.when} {meaning.to_do}"
    return (
        f"In quarantine since {since}, seen {seen}: #{entry.id}, {entry.reason}{cause}. "
        f"{what_to_do}"
    )

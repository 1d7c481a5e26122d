"""What a floor remembers of each kind of clock (rules R3), as values with fields. This is the one
module that knows how they are spelled in a store: a name, and how high was forgotten."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from anyorder._core.families import lsn
from anyorder._core.floor import LOST, Floor, Value

OFFSET = "offset:"


class LogEntry(NamedTuple):
    """Of one run of a PostgreSQL log: the highest LSN."""

    scope: str
    run: str
    lsn: int

    @property
    def stored(self) -> tuple[str, Value]:
        return f"{self.scope}|{self.run}", self.lsn

    def text(self) -> str:
        return f"{self.scope} at LSN {lsn.text(self.lsn)}"


class OffsetEntry(NamedTuple):
    """Of one partition, `scope`, through which a log came: the highest joined offset (rules R5)."""

    scope: str
    offset: int

    @property
    def stored(self) -> tuple[str, Value]:
        return f"{OFFSET}{self.scope}", self.offset

    def text(self) -> str:
        return f"{self.scope} offset {self.offset}"


class TopicEntry(NamedTuple):
    """Of one partition, in one life of a topic whose offsets are the clock."""

    scope: str
    epoch: int
    partition: int
    offset: int

    @property
    def stored(self) -> tuple[str, Value]:
        return f"{self.scope}#{self.epoch}/{self.partition}", self.offset

    def text(self) -> str:
        return f"{self.scope}#{self.epoch}/{self.partition} offset {self.offset}"


class ScalarEntry(NamedTuple):
    """Of one clock that is a tuple of integers."""

    scope: str
    kind: str
    lineage: str
    value: tuple[int, ...]

    @property
    def stored(self) -> tuple[str, Value]:
        return f"{self.kind}:{self.scope}|{self.lineage}", self.value

    def text(self) -> str:
        return f"{self.scope} at {self.kind} {'.'.join(map(str, self.value))}"


class LostEntry(NamedTuple):
    """Tombstones are gone that no floor was raised over (rules R2). No clock knows this entry."""

    stored: tuple[str, Value] = (LOST, 0)
    scope: str = ""

    def text(self) -> str:
        return "lost: tombstones expired unseen, see `anyorder doctor`"


FloorEntry = LogEntry | OffsetEntry | TopicEntry | ScalarEntry | LostEntry
OneKind = TypeVar("OneKind", bound=FloorEntry)


def parse(name: str, value: Value) -> FloorEntry:
    """The entry that is stored under this name."""
    if isinstance(value, tuple):
        clock, _, lineage = name.rpartition("|")
        kind, _, scope = clock.partition(":")
        return ScalarEntry(scope, kind, lineage, value)
    if name.startswith(OFFSET):
        return OffsetEntry(name.removeprefix(OFFSET), value)
    # A run has no "|" in it, and what follows a topic's name neither: the last one ends a log's.
    scope, mark, run = name.rpartition("|")
    if mark:
        return LogEntry(scope, run, value)
    scope, mark, part = name.rpartition("#")
    if mark:
        epoch, _, partition = part.partition("/")
        return TopicEntry(scope, int(epoch), int(partition), value)
    return LostEntry()


def entries_of(floor: Floor) -> list[FloorEntry]:
    """All that a floor remembers."""
    return [parse(name, value) for name, value in floor.entries.items()]


def entries_in(floor: Floor, kind: type[OneKind], scope: str) -> list[OneKind]:
    """What a floor remembers of one kind of clock in one scope."""
    # A clock of another scope says nothing: scopes do not compare (rules R3).
    there = entries_of(floor)
    return [entry for entry in there if isinstance(entry, kind) and entry.scope == scope]


def raised(floor: Floor, *entries: FloorEntry) -> Floor:
    """The floor with each of these at least as high."""
    return floor.raised(dict(entry.stored for entry in entries))

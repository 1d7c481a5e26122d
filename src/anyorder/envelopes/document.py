"""The user's own JSON: where key, position, deletion and time are is said by JSON pointers.

A position that counts per key (`position_scope` "entity", the default) orders the events of one key
and says nothing about others, so tombstones of such a table are never forgotten. It may start again
when its entity is created again: `incarnation` says which life it counts in; without that, the
event's own `time` is what can raise the suspicion (rules R13). One that comes from a single
sequence is "stream".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyorder._core.event import DELETE, PUT, Delivery, Event, KeyFields, canonical
from anyorder._core.families import LifePosition, ScalarPosition, timestamp
from anyorder._core.families.ranks import RANK
from anyorder._core.families.spellings import SPELLINGS, Spelling
from anyorder._core.families.timestamp import TIMESTAMP
from anyorder._core.row_clock import RowClock, scope_of
from anyorder.envelopes import strict
from anyorder.envelopes.envelope import KeyOption, Reader, chosen, time_of
from anyorder.envelopes.keys import agreed
from anyorder.envelopes.pointers import MISSING, KeyPointers, Pointer, pointed, spelled
from anyorder.envelopes.spellings import life, microseconds
from anyorder.errors import ConfigurationError, Malformed

ENTITY = "entity"
INSIDE_A_LIFE = "a position counts inside one life of its key: leave the retention out"


class Document(Reader):
    """`key`, `position`: where they are, both must be said. `position_kind`:
    "version", "timestamp", "kubernetes", "hex", "lexicographic" or "integer32-wrap".
    `position_scope`: "entity" or "stream". `unit`: of a timestamp that is an integer, "s", "ms",
    "us" or "ns". `ranks`: the texts that are the positions, the first one first (`["queued",
    "sent"]`), instead of a `position_kind`.

    `deleted`: "/cancelled" (true deletes) or "/type=user.deleted" (that text deletes). `time`: RFC
    3339, or milliseconds; when the change happened, by the source's clock. `incarnation`: when the
    entity's life began (an integer or an RFC 3339 time), or its id; deletes must tell it, too.
    `fields`: the row inside the document, "" for all of it. `partial`:
    fields that are not told stay as they were. `table`: its name, by default the topic.
    """

    name = "json"
    needs_table = True  # a version counts for a table, by whatever topic or queue it comes

    def __init__(
        self,
        *,
        key: object = None,
        position: object = None,
        position_kind: str = "version",
        position_scope: str = ENTITY,
        unit: str | None = None,
        ranks: object = None,
        deleted: object = None,
        time: object = None,
        incarnation: object = None,
        fields: object = "",
        partial: bool = False,
        table: str = "",
    ) -> None:
        self._key = KeyPointers(key)
        if position is None:
            raise ConfigurationError(
                "the envelope option position must say what orders the events of a key: "
                'position = "/version"'
            )
        self._position = Pointer(position, "position")
        kind = chosen(position_kind, "position_kind", tuple(SPELLINGS))
        scopes = (ENTITY, "stream")
        self._per_entity = chosen(position_scope, "position_scope", scopes) == ENTITY
        self._spelling = _spelling_of(kind, unit, ranks, per_entity=self._per_entity)
        self._clock = self._spelling.text
        self._deleted = None if deleted is None else Deletion(deleted)
        self._time = None if time is None else Pointer(time, "time")
        self._life = None if incarnation is None else Pointer(incarnation, "incarnation")
        if self._life is not None and not self._per_entity:
            raise ConfigurationError(
                'position_scope = "stream" says that the position never starts again: '
                "leave the envelope option incarnation out"
            )
        self._fields = Pointer(fields, "fields")
        if not isinstance(partial, bool) or not isinstance(table, str):
            raise ConfigurationError(
                "the envelope option partial must be true or false, and table a text"
            )
        self._partial = partial
        self._table = table

    @classmethod
    def key_columns(cls, key: KeyOption) -> tuple[tuple[str, ...], dict[str, Any]]:
        return pointed(key)

    @classmethod
    def keeps_for_ever(cls, options: Mapping[str, Any]) -> str:
        if options.get("position_scope", ENTITY) != ENTITY:
            return ""
        if options.get("incarnation") is not None:
            return INSIDE_A_LIFE
        return (
            "a position counts for each key by itself: leave the retention out, or say "
            'position_scope = "stream" if all positions come from one sequence'
        )

    def read(self, delivery: Delivery) -> Event:
        document = self._document(delivery)
        key = self._key.find(document)
        table = self.table_of(delivery)
        told_time = self._told_time(document)
        time = told_time if self._time is not None else time_of(delivery)
        position = self._position_of(document, table, key, told_time)
        if self._deleted is not None and self._deleted.says(document):
            return Event(
                DELETE,
                table,
                key,
                position,
                time=time,
                delivery=delivery,
                source=self._table,
            )
        row = self._fields.find(document)
        if type(row) is not dict:
            where = self._fields.text or "the document"
            raise Malformed(
                f"the row is missing: {where} finds {spelled(row)}, where an object must be"
            )
        return Event(
            PUT,
            table,
            key,
            position,
            agreed(row, key),
            partial=self._partial,
            time=time,
            delivery=delivery,
            source=self._table,
        )

    def _document(self, delivery: Delivery) -> Any:
        if delivery.value is None:
            raise Malformed(
                "a null value has no position, so nothing tells what it deletes: "
                f"send deletes as documents that carry {self._position.text}, "
                "or read the topic with the envelope raw, whose clock is the Kafka offset"
            )
        return strict.parse(delivery.value, limits=self.limits)

    def _position_of(
        self, document: Any, table: str, key: KeyFields, time: int | None
    ) -> ScalarPosition:
        found = self._position.find(document)
        if found is MISSING:
            raise Malformed(
                f"the position is missing: {self._position.text} finds nothing, "
                "so nothing orders the event"
            )
        kind, value = self._spelling.kind, self._spelling.value_of(found)
        lineage = self._spelling.lineage_of(value)
        entity = canonical(key) if self._per_entity else ""
        scope = scope_of(self._scope_in(table), entity, per_entity=self._per_entity)
        if self._life is None:
            return ScalarPosition(
                kind, scope, value, lineage, per_entity=self._per_entity, time=time
            )
        life_kind, life = life_at(self._life, document)
        return LifePosition(
            kind,
            scope,
            value,
            lineage,
            per_entity=True,
            time=time,
            life_kind=life_kind,
            life=life,
        )

    def _scope_in(self, table: str) -> str:
        """The name of the clock of all keys of a table."""
        return f"json:{table}{self._clock}"

    def row_clock(self, column: str, without: str) -> RowClock:
        if not self._table:
            raise ConfigurationError(
                f'adopt = "column:{column}" needs to know what the documents are versions of, '
                'whatever topic they come by: say options = { table = "...", ... }'
            )
        if self._life is not None:
            raise ConfigurationError(
                f'adopt = "column:{column}" takes the positions of rows from one column, and with '
                "the option incarnation a version counts in one life of its key, and no row tells "
                'which: say adopt = "older-than-everything", or use an empty table'
            )
        return RowClock(
            column,
            self._spelling,
            self._scope_in(self._table),
            self._per_entity,
            tuple(self._key.columns),
            without,
        )

    def _told_time(self, document: Any) -> int | None:
        """The source's own time. When the document was sent is another: the same change may be sent
        again much later."""
        if self._time is None:
            return None
        found = self._time.find(document)
        return microseconds(None if found is MISSING else found)

    def table_of(self, delivery: Delivery) -> str:
        return self._table or delivery.topic

    def source_table_of(self, delivery: Delivery) -> str:
        return self._table

    def key_of(self, delivery: Delivery) -> KeyFields | None:
        return self._key.find(self._document(delivery))


def _spelling_of(kind: str, unit: object, ranks: object, *, per_entity: bool) -> Spelling:
    """How the positions are spelled. Raises ConfigurationError."""
    if ranks is None:
        return Spelling(kind, _unit_of(kind, unit))
    spelling = Spelling(RANK, ranks=_ranks_of(ranks))
    is_spelled_twice = kind != "version" or unit is not None
    if is_spelled_twice or not per_entity:
        raise ConfigurationError(
            "the envelope option ranks says how the position is spelled, and each key goes through "
            "them by itself: leave out position_kind, unit and position_scope"
        )
    return spelling


def _unit_of(kind: str, unit: object) -> str:
    """The unit of integers that are times; "" where none is said. Raises ConfigurationError."""
    if unit is None:
        return ""
    if kind != TIMESTAMP:
        raise ConfigurationError(
            f"the envelope option unit is of times: position_kind is {kind!r}, which has none"
        )
    return chosen(unit, "unit", tuple(timestamp.NANOSECONDS))


def _ranks_of(ranks: object) -> tuple[str, ...]:
    """The ranks of a user's own status. Raises ConfigurationError."""
    is_list = isinstance(ranks, list | tuple)
    told = tuple(ranks) if isinstance(ranks, list | tuple) else ()
    are_texts = all(isinstance(rank, str) and rank for rank in told)
    if not is_list or len(told) < 2 or not are_texts or len(set(told)) < len(told):
        raise ConfigurationError(
            "the envelope option ranks must be a list of two texts or more, the first one first, "
            f'each of them once: ranks = ["queued", "sent"], not {ranks!r:.80}'
        )
    return told


def life_at(pointer: Pointer, document: Any) -> tuple[str, int | str]:
    """Which life of its entity a document is of. Raises Malformed where it does not say."""
    found = pointer.find(document)
    if found is MISSING or found is None:
        raise Malformed(
            f"the incarnation is missing: {pointer.text} finds {spelled(found)}, so nothing tells "
            "which life of its key it is of; deletes must tell it, too"
        )
    return life(found)


class Deletion:
    """How a document says that its entity is gone: a pointer to true, or a pointer and the text
    that must be there."""

    def __init__(self, option: object) -> None:
        where, equals, self._text = (
            option.partition("=") if isinstance(option, str) else (option, "", "")
        )
        self._pointer = Pointer(where, "deleted")
        self._compared = bool(equals)

    def says(self, document: Any) -> bool:
        """Does it? Raises Malformed where a flag is neither true nor false."""
        found = self._pointer.find(document)
        if found is MISSING or found is None:
            return False
        if self._compared:
            return self._text == (found if type(found) is str else canonical(found))
        if type(found) is not bool:
            raise Malformed(
                f"{self._pointer.text} is neither true nor false: {found!r:.80}; "
                f'compare it: deleted = "{self._pointer.text}=..."'
            )
        return found

"""The clock of a column in the user's own table: where a row that was there before its table was
guarded stands among the events to come.

The row is its user's word for what was true at that version. So, as with an operator's word (rules
R11), its stamp is marked: what is provably newer takes it, what is older is stale, and another
content of the very version is held, whichever came first. The event that it was made from comes as
another content, too, because a row has columns that no event names; who compares the two says so
(`as_of_row`).
"""

from __future__ import annotations

import msgspec

from anyorder._core.columns import source_of
from anyorder._core.event import PUT, Event
from anyorder._core.families.adopted_version import AdoptedVersion
from anyorder._core.families.spellings import Spelling
from anyorder._core.floor import Floor
from anyorder._core.memory import MARKED, OF_A_PUT, Memory, Stamp, adopted
from anyorder._core.position import SAME, Above, Lineage
from anyorder.errors import ConfigurationError, Malformed

OF_A_ROW = "adopted"  # stands for the fingerprint of a row that no event told
REFUSE = "refuse"
OLDER_THAN_EVERYTHING = "older-than-everything"
WORDS = (REFUSE, OLDER_THAN_EVERYTHING)
COLUMN = "column:"  # before the name of a column
replace = msgspec.structs.replace


class RowClock(msgspec.Struct, frozen=True):
    """`column`: whose values are positions, spelled so. `scope`: the events' own, without the key
    where each key counts for itself (`per_entity`). `key`: the columns of the events' keys.

    `without`: what a row is whose value is no position: "older-than-everything", or a reason to
    "refuse" its table.
    """

    column: str
    spelling: Spelling
    scope: str
    per_entity: bool
    key: tuple[str, ...]
    without: str = OLDER_THAN_EVERYTHING

    def is_told_by(self, value: object) -> bool:
        """Is a value a position?"""
        try:
            self.spelling.value_of(value)
        except Malformed:
            return False
        return True

    def memory_of(self, value: object, entity: str, floor: Floor) -> Memory:
        """What stands for a row with this value in the column. `floor`: the table's."""
        try:
            numbers = self.spelling.value_of(value)
        except Malformed:
            return adopted(floor)
        scope = scope_of(self.scope, entity, per_entity=self.per_entity)
        position = AdoptedVersion(
            self.spelling.kind,
            scope,
            numbers,
            self.spelling.lineage_of(numbers),
            per_entity=self.per_entity,
        )
        # What was forgotten may have been newer than the row; then only a person can tell.
        is_exact = position.above(floor, {}) is Above.YES
        stamp = Stamp(position, OF_A_PUT | MARKED, OF_A_ROW)
        return Memory(stamp, declared=None if is_exact else floor)

    def warning(self, table: str, rows: int, without: int, example: str) -> str:
        """What the pass over a table's `rows` has to tell a person; "" for nothing."""
        if not without:
            return ""
        return (
            f"table {table}: {without} of {rows} rows have no position in the column "
            f"{self.column} ({example}), and are older than every event"
        )


def scope_of(scope: str, entity: str, *, per_entity: bool) -> str:
    """The scope of an event of this key."""
    if not per_entity:
        return scope
    return f"{scope}/{entity}"


def column_of(adopt: str) -> str:
    """The column whose values are the positions of rows; "" where another word is said. Raises
    ConfigurationError for what is no word."""
    if adopt in WORDS:
        return ""
    column = adopt.removeprefix(COLUMN)
    if column in ("", adopt):
        raise ConfigurationError(
            f'adopt is "{REFUSE}", "{OLDER_THAN_EVERYTHING}" or "{COLUMN}NAME", not {adopt!r:.80}'
        )
    return column


def check_without(column: str, without: str) -> None:
    """Raises ConfigurationError for what cannot be said of rows whose column holds no position."""
    if without not in WORDS:
        raise ConfigurationError(
            f'adopt_without is "{REFUSE}" or "{OLDER_THAN_EVERYTHING}", not {without!r:.80}'
        )
    if not column and without != OLDER_THAN_EVERYTHING:
        raise ConfigurationError(
            f'adopt_without is of rows without a value in adopt = "{COLUMN}NAME": say that, or '
            "leave it out"
        )


def is_of_row(memory: Memory | None) -> bool:
    """Does a row still show what lay there at adoption, at a version of its own?"""
    if memory is None:
        return False
    # Of nearly every memory there is no more than its own stamp.
    stamps = [memory.stamp] if memory.is_simple else memory.stamps
    return any(isinstance(stamp.position, AdoptedVersion) for stamp in stamps)


def columns_of_row(memory: Memory | None, event: Event, lineage: Lineage) -> list[str] | None:
    """The columns that a put tells and that still show what lay there at adoption, at the put's own
    version; None where the two do not meet."""
    if memory is None or event.kind is not PUT or event.position is None:
        return None
    for stamp in memory.stamps:
        is_adopted = isinstance(stamp.position, AdoptedVersion)
        if is_adopted and event.position.compare(stamp.position, lineage) is SAME:
            return [name for name in event.fields or {} if source_of(memory, name) == stamp]
    return None


def as_of_row(event: Event) -> Event:
    """The event, known as what its adopted row shows."""
    return replace(event, fingerprint=OF_A_ROW)

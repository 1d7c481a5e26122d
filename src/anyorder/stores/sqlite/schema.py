"""What is known of one guarded table: its line in our books, and the table as the database declares
it now. A table that we made is widened by what events name; one of the user's own stays as it is,
and only the columns that events have named are ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from anyorder._core.floor import NOTHING_FORGOTTEN
from anyorder._core.key import Kinds
from anyorder._core.row_clock import OLDER_THAN_EVERYTHING, REFUSE, RowClock
from anyorder.errors import StoreError
from anyorder.guard.contract import TableSpec
from anyorder.stores.sqlite.adoption import Pass, check_column, known_pass, save_pass
from anyorder.stores.sqlite.changes import tell_emptied, tell_gone
from anyorder.stores.sqlite.declared import NOTHING_DECLARED, Declared, declared_now
from anyorder.stores.sqlite.names import folded, memory_table
from anyorder.stores.sqlite.obstacles import check_key, check_reachable, check_rows
from anyorder.stores.sqlite.values import RowRefused, Typed
from anyorder.stores.statements import LONGEST_IDENTIFIER, load_statements, quoted

SQL = load_statements("sqlite/sqlite.sql")
MOST_MISSING = 100  # names of columns that a table lacks are noted up to so many
UNKNOWN = -1  # no number of a schema: what is declared must be looked at


class Loaded(NamedTuple):
    """A table's line in our own books."""

    key_columns: str
    columns: str
    floor: str
    truncated: str | None
    created: int
    adopt: str
    missing: str


class Kept(NamedTuple):
    """What was known of a table at a savepoint."""

    key: tuple[str, ...]
    columns: list[str]
    declared: Declared
    missing: dict[str, int]
    texts: tuple[str, str]
    version: int
    joined: list[str]


class Schema:
    """See the module. `created`: we made the user's table, so we may widen it. `columns`: those
    that are ours and there. `adopts`: rows that no event explains are older than every event.
    `clock`: of the column that tells their positions, where one does.
    `joined`: those that became ours in this step, of a table that adopts. `statements`: SQL that
    was made for them."""

    def __init__(self, name: str, key: tuple[str, ...], created: bool, kinds: Kinds) -> None:
        self.name = name
        self.key = self._told_key = key
        self._kinds = kinds
        self.created = created
        self.columns: list[str] = []
        self.joined: list[str] = []
        self.declared = NOTHING_DECLARED
        self.missing: dict[str, int] = {}
        self.adopts = False
        self.clock: RowClock | None = None
        self.floor = ""
        self.statements: dict[tuple[str, ...], str] = {}
        self._text = ""
        self._missing_text = ""
        self._version = UNKNOWN
        self._is_gone = False
        self._is_told = False
        self._told_gone: list[str] = []

    @classmethod
    def open(cls, database: sqlite3.Connection, spec: TableSpec) -> Schema:
        """Find or make the table's memory and its line in our books; look at the user's table if
        there is one."""
        row = database.execute(SQL["load_table"], {"name": spec.name}).fetchone()
        if row is None:
            _begin(database, spec)
            row = database.execute(SQL["load_table"], {"name": spec.name}).fetchone()
        loaded = Loaded(*row)
        return cls(spec.name, spec.key, bool(loaded.created), spec.kinds)

    def load(self, database: sqlite3.Connection) -> Loaded:
        """Our books' line, read in this transaction: another process may have moved the floor,
        added columns, or changed the table."""
        row = database.execute(SQL["load_table"], {"name": self.name}).fetchone()
        if row is None:
            raise StoreError(f"the memory of table {self.name} has been removed from the database")
        loaded = Loaded(*row)
        self.adopts = loaded.adopt != REFUSE and not self.created
        self.clock = self._clock_of(database, loaded) if self.adopts else None
        self.floor = loaded.floor
        (version,) = database.execute(SQL["file_schema"]).fetchone()
        is_known = loaded.columns == self._text and version == self._version
        if not is_known:
            self._look(database, loaded)
            self._version = version
        if loaded.missing != self._missing_text:
            self._missing_text = loaded.missing
            self.missing = msgspec.json.decode(loaded.missing)
        return loaded

    def _clock_of(self, database: sqlite3.Connection, loaded: Loaded) -> RowClock | None:
        if loaded.adopt == OLDER_THAN_EVERYTHING:
            return None
        reached = known_pass(database, self.name)
        return None if reached is None else reached.clock

    def take_clock(self, database: sqlite3.Connection, spec: TableSpec) -> None:
        """Rows that were older than every event, and of which no event has told anything yet, take
        their positions from a column from now on, where their user says so now."""
        if spec.clock is None or self.clock is not None or not self.adopts:
            return
        check_column(database, self.name, self.declared, spec.clock)
        database.execute(SQL["save_adopt"], {"name": self.name, "adopt": spec.adopt})
        save_pass(database, self.name, Pass(spec.clock))
        self.clock = spec.clock

    def _look(self, database: sqlite3.Connection, loaded: Loaded) -> None:
        """Look at the table as it is declared now."""
        ours = msgspec.json.decode(loaded.columns)
        declared = declared_now(database, self.name)
        was_there = bool(ours) or not self.created
        # Who only asks may go on; a write is refused (`require`).
        self._is_gone = declared is None and was_there
        self._is_told = False
        self.declared = declared or NOTHING_DECLARED
        self._text = loaded.columns
        self.columns = [column for column in ours if column in self.declared.columns]
        self.key = self._told_key
        # Of a table that nobody has written yet, the key was only said, perhaps by mistake.
        is_by_events = bool(ours) or not self.created
        if not self.key and is_by_events:
            self.key = tuple(msgspec.json.decode(loaded.key_columns))
        self.statements.clear()
        if not self._is_gone and not self.created:
            check_key(database, self.name, self.key, self.declared)

    def require(self) -> None:
        """Raises StoreError if somebody dropped the table: its memory would explain rows that
        nobody has."""
        if self._is_gone:
            raise StoreError(
                f"table {self.name} is gone from the database, though the memory of its rows is "
                "there: restore it from a backup, or give its source table another target"
            )

    def tell(self, database: sqlite3.Connection) -> None:
        """Say what somebody did to the table since it was last looked at."""
        if self._is_told:
            return
        self._is_told = True
        ours = msgspec.json.decode(self._text)
        gone = [name for name in ours if name not in self.columns]
        tell_gone(self.name, set(gone).difference(self._told_gone), created=self.created)
        self._told_gone = gone
        # Of a table that no event has written yet nothing is missed.
        if ours:
            tell_emptied(database, self.name, memory_table(self.name))

    def reload(self, database: sqlite3.Connection) -> None:
        """After a change of the table: look at what is there now."""
        self._version = UNKNOWN
        self.load(database)

    def kept(self) -> Kept:
        """What is known at a savepoint."""
        texts = (self._text, self._missing_text)
        known = (self.key, self.columns, self.declared, self.missing)
        return Kept(*known, texts, self._version, self.joined)

    def put_back(self, kept: Kept) -> None:
        """After a rollback to the savepoint: the table is as it was. What an event that is refused
        told of the key is not believed either."""
        # SQL is made for the key and for what is declared, whatever columns are ours.
        if self.declared is not kept.declared or self.key != kept.key:
            self.statements.clear()
        self.key, self.columns, self.declared, self.missing = kept[:4]
        self._text, self._missing_text = kept.texts
        self._version = kept.version
        self.joined = kept.joined

    # ---- columns

    def typed(self, columns: Iterable[str]) -> dict[str, Typed]:
        """Those of these columns that may change what is written to them."""
        typed = self.declared.typed
        return {column: typed[column] for column in columns if column in typed}

    def widen(
        self, database: sqlite3.Connection, key: Mapping[str, object], named: Iterable[str]
    ) -> None:
        """Make room for columns that events name for the first time. A table of the user's own is
        left as it is. Raises RowRefused for names that the table cannot have."""
        self._check_key_names(database, key)
        known = set(self.columns)
        fresh = [column for column in dict.fromkeys([*self.key, *named]) if column not in known]
        if not fresh:
            return
        names = self.declared.names
        added: list[str] = []
        for column in fresh:
            there = names.setdefault(folded(column), column)
            if there != column:
                raise RowRefused(
                    f"column {column!r:.80} of table {self.name} differs only in case from "
                    f"{there!r:.80}, and SQLite takes both for one: rename one of them"
                )
            added += self._added(column)
        self._add(database, added)

    def widen_unwritten(self, database: sqlite3.Connection, named: Iterable[str]) -> None:
        """Make room for columns that events name whose rows were not written; those that the table
        cannot have are left out: no value is lost."""
        key = dict.fromkeys(self.key)
        # Before the first row of a table whose key nobody declared there is none to widen. And one
        # that somebody dropped is not made anew: it would be empty beside the memory of its rows,
        # and nobody would be told.
        if not key or self._is_gone:
            return
        for column in sorted(set(named).difference(self.columns)):
            if self.created or column in self.declared.columns:
                with suppress(RowRefused):
                    self.widen(database, key, [column])

    def learn_key(self, database: sqlite3.Connection, key: tuple[str, ...]) -> None:
        """The first event tells the key, where nobody declared it. Raises TableNotEmpty for rows of
        before that no event can have."""
        if self.adopts:
            check_reachable(database, self.name, self.declared, key, self._kinds)
        self.key = key

    def _check_key_names(self, database: sqlite3.Connection, key: Mapping[str, object]) -> None:
        if not self.key:
            self.learn_key(database, tuple(key))
            if not self.created:
                check_key(database, self.name, self.key, self.declared)
        if set(key) != set(self.key):
            raise RowRefused(
                f"table {self.name} has the key ({', '.join(self.key)}), "
                f"this event has ({', '.join(key)})"
            )

    def _added(self, column: str) -> list[str]:
        """The column, if it becomes ours."""
        is_there = column in self.declared.columns
        if not self.created or column in self.declared.generated:
            return [column] if is_there else []
        is_usable = 0 < len(column) <= LONGEST_IDENTIFIER and "\x00" not in column
        if not is_there and not is_usable:
            raise RowRefused(
                f"table {self.name} can have no column called {column!r:.80}: a name has 1 to "
                f"{LONGEST_IDENTIFIER} characters and no NUL"
            )
        return [column]

    def _add(self, database: sqlite3.Connection, added: Sequence[str]) -> None:
        """Columns become ours; those that are not there are made."""
        if not added:
            return
        made = [column for column in added if column not in self.declared.columns]
        self._check_number(database, made)
        table = quoted(self.name)
        if self.declared is NOTHING_DECLARED:
            names = ", ".join(map(quoted, made))
            key = ", ".join(map(quoted, self.key))
            database.execute(SQL["create_table"].format(table=table, columns=names, key=key))
        else:
            # A table of the user's own was looked at when its key was told.
            if self.created:
                check_key(database, self.name, self.key, self.declared)
            for column in made:
                database.execute(SQL["add_column"].format(table=table, column=quoted(column)))
        if self.adopts:
            # What the user added after events had named it is his own until one tells it.
            rows_may_hold = [column for column in added if column not in self.missing]
            self.joined = [*self.joined, *rows_may_hold]
        self._save(database, [*self.columns, *added])
        # Else the table itself is as it was.
        if made:
            self.reload(database)

    def _check_number(self, database: sqlite3.Connection, made: Sequence[str]) -> None:
        number = len(self.declared.names) + len(made)
        most = database.getlimit(sqlite3.SQLITE_LIMIT_COLUMN)
        if made and number > most:
            raise RowRefused(
                f"table {self.name} would have {number} columns, and SQLite's limit is {most}"
            )

    def _save(self, database: sqlite3.Connection, columns: Sequence[str]) -> None:
        # What is ours and not there at the moment stays ours: it may be put back.
        gone = [name for name in msgspec.json.decode(self._text) if name not in columns]
        self.columns = list(columns)
        self._text = msgspec.json.encode([*columns, *gone]).decode()
        database.execute(
            SQL["save_columns"],
            {
                "name": self.name,
                "columns": self._text,
                "key_columns": msgspec.json.encode(self.key).decode(),
            },
        )

    def note_missing(self, database: sqlite3.Connection, named: Mapping[str, int]) -> None:
        """Count the rows that are written without a column that events name and the table lacks.
        `named`: how many rows name each column."""
        missing = dict(self.missing)
        for column, number in named.items():
            is_there = column in self.declared.columns or column in self.key
            is_noted = column in missing or len(missing) < MOST_MISSING
            if not is_there and is_noted:
                missing[column] = missing.get(column, 0) + number
        if missing == self.missing:
            return
        self._note(missing)
        noted = {"name": self.name, "missing": self._missing_text}
        database.execute(SQL["save_missing"], noted)

    def _note(self, missing: dict[str, int]) -> None:
        self.missing, self._missing_text = missing, msgspec.json.encode(missing).decode()


def _begin(database: sqlite3.Connection, spec: TableSpec) -> None:
    """A table's first line in our books, and its memory."""
    exists = database.execute(SQL["table_exists"], {"name": spec.name}).fetchone() is not None
    if exists:
        check_rows(database, spec)
    database.execute(
        SQL["insert_table"],
        {
            "name": spec.name,
            "created": int(not exists),
            "adopt": spec.adopt,
            "key_columns": msgspec.json.encode(spec.key).decode(),
            "columns": "[]",
            "floor": msgspec.json.encode(NOTHING_FORGOTTEN).decode(),
        },
    )
    memory, index = memory_table(spec.name), quoted(f"anyorder_tombstones_{spec.name}")
    database.execute(SQL["create_memory"].format(memory=memory))
    if exists and spec.clock is not None:
        save_pass(database, spec.name, Pass(spec.clock))
    database.execute(SQL["create_memory_index"].format(memory=memory, index=index))

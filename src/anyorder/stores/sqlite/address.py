"""A SQLite URL: where the file lies, how it is opened, and what is made in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, ClassVar, Literal

import msgspec

from anyorder.guard.contract import Decode, Promises
from anyorder.stores.sqlite.connection import copy_to_look, has_schema, remains
from anyorder.stores.sqlite.names import memory_table
from anyorder.stores.sqlite.store import VERSION, SQLiteStore
from anyorder.stores.statements import load_statements, quoted
from anyorder.urls import Discreet

LARGEST_COPY = 64 * 2**20  # bytes of a database that is copied to try something


class SQLiteAddress(Discreet, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`place`: a slash and the path of a file, or nothing for a database in memory. `synchronous`:
    "full" writes through to the disk at every commit. `wait`: how long for another process's write
    lock, in seconds, for example "5s"; five minutes if nothing is said."""

    place: Annotated[str, msgspec.Meta(pattern="^(/.|$)")]
    synchronous: Literal["normal", "full"] = "normal"
    wait: Annotated[str, msgspec.Meta(pattern=r"^\d+(\.\d+)?s$")] = ""

    promises: ClassVar[Promises] = SQLiteStore.promises

    def open(self, decode: Decode | None) -> SQLiteStore:
        """The store; the file is made if it is not there."""
        patience = float(self.wait.removesuffix("s")) if self.wait else None
        return SQLiteStore(
            self.place[1:] or ":memory:",
            decode,
            self.synchronous,
            patience=patience,
        )

    def open_dry(self, decode: Decode | None) -> SQLiteStore:
        """The store, or an empty one in memory where a file would be made."""
        absent = self.missing()
        # Where it cannot be made either, opening it says so.
        if absent and Path(absent).parent.is_dir():
            return SQLiteStore(":memory:", decode, self.synchronous)
        return self.open(decode)

    def open_looking(self, decode: Decode | None) -> SQLiteStore:
        """The store, which can only be read; an empty one in memory where ours is not there."""
        if not self.is_made():
            return SQLiteStore(":memory:", decode)
        return SQLiteStore(self.place[1:], decode, looks=True)

    @contextmanager
    def copied(self, decode: Decode | None) -> Iterator[SQLiteStore | None]:
        """A copy of the file, if it is not large; an empty database where there is none."""
        path = self.place[1:]
        is_there = bool(path) and not self.missing()
        if is_there and os.path.getsize(path) > LARGEST_COPY:
            yield None
            return
        with TemporaryDirectory() as folder:
            copy = f"{folder}/copy.db"
            if is_there:
                copy_to_look(path, copy)
            with closing(SQLiteStore(copy, decode)) as store:
                yield store

    def is_made(self) -> bool:
        """Is there a file, and are our tables in it?"""
        return bool(self.place[1:]) and not self.missing() and has_schema(self.place[1:])

    def missing(self) -> str:
        """The path of a file that is not there. One of which something is left is for whoever
        opens it to tell."""
        file = Path(self.place[1:]).absolute()
        is_absent = self.place[1:] and not os.path.exists(file)
        return str(file) if is_absent and not remains(self.place[1:]) else ""

    @staticmethod
    def ddl(tables: Sequence[str]) -> str:
        """The schema, and the memories beside these tables."""
        statements = load_statements("sqlite/sqlite.sql")
        made = [statements[f"schema_{version}"] for version in range(1, VERSION + 1)]
        for table in tables:
            memory, index = memory_table(table), quoted(f"anyorder_tombstones_{table}")
            made.append(statements["create_memory"].format(memory=memory))
            made.append(statements["create_memory_index"].format(memory=memory, index=index))
        return "\n".join(made)

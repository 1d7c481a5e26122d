"""Looking through what waits for rows that somebody else moves: a hand, a trigger, a cascade, or
another process. All of it at the start, then some in each transaction."""

from __future__ import annotations

import sqlite3

from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
LOOKED_AT, LOOKED_AT_SOON = 100, 1000  # lines a batch; soon: another connection has written
EVERYTHING = 1 << 62  # lines: at the start of a run


class Looked:
    """How far one store has looked through all that waits, for rows that others have moved.

    `through`: it has looked at everything since it was opened. `after`: the last line that it
    looked at. `rounds`: how often it is to come to the end soon, since the `version` of the data
    has changed.
    """

    def __init__(self) -> None:
        self.through = False
        self.after = 0
        self.rounds = 0
        self.version = -1

    def window(self, database: sqlite3.Connection) -> dict[str, int]:
        """The lines to look at now, by their numbers."""
        limit = LOOKED_AT
        (version,) = database.execute(SQL["data_version"]).fetchone()
        # The round at hand may have passed what has moved: a whole one follows.
        if version != self.version:
            self.version, self.rounds = version, 2
        if self.rounds:
            limit = LOOKED_AT_SOON
        if not self.through:
            limit, self.after = EVERYTHING, 0
        after = self.after
        asked = {"after": after, "limit": limit}
        until, count = database.execute(SQL["waiting_until"], asked).fetchone()
        self.after = until
        # That was the end: the next look begins anew.
        if count < limit:
            self.after, self.rounds = 0, max(0, self.rounds - 1)
        # All was looked at, whatever has changed since the store was opened.
        if not self.through:
            self.through, self.rounds = True, 0
        return {"after": after, "until": until or after}

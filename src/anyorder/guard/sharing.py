"""What a store does that can decide inside a transaction of the user's own, so that what is
remembered commits together with what he writes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

from anyorder.guard.contract import Store, TableSpec, Transaction


class Shared(Protocol):
    """A block inside a transaction of the user's own."""

    @property
    def transaction(self) -> Transaction:
        """What decides in it."""

    @property
    def commits(self) -> bool:
        """Does it end with the block? Else the user ends it, and may write until then."""

    @property
    def is_open(self) -> bool:
        """False if the user has ended the transaction."""

    @property
    def changes(self) -> int:
        """Rows that the user's statements changed until now, counted from anywhere."""

    @property
    def is_followed(self) -> bool:
        """Did they change one after `watch`, before another block's turn on the connection?"""

    @property
    def is_missed(self) -> bool:
        """Did they change none, though one was tried: did the last fail, or meet no row?"""

    def flush(self) -> None:
        """What the user's own session of the database keeps for later is written now. Raises what
        it says of it."""

    def shows(self, spec: TableSpec) -> bool:
        """Has the user a table of this name? His rows may lie elsewhere."""

    def watch(self) -> None:
        """From here on the statements are the user's."""

    def mark(self) -> str:
        """A place to go back to; its name. What is marked later goes back with it."""

    def keep(self, mark: str) -> bool:
        """All since the mark stays if the block ends well, and the mark goes. False if the user has
        ended the transaction."""

    def undo(self, mark: str) -> bool:
        """All that was remembered and written since the mark is undone, and the mark goes. False if
        the user has ended the transaction."""

    def ended(self, *, keep: bool) -> None:
        """The user has ended the transaction: what followed is kept, or undone, at once."""

    def repairing(self) -> AbstractContextManager[Transaction]:
        """The user has ended the transaction: what followed is undone, and what was committed can
        be repaired in another one."""


@runtime_checkable
class Sharing(Store, Protocol):
    """A store that can decide inside a transaction of the user's own, on the user's connection."""

    def shared(self, connection: Any, now: float) -> AbstractContextManager[Shared]:
        """What is decided commits, or rolls back, together with what the user writes. A transaction
        that the user has begun is the user's to end, and to undo by a mark; else this begins and
        ends one. Raises StoreError for a connection that does not fit."""

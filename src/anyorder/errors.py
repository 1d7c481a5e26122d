"""Every exception of anyorder. The docstring is the default message; it says what to do next."""

from __future__ import annotations


class AnyorderError(Exception):
    """Something anyorder cannot go on with; the message of the subclass says what to do."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or " ".join((type(self).__doc__ or "").split()))


class ConfigurationError(AnyorderError):
    """The pipeline or the arguments contradict themselves; correct what the message names."""


class Malformed(AnyorderError):
    """A delivery cannot be decoded; it belongs in the quarantine with its bytes and this reason."""


class MissingExtra(AnyorderError):
    """An optional driver is not installed; run the `pip install` line of the message."""


class StoreError(AnyorderError):
    """The store cannot be used as it is; the message names the table or setting and what to
    change."""


class SourceError(AnyorderError):
    """The source cannot be read, or takes no acknowledgement; the message says why. Nothing is
    lost: correct that, and start again."""


class OutOfTime(AnyorderError):
    """The invocation's time ends before every record was decided; they are delivered again. Raise
    the timeout, or lower the batch size."""


class StoreBusy(StoreError):
    """Another process held the store's write lock for longer than we wait; look for a writer that
    never commits."""


class Undone(StoreError):
    """The database undid the whole transaction, or refused to commit it, because of one of its
    rows; take the records in smaller parts to find which.

    `waits`: it may be taken later, a constraint on other rows refused it; else never as it is.
    `keys`: table and entity of those that are refused for certain, as far as the store can tell.
    """

    def __init__(
        self,
        message: str = "",
        *,
        waits: bool = False,
        keys: frozenset[tuple[str, str]] = frozenset(),
    ) -> None:
        super().__init__(message)
        self.waits = waits
        self.keys = keys


class TableNotEmpty(StoreError):
    """The table has rows that no event explains; say adopt="older-than-everything", or use an empty
    table."""


class QuarantineFull(AnyorderError):
    """The quarantine reached its size limit; settle entries (`anyorder quarantine list`) or raise
    the limit, then run again."""


class TooManyQuarantined(AnyorderError):
    """Most of the latest deliveries went to the quarantine, so the pipeline stopped; look at
    `anyorder quarantine list` first."""


class BooksUnbalanced(AnyorderError):
    """Deliveries read are not applied + ignored + quarantined. This is a bug in anyorder: nothing
    was committed, please report it."""


class PositionTooLarge(AnyorderError):
    """A position does not fit the order-preserving encoding; it is refused rather than cut
    short."""


class NotReapable(AnyorderError):
    """Tombstones of this table may not be forgotten: its clocks do not compare across keys; remove
    the retention, or say position_scope = "stream" of documents whose positions come from one
    sequence."""

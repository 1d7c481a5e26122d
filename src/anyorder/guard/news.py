"""What other writers did while a batch was decided, where rows and quarantine are not one step.

Two writers can miss each other: one moves a key while the other puts an event of it into the
quarantine, or writes a row that the other's truncate has swept past. The store says what may have
been missed (`contract.News`); here it is decided again.
"""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.batch import Settled
from anyorder._core.event import Event, Kind
from anyorder._core.fold import Limits
from anyorder.errors import StoreBusy
from anyorder.guard.batch import reconsider_keys
from anyorder.guard.contract import News, TableSpec, Transaction
from anyorder.guard.truncates import swept

# A round is over in the time of a few requests. Who is still disturbed after so many of them gives
# up loudly, and the batch is delivered again: it must not be called done.
ROUNDS = 20


def hear(transaction: Transaction, specs: Sequence[TableSpec], token: str) -> list[Settled]:
    """Decide again what other writers moved meanwhile, until they did nothing more; then sweep the
    rows that were written past a truncate. The entries that closed.

    Raises StoreBusy if the others never leave it alone.
    """
    closed: list[Settled] = []
    # Where a batch is one transaction, nobody did anything meanwhile.
    if transaction.atomic:
        return closed
    tables = {spec.name: spec for spec in specs}

    # It ends: a store tells each move once, and after the first round a key is in the news only
    # because deciding it again moved it, or another writer did, each time forward.
    for _ in range(ROUNDS):
        told = {name: transaction.news(spec) for name, spec in tables.items()}
        moved = {name: news.again for name, news in told.items() if news.again}
        if not moved:
            # Last, since what is decided again is written, and may be written past a truncate too.
            for name, news in told.items():
                _sweep(transaction, tables[name], news)
            return closed
        for name, entities in moved.items():
            spec = tables[name]
            # Opened again: the floor and the truncate may be what the others have moved.
            limits = transaction.open_table(spec)
            closed += reconsider_keys(transaction, spec, entities, limits, token)
    raise StoreBusy(
        f"table {', '.join(moved)}: other writers moved what this batch decided {ROUNDS} times; "
        "deliver it again"
    )


def _sweep(transaction: Transaction, spec: TableSpec, news: News) -> None:
    """What the table's greatest truncate leaves of the rows that this batch saw (rules R10).

    A row that somebody else moves meanwhile is left to that writer, who hears of the truncate too.
    """
    truncated = news.limits.truncated
    # Most tables are never truncated.
    if truncated is None:
        return
    # Only its place counts: the truncate itself was decided long ago.
    event = Event(Kind.TRUNCATE, spec.name, None, truncated.position)
    writes = swept(news.seen, event, Limits(lineage=news.limits.lineage))
    # Without a token: what is swept twice is the same.
    if writes:
        transaction.write(spec, writes, Limits(), "")

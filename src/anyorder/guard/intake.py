"""One batch of deliveries for any number of tables, decided and written in one transaction together
with the frontier.

Order matters once: snapshot runs first, since they part a log into epochs (rules R14); then
suspicion of a reset (R13); then what belongs to no table; then each table by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from anyorder._core.batch import Arrival, Decision, Judged, Settled, arrivals_of, replace
from anyorder._core.event import Event
from anyorder.errors import BooksUnbalanced
from anyorder.guard.batch import apply
from anyorder.guard.clocks import learn_runs, screen
from anyorder.guard.contract import TableSpec, Transaction
from anyorder.guard.news import hear
from anyorder.guard.settle import settle_without_rows
from anyorder.guard.waiting import Settling


class Share(NamedTuple):
    """One table's deliveries in a batch. `refused`: given to it too, but not its own; judged."""

    spec: TableSpec
    events: Sequence[Event]
    refused: Sequence[Judged] = ()


class Taken(NamedTuple):
    """A decision a delivery, in the order of the shares and their events, then of what belongs to
    no table or was refused; and the quarantine entries that settled by themselves."""

    decisions: list[Decision]
    closed: list[Settled]


class Numbered(NamedTuple):
    """A batch whose deliveries have numbers: one after the other through all its `tables`."""

    arrivals: list[Arrival]
    tables: list[tuple[TableSpec, list[Arrival]]]


def take_in(
    transaction: Transaction,
    shares: Sequence[Share],
    loose: Sequence[Judged],
    token: str,
    provenance: str = "",
    *,
    settles: bool = True,
) -> Taken:
    """Decide and write a batch inside a transaction that somebody else commits.

    `loose`: deliveries that belong to no table, already judged. `token`: this attempt's.
    `provenance`: source and envelope of all these deliveries, which entries keep. `settles`: what
    is held is decided again: of keys that move, and what the store refused before. Raises
    BooksUnbalanced.
    """
    batch = number(shares)

    # What a batch tells of its clocks counts for all of its events, whichever came first: a run
    # parts a log into epochs (rules R14), and a clock that started again is not believed (R13).
    reconsider = learn_runs(transaction, batch.arrivals) and settles
    suspected = screen(transaction, batch.arrivals)

    # What belongs to no table, or to another, has numbers too, behind all others.
    numbers = itertools.count(len(batch.arrivals))
    decisions: dict[int, Decision] = {}
    for spec, judged in _without_rows(shares, loose):
        others = [replace(one, number=next(numbers)) for one in judged]
        decisions |= settle_without_rows(transaction, spec, others, provenance)
    closed: list[Settled] = []
    # All are known before the first is written: what goes takes no row of a guarded table along.
    for spec, _ in batch.tables[1:]:
        transaction.open_table(spec)
    for spec, arrivals in batch.tables:
        settlement = apply(
            transaction,
            spec,
            arrivals,
            token,
            provenance,
            reconsider=reconsider,
            suspected=suspected,
            settles=settles,
        )
        decisions |= settlement.decisions
        closed += settlement.closed

    # Every delivery ends in exactly one outcome (rules R1). Where a batch is one
    # transaction, nothing is committed before this holds.
    expected = range(next(numbers))
    if sorted(decisions) != list(expected):
        raise BooksUnbalanced
    specs = {spec.name: spec for spec, _ in batch.tables}
    # Where the caller's own SQL writes the rows, it does so after this.
    if settles and all(spec.writes_rows for spec in specs.values()):
        settling = Settling(transaction, token, specs)
        # A snapshot run is known of a whole log (rules R14), which may tell of every table.
        if reconsider:
            closed += settling.reconsider(but=specs)
        closed += settling.run()
    closed += hear(transaction, list(specs.values()), token)
    return Taken([decisions[index] for index in expected], closed)


def _without_rows(
    shares: Sequence[Share],
    loose: Sequence[Judged],
) -> Iterator[tuple[TableSpec | None, Sequence[Judged]]]:
    """What writes no row, with the table whose quarantine keeps it."""
    yield None, loose
    for share in shares:
        yield share.spec, share.refused


def together(parts: Sequence[Taken]) -> Taken:
    """The books of several parts as one."""
    whole = Taken([], [])
    for part in parts:
        whole.decisions.extend(part.decisions)
        whole.closed.extend(part.closed)
    return whole


def number(shares: Sequence[Share]) -> Numbered:
    """Number the deliveries of a batch."""
    batch = Numbered(arrivals=[], tables=[])
    for spec, events, _ in shares:
        arrivals = arrivals_of(events, len(batch.arrivals))
        batch.arrivals.extend(arrivals)
        batch.tables.append((spec, arrivals))
    return batch

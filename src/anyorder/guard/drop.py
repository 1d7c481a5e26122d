"""An entry that a person drops: nothing of it is written."""

from __future__ import annotations

import msgspec

from anyorder._core.event import DELETE, PUT, Event
from anyorder._core.outcome import Reason
from anyorder._core.word import is_tied
from anyorder.guard.answered import Kept
from anyorder.guard.choice import Choice
from anyorder.guard.contract import Decode, Entry, TableSpec, Transaction
from anyorder.guard.holdings import is_dispute
from anyorder.guard.news import hear
from anyorder.guard.own_sql import is_by_own_sql
from anyorder.guard.recall import recall_one
from anyorder.guard.targets import listed
from anyorder.guard.word import Words

replace = msgspec.structs.replace


def drop(
    transaction: Transaction,
    spec: TableSpec,
    entry: Entry,
    decode: Decode,
    token: str,
    *,
    settles: bool = True,
) -> str:
    """Close an open entry; of a dispute, what is shown is chosen (rules R11). `settles`: what else
    is held of its key is decided again. What happened, as a sentence. Raises ConfigurationError if
    another writer moves the key."""
    choice = Choice(entry, decode)
    event = _disputing(transaction, spec, choice)
    # What is in no dispute is refused, and nothing else is said of the row.
    if event is None:
        transaction.settle(
            entry.id,
            "dropped",
            Reason.DUPLICATE,
        )
        return f"entry {entry.id} is dropped"
    # The caller's own SQL writes its rows; a word that writes none is no different there.
    spec = replace(
        spec,
        writes_rows=not is_by_own_sql(entry.provenance),
    )
    word = Words(transaction, spec, token, settles=settles).refuse(Kept(entry, event))
    if settles:
        hear(transaction, [spec], token)
    said = f"entry {entry.id} is dropped: what is shown stays."
    # What was held alone is told by the entry itself.
    if not entry.contents:
        return said
    return f"{said} {choice.text(word.chose)}"


def _disputing(transaction: Transaction, spec: TableSpec, choice: Choice) -> Event | None:
    """An event of the entry, if another content of its position is shown; else None."""
    entry = choice.entry
    # What no table has taken shows nothing.
    if not entry.table or entry.reason == Reason.UNROUTED:
        return None
    event = choice.any_event()
    if event is None or is_dispute(entry):
        return event
    return event if _is_tied(transaction, spec, event) else None


def _is_tied(transaction: Transaction, spec: TableSpec, event: Event) -> bool:
    """Would it dispute what is shown, if the store took it?"""
    is_known = listed(transaction, spec.name) is not None
    # What cannot be decoded, and a truncate, are of no row.
    if event.kind not in (PUT, DELETE) or not is_known:
        return False
    limits = transaction.open_table(spec)
    there = recall_one(transaction, spec, event.entity)
    return is_tied(
        there.memory,
        event,
        there.limits or limits,
    )

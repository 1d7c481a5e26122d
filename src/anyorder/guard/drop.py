"""An entry that a person drops: nothing of it is written."""

from __future__ import annotations

import msgspec

from anyorder._core.outcome import Reason
from anyorder.guard.answered import Kept
from anyorder.guard.choice import Choice
from anyorder.guard.contract import Decode, Entry, TableSpec, Transaction
from anyorder.guard.holdings import is_dispute
from anyorder.guard.news import hear
from anyorder.guard.own_sql import is_by_own_sql
from anyorder.guard.word import Words

replace = msgspec.structs.replace


def drop(
    transaction: Transaction,
    spec: TableSpec,
    entry: Entry,
    decode: Decode,
    token: str,
) -> str:
    """Close an open entry; of a dispute, what is shown is chosen (rules R11). What happened, as a
    sentence. Raises ConfigurationError if another writer moves the key."""
    choice = Choice(entry, decode)
    event = choice.any_event() if is_dispute(entry) else None
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
    word = Words(transaction, spec, token).refuse(Kept(entry, event))
    hear(transaction, [spec], token)
    return f"entry {entry.id} is dropped: what is shown stays. {choice.text(word.chose)}"

"""What `doctor` says of keys that are of another kind than their column: those that are held, and
those under which a row is left from before another kind was declared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from anyorder._core.event import canonical
from anyorder._core.key import KeyKind, Kinds
from anyorder._core.memory import Memory
from anyorder._core.misfit import other_kinds
from anyorder._core.outcome import Reason
from anyorder.guard.contract import EntryQuery, Finding, TableSpec, Transaction

Other = tuple[str, KeyKind, KeyKind]
"""A key column, the kind that it is of, and the one that a key has."""


def held_kinds(spec: TableSpec, transaction: Transaction, kinds: Kinds) -> Iterator[Finding]:
    """Keys of another kind than their column's, once for all open entries that have them. `kinds`:
    all that is known of the table."""
    found: Counter[Other] = Counter()
    query = EntryQuery(table=spec.name, reason=Reason.MALFORMED)
    for entry in transaction.entries(query):
        if isinstance(entry.key, dict):
            found.update(other_kinds(entry.key, kinds))
    dictated = transaction.key_kinds(spec)
    for other, number in sorted(found.items()):
        column, kind, told = other
        # A line in the pipeline changes nothing of what the column says itself.
        if column in dictated:
            to_do = "mend the producer, or the type of its column; " + RETRY_OR_DROP
        elif column in spec.kinds:
            to_do = f"mend the producer: {column} is a {kind}, as declared; " + RETRY_OR_DROP
        else:
            to_do = _undeclared(other)
        yield (
            spec.name,
            f"the key column {column} is a {kind}, and {number} open entries have a {told}",
            to_do,
        )


RETRY_OR_DROP = "what has come again with the right key can be dropped"


def _undeclared(other: Other) -> str:
    column, kind, told = other
    declared = f'kinds = {{ {column} = "{told}" }}'
    # Without its schema a decimal is the text of its bytes.
    schemas = ""
    if (kind, told) == (KeyKind.TEXT, KeyKind.NUMBER):
        schemas = "if decimals come with schemas only now, their keys of before are base64; "
    return f"mend the producer; {schemas}or declare {declared}, then anyorder quarantine retry"


class Strays:
    """The memories of one table whose keys are of another kind than its `kinds`: no event reaches
    them any more."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._rows: Counter[Other] = Counter()
        self._examples: dict[Other, str] = {}

    def look(
        self,
        spec: TableSpec,
        transaction: Transaction,
        key: Mapping[str, object],
        memory: Memory,
    ) -> None:
        """Is it one?"""
        others = other_kinds(key, self._kinds)
        # A tombstone has no row that a person would have to look after.
        if not others or not memory.live:
            return
        if transaction.content(spec, key) is None:
            return
        self._rows.update(others)
        for other in others:
            self._examples.setdefault(other, canonical(key))

    def findings(self, table: str) -> Iterator[Finding]:
        """What a person is to do with their rows."""
        for other, number in sorted(self._rows.items()):
            column, kind, told = other
            rows = "1 row is" if number == 1 else f"{number} rows are"
            example = self._examples[other]
            yield (
                table,
                f"the key column {column} is a {kind} now, and {rows} left under a {told} of "
                f"before: {example}",
                f"no event reaches them: anyorder why {table} '{example}' shows one. Delete these "
                f"rows with your own SQL once their keys were told again as a {kind}",
            )

"""`anyorder doctor`: look for trouble in a pipeline's store, and say what to do."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from contextlib import closing

from anyorder._core.columns import holes
from anyorder._core.outcome import REASONS, Reason
from anyorder.cli.kinds import Strays, held_kinds
from anyorder.cli.main import Parser
from anyorder.cli.output import add_formats, print_rows
from anyorder.cli.resets import resets
from anyorder.cli.terminal import note
from anyorder.guard.contract import (
    Catalogued,
    EntryQuery,
    Store,
    TableFacts,
    TableSpec,
    Transaction,
)
from anyorder.guard.duration import spelled
from anyorder.guard.kinds import known_kinds
from anyorder.guard.owners import origin
from anyorder.runtime.pipeline import Pipeline, load_pipeline

EXAMPLES = 3
RANKS = (
    "positions are ranks ({}): two events of one rank tie, one that goes back is stale, and a life "
    "that begins again needs the option incarnation"
)


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_option("--pipeline", "the pipeline file", default=None)
    add_formats(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if there is a finding."""
    pipeline = load_pipeline(options.pipeline)
    with closing(pipeline.existing_store()) as store, store.reading() as transaction:
        rows = [
            {"where": where, "finding": finding, "what to do": to_do}
            for where, finding, to_do in findings(pipeline, store, transaction)
        ]
        targets = transaction.catalogue()
    print_rows(rows, options, "nothing found")
    # For people only: it is no finding.
    if options.format == "table":
        for target in targets:
            if target.known.sources:
                note(f"{target.name} is kept from {origin(target.known)}")
        if "ranks" in pipeline.envelope.options:
            note(RANKS.format(" < ".join(pipeline.envelope.options["ranks"])))
    return int(bool(rows))


def findings(
    pipeline: Pipeline, store: Store, transaction: Transaction
) -> Iterator[tuple[str, str, str]]:
    """(where, what, what to do) of everything that needs a person."""
    held = list(transaction.entries(EntryQuery()))
    open_entries = Counter((entry.table, entry.reason) for entry in held)
    for (table, reason), number in sorted(open_entries.items()):
        yield (
            table or "no table",
            f"{number} open in quarantine: {reason}",
            REASONS[Reason(reason)].to_do,
        )
    yield from resets(transaction, held)
    catalogue = pipeline.routing.catalogue(transaction)
    for target in catalogue.unnamed:
        yield from _unnamed(target)
    tables = list(transaction.tables())
    columns = {column for facts in tables for column in facts.key}
    for facts in tables:
        spec = catalogue.spec_of(facts.name) or TableSpec(facts.name, facts.key)
        yield from store.check(spec)
        yield from _contradicted(spec, transaction, columns)
        kinds = known_kinds(transaction, spec)
        yield from held_kinds(spec, transaction, kinds)
        strays = Strays(kinds)
        yield from _table(spec, transaction, facts, strays)
        yield from strays.findings(spec.name)


def _contradicted(
    spec: TableSpec, transaction: Transaction, columns: set[str]
) -> Iterator[tuple[str, str, str]]:
    """Declared kinds that count for nothing. `columns`: those of every key, since one [[table]] may
    declare the kinds of many tables."""
    dictated = transaction.key_kinds(spec)
    for column, kind in spec.kinds.items():
        if dictated.get(column, kind) is not kind:
            yield (
                spec.name,
                f"kinds says {column} is a {kind}, and the table's own column a {dictated[column]}",
                "the column counts: take the line away, or change the column's type",
            )
    unknown = sorted(spec.kinds.keys() - columns)
    if columns and unknown:
        yield (
            spec.name,
            f"kinds names {', '.join(unknown)}, which no key has as a column",
            "name a column of the key there, or take it away",
        )


def _unnamed(target: Catalogued) -> Iterator[tuple[str, str, str]]:
    """A target that no section leads to. One that the user's own code declares is not missed."""
    recorded = target.recorded
    if recorded is None:
        yield (
            target.name,
            "no source table is recorded for it, so its tombstones are kept for ever",
            "nothing: its next event says which [[table]] counts",
        )
    elif recorded.topics:
        retention, source = spelled(recorded.retention), ", ".join(recorded.sources) or "not named"
        yield (
            target.name,
            f"no [[table]] names it now: its retention stays {retention}, as recorded",
            f"write a [[table]] for its source table ({source}), or let it be",
        )


def _table(
    spec: TableSpec, transaction: Transaction, facts: TableFacts, strays: Strays
) -> Iterator[tuple[str, str, str]]:
    unconfirmed, incomplete, disputed = 0, 0, 0
    examples: list[str] = []
    columns = set(facts.columns) - set(facts.key)
    for entity, key, memory in transaction.memories(spec):
        strays.look(spec, transaction, key, memory)
        incomplete += bool(holes(memory, columns))
        disputed += bool(memory.disputed)
        if memory.live and not memory.stamp.position.is_of_latest_epoch(facts.limits.lineage):
            unconfirmed += 1
            examples += [entity] if len(examples) < EXAMPLES else []
    if facts.rows != facts.live:
        yield (
            facts.name,
            f"{facts.rows} rows, but {facts.live} are remembered as live",
            "adopted rows that no event has touched: nothing; else find who else writes this table",
        )
    if unconfirmed:
        finding = (
            f"{unconfirmed} rows were not in the latest snapshot of their source: "
            f"{', '.join(examples)}{', ...' if unconfirmed > EXAMPLES else ''}"
        )
        yield (
            facts.name,
            finding,
            "they may have been deleted while nobody listened: look them up at the source",
        )
    if incomplete:
        yield (
            facts.name,
            f"{incomplete} rows are incomplete",
            "anyorder incomplete lists them; a full update of the row fills it",
        )
    if disputed:
        yield (
            facts.name,
            f"{disputed} rows are disputed",
            "anyorder quarantine list --reason conflict",
        )

"""`anyorder incomplete`: rows with values that no delivered event has told yet."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing

from anyorder._core.columns import holes
from anyorder.cli.main import Parser
from anyorder.cli.output import add_formats, print_rows
from anyorder.guard.contract import Transaction
from anyorder.runtime.pipeline import Pipeline, load_pipeline


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_option("--pipeline", "the pipeline file", default=None)
    parser.add_argument("--table", default="", help="only this table")
    add_formats(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if there is such a row."""
    pipeline = load_pipeline(options.pipeline)
    with closing(pipeline.existing_store()) as store, store.reading() as transaction:
        rows = list(holed(pipeline, transaction, options.table))
    print_rows(rows, options, "no row is incomplete")
    return int(bool(rows))


def holed(pipeline: Pipeline, transaction: Transaction, table: str) -> Iterator[dict[str, object]]:
    """Every incomplete row of a table, or of all if it is empty; scripts rely on table, key and
    holes."""
    catalogue = pipeline.routing.catalogue(transaction)
    for facts in transaction.tables():
        spec = catalogue.spec_of(facts.name)
        if spec is None or table not in ("", facts.name):
            continue
        columns = set(facts.columns) - set(facts.key)
        for _, key, memory in transaction.memories(spec):
            if missing := holes(memory, columns):
                yield {"table": facts.name, "key": key, "holes": missing}

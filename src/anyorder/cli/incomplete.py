"""`anyorder incomplete`: rows with values that no delivered event has told yet."""

from __future__ import annotations

import argparse

from anyorder.cli.main import Parser
from anyorder.cli.output import add_formats, print_rows
from anyorder.runtime.pipeline import load_pipeline


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_option("--pipeline", "the pipeline file", default=None)
    parser.add_argument("--table", default="", help="only this table")
    add_formats(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if there is such a row."""
    pipeline = load_pipeline(options.pipeline)
    store = pipeline.open_store()
    rows = []
    with store.reading() as transaction:
        for facts in transaction.tables():
            if options.table in ("", facts.name):
                columns = set(facts.columns) - set(facts.key)
                for _, key, memory in transaction.memories(pipeline.spec_named(facts.name, facts.key)):
                    if holes := memory.holes(columns):
                        rows.append({"table": facts.name, "key": key, "holes": holes})
    store.close()
    print_rows(rows, options, "no row is incomplete")
    return int(bool(rows))

"""`anyorder schema`: the DDL of our own tables, printed or applied."""

from __future__ import annotations

import argparse

from anyorder.cli.main import Parser
from anyorder.errors import ConfigurationError
from anyorder.runtime.pipeline import load_pipeline
from anyorder.stores.sqlite.rows import memory_table
from anyorder.stores.statements import load_statements, quoted


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "act",
        nargs="?",
        choices=["print", "apply"],
        default="print",
        help="print the statements (default), or run them on the store",
    )
    parser.add_argument(
        "--table",
        action="append",
        default=[],
        help="also the memory beside this table (may be repeated)",
    )
    parser.add_option("--pipeline", "the pipeline file", default=None)


def run(options: argparse.Namespace) -> int:
    """Exit code 0."""
    pipeline = load_pipeline(options.pipeline)
    if not pipeline.url.startswith("sqlite:"):
        raise ConfigurationError(f"this store has no DDL: {pipeline.url}")
    if options.act == "apply":
        pipeline.open_store().close()
        print("applied: the schema is there")
        return 0
    statements = load_statements("sqlite/sqlite.sql")
    print(statements["schema_1"])
    for table in options.table:
        print(statements["create_memory"].format(memory=memory_table(table)))
        print(
            statements["create_memory_index"].format(
                memory=memory_table(table), index=quoted(f"anyorder_tombstones_{table}")
            )
        )
    return 0

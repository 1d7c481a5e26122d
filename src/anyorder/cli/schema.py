"""`anyorder schema`: the DDL of our own tables, printed or applied."""

from __future__ import annotations

import argparse

from anyorder.cli.main import Parser
from anyorder.cli.output import indented
from anyorder.cli.terminal import note, say
from anyorder.errors import ConfigurationError
from anyorder.runtime.pipeline import load_pipeline
from anyorder.runtime.schema import schema
from anyorder.stores import ddl_of
from anyorder.urls import shown


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "act",
        nargs="?",
        choices=["print", "apply", "pipeline"],
        default="print",
        help="print the statements (default), or run them on the store; pipeline: print the JSON "
        "schema of a pipeline file, for editors",
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
    if options.act == "pipeline":
        say(indented(schema()))
        return 0
    pipeline = load_pipeline(options.pipeline)
    ddl = ddl_of(pipeline.url, options.table)
    if ddl is None:
        raise ConfigurationError(f"this store has no DDL: {shown(pipeline.url)}")
    if options.act == "apply":
        pipeline.open_store().close()
        note("applied: the schema is there")
        return 0
    say(ddl)
    return 0

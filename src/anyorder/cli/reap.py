"""`anyorder reap`: forget tombstones older than their table's retention. Safe at any moment, for
any retention."""

from __future__ import annotations

import argparse
import time
from contextlib import closing

from anyorder.cli.main import Parser
from anyorder.cli.output import add_formats, print_rows
from anyorder.cli.terminal import is_quiet
from anyorder.guard.duration import spelled
from anyorder.guard.forgetting import forget
from anyorder.runtime.pipeline import load_pipeline


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_option("--pipeline", "the pipeline file", default=None)
    add_formats(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0."""
    pipeline = load_pipeline(options.pipeline)
    rows = []
    with closing(pipeline.existing_store()) as store:
        with store.reading() as transaction:
            catalogue = pipeline.routing.catalogue(transaction)
            tombstones = {facts.name: facts.tombstones for facts in transaction.tables()}
        for spec in catalogue.specs():
            gone = forget(store, spec, time.time())
            rows.append(
                {
                    "table": spec.name,
                    "retention": spelled(spec.retention),
                    "forgotten": gone,
                    "tombstones": tombstones.get(spec.name, 0) - gone,
                }
            )
    # What was forgotten is what it is for: nobody has to read it.
    if not (is_quiet() and options.format == "table"):
        print_rows(rows, options, "no guarded table yet")
    return 0

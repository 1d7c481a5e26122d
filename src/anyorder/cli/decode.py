"""`anyorder decode FILE`: what is in these bytes, and each field's role."""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path

from anyorder.cli.main import Parser
from anyorder.cli.output import add_formats, print_rows
from anyorder.envelopes import detect, read_record
from anyorder.errors import ConfigurationError, Malformed
from anyorder.sources.jsonl import JSONLinesSource


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "file", help="records as JSON lines (.gz, .xz), or one payload; - is standard input"
    )
    parser.add_option("--count", "how many records to look at", type=int, default=1)
    add_formats(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if a record is of no known format."""
    if options.file != "-" and not Path(options.file).exists():
        raise ConfigurationError(f"cannot read {options.file}: it does not exist")
    unknown = 0
    for line in islice(JSONLinesSource(options.file).lines(), options.count):
        if line.note:
            raise Malformed(f"line {line.number}: {line.note}")
        found = detect(read_record(line.text))
        unknown += not found.format
        if options.format == "table":
            print(f"{found.format or 'unknown'}: {found.why}", file=sys.stdout)
        print_rows(
            [{"field": role.field, "role": role.role, "value": role.value} for role in found.roles],
            options,
            "no field has a role",
        )
    return int(unknown > 0)

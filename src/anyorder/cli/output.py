"""Rows for people (a table), or for scripts: `--json`, `--nl`, `--csv`. The same for every verb."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Mapping, Sequence

import msgspec

from anyorder.cli.main import Parser
from anyorder.cli.terminal import note, printable, printable_json, say

WIDEST = 60  # characters of a cell on a terminal, the last one apart; else it is shown whole


def add_formats(parser: Parser) -> None:
    """The three output options."""
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--json",
        action="store_const",
        const="json",
        dest="format",
        help="one JSON array (one object where there is one answer)",
    )
    formats.add_argument(
        "--nl", action="store_const", const="nl", dest="format", help="one JSON object a line"
    )
    formats.add_argument(
        "--csv",
        action="store_const",
        const="csv",
        dest="format",
        help="comma-separated values with a header line",
    )
    parser.set_defaults(format="table")


def print_rows(
    rows: Sequence[Mapping[str, object]], options: argparse.Namespace, empty: str = "nothing"
) -> None:
    """Rows in the format asked for; `empty` is what people read when there are none."""
    match options.format:
        case "json":
            say(encoded(rows))
        case "nl":
            for row in rows:
                say(encoded(row))
        case "csv":
            say(_csv(rows), end="")
        case _ if rows:
            _say_table(rows)
        case _:
            note(empty)


def encoded(value: object) -> str:
    """JSON on one line, integers and decimals exact."""
    encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=str)
    return printable_json(encoder.encode(value).decode())


def indented(value: object) -> str:
    """JSON over many lines, for a file that people look into."""
    return msgspec.json.format(encoded(value)).rstrip()


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else encoded(value)


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    if rows:
        writer.writerow(rows[0])
    writer.writerows([_text(value) for value in row.values()] for row in rows)
    return stream.getvalue()


def _say_table(rows: Sequence[Mapping[str, object]]) -> None:
    cells = [[_one_line(_text(value)) for value in row.values()] for row in rows]
    if sys.stdout.isatty():
        cells = [[*map(_cut, row[:-1]), row[-1]] for row in cells]
    header = list(rows[0])
    widths = [
        max(len(name), *(len(row[place]) for row in cells)) for place, name in enumerate(header)
    ]
    line = "  ".join(name.ljust(width) for name, width in zip(header, widths, strict=True)).rstrip()
    body = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    say("\n".join(body), heading=line)


def _one_line(text: str) -> str:
    return printable(text.replace("\n", " "))


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"

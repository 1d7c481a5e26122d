"""`anyorder decode FILE`: what is in these bytes, and each field's role."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from anyorder._core.event import Delivery
from anyorder.cli.main import Parser
from anyorder.cli.output import add_formats, print_rows
from anyorder.cli.terminal import note, say, tell_typing
from anyorder.envelopes import detect, read_record
from anyorder.envelopes.detect import Detected
from anyorder.envelopes.dialects import tool_of
from anyorder.errors import ConfigurationError, Malformed
from anyorder.sources.jsonl import JSONLinesSource
from anyorder.sources.lines import Line

READ_SO = "it is read so, with a name of your own for table, and every column of its key in key"
MOST = 1_000_000  # records of one look
LARGEST_LINE = 64 * 1024 * 1024  # bytes of a payload that lies over several lines


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "file", help="records as JSON lines (.gz, .xz), or one payload; - is standard input"
    )
    parser.add_option("--count", "how many records to look at", type=how_many, default=1)
    add_formats(parser)


def how_many(text: str) -> int:
    """A number of records. Raises ArgumentTypeError for less than one, and for what no file has."""
    if not text.isdecimal() or not 1 <= int(text[:19]) <= MOST:
        raise argparse.ArgumentTypeError(f"a whole number of records, 1 to {MOST}, not {text!r}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if a record is of no known format."""
    if options.file != "-" and not Path(options.file).exists():
        raise ConfigurationError(f"cannot read {options.file}: it does not exist")
    tell_typing(options.file)
    unknown = 0
    listed: list[dict[str, object]] = []
    looked = islice(deliveries(JSONLinesSource(options.file)), options.count)
    try:
        for number, (tool, delivery) in enumerate(looked, 1):
            found = detect(delivery)
            unknown += not found.format
            if options.format == "table":
                _tell(tool, found, options)
            else:
                listed += _roles(found, {"record": number} if options.count > 1 else {})
    finally:
        # one answer of however many records, also where one of them cannot be read
        if options.format != "table":
            print_rows(listed, options)
    return int(unknown > 0)


def _tell(tool: str, found: Detected, options: argparse.Namespace) -> None:
    """What a record is, to a person."""
    say(f"{tool}{found.format or 'unknown'}: {found.why}")
    if found.advice:
        note(f"{READ_SO}:\n[source]\n{found.advice}")
    print_rows(_roles(found, {}), options, "no field has a role")


def _roles(found: Detected, of: dict[str, object]) -> list[dict[str, object]]:
    """A row for each field; `of` says of which record, where there are several."""
    return [
        {**of, "field": role.field, "role": role.role, "value": role.value} for role in found.roles
    ]


def deliveries(source: JSONLinesSource) -> Iterator[tuple[str, Delivery]]:
    """What is told of its tool, and a record: one a line, or the one payload that lies over all of
    them. Raises Malformed with the line."""
    lines = source.lines()
    for line in lines:
        tool = tool_of(line.text)
        try:
            yield f"a record of {tool}, in it " if tool else "", source.read(line)
        except Malformed as error:
            yield "", _otherwise(line, lines, error)


def _otherwise(line: Line, others: Iterator[Line], error: Malformed) -> Delivery:
    """What is no record: one payload over many lines, or bytes that are no text. Raises Malformed
    with the line."""
    if line.number == 1 and not line.note:
        if line.text[:1] == b"\0":
            return Delivery(value=line.text)
        whole = _over_all(line, others)
        if whole is not None:
            return whole
    raise Malformed(f"line {line.number}: {error}") from error


def _over_all(first: Line, others: Iterator[Line]) -> Delivery | None:
    """A payload over several lines, as a person prints it; None if they are none together."""
    parts, size = [first.text], 0
    for line in others:
        parts.append(line.text)
        size += len(line.text)
        if size > LARGEST_LINE:
            return None
    try:
        return read_record(b"\n".join(parts))
    except Malformed:
        return None

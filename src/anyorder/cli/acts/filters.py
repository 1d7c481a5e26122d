"""Which entries a person means: by filters, or by ids from standard input."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

import msgspec

from anyorder._core.outcome import Reason, reason_named
from anyorder.cli.acts.asked import LONGEST_NUMBER, Asked
from anyorder.cli.acts.selection import Selection
from anyorder.cli.main import Parser, word
from anyorder.cli.why import readings
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Entry, EntryQuery
from anyorder.guard.duration import seconds

STANDARD_INPUT = "-"


class Named(msgspec.Struct):
    """A line of `list --nl`, as far as it names an entry."""

    id: int


class Found(msgspec.Struct):
    """The entries that are meant, oldest first, without their deliveries; and the numbers of which
    there is none."""

    entries: list[Entry] = []
    missing: list[int] = []


def add_filters(parser: Parser) -> None:
    """What narrows a list, and what is settled or tried again together."""
    parser.add_argument("--table", type=_text, default=None, help="only entries of this table")
    parser.add_argument(
        "--reason",
        type=reason_named,
        default=None,
        choices=[reason.value for reason in Reason if reason.quarantined],
        help="only entries of this reason",
        metavar="REASON",
    )
    parser.add_argument(
        "--key", type=_text, default=None, help="only entries of this key, as in why"
    )
    parser.add_argument(
        "--detail",
        type=_text,
        default=None,
        metavar="GLOB",
        help="only entries whose whole detail is this: * stands for anything, ? for one character",
    )
    parser.add_argument(
        "--older",
        type=_duration,
        default=None,
        metavar="TIME",
        help="only entries first seen so long ago: 30m, 12h, 2d",
    )
    parser.add_argument(
        "--limit", type=_number, default=None, metavar="N", help="only the oldest N of them"
    )


def filtered_by(options: argparse.Namespace) -> dict[str, bool]:
    """Each filter, and whether it was said."""
    return {
        "--table": options.table is not None,
        "--reason": options.reason is not None,
        "--key": options.key is not None,
        "--detail": options.detail is not None,
        "--older": options.older is not None,
        "--limit": options.limit is not None,
    }


def is_filtered(options: argparse.Namespace) -> bool:
    """Was any filter said?"""
    return any(filtered_by(options).values())


def found_of(asked: Asked, state: str = "open") -> Found:
    """The entries of a state ("" for all) that the filters name; from standard input, those that
    are named there, of any state. Raises ConfigurationError for words that contradict each
    other."""
    options = asked.options
    if options.which == STANDARD_INPUT:
        if is_filtered(options):
            raise ConfigurationError("ids from standard input, or filters: say one of the two")
        return _named(asked, list(dict.fromkeys(_ids())))
    selection = Selection(
        EntryQuery(state, options.table or "", reason=options.reason or ""),
        keys=_keys(options.key),
        detail=options.detail or "",
        before=None if options.older is None else time.time() - options.older,
        limit=options.limit,
    )
    with asked.store.reading() as transaction:
        return Found(list(selection.found(transaction)))


def _keys(text: str | None) -> tuple[object, ...]:
    if text is None:
        return ()
    return tuple(key for key, _ in readings(text, is_known=True))


def _named(asked: Asked, numbers: list[int]) -> Found:
    found = Found()
    with asked.store.reading() as transaction:
        for number in numbers:
            entry = transaction.entry(number)
            if entry is None:
                found.missing.append(number)
            else:
                # Thousands of deliveries need not lie in memory together.
                found.entries.append(msgspec.structs.replace(entry, delivery=None))
    return found


def _ids() -> Iterator[int]:
    """The ids of standard input, any number in a line, or a line of `list --nl` each."""
    # A shell may have closed it: then nothing is named.
    for line in sys.stdin or ():
        if line.startswith("{"):
            yield _id_in(line)
            continue
        yield from map(_id, line.split())


def _id_in(line: str) -> int:
    try:
        return msgspec.json.decode(line, type=Named).id
    except msgspec.DecodeError:
        raise ConfigurationError(f"no entry's id in this line: {line.strip():.80}") from None


def _id(text: str) -> int:
    # A number that no store gives is no entry's either.
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise ConfigurationError(f"not an entry's id: {text:.80}; nothing was done")
    return int(text)


def _text(text: str) -> str:
    """What a filter looks for. Raises ArgumentTypeError for nothing at all: it is what a variable
    comes to that is not set, and would let in every entry."""
    if not text:
        raise argparse.ArgumentTypeError(
            "it is empty, and would narrow nothing: leave it out, or say '\"\"' for a key that is"
        )
    return word(text)


def _duration(text: str) -> float:
    try:
        found = seconds(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if found is None:
        raise argparse.ArgumentTypeError('nothing is older than "forever"')
    return found


def _number(text: str) -> int:
    if not text.isdecimal() or int(text[:LONGEST_NUMBER]) < 1:
        raise argparse.ArgumentTypeError(f"a limit is a whole number, 1 or more, not {text!r}")
    return int(text[:LONGEST_NUMBER])

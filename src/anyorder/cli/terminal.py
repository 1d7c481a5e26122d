"""What a terminal would obey is spelled out: a delivery may tell anything, and a person only wants
to read it. Whatever a verb prints is printed here."""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import TextIO

from anyorder.urls import without_secrets

OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Escapes and other controls, signs that turn the direction of writing, and halves of surrogate
pairs; a tab and the end of a line are harmless."""
LOG = logging.getLogger("anyorder")
ERASED = "\r\x1b[K"  # our own: back to the beginning of the line, and nothing in it


def printable(text: str) -> str:
    """A text for a person, as a terminal may have it."""
    return OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)


def printable_json(text: str) -> str:
    """A JSON document as a terminal may have it: whatever is spelled out lies inside its texts, and
    reads back as it was."""
    return OBEYED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def say(text: str, *, heading: str = "", end: str = "\n") -> None:
    """Print a text for a person or a script; the heading is bold on a terminal."""
    if heading:
        print(bold(printable(heading)))
    # At once: what is told beside it, on standard error, follows.
    print(printable(text), end=end, flush=True)


def note(text: str) -> None:
    """Print a text for a person that nobody has to read: `--quiet` leaves it out."""
    if not is_quiet():
        say(text)


def complain(text: str) -> None:
    """Print a text beside what was asked for."""
    print(printable(text), file=sys.stderr)


def ask(question: str) -> None:
    """Print a question; the answer is typed behind it."""
    print(printable(question), end="", file=sys.stderr, flush=True)


def tell_typing(place: str) -> None:
    """Whoever called it without a file may wait for it, while it waits for him."""
    if place == "-" and not is_quiet() and sys.stdin is not None and sys.stdin.isatty():
        complain(
            "reading what is typed here, one record a line; Ctrl-D ends it, and so does Ctrl-C"
        )


def bold(text: str) -> str:
    """Bold on a terminal, and never with NO_COLOR."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def overwrite(text: str, stream: TextIO) -> None:
    """Print a text over the line that is there."""
    print(ERASED + printable(text), end="", file=stream, flush=True)


class Formatter(logging.Formatter):
    """A line of the log, as a terminal may have it."""

    def format(self, record: logging.LogRecord) -> str:
        """Its text; what it tells of a URL is no secret."""
        return printable(without_secrets(super().format(record)))


def log_to_terminal() -> None:
    """Where nobody has said how to log, warnings go to standard error, and from now on so."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Formatter())


def set_loudness(*, quiet: bool, verbose: bool) -> None:
    """What of the log is told, from now on: only errors, or all that happens."""
    level = logging.NOTSET
    if quiet:
        level = logging.ERROR
    elif verbose:
        level = logging.INFO
    LOG.setLevel(level)
    # Else the next command of this process would be as loud as this one.
    for handler in [one for one in LOG.handlers if isinstance(one, Telling)]:
        LOG.removeHandler(handler)
    if verbose:
        handler = Telling(sys.stderr)
        handler.setFormatter(Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        LOG.addHandler(handler)
    LOG.propagate = not verbose


def is_quiet() -> bool:
    """Is only what is wrong, or needs a hand, to be said?"""
    return LOG.level == logging.ERROR


def is_telling() -> bool:
    """Is everything told that happens?"""
    return LOG.level == logging.INFO


class Telling(logging.StreamHandler[TextIO]):
    """What `--verbose` tells on standard error."""

"""What an act says of many entries: one answer for people or for scripts, a question before it, and
a sample."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence

from anyorder.cli.acts.entries import brief, summary
from anyorder.cli.output import encoded, print_rows
from anyorder.cli.terminal import ask, note, say
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Entry

SAMPLE = 10  # entries that a dry run shows


def answer(
    options: argparse.Namespace,
    told: Mapping[str, object],
    text: str,
    *,
    needs_a_hand: bool = False,
) -> None:
    """One object for scripts; sentences for people, who with `--quiet` are told only what needs
    their hand."""
    match options.format:
        case "table" if needs_a_hand:
            say(text)
        case "table":
            note(text)
        case "csv":
            print_rows([told], options)
        case _:
            say(encoded(told))


def sample(
    options: argparse.Namespace,
    would: str,
    entries: Sequence[Entry],
    *,
    content: int | None = None,
    text: str = "",
) -> None:
    """What a dry run says: how many, of which reasons, and the oldest of them; of one, which
    `content` is meant, and in a `text` what it tells."""
    counted = counts(entries)
    if options.format == "table":
        say(f"would {would} {counted}")
        if entries:
            print_rows([brief(entry) for entry in entries[:SAMPLE]], options)
        if text:
            say(text)
        return
    shown = [summary(entry) for entry in entries[:SAMPLE]]
    told = {"would": would, "count": len(entries), "sample": shown}
    if content is not None:
        told["content"] = content
    answer(options, told, "")


def counts(entries: Sequence[Entry]) -> str:
    """`12 entries (late 10, conflict 2)`."""
    found = Counter(entry.reason for entry in entries)
    reasons = ", ".join(f"{reason} {number}" for reason, number in found.most_common())
    noun = "entry" if len(entries) == 1 else "entries"
    return f"{len(entries)} {noun} ({reasons})" if reasons else f"{len(entries)} {noun}"


def is_agreed(options: argparse.Namespace, question: str) -> bool:
    """Does the person say yes, by `--yes` or when asked? Raises ConfigurationError where nobody can
    be asked."""
    if options.yes:
        return True
    if not _is_terminal():
        raise ConfigurationError(
            f"{question} Nobody can be asked here: say --yes, or look first with --dry-run"
        )
    ask(f"{question} [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _is_terminal() -> bool:
    streams = (sys.stdin, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)

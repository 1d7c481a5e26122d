"""Entries that a word for many did not settle, named with the sentence why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from anyorder.cli.acts.filters import Found

MOST_NAMED = 20  # ids that a line of the answer for people names; --json names all


def missing(found: Found) -> dict[int, str]:
    """The numbers that are no entry's."""
    return dict.fromkeys(found.missing, "there is no such entry")


def closed_or_missing(found: Found) -> dict[int, str]:
    """Those that nothing can be done with any more, by their number."""
    closed = {
        entry.id: f"it is {entry.state} already" for entry in found.entries if entry.state != "open"
    }
    return closed | missing(found)


def refused_lines(refused: Mapping[int, str]) -> list[str]:
    """A line for people of each sentence, with the ids that it is true of."""
    if not refused:
        return []
    sentences: dict[str, list[int]] = {}
    for number, why in refused.items():
        # Else each of a thousand would have a line of its own.
        plain = why.removeprefix(f"entry {number} ").replace(f"show {number}`", "show ID`")
        sentences.setdefault(plain, []).append(number)
    noun = "1 was refused" if len(refused) == 1 else f"{len(refused)} were refused"
    lines = [f"{noun}, and nothing was done with them:"]
    return lines + [f"  {_named(numbers)}: {why}" for why, numbers in sentences.items()]


def _named(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:MOST_NAMED]))
    more = len(numbers) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown

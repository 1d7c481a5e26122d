"""What the details of many entries have in common: their keys, numbers and contents are left out.

What is left out is `*`, so that a pattern is what `--detail` takes. Names in quotes (a topic, a
column) tell two causes apart; only where there are many of them are they values, and left out too.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

ANYTHING = "*"
MOST_APART = 5  # details that differ only in what they quote, before it is left out
NUMBER = re.compile(
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"  # a UUID
    r"|\b[0-9A-F]+/[0-9A-F]+\b"  # a log's position
    r"|\b(?=[a-f]*[0-9])[0-9a-f]{12,}\b"  # a digest
    r"|(?<![\w.])[-+]?\d+(?:[.:,T+-]\d+)*(?:[eE][-+]?\d+)?Z?"  # a number, a time
)
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
TWICE = re.compile(r"\*{2,}")
_decoder = json.JSONDecoder()


def without_values(detail: str, key: object) -> str:
    """A detail without the contents, the key's values and the numbers in it."""
    text = "".join(_without_contents(detail))
    if isinstance(key, Mapping):
        # The longest first: one may be a part of another.
        for value in sorted(map(str, key.values()), key=len, reverse=True):
            text = _without(text, value)
    text = NUMBER.sub(ANYTHING, text)
    return TWICE.sub(ANYTHING, text)


def without_quoted(pattern: str) -> str:
    """The same without what it quotes."""
    return TWICE.sub(ANYTHING, QUOTED.sub(lambda found: _emptied(found.group()), pattern))


def patterns(details: Iterable[str]) -> dict[str, str]:
    """Of details without values, the pattern that each is told by."""
    alike: dict[str, set[str]] = defaultdict(set)
    for detail in details:
        alike[without_quoted(detail)].add(detail)
    found: dict[str, str] = {}
    for pattern, members in alike.items():
        are_names = len(members) <= MOST_APART
        for detail in members:
            found[detail] = detail if are_names else pattern
    return found


def _without_contents(text: str) -> Iterator[str]:
    """The parts of a text between its JSON objects, and a sign for each of these."""
    start = 0
    # It ends: each turn goes on behind the brace that it looked at.
    while (brace := text.find("{", start)) >= 0:
        yield text[start:brace]
        start = brace + 1
        try:
            _, start = _decoder.raw_decode(text, brace)
            yield ANYTHING
        # A brace that begins nothing: it is a part of the sentence.
        except (json.JSONDecodeError, RecursionError):
            yield "{"
    yield text[start:]


def _without(text: str, value: str) -> str:
    if not value:
        return text
    return re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda _: ANYTHING, text)


def _emptied(quoted: str) -> str:
    return quoted[0] + ANYTHING + quoted[-1]

"""What a terminal would obey is spelled out: a delivery may tell anything, and a person only wants
to read it."""

from __future__ import annotations

import re

OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Escapes and other controls, signs that turn the direction of writing, and halves of surrogate
pairs; a tab and the end of a line are harmless."""


def printable(text: str) -> str:
    """A text for a person, as a terminal may have it."""
    return OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)

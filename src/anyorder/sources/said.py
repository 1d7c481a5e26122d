"""What a tool says of itself on standard output, where its records are to come.

kafka-console-consumer of Kafka 4 prints one such line for each option of before, and then the
records. It tells no columns, and is no record.
"""

from __future__ import annotations

import re

SAID = re.compile(
    rb"Option --[\w.-]+ is deprecated and will be removed in a future version\. "
    rb"Use --[\w.-]+ instead\.\s*"
)


def is_said(line: bytes) -> bool:
    """Does a line, with its end or without, say nothing but this?"""
    return SAID.fullmatch(line) is not None


def behind_said(head: bytes) -> bytes:
    """What comes behind such lines, where a stream begins with some."""
    while found := SAID.match(head):
        head = head[found.end() :]
    return head

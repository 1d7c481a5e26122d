"""What `detect` knows of a format: what marks it, what its fields are for, and how it is read."""

from __future__ import annotations

from typing import NamedTuple

IDENTITY, ORDER, KEY, DELETION, TIME, ROW, EVIDENCE, IGNORED = (
    "identity",
    "order",
    "key",
    "deletion",
    "time",
    "row",
    "evidence",
    "ignored",
)


class Format(NamedTuple):
    """`envelope` reads it ("": none does). `marks`: pointers that must find something, `/op=c` that
    very text. `roles`: pointer -> role. `advice`: the lines of [source] that read it; "" where none
    do. `keyed_by`: a pointer to the object whose members are the key, where a record tells it."""

    name: str
    envelope: str
    why: str
    marks: tuple[str, ...]
    roles: dict[str, str]
    advice: str = ""
    keyed_by: str = ""

    @property
    def is_vague(self) -> bool:
        """May anybody's row have all of its marks as columns?"""
        return all(mark.count("/") == 1 for mark in self.marks) and len(self.marks) < FEWEST_MARKS


FEWEST_MARKS = 3  # names of columns that nobody's row has together by chance
BY_JSON = "no envelope of its own; read it with the envelope json"
NONE_READS = "no envelope reads it: let Debezium read that database's log"

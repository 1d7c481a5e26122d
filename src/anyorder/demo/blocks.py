"""What an act has to show, apart from how it looks: the terminal and the page each draw these
blocks in their own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from anyorder.demo.score import Score

Tone = Literal["", "good", "bad", "held", "quiet"]


class Text(NamedTuple):
    """A paragraph. What stands between backticks is code."""

    words: str


def prose(words: str) -> Text:
    """A paragraph, however its source is broken into lines."""
    return Text(" ".join(words.split()))


class Cell(NamedTuple):
    """A table cell that has a tone."""

    text: str
    tone: Tone = ""


class Table(NamedTuple):
    """Rows under a header. `numbers`: the columns from this one on hold numbers. `caption` says
    what is compared."""

    header: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""
    numbers: int = 99


class Quote(NamedTuple):
    """What a program said or what a source text says, word for word. `source`: who. `only_page`:
    the terminal leaves it out."""

    lines: Sequence[str]
    source: str
    only_page: bool = False


class Figure(NamedTuple):
    """A drawing, for the page only. `svg` is one element; `caption` says how to read it. `wide`: it
    does not fit a telephone's screen."""

    svg: str
    caption: str
    wide: bool = True


Block = Text | Table | Quote | Figure


class Act(NamedTuple):
    """One act. `usual` and `ours`: how it ended, in a few words. `scores`: what was counted, by
    contender, for whoever checks."""

    number: int
    title: str
    blocks: Sequence[Block]
    usual: str
    ours: str
    scores: Mapping[str, Score]


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2 rows`, `no rows`."""
    several = plural or f"{noun}s"
    told = f"{number:,}" if number else "no"
    return f"{told} {noun if number == 1 else several}"


def none(number: int) -> str:
    """A number, or `none`."""
    return f"{number:,}" if number else "none"


def score_row(name: str, score: Score, *more: str | Cell) -> list[str | Cell]:
    """A contender's line in a table: wrong, resurrected, missing, each with its tone."""
    return [name, *(Cell(str(number), "bad" if number else "good") for number in score), *more]


SCORE_HEADER = ("wrong", "resurrected", "missing")


def summary(acts: Sequence[Act]) -> Table:
    """Every act in one line."""
    rows: list[list[str | Cell]] = [
        [
            f"{act.number}  {act.title}",
            Cell(act.usual, "quiet" if act.usual.startswith("none") else "bad"),
            Cell(act.ours, "good"),
        ]
        for act in acts
    ]
    return Table(("", "the usual way", "anyorder"), rows)

"""The acts as text: plain when piped, with colours on a terminal, never wider than 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from anyorder.demo.blocks import Act, Block, Cell, Quote, Table, Text, Tone, summary

WIDTH = 80
INDENT = "   "
CODES: dict[str, str] = {"good": "32", "bad": "31", "held": "33", "quiet": "2", "bold": "1"}


class Terminal:
    """Draws blocks as lines. `colours`: whether escape codes may be used."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def opening(self, seed: int, acts: int) -> str:
        """The first lines."""
        lines = [
            self._toned("anyorder demo", "bold"),
            "State that is right whatever order events arrive in, and that can say why.",
        ]
        played = f"{acts} acts" if acts > 1 else "One act"
        return "\n".join(
            [
                *lines,
                self._toned(
                    (
                        f"{played}, no services, seed {seed}. Every number below is counted while "
                        "you "
                        "wait."
                    ),
                    "quiet",
                ),
                "",
            ]
        )

    def heading(self, number: int, title: str) -> str:
        """What stands above an act: shown before it is played, so that nobody looks at nothing."""
        return "\n".join(["", self._toned(f"{number}  {title}", "bold"), ""])

    def waiting(self, words: str) -> str:
        """Under the heading of an act that takes a while."""
        return f"{INDENT}{self._toned(words, 'quiet')}\n"

    def act(self, act: Act) -> str:
        """What one act has to show."""
        lines: list[str] = []
        for block in act.blocks:
            drawn = list(self.block(block))
            lines += [*drawn, ""] if drawn else []
        return "\n".join(lines)

    def closing(self, acts: Sequence[Act]) -> str:
        """All acts in one table."""
        return "\n".join(["", self._toned("In short", "bold"), "", *self._table(summary(acts)), ""])

    def block(self, block: Block) -> Iterator[str]:
        """The lines of one block; a figure has none."""
        if isinstance(block, Text):
            yield from _wrapped(block.words.replace("`", ""), INDENT)
        elif isinstance(block, Table):
            yield from self._table(block)
        elif isinstance(block, Quote) and not block.only_page:
            yield from self._quote(block)

    def _quote(self, quote: Quote) -> Iterator[str]:
        bar = INDENT + self._toned("│ ", "quiet")
        for line in quote.lines:
            yield from (bar + text for text in textwrap.wrap(line, WIDTH - len(INDENT) - 2))

    def _table(self, table: Table) -> Iterator[str]:
        rows = [
            [cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in table.rows
        ]
        widths = _widths(table.header, [[cell.text for cell in row] for row in rows])
        right = [column >= table.numbers for column in range(len(widths))]
        header = [Cell(name, "quiet") for name in table.header]
        if any(table.header):
            yield from self._row(header, widths, right)
        yield INDENT + self._toned("─" * (sum(widths) + 2 * (len(widths) - 1)), "quiet")
        for row in rows:
            yield from self._row(row, widths, right)

    def _row(
        self, row: Sequence[Cell], widths: Sequence[int], right: Sequence[bool]
    ) -> Iterator[str]:
        parts = [
            textwrap.wrap(cell.text, width) or [""] for cell, width in zip(row, widths, strict=True)
        ]
        for pieces in zip_longest(*parts, fillvalue=""):
            aligned = [
                piece.rjust(width) if is_right else piece.ljust(width)
                for piece, width, is_right in zip(pieces, widths, right, strict=True)
            ]
            last = len(aligned) - 1
            toned = [
                self._toned(piece.rstrip() if place == last else piece, cell.tone)
                for place, (piece, cell) in enumerate(zip(aligned, row, strict=True))
            ]
            yield (INDENT + "  ".join(toned)).rstrip()

    def _toned(self, text: str, tone: Tone | str) -> str:
        return (
            f"\x1b[{CODES[tone]}m{text}\x1b[0m" if self._colours and tone and text.strip() else text
        )


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(
        words, WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column is. Where a table does not fit, its header is broken between words
    first, then its cells, then words: the widest column always shrinks next."""
    columns = list(zip(header, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    unbroken_cells = [_longest([*column[0].split(), *column[1:]]) for column in columns]
    unbroken_words = [_longest(" ".join(column).split()) for column in columns]
    for least in (unbroken_cells, unbroken_words, [1] * len(columns)):
        widths = _shrunk(widths, least)
    return widths


def _longest(pieces: Sequence[str]) -> int:
    return max(map(len, pieces), default=1)


def _shrunk(widths: Sequence[int], least: Sequence[int]) -> list[int]:
    """The widths, smaller by as much as is needed, but none smaller than its least."""
    shrunk = list(widths)
    room = WIDTH - len(INDENT) - 2 * (len(shrunk) - 1)
    while sum(shrunk) > room:
        wide = [place for place, width in enumerate(shrunk) if width > least[place]]
        if not wide:
            break
        shrunk[max(wide, key=lambda place: shrunk[place])] -= 1
    return shrunk

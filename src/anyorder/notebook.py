"""What a notebook shows. A delivery may tell anything, so every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


def cell(value: object) -> str:
    """A value as text, none of which is markup."""
    return escape(str(value), quote=True)


def table(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of texts."""
    names = "".join(f"<th>{cell(name)}</th>" for name in header)
    lines = [f"<tr>{names}</tr>"]
    for row in rows:
        cells = "".join(f"<td>{cell(value)}</td>" for value in row)
        lines.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"


def paragraphs(sentences: Iterable[str]) -> str:
    """A sentence a paragraph."""
    return "".join(f"<p>{cell(sentence)}</p>" for sentence in sentences)

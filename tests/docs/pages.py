"""The pages of the documentation as the tests see them: fenced blocks, links, headings, generated
parts."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
IMAGE = re.compile(r'<(?:img|source)[^>]+(?:src|srcset)="(?P<target>[^"]+)"')
HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)
GENERATED = re.compile(
    r"<!-- generated: (?P<name>[\w-]+) -->\n(?P<text>.*?)<!-- end of generated -->", re.DOTALL
)


class Block(NamedTuple):
    """A fenced block: its language, the file name after it if any, its text, and its line in the
    page."""

    language: str
    file: str
    text: str
    line: int


@cache
def pages() -> tuple[Path, ...]:
    """Every Markdown page that we publish."""
    return (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


def name_of(page: Path) -> str:
    """How a page is called in a test's name."""
    return page.relative_to(ROOT).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text, found = read(page), []
    for fence in FENCE.finditer(text):
        language, _, file = fence["info"].strip().partition(" ")
        found.append(
            Block(language, file.strip(), fence["text"], text.count("\n", 0, fence.start()) + 1)
        )
    return found


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", read(page))


def links(page: Path) -> list[str]:
    """Where a page points to, images included."""
    text = prose(page)
    return [found["target"] for pattern in (LINK, IMAGE) for found in pattern.finditer(text)]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading["text"].lower().replace("`", "")).replace(" ", "-")
        for heading in HEADING.finditer(prose(page))
    }

"""The acts as one HTML page: no script, nothing loaded from anywhere, light and dark, well-formed
XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from anyorder.demo.blocks import Act, Block, Cell, Figure, Quote, Table, Text, summary

TITLE = "Events in any order"
LEAD = "State that is right whatever order events arrive in, and that can say why."
OPENING = (
    "Events come twice, late, in the wrong order, and to two consumers at once. "
    "Below is what that does to a table in the hands of consumers as "
    "everybody writes them, and what it does to a table that anyorder guards. "
    "Both were just run side by side, and everything was counted."
)
CLOSING = (
    "The clocks above were simulated; the tables were real. A guarded one takes "
    "no more than this, with records as they come from Kafka:"
)
TUTORIAL = "docs/tutorial/first-steps.md"
FIRST_STEPS = "First steps"
ON_FROM_HERE = (
    "{} goes from an empty directory to a guarded table, a row that says why, "
    "and an event that nobody can decide, in ten minutes."
)
FITTING = 5  # columns of a table that a telephone's screen can show
CODE = re.compile(r"`([^`]+)`")
IN_YOUR_CODE = (
    "import anyorder",
    "",
    'users = anyorder.table("sqlite:///app.db", "users", key="id")',
    'report = users.apply(records, envelope="debezium")',
    "print(report)",
    "print(users.why(42))",
)


def page(acts: Sequence[Act], seed: int, *, in_a_clone: bool = False) -> str:
    """The whole page. `in_a_clone`: it will lie in the directory that has `docs`, so a link to the
    tutorial leads somewhere."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    head = (
        '<meta charset="utf-8"/><meta name="viewport" content="width=device-width, '
        'initial-scale=1"/>'
        f"<title>{TITLE} · anyorder demo</title>\n<style>\n{style}</style>"
    )
    body = "\n".join(
        [*_opening(acts), *(_act(act) for act in acts), *_closing(acts, seed, in_a_clone)]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en" '
        f'xmlns="http://www.w3.org/1999/xhtml">\n<head>{head}</head>\n'
        f"<body><main>\n{body}\n</main></body>\n</html>\n"
    )


def _opening(acts: Sequence[Act]) -> list[str]:
    return [
        f'<div class="number">anyorder demo</div>\n<h1>{TITLE}</h1>\n<p class="lead">{LEAD}</p>',
        _words(OPENING),
        _table(summary(acts), links=[f"#act-{act.number}" for act in acts]),
    ]


def _act(act: Act) -> str:
    title = f'<h2><span class="number">Act {act.number}</span> {escape(act.title)}</h2>'
    return "\n".join(
        [
            f'<section id="act-{act.number}">',
            title,
            *(_block(block) for block in act.blocks),
            "</section>",
        ]
    )


def _closing(acts: Sequence[Act], seed: int, in_a_clone: bool) -> list[str]:
    command = f"anyorder demo{f' --act {acts[0].number}' if len(acts) == 1 else ''} --seed {seed}"
    return [
        "<section><h2>In your own code</h2>",
        _words(CLOSING),
        _code(IN_YOUR_CODE, ""),
        f"<p>{ON_FROM_HERE.format(_tutorial(in_a_clone))}</p>",
        "</section>",
        (
            f'<p class="small-print">Made by <code>{command}</code>. The same seed gives '
            "the same page, byte for byte; another seed, other numbers.</p>"
        ),
    ]


def _tutorial(in_a_clone: bool) -> str:
    if in_a_clone:
        return f'<a href="{TUTORIAL}">{FIRST_STEPS}</a>'
    return f"{FIRST_STEPS} (<code>{TUTORIAL}</code> in the repository)"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return _words(block.words)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Quote):
        return _code(block.lines, block.source) if block.only_page else _quote(block)
    return _figure(block)


def _figure(figure: Figure) -> str:
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>"
    drawing = _scrolling("A wide drawing", figure.svg) if figure.wide else figure.svg
    return f"<figure>{drawing}{caption}</figure>"


def _scrolling(what: str, inside: str) -> str:
    """What is too wide for a small screen: its edges show that there is more, and somebody without
    a mouse can scroll it."""
    reach = f'tabindex="0" role="group" aria-label="{what}: it scrolls sideways"'
    return f'<div class="scrolls" {reach}>{inside}</div>'


def _words(words: str) -> str:
    marked = CODE.sub(r"<code>\1</code>", escape(words, quote=False))
    return f"<p>{marked}</p>"


def _quote(quote: Quote) -> str:
    lines = "".join(f"<p>{escape(line, quote=False)}</p>" for line in quote.lines)
    return f'<div class="quote"><div class="source">{escape(quote.source)}</div>{lines}</div>'


def _code(lines: Sequence[str], source: str) -> str:
    named = f'<div class="source">{escape(source)}</div>' if source else ""
    return (
        '<div class="quote '
        f'code">{named}<pre>{escape(chr(10).join(lines), quote=False)}</pre></div>'
    )


def _table(table: Table, links: Sequence[str] = ()) -> str:
    header = "".join(
        f'<th scope="col"{_number(table, place)}>{escape(name)}</th>'
        for place, name in enumerate(table.header)
    )
    rows = [
        "".join(
            _cell(table, place, cell, links[number] if links and place == 0 else "")
            for place, cell in enumerate(row)
        )
        for number, row in enumerate(table.rows)
    ]
    head = f"<thead><tr>{header}</tr></thead>" if any(table.header) else ""
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    drawn = f"<table>{head}<tbody>{lines}</tbody></table>"
    fits = len(table.header) <= FITTING
    return f'<div class="fits">{drawn}</div>' if fits else _scrolling("A wide table", drawn)


def _cell(table: Table, place: int, cell: str | Cell, link: str) -> str:
    text, tone = cell if isinstance(cell, Cell) else (cell, "")
    words = f'<a href="{link}">{escape(text)}</a>' if link else escape(text)
    kinds = " ".join(kind for kind in ("n" if place >= table.numbers else "", tone) if kind)
    return f'<td class="{kinds}">{words}</td>' if kinds else f"<td>{words}</td>"


def _number(table: Table, place: int) -> str:
    return ' class="n"' if place >= table.numbers else ""

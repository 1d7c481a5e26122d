"""The acts as one HTML page: no script, nothing loaded from anywhere, light and dark, well-formed
XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from anyorder.demo.blocks import Act, Block, Cell, Quote, Table, Text, summary

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
CODE = re.compile(r"`([^`]+)`")
IN_YOUR_CODE = (
    "import anyorder",
    "",
    'users = anyorder.table("sqlite:///app.db", "users", key="id")',
    'report = users.apply(records, envelope="debezium")',
    "print(report)",
    "print(users.why(42))",
)


def page(acts: Sequence[Act], seed: int) -> str:
    """The whole page."""
    style = files(__package__).joinpath("style.css").read_text(encoding="utf-8")
    head = (
        '<meta charset="utf-8"/><meta name="viewport" content="width=device-width, '
        'initial-scale=1"/>'
        f"<title>{TITLE} · anyorder demo</title>\n<style>\n{style}</style>"
    )
    body = "\n".join([*_opening(acts), *(_act(act) for act in acts), *_closing(acts, seed)])
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


def _closing(acts: Sequence[Act], seed: int) -> list[str]:
    command = f"anyorder demo{f' --act {acts[0].number}' if len(acts) == 1 else ''} --seed {seed}"
    return [
        "<section><h2>In your own code</h2>",
        _words(CLOSING),
        _code(IN_YOUR_CODE, ""),
        "</section>",
        (
            f'<p class="small-print">Made by <code>{command}</code>. The same seed gives '
            "the same page, byte for byte; another seed, other numbers.</p>"
        ),
    ]


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return _words(block.words)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Quote):
        return _code(block.lines, block.source) if block.only_page else _quote(block)
    caption = f"<figcaption>{escape(block.caption)}</figcaption>"
    return f'<figure><div class="drawing">{block.svg}</div>{caption}</figure>'


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
        f"<th{_number(table, place)}>{escape(name)}</th>" for place, name in enumerate(table.header)
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
    return f'<div class="wide"><table>{head}<tbody>{lines}</tbody></table></div>'


def _cell(table: Table, place: int, cell: str | Cell, link: str) -> str:
    text, tone = cell if isinstance(cell, Cell) else (cell, "")
    words = f'<a href="{link}">{escape(text)}</a>' if link else escape(text)
    kinds = " ".join(kind for kind in ("n" if place >= table.numbers else "", tone) if kind)
    return f'<td class="{kinds}">{words}</td>' if kinds else f"<td>{words}</td>"


def _number(table: Table, place: int) -> str:
    return ' class="n"' if place >= table.numbers else ""

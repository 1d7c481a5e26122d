"""`anyorder demo`: the whole story, in the terminal and on one page. Needs no services."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from anyorder.cli.main import Parser
from anyorder.cli.terminal import is_quiet, printable
from anyorder.demo.acts import ACTS, SEED, TITLES, WAITING
from anyorder.demo.page import TUTORIAL, page
from anyorder.demo.terminal import Terminal
from anyorder.errors import ConfigurationError

DEFAULT_PAGE = "anyorder-demo.html"


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_option(
        "--seed", f"another seed, another schedule (default: {SEED})", type=int, default=SEED
    )
    parser.add_option("--act", "only this act", type=int, choices=sorted(ACTS), default=None)
    parser.add_option(
        "--html",
        f"where to write the page (default: {DEFAULT_PAGE} here)",
        metavar="FILE",
        default=DEFAULT_PAGE,
    )
    parser.add_option("--no-html", "write no page", action="store_true")


def run(options: argparse.Namespace) -> int:
    """Exit code 0. Raises ConfigurationError if the page cannot be written."""
    began, wanted = time.monotonic(), [options.act] if options.act else sorted(ACTS)
    terminal = Terminal(colours=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
    _show(terminal.opening(options.seed, len(wanted)))
    acts = []
    for number in wanted:
        _show(terminal.heading(number, TITLES[number]))
        if number in WAITING and sys.stdout.isatty():
            _show(terminal.waiting(WAITING[number]))
        acts.append(ACTS[number](options.seed))
        _show(terminal.act(acts[-1]))
    if len(acts) > 1:
        _show(terminal.closing(acts))
    if not options.no_html:
        _write(options.html, page(acts, options.seed, in_a_clone=_beside_docs(options.html)))
        _show(f"The same with drawings: {printable(options.html)}")
    _show(f"What next: {TUTORIAL}, ten minutes to a guarded table")
    _show(f"{time.monotonic() - began:.1f} s")
    return 0


def _show(text: str) -> None:
    """On a terminal that cannot spell a character, a question mark stands for it."""
    if is_quiet():
        return
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def _beside_docs(file: str) -> bool:
    """Whether a page that is written there can point to the documentation of the clone."""
    return (Path(file).parent / TUTORIAL).is_file()


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot write {file}: {error.strerror}; name another with --html, or say --no-html"
        ) from error

"""`anyorder run`: the pipeline, until its source ends or somebody stops it."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from anyorder.cli.main import Parser
from anyorder.cli.output import encoded
from anyorder.cli.progress import Progress
from anyorder.cli.terminal import complain, is_quiet, is_telling, note, overwrite, say, tell_typing
from anyorder.errors import QuarantineFull, TooManyQuarantined

# The loop is imported where it runs: who asks for help waits for nothing but the words.
if TYPE_CHECKING:
    from anyorder.guard.contract import Store
    from anyorder.guard.report import Report
    from anyorder.runtime.loop import Run
    from anyorder.runtime.pipeline import Pipeline


class Adoption(tuple[str, ...]):
    """What can be said of rows that no event explains: a word, or a column."""

    def __contains__(self, word: object) -> bool:
        return super().__contains__(word) or str(word).startswith("column:")


# As `_core.row_clock` has them, which is not loaded for the words of a help.
ADOPTION = Adoption(("refuse", "older-than-everything"))


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "pipeline",
        nargs="?",
        help="the pipeline file (default: ANYORDER_PIPELINE, or pipeline.toml here)",
    )
    parser.add_option("--dry-run", "decide everything, write nothing", action="store_true")
    parser.add_option(
        "--adopt",
        "what to do with rows that no event explains: refuse, older-than-everything, or "
        "column:NAME, the column that tells their positions",
        default=None,
        choices=ADOPTION,
        metavar="HOW",
    )
    parser.add_option(
        "--batch", "deliveries decided together at most", type=batch_size, default=None
    )
    parser.add_option(
        "--from-start",
        "read the source from its beginning, whatever was read before; old data is recognised",
        action="store_true",
    )
    parser.add_option(
        "--check",
        "show what the next ten records would become, write nothing",
        action="store_true",
    )
    parser.add_option(
        "--no-preflight",
        "take a first batch that is not what the pipeline says",
        action="store_true",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="end with one JSON line of the books; with --check, one JSON array",
    )


def batch_size(text: str) -> int:
    """A number of deliveries. Raises ArgumentTypeError for less than one: no batch would ever
    end."""
    if not text.isdecimal() or int(text[:19]) < 1:
        raise argparse.ArgumentTypeError(
            f"a batch is a whole number of deliveries, 1 or more, not {text!r}"
        )
    return int(text[:19])  # more than there ever will be is as good as all


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if this run quarantined something that is still open; `--check`: 1 if a
    record would be."""
    from anyorder.cli.foreseen import check
    from anyorder.runtime.pipeline import load_pipeline

    pipeline = load_pipeline(options.pipeline, options.adopt)
    if options.batch is not None:
        pipeline.runtime.batch = options.batch
    if options.check:
        return check(pipeline, options)
    absent = pipeline.missing if options.dry_run else ""
    loop = _loop(pipeline, options)
    tell_typing(loop.place)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _stop(loop, number))
    try:
        report = _ended(loop, options)
        count = _open_entries(loop.store)
    finally:
        loop.store.close()
    if options.json:
        say(encoded(report.as_dict()))
    else:
        note(_summary(report, loop.place, dry=options.dry_run) + _absent(absent))
    # Whoever held it: over open entries, "nothing new" is no success.
    _tell_open(count, options)
    return int(report.quarantined.total() > report.settled.total())


def _loop(pipeline: Pipeline, options: argparse.Namespace) -> Run:
    """The run. A store that is not there yet is made when the first batch has been looked at."""
    from anyorder.runtime.loop import Run

    make_store = None
    if options.dry_run:
        store = pipeline.dry_store()
    elif options.no_preflight or pipeline.is_made:
        store = pipeline.open_store()
    else:
        store, make_store = pipeline.looking_store(), pipeline.open_store
    return Run(
        pipeline,
        store,
        dry=options.dry_run,
        from_start=options.from_start,
        preflight=not options.no_preflight,
        make_store=make_store,
        progress=Progress() if _shows_progress() else None,
    )


def _shows_progress() -> bool:
    # The lines of the log would be written over.
    return sys.stderr.isatty() and not is_quiet() and not is_telling()


def _ended(loop: Run, options: argparse.Namespace) -> Report:
    """What it came to. An error gets a line of its own."""
    try:
        return loop.run()
    except (QuarantineFull, TooManyQuarantined):
        _clear_line()
        _tell_open(_open_entries(loop.store), options)
        raise
    finally:
        _clear_line()


def _clear_line() -> None:
    if sys.stderr.isatty():
        overwrite("", sys.stderr)


def _open_entries(store: Store) -> int:
    with store.reading() as transaction:
        return transaction.open_entries()


def _tell_open(count: int, options: argparse.Namespace) -> None:
    """Say on standard error how many entries are open, and the command to look at them."""
    if not count:
        return
    entries = "entry is" if count == 1 else "entries are"
    words = f" --pipeline {options.pipeline}" if options.pipeline else ""
    complain(
        f"{count} {entries} open in the quarantine: `anyorder quarantine list{words}` shows why"
    )


def _summary(report: Report, place: str, *, dry: bool) -> str:
    """The last line, for people."""
    if report.read == 0:
        settled = report.settled.total()
        told = f"; {settled} settled by themselves" if settled else ""
        return f"nothing new in {place}: it is done up to its end{told}"
    would = "would have: " if dry else ""
    return f"{would}{report} in {report.seconds:.1f} s"


def _absent(path: str) -> str:
    return f"; {Path(path).name} is not there yet" if path else ""


def _stop(loop: Run, number: int) -> None:
    """The first signal ends after the batch at hand; a second one ends at once, which loses nothing
    either."""
    signal.signal(number, signal.SIG_DFL)
    loop.stop()

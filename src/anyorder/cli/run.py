"""`anyorder run`: the pipeline, until its source ends or somebody stops it."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from anyorder.cli.main import Parser
from anyorder.cli.output import encoded
from anyorder.cli.terminal import overwrite, say
from anyorder.guard.report import Report
from anyorder.runtime.loop import Run
from anyorder.runtime.pipeline import load_pipeline

PROGRESS_SECONDS = 0.5


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
        "what to do with rows that no event explains",
        choices=["refuse", "older-than-everything"],
        default=None,
    )
    parser.add_option(
        "--batch", "deliveries decided together at most", type=batch_size, default=None
    )
    parser.add_option(
        "--from-start",
        "read the source from its beginning, whatever was read before; old data is recognised",
        action="store_true",
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON line of the books")


def batch_size(text: str) -> int:
    """A number of deliveries. Raises ArgumentTypeError for less than one: no batch would ever
    end."""
    if not text.isdecimal() or int(text[:19]) < 1:
        raise argparse.ArgumentTypeError(
            f"a batch is a whole number of deliveries, 1 or more, not {text!r}"
        )
    return int(text[:19])  # more than there ever will be is as good as all


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if this run quarantined something that is still open."""
    pipeline = load_pipeline(options.pipeline, options.adopt)
    if options.batch is not None:
        pipeline.runtime.batch = options.batch
    absent = pipeline.missing if options.dry_run else ""
    store = pipeline.dry_store() if options.dry_run else pipeline.open_store()
    loop = Run(
        pipeline,
        store,
        dry=options.dry_run,
        from_start=options.from_start,
        progress=Progress() if sys.stderr.isatty() else None,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: _stop(loop, number))
    try:
        report = loop.run()
    finally:
        # first: an error gets a line of its own
        if sys.stderr.isatty():
            overwrite("", sys.stderr)
        store.close()
    if options.json:
        say(encoded(report.as_dict()))
    else:
        say(_summary(report, loop.place, dry=options.dry_run) + _absent(absent))
    return int(report.quarantined.total() > report.settled.total())


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


class Progress:
    """The books on one terminal line, at most twice a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, report: Report) -> None:
        if time.monotonic() - self._last > PROGRESS_SECONDS:
            self._last = time.monotonic()
            rate = report.read / report.seconds if report.seconds else 0.0
            overwrite(f"{report.read} read: {report} ({rate:,.0f}/s)", sys.stderr)

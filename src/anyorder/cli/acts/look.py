"""`anyorder quarantine list | show ID`: look, and change nothing."""

from __future__ import annotations

from anyorder.cli.acts.asked import Asked
from anyorder.cli.acts.entries import brief, shown, summary
from anyorder.cli.output import print_rows
from anyorder.cli.terminal import say


def list_entries(asked: Asked) -> int:
    """`list`. Exit code 1 if there is an open entry among them."""
    options = asked.options
    state = options.state or "open"
    entries = asked.quarantine.entries("" if state == "all" else state, options.reason)
    rows = [brief(entry) if options.format == "table" else summary(entry) for entry in entries]
    print_rows(
        rows,
        options,
        "the quarantine is empty" if state == "open" and not options.reason else "no such entry",
    )
    return int(any(entry.state == "open" for entry in entries))


def show(asked: Asked) -> int:
    """`show ID`."""
    entry = asked.quarantine.show(asked.number)
    say(shown(entry, asked.options.format, asked.pipeline.decode))
    return 0

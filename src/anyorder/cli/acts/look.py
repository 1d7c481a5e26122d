"""`anyorder quarantine list | show ID`: look, and change nothing."""

from __future__ import annotations

from anyorder.cli.acts.asked import Asked
from anyorder.cli.acts.entries import brief, shown, summary
from anyorder.cli.acts.filters import STANDARD_INPUT, found_of, is_filtered
from anyorder.cli.output import print_rows
from anyorder.errors import ConfigurationError


def list_entries(asked: Asked) -> int:
    """`list`. Exit code 1 if there is an open entry among them."""
    options = asked.options
    if options.which not in (None, STANDARD_INPUT):
        raise ConfigurationError(
            f"`quarantine list` does not go by {options.which}: `anyorder quarantine show` shows "
            "one entry, and - lists those of standard input"
        )
    state = options.state or "open"
    entries = found_of(asked, "" if state == "all" else state).entries
    rows = [brief(entry) if options.format == "table" else summary(entry) for entry in entries]
    is_whole = state == "open" and not is_filtered(options) and options.which is None
    print_rows(rows, options, "the quarantine is empty" if is_whole else "no such entry")
    return int(any(entry.state == "open" for entry in entries))


def show(asked: Asked) -> int:
    """`show ID`."""
    entry = asked.quarantine.show(asked.number)
    print(shown(entry, asked.options.format, asked.pipeline.decode))
    return 0

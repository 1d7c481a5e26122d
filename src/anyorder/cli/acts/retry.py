"""`anyorder quarantine retry`: decode, route and decide again."""

from __future__ import annotations

from anyorder.cli.acts.answers import answer, sample
from anyorder.cli.acts.asked import Asked
from anyorder.cli.acts.filters import STANDARD_INPUT, Found, found_of, is_filtered
from anyorder.cli.acts.refused import closed_or_missing, refused_lines
from anyorder.errors import ConfigurationError
from anyorder.runtime.retry import Retry


def retry(asked: Asked) -> int:
    """`retry [ID | - | filters]`. Exit code 1 if one of them is still open, or was not there."""
    options = asked.options
    found = _found(asked)
    entries = [entry for entry in found.entries if entry.state == "open"]
    if options.dry_run:
        sample(options, "retry", entries)
        return int(bool(entries))
    numbers = [entry.id for entry in entries]
    done = Retry(asked.store, asked.catalogue(), asked.pipeline.read_anew).run(numbers)
    refused = closed_or_missing(found)
    told = {**done._asdict(), "refused": refused}
    lines = [f"{done.settled} settled, {done.open} still open"]
    if done.own:
        lines.append(f"{done.own} were held by your own code: deliver these events to it again")
    is_left = done.open > 0 or bool(refused)
    text = "\n".join([*lines, *refused_lines(refused)])
    answer(options, told, text, needs_a_hand=is_left or done.own > 0)
    return int(is_left)


def _found(asked: Asked) -> Found:
    options = asked.options
    if options.which in (None, STANDARD_INPUT):
        return found_of(asked)
    if is_filtered(options):
        raise ConfigurationError("an entry's id, or filters: say one of the two")
    entry = asked.quarantine.show(asked.number)
    if entry.state != "open":
        raise ConfigurationError(
            f"entry {entry.id} is {entry.state}; `anyorder quarantine list` shows the open ones"
        )
    return Found([entry])

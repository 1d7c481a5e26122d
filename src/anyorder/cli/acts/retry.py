"""`anyorder quarantine retry`: decode, route and decide again."""

from __future__ import annotations

from anyorder.cli.acts.asked import Asked
from anyorder.cli.terminal import say
from anyorder.guard.retry import Retry


def retry(asked: Asked) -> int:
    """`retry [ID]`. Exit code 1 if one of them is still open."""
    numbers = None if asked.options.which is None else [asked.number]
    done = Retry(asked.store, asked.catalogue(), asked.pipeline.read_anew).run(numbers)
    say(f"{done.settled} settled, {done.open} still open")
    if done.own:
        say(f"{done.own} were held by your own code: deliver these events to it again")
    return int(done.open > 0)

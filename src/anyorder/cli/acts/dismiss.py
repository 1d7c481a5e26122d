"""`anyorder quarantine dismiss SCOPE`: the suspicion of a reset was wrong."""

from __future__ import annotations

from anyorder.cli.acts.asked import Asked
from anyorder.cli.terminal import say


def dismiss(asked: Asked) -> int:
    """`dismiss SCOPE`."""
    scope = asked.options.which or ""
    closed = asked.quarantine.dismiss(scope, asked.catalogue().specs())
    say(f"{closed} entries closed")
    return 0

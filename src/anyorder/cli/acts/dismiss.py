"""`anyorder quarantine dismiss SCOPE`: the suspicion of a reset was wrong."""

from __future__ import annotations

from anyorder.cli.acts.asked import Asked


def dismiss(asked: Asked) -> int:
    """`dismiss SCOPE`."""
    scope = asked.options.which or ""
    closed = asked.quarantine.dismiss(scope, asked.catalogue().specs())
    print(f"{closed} entries closed")
    return 0

"""`anyorder quarantine settle ID --accept | --drop`: an operator's word."""

from __future__ import annotations

import time

from anyorder.cli.acts.asked import Asked
from anyorder.cli.terminal import say
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Entry, TableSpec
from anyorder.guard.routes import Unrouted


def settle(asked: Asked) -> int:
    """`settle ID`."""
    say(_settled(asked))
    return 0


def _settled(asked: Asked) -> str:
    options, number = asked.options, asked.number
    if options.drop:
        asked.quarantine.drop(number)
        return f"entry {number} is dropped"
    if options.from_source:
        raise ConfigurationError(
            "--from-source needs a source that can be asked, and a JSON-lines file cannot: "
            "use --accept or --drop"
        )
    if not options.accept:
        raise ConfigurationError(
            f"how shall entry {number} be settled? Say --accept, --drop or --from-source"
        )
    entry = asked.quarantine.show(number)
    return asked.quarantine.accept(number, _spec_for(asked, entry))


def _spec_for(asked: Asked, entry: Entry) -> TableSpec | None:
    """The table of an entry. What no table took is routed again: a [[table]] may take it now."""
    catalogue = asked.catalogue()
    if entry.table or entry.state != "open" or entry.delivery is None:
        return catalogue.spec_of(entry.table)
    event = asked.pipeline.decode(entry.provenance, entry.delivery)
    (route,) = catalogue.routes(asked.store, [event], time.time())
    if isinstance(route, Unrouted) and route.detail:
        raise ConfigurationError(f"entry {entry.id} cannot be accepted: {route.detail}")
    return route if isinstance(route, TableSpec) else None

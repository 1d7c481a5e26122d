"""`anyorder quarantine settle ID --accept [N] | --drop`: an operator's word."""

from __future__ import annotations

import time

from anyorder.cli.acts.asked import THE_ONE, Asked
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Entry, TableSpec
from anyorder.guard.routes import Unrouted


def settle(asked: Asked) -> int:
    """`settle ID`."""
    print(_settled(asked))
    return 0


def _settled(asked: Asked) -> str:
    options, number = asked.options, asked.number
    if options.from_source:
        raise ConfigurationError(
            "--from-source needs a source that can be asked, and a JSON-lines file cannot: "
            "use --accept or --drop"
        )
    if options.accept is None and not options.drop:
        raise ConfigurationError(
            f"how shall entry {number} be settled? Say --accept, --drop or --from-source"
        )
    spec = _spec_for(asked, asked.quarantine.show(number))
    if options.drop:
        return asked.quarantine.drop(number, spec, of=options.of)
    content = None if options.accept == THE_ONE else options.accept
    return asked.quarantine.accept(number, spec, content=content, of=options.of)


def _spec_for(asked: Asked, entry: Entry) -> TableSpec | None:
    """The table of an entry. What no table took is routed again: a [[table]] may take it now."""
    catalogue = asked.catalogue()
    if entry.table or entry.state != "open" or entry.delivery is None:
        return catalogue.spec_of(entry.table)
    event = asked.pipeline.decode(entry.provenance, entry.delivery)
    (route,) = catalogue.routes(asked.store, [event], time.time())
    # What is dropped needs no table.
    if isinstance(route, Unrouted) and route.detail and not asked.options.drop:
        raise ConfigurationError(f"entry {entry.id} cannot be accepted: {route.detail}")
    return route if isinstance(route, TableSpec) else None

"""What the tables would refuse of the next records: decided and written in a copy of the store,
which is thrown away."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from anyorder._core.batch import Decision, identity_of
from anyorder._core.event import Event
from anyorder._core.outcome import REASONS, Reason
from anyorder.errors import AnyorderError
from anyorder.guard.contract import EntryQuery, Store, TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.routes import Unrouted
from anyorder.runtime.loose import changes
from anyorder.runtime.pipeline import Pipeline


class Trial:
    """In one copy of the pipeline's store."""

    def __init__(self, pipeline: Pipeline, store: Store) -> None:
        self._store = store
        self._provenance = pipeline.provenance
        with store.reading() as transaction:
            self._catalogue = pipeline.routing.catalogue(transaction)
        self._catalogue.save(store, time.time())

    def problems(self, events: Sequence[Event]) -> list[str]:
        """Why each of these events would be held by its table, or would end the run; "" if it would
        not, or goes to no table."""
        routes = self._catalogue.routes(self._store, events, time.time())
        specs: dict[str, TableSpec] = {}
        places: dict[str, list[int]] = {}
        found = [""] * len(events)
        for place, route in enumerate(routes):
            # The table that is there cannot be used.
            if isinstance(route, Unrouted):
                found[place] = f"{Reason.UNROUTED}: {route.detail}"
            elif isinstance(route, TableSpec) and changes(events[place]):
                specs[route.name] = route
                places.setdefault(route.name, []).append(place)
        decided: dict[int, Decision] = {}
        # Each table by itself: what ends the run for one says nothing of the others.
        for name, spec in specs.items():
            share = Share(spec, [events[place] for place in places[name]])
            try:
                decided |= dict(zip(places[name], self._decisions(share), strict=True))
            except AnyorderError as error:
                for place in places[name]:
                    found[place] = str(error)
        held = self._held()
        for place, decision in decided.items():
            found[place] = _problem(decision, held)
        return found

    def _decisions(self, share: Share) -> list[Decision]:
        taken = take(
            self._store,
            [share],
            now=time.time(),
            token=secrets.token_hex(4),
            provenance=self._provenance,
        )
        return taken.decisions

    def _held(self) -> set[str]:
        """The identities of what is open."""
        with self._store.reading() as transaction:
            return {entry.identity for entry in transaction.entries(EntryQuery())}


def _problem(decision: Decision, held: set[str]) -> str:
    """Why a delivery is held, "" if it is not."""
    reason = decision.reason
    if not reason.quarantined:
        return ""
    # What it waited for was among the records: a parent that came after its child.
    has_settled = reason is Reason.WAITING and identity_of(decision.event) not in held
    if has_settled:
        return ""
    return f"{reason}: {decision.detail or REASONS[reason].when}"

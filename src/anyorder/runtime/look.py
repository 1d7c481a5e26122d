"""What a run would make of the next records: looked at, and nothing written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import NamedTuple

from anyorder._core.event import Event, Kind
from anyorder.envelopes import detect
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.duration import spelled
from anyorder.guard.routes import Ignored, Route, Unrouted, origin_of
from anyorder.runtime.loose import changes
from anyorder.runtime.pipeline import Pipeline
from anyorder.runtime.preflight import decoded
from anyorder.runtime.sections import TableSection
from anyorder.runtime.trial import Trial
from anyorder.sources.contract import Received

SHOWN = 10  # records


class Foreseen(NamedTuple):
    """What would become of one record. `format`: what `detect` takes it for, "" for nothing known.
    `table`, `retention`: of its target, "" where it has none; `match`: of the [[table]] that fits.
    `problem`: why it would be held, "" if it would not."""

    place: str
    format: str
    event: Event
    table: str
    match: str
    retention: str
    problem: str

    @property
    def position(self) -> str:
        """Its clock, for people."""
        return "" if self.event.position is None else self.event.position.text()


def look(pipeline: Pipeline, store: Store, *, from_start: bool = False) -> list[Foreseen]:
    """The first records that the next run would read, or the first of all. What they meet in their
    tables is not looked at (`tried`). Raises ConfigurationError, StoreError and SourceError as a
    run does."""
    source = pipeline.open_source()
    with closing(source), store.reading() as transaction:
        catalogue = pipeline.routing.catalogue(transaction)
        frontier = transaction.frontier(pipeline.frontier_name(source))
        batches = source.batches(None if from_start else frontier, SHOWN)
        return [
            _foreseen(pipeline, catalogue, transaction, one)
            for one in islice(_each(batches), SHOWN)
        ]


def tried(pipeline: Pipeline, store: Store, found: Sequence[Foreseen]) -> list[Foreseen]:
    """The same records, with what their tables would refuse. `store`: a copy, to be thrown away."""
    problems = Trial(pipeline, store).problems([one.event for one in found])
    told = zip(found, problems, strict=True)
    return [one._replace(problem=one.problem or problem) for one, problem in told]


def _each(batches: Iterator[Sequence[Received]]) -> Iterator[Received]:
    """The records of a source until it has nothing new."""
    for batch in batches:
        # A queue that has nothing gives an empty batch, and goes on to wait.
        if not batch:
            return
        yield from batch


def _foreseen(
    pipeline: Pipeline, catalogue: Catalogue, transaction: Transaction, received: Received
) -> Foreseen:
    event = decoded(pipeline.envelope, received)
    route = catalogue.foreseen(transaction, event)
    section = pipeline.routing.section(*origin_of(event))
    spec = route if isinstance(route, TableSpec) and changes(event) else None
    return Foreseen(
        place=received.delivery.place,
        format=detect(received.delivery).format,
        event=event,
        table="" if spec is None else spec.name,
        match="" if section is None else section.match,
        retention=_retention(spec, section),
        problem=_problem(event, route),
    )


def _retention(spec: TableSpec | None, section: TableSection | None) -> str:
    """As it is written, where it is: `48h`, and not `2d`."""
    if spec is None:
        return ""
    if section is not None and isinstance(section.retention, str):
        return section.retention
    return spelled(spec.retention)


def _problem(event: Event, route: Route) -> str:
    """Why a record would be held, whatever its table remembers."""
    if isinstance(route, Ignored) and event.table:
        return ""
    if event.kind in (Kind.MALFORMED, Kind.NO_CONTENT):
        return f"{event.kind}: {event.note}"
    if isinstance(route, Unrouted):
        return f"unrouted: {route.detail or 'no [[table]] matches it'}"
    return ""

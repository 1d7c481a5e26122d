"""Read, decode, decide and write, commit; then again. One thread: the store is the limit (measured), and order is free."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.outcome import Reason
from anyorder.envelopes import read_record
from anyorder.errors import ConfigurationError, Malformed, QuarantineFull, TooManyQuarantined
from anyorder.report import Report
from anyorder.runtime.pipeline import Pipeline
from anyorder.sources.jsonl import JSONLinesSource, Line
from anyorder.stores.contract import Store, TableSpec
from anyorder.stores.intake import Share, Taken, take

WATCHED = 1000  # latest deliveries over which the quarantined share is taken
REAP_SECONDS = 30.0  # how often tombstones are forgotten during a run; with window 0 after every batch
EXPECTED = (Reason.WAITING, Reason.LATE)  # disorder and a short window fill the quarantine with these, and nothing is wrong
CHECK_SIZE = 200  # batches between two looks at the quarantine's size


class Run:
    """One run of a pipeline. `stop()` lets the current batch end; the frontier then says where to go on."""

    def __init__(self, pipeline: Pipeline, store: Store, *, dry: bool = False, progress: Callable[[Report], None] | None = None) -> None:
        self.pipeline = pipeline
        self.store = store
        self.report = Report()
        self._dry = dry
        self._progress = progress
        self._stopping = False
        self._latest: deque[bool] = deque(maxlen=WATCHED)
        self._reaped = 0.0
        self._batches = 0
        if pipeline.source.kind != "jsonl":
            raise ConfigurationError(f'no source of kind {pipeline.source.kind!r}; there is: "jsonl"')
        self._source = JSONLinesSource(pipeline.source.path)

    def stop(self) -> None:
        """Ask the loop to end after the batch at hand."""
        self._stopping = True

    def run(self) -> Report:
        """Until the source ends or `stop`. Raises QuarantineFull, TooManyQuarantined, StoreError; what was committed stays."""
        with self.store.reading() as transaction:
            frontier = transaction.frontier(self._source.name)
        for batch in batches(self._source.lines(frontier), self.pipeline.runtime.batch):
            self._take(batch)
            if self._stopping:
                break
        if not self._dry:
            self._reap(everything=True)
        return self.report

    def _take(self, batch: list[Line]) -> None:
        shares, loose = self._routed([self._decoded(line.text) for line in batch])
        frontier = (self._source.name, batch[-1].frontier)
        taken = take(self.store, shares, loose, now=time.time(), token=secrets.token_hex(4), frontier=frontier, dry=self._dry)
        self.report.count(taken)
        if self._progress is not None:
            self._progress(self.report)
        if not self._dry:
            self._guard_quarantine(taken)
            self._reap()

    def _decoded(self, line: bytes) -> Event:
        try:
            delivery = read_record(line)
        except Malformed as error:
            return Event(Kind.MALFORMED, note=str(error), delivery=Delivery(value=line))
        return self.pipeline.envelope.decode(delivery)

    def _routed(self, events: list[Event]) -> tuple[list[Share], list[Decision]]:
        """Each table's share of a batch, and the deliveries of no table, decided."""
        routed: dict[str, tuple[TableSpec, list[Event]]] = {spec.name: (spec, []) for spec in self.pipeline.known_specs()}
        loose = []
        for event in events:
            try:
                spec = self.pipeline.route(event)
            except LookupError:
                loose.append(Decision(event, Reason.MALFORMED if event.kind is Kind.MALFORMED else Reason.UNROUTED, detail=event.note))
                continue
            if event.kind is Kind.CONTROL or spec is None:
                loose.append(Decision(event, Reason.NOT_A_CHANGE))
            else:
                routed.setdefault(spec.name, (spec, []))[1].append(event)
        return [Share(spec, found) for spec, found in routed.values() if found], loose

    def _reap(self, *, everything: bool = False) -> None:
        now = time.time()
        for spec in self.pipeline.known_specs():
            if spec.window is not None and (everything or spec.window == 0 or now - self._reaped > REAP_SECONDS):
                while self.store.reap(spec, now - spec.window, WATCHED) == WATCHED:
                    pass
        if now - self._reaped > REAP_SECONDS:
            self._reaped = now

    def _guard_quarantine(self, taken: Taken) -> None:
        """Stop loudly instead of filling the quarantine with a stream that cannot be right."""
        self._latest.extend(decision.quarantined and decision.reason not in EXPECTED for decision in taken.decisions)
        share = sum(self._latest) / WATCHED
        if len(self._latest) == WATCHED and share > self.pipeline.runtime.quarantine_share:
            raise TooManyQuarantined(
                f"{share:.0%} of the latest {WATCHED} deliveries went to the quarantine: {self.report}. {TooManyQuarantined.__doc__}"
            )
        self._batches += 1
        if self._batches % CHECK_SIZE == 1 and taken.decisions:
            with self.store.reading() as transaction:
                held = transaction.quarantine_size()
            if held > self.pipeline.quarantine_size:
                raise QuarantineFull(f"the quarantine holds {held} bytes, more than {self.pipeline.quarantine_size}. {QuarantineFull.__doc__}")


def batches(lines: Iterator[Line], size: int) -> Iterator[list[Line]]:
    """The lines in lists of at most `size`."""
    batch: list[Line] = []
    for line in lines:
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch

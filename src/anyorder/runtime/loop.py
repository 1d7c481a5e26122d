"""Read, decode, decide and write, commit; then again. One thread: the store is the limit
(measured), and order is free."""

from __future__ import annotations

import logging
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice

from anyorder._core.batch import Judged
from anyorder._core.event import Event
from anyorder._core.outcome import REASONS
from anyorder.errors import QuarantineFull, StoreBusy, TableNotEmpty, TooManyQuarantined
from anyorder.guard.adoption import adopt_rows
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Locking, Store, TableSpec
from anyorder.guard.forgetting import forget
from anyorder.guard.intake import Share, Taken
from anyorder.guard.moments import Moments
from anyorder.guard.parts import take
from anyorder.guard.report import Report
from anyorder.guard.waiting import settle_waiting
from anyorder.runtime.costs import costs
from anyorder.runtime.loose import parted_by_table
from anyorder.runtime.pipeline import Pipeline
from anyorder.runtime.preflight import check_first, decoded
from anyorder.sources.contract import Measured, Passing, Received, Stoppable

WATCHED = 1000  # latest deliveries over which the quarantined share is taken
# how often tombstones are forgotten during a run; with retention 0 after every batch
REAP_SECONDS = 30.0
CHECK_SIZE = 200  # batches between two looks at the quarantine's size
log = logging.getLogger("anyorder")


class Run:
    """One run of a pipeline. `stop()` lets the current batch end; the frontier then says where to
    go on. `from_start`: read the source from its beginning, whatever the frontier says.

    `preflight`: look at the first batch of a source that was never read before, and take nothing
    if it is not what the pipeline says. `make_store`: opens the store to write, once that is known;
    until then `store` stands for one that is not there yet. `progress` is told the books after each
    batch, and how much of the source was read, from 0 to 1, where it is known.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        *,
        dry: bool = False,
        from_start: bool = False,
        preflight: bool = False,
        make_store: Callable[[], Store] | None = None,
        progress: Callable[[Report, float | None], None] | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.store = store
        self.report = Report()
        self._dry = dry
        self._from_start = from_start
        self._preflight = preflight
        self._make_store = make_store
        self._progress = progress
        self._stopping = False
        self._is_opening = False
        self._is_told = False
        self._latest: deque[bool] = deque(maxlen=WATCHED)
        self._adopted: set[str] = set()
        self._reaped = 0.0
        self._batches = 0
        self._source = pipeline.open_source()
        self.place = self._source.place
        self._frontier_name = pipeline.frontier_name(self._source)
        self._catalogue = Catalogue(pipeline.routing.declared)
        self._moments = Moments(pipeline.envelope.options)

    def stop(self) -> None:
        """Ask the loop to end after the batch at hand, and not to wait: a batch that waits for
        another writer is given up, and read again by the next run; one that waits for more input is
        decided as it is. Raises KeyboardInterrupt while the store is being opened: nothing has been
        taken yet."""
        self._stopping = True
        if self._is_opening:
            raise KeyboardInterrupt
        if isinstance(self.store, Locking):
            self.store.stop_waiting()
        if isinstance(self._source, Stoppable):
            self._source.stop()

    def run(self) -> Report:
        """Until the source ends or `stop`. Raises QuarantineFull, TooManyQuarantined, StoreError;
        what was committed stays. Raises ConfigurationError before anything is written."""
        try:
            frontier = self._read()
            start = None if self._from_start else frontier
            log.info("%s is read from %s", self.place, start or "its beginning")
            batches = iter(self._source.batches(start, self.pipeline.runtime.batch))
            first = self._looked_at(batches) if frontier is None else []
            self._begin()
            self._consume(chain(first, batches))
        except StoreBusy as busy:
            # that a stop ended a wait is no failure: nothing of the batch at hand is written
            if not self._stopping:
                raise
            log.warning("%s; the next run goes on from here", busy)
        finally:
            self._source.close()
        return self.report

    def _read(self) -> str | None:
        """What is declared; where to go on, None for a source that was never read before."""
        with self.store.reading() as transaction:
            frontier = transaction.frontier(self._frontier_name)
            # of before, when all pipelines over one source had one together
            if frontier is None:
                frontier = transaction.frontier(self._source.name)
            self._catalogue = self.pipeline.routing.catalogue(transaction)
        return frontier

    def _looked_at(self, batches: Iterator[Sequence[Received]]) -> list[Sequence[Received]]:
        """The first batch of a source that was never read before, which is what the pipeline says.
        Raises ConfigurationError if it is not; none where it could not be read a second time."""
        is_kept = not self._source.acknowledges
        if isinstance(self._source, Passing):
            is_kept = is_kept and self._source.is_kept
        if not self._preflight or not is_kept:
            return []
        first = list(islice(batches, 1))
        for batch in first:
            check_first(self.pipeline.envelope, batch, self.place)
        return first

    def _begin(self) -> None:
        """What is declared, into the store. Raises TableNotEmpty for rows that are refused."""
        if self._dry:
            self._adopting()
            return
        # Only now: before the first batch was looked at, nothing was made.
        if self._make_store is not None:
            self.store.close()
            # It may wait for another writer, and there is no store yet that could be told to stop.
            self._is_opening = True
            self.store = self._make_store()
            self._is_opening = False
            log.info("the store is made, or its schema brought up to date")
            self._read()
        adopting = self._adopting()
        self._catalogue.save(self.store, time.time())
        self._adopt(adopting)
        self._settle_waiting()

    def _adopting(self) -> list[TableSpec]:
        """The targets that the file names and whose rows are to be adopted now. Raises
        TableNotEmpty."""
        with self.store.reading() as transaction:
            specs = self.pipeline.routing.adopting(transaction)
            # One whose name is made from events is opened with the first of them.
            derived = [spec for spec in specs if spec.is_derived]
            for why in filter(None, map(transaction.obstacle, derived)):
                raise TableNotEmpty(why)
        return [spec for spec in specs if not spec.is_derived]

    def _adopt(self, specs: Iterable[TableSpec]) -> None:
        """Write down the positions of rows that were in these tables before."""
        for spec in specs:
            if self._dry or spec.clock is None or spec.name in self._adopted:
                continue
            told = adopt_rows(self.store, spec, time.time(), lambda: self._stopping)
            # Somebody wants to stop: the next start goes on from there.
            if told is None:
                return
            self._adopted.add(spec.name)
            if told:
                log.warning("%s", told)

    def _consume(self, batches: Iterable[Sequence[Received]]) -> None:
        for batch in batches:
            self._take(batch)
            if self._stopping:
                log.info("stopped after a batch")
                break
        if not self._dry:
            self._reap(everything=True)

    def _settle_waiting(self) -> None:
        """What the store refused before may be taken since: somebody moved rows by hand."""
        with self.store.reading() as transaction:
            is_any_refused = transaction.any_refused()
        # A start that settles nothing writes nothing, so that many may start at once.
        if not is_any_refused:
            return
        specs = {spec.name: spec for spec in self._catalogue.specs()}
        closed = settle_waiting(self.store, specs, time.time(), secrets.token_hex(4))
        self.report.count(Taken([], closed))

    def _take(self, batch: Sequence[Received]) -> None:
        """Decide and write a batch in one transaction; only then is it done at its source."""
        if batch:
            self._tell_costs(batch)
            events = [decoded(self.pipeline.envelope, one) for one in batch]
            self._moments.look(events)
            shares, loose = self._routed(events)
            frontier = None if self._source.acknowledges else (self._frontier_name, batch[-1].mark)
            taken = take(
                self.store,
                shares,
                loose,
                now=time.time(),
                token=secrets.token_hex(4),
                frontier=frontier,
                provenance=self.pipeline.provenance,
                dry=self._dry,
            )
            self.report.count(taken)
            _tell_taken(taken, _done(frontier, dry=self._dry))
            if not self._dry:
                self._source.done(batch)
                self._watch_quarantine(taken)
        if self._progress is not None:
            source = self._source
            share = source.share() if isinstance(source, Measured) else None
            self._progress(self.report, share)
        if not self._dry:
            self._reap()

    def _tell_costs(self, batch: Sequence[Received]) -> None:
        """Once, what it costs that a file does not tell everything."""
        if self._is_told:
            return
        self._is_told = True
        for cost in costs(self.pipeline.envelope, batch):
            log.warning("%s: %s", self.place, cost)

    def _routed(self, events: list[Event]) -> tuple[list[Share], list[Judged]]:
        """Each table's share of a batch, and the deliveries of no table, decided."""
        routes = self._catalogue.routes(self.store, events, time.time(), dry=self._dry)
        shares, loose = parted_by_table(events, routes)
        self._adopt(share.spec for share in shares)
        return shares, loose

    def _reap(self, *, everything: bool = False) -> None:
        now = time.time()
        for spec in self._catalogue.specs():
            if spec.retention is not None and (
                everything or spec.retention == 0 or now - self._reaped > REAP_SECONDS
            ):
                gone = forget(self.store, spec, now)
                if gone:
                    log.info("table %s: %d tombstones forgotten", spec.name, gone)
        if now - self._reaped > REAP_SECONDS:
            self._reaped = now

    def _watch_quarantine(self, taken: Taken) -> None:
        """Stop loudly instead of filling the quarantine with a stream that cannot be right."""
        self._latest.extend(
            decision.quarantined and not REASONS[decision.reason].expected
            for decision in taken.decisions
        )
        share = sum(self._latest) / WATCHED
        if len(self._latest) == WATCHED and share > self.pipeline.runtime.quarantine_share:
            raise TooManyQuarantined(
                f"{share:.0%} of the latest {WATCHED} deliveries went to the quarantine: "
                f"{self.report}. {TooManyQuarantined()}"
            )
        self._batches += 1
        if self._batches % CHECK_SIZE == 1 and taken.decisions:
            with self.store.reading() as transaction:
                held = transaction.quarantine_size()
            if held > self.pipeline.quarantine_size:
                raise QuarantineFull(
                    f"the quarantine holds {held} bytes, more than "
                    f"{self.pipeline.quarantine_size}. {QuarantineFull()}"
                )


def _tell_taken(taken: Taken, done: str) -> None:
    """What became of a batch, and how far its source is `done` with it."""
    if not log.isEnabledFor(logging.INFO):
        return
    reasons = Counter(decision.reason.value for decision in taken.decisions)
    counted = ", ".join(f"{reason} {number}" for reason, number in reasons.most_common())
    settled = f"; {len(taken.closed)} settled by themselves" if taken.closed else ""
    log.info("%d read: %s%s; %s", len(taken.decisions), counted, settled, done)


def _done(frontier: tuple[str, str] | None, *, dry: bool) -> str:
    """How far a source is done, in words."""
    if dry:
        return "nothing is written"
    # The marks of a source that is acknowledged are its receipts, which nobody else may have.
    return "to be acknowledged" if frontier is None else f"done up to {frontier[1]}"

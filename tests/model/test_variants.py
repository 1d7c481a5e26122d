"""Every tempting simplification of the rules is caught, with a shortest trace: one function of the
product is replaced, one search is run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec
import pytest

from anyorder._core import batch, columns, decide, declared, fold, lives, past, reset
from anyorder._core.age import newest_first
from anyorder._core.batch import Arrival, Coalesced, Judged
from anyorder._core.columns import Written
from anyorder._core.decide import truncate
from anyorder._core.event import Event, Kind
from anyorder._core.families import (
    LogPosition,
    OffsetPosition,
    OwnCommitPosition,
    log_order,
    restarting,
)
from anyorder._core.families.restarting import Bound, Told
from anyorder._core.floor import Floor
from anyorder._core.fold import Applied, Limits
from anyorder._core.memory import Base, Born, Cell, Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.position import Above, Clocked, Growing, Lineage, Order
from anyorder.guard import writing
from tests.model import books, store, table
from tests.model.accepting import Accepting
from tests.model.conftest import Report
from tests.model.connector import Bounds, Copies, Offsets, all_lives, copies
from tests.model.histories import told as events_told
from tests.model.holes import IN_TURN
from tests.model.holes import all_lives as lives_with_holes
from tests.model.life import Life, tally
from tests.model.lives import MORE_LIVES, TWO_LIVES, Lives, Plan
from tests.model.lives import lives as restarted_versions
from tests.model.refusing import delivered, play
from tests.model.runs import clocked, lagging, life_of, rebuilt, restarted
from tests.model.scopes import Stream, kafka
from tests.model.search import Explored
from tests.model.settling import alarms, lives_with_hints, restarts
from tests.model.source import final_state, histories, rank
from tests.model.test_floor import BLIND, LAYOUTS, MOVED

Patch = pytest.MonkeyPatch
replace = msgspec.structs.replace


class Caught(NamedTuple):
    """What a search says of a variant: its shortest trace, or what it counted where there is none
    to show."""

    steps: int
    text: str


Search = Callable[[], Caught | None]


@cache
def fold_of(letters: Any, length: int, *, columns: str = "xy", size: int = 1) -> Search:
    return lambda: _trace(table.search_all("log", letters, length, columns=columns, batch=size)[2])


@cache
def books_of(letters: str, length: int, **how: Any) -> Search:
    return lambda: _trace(books.search_all("version", letters, length, **how)[2])


def lives_of(lives: Callable[[], Iterator[Life]]) -> Search:
    return lambda: _trace(tally(lives()).worst)


@cache
def connector(history: tuple[int, int, int, int], records: int, **how: Any) -> Search:
    return lives_of(lambda: all_lives(Bounds(history, records, **how)))


@cache
def passes(search: Search) -> bool:
    """Do the rules themselves pass it? Several variants are looked for by the same search."""
    return search() is None


def _trace(found: Explored | None) -> Caught | None:
    return None if found is None or found.trace is None else Caught(len(found.trace), str(found))


def _counted(name: str, count: int) -> Caught | None:
    return Caught(count, f"{name}: {count}") if count else None


# ---------------------------------------------------------------- R8 and R10: the fold


def no_birth_floor(patch: Patch) -> None:
    of_empty_slot = past.of_empty_slot

    def unborn(*known: Any) -> Base | None:
        base = of_empty_slot(*known)
        return None if isinstance(base, Born) else base

    patch.setattr(past, "of_empty_slot", unborn)


def older_delete_is_just_stale(patch: Patch) -> None:
    older = fold._older

    def stale(memory: Memory, event: Event, *rest: Any) -> Applied:
        if event.kind is Kind.PUT:
            return older(memory, event, *rest)
        return Applied(memory, None, Reason.STALE)

    patch.setattr(fold, "_older", stale)


def what_a_delete_cleared_is_forgotten(patch: Patch) -> None:
    patch.setattr(past, "dead_up_to", lambda base, stamp, lineage: base)


def last_writer_wins(patch: Patch) -> None:
    older = fold._older

    def stale(memory: Memory, event: Event, *rest: Any) -> Applied:
        if event.kind is Kind.PUT:
            return Applied(memory, None, Reason.STALE)
        return older(memory, event, *rest)

    patch.setattr(fold, "_older", stale)


def late_delete_is_stored(patch: Patch) -> None:
    onto_empty = fold._onto_empty

    def stored(event: Event, stamp: Stamp, limits: Limits) -> Applied:
        applied = onto_empty(event, stamp, limits)
        if applied.reason is Reason.ABSORBED:
            return Applied(Memory(stamp), None, Reason.APPLIED)
        return applied

    patch.setattr(fold, "_onto_empty", stored)


def truncate_deletes_rows_only(patch: Patch) -> None:
    patch.setattr(store, "truncated_by", lambda limits, event: (limits, Reason.APPLIED))


def truncate_raises_the_floor_only(patch: Patch) -> None:
    def raised(limits: Limits, event: Event) -> tuple[Limits, Reason]:
        assert event.position is not None
        return replace(limits, floor=event.position.raising(limits.floor)), Reason.APPLIED

    patch.setattr(store, "truncated_by", raised)
    patch.setattr(
        store,
        "truncate",
        lambda memory, event, limits: (
            truncate(memory, event, limits) if memory.live else Applied(memory, None, Reason.STALE)
        ),
    )


def floor_is_not_raised(patch: Patch) -> None:
    patch.setattr(store, "forget", lambda limits, tombstone: limits)


def holes_of_a_create_inherit(patch: Patch) -> None:
    apply = fold.apply
    patch.setattr(
        decide,
        "apply",
        lambda memory, event, limits: apply(memory, replace(event, creates=False), limits),
    )


def older_create_is_only_a_put(patch: Patch) -> None:
    older = fold._older
    patch.setattr(
        fold,
        "_older",
        lambda memory, event, *rest: older(memory, replace(event, creates=False), *rest),
    )


def writes_are_only_added(patch: Patch) -> None:
    patch.setattr(
        Written,
        "then",
        lambda first, later: Written({**first.values, **later.values}, first.spared),
    )


# ---------------------------------------------------------------- R9, R12 and the settling rule:
# the books


def first_of_a_tie_stays(patch: Patch) -> None:
    patch.setattr(Stamp, "tag", property(lambda stamp: ()))


def held_is_never_decided_again(patch: Patch) -> None:
    patch.setattr(
        batch,
        "decide_again",
        lambda memory, event, limits: Applied(memory, None, Reason.CONFLICT),
    )


def losers_are_released_first(patch: Patch) -> None:
    def released(
        transaction: Any,
        spec: Any,
        arrivals: list[Arrival],
        remembered: Any,
        limits: Limits,
        token: str,
        refused: Any,
    ) -> Coalesced:
        newest, *losers = newest_first(arrivals)
        judged = [
            Judged(newest.number, newest.event, Reason.MALFORMED),
            *(Judged(loser.number, loser.event, Reason.STALE) for loser in losers),
        ]
        return Coalesced(remembered.memory, remembered.memory, judged, [])

    patch.setattr(writing, "one_by_one", released)


def put_then_refused() -> Caught | None:
    known = events_told("version", "PP")
    refused = frozenset((known[1].event.fields or {}).values())
    ends = {play(delivered(known), refused, (0, 1), parts, Limits()) for parts in books.cuts(2)}
    return _counted("ends", len(ends) - 1)


# ---------------------------------------------------------------- R4 and R5: the connector


def by_position_alone(patch: Patch) -> None:
    patch.setattr(log_order, "_high_is_newer", lambda low, high: Order.NEWER)


def by_sequence_null_first(patch: Patch) -> None:
    in_epoch = log_order.compare_in_epoch
    key = lambda p: (-1 if p.seq0 is None else p.seq0, p.lsn)  # noqa: E731
    patch.setattr(
        log_order,
        "compare_in_epoch",
        lambda a, b: (
            in_epoch(a, b) if {a.op, b.op} & set("rixt") or a.lsn == b.lsn else _by(key, a, b)
        ),
    )


def by_the_greater_of_both_halves(patch: Patch) -> None:
    in_epoch = log_order.compare_in_epoch
    key = lambda p: (max(-1 if p.seq0 is None else p.seq0, p.lsn), p.lsn)  # noqa: E731
    patch.setattr(
        log_order,
        "compare_in_epoch",
        lambda a, b: (
            in_epoch(a, b) if {a.op, b.op} & set("rixt") or a.lsn == b.lsn else _by(key, a, b)
        ),
    )


def _by(key: Callable[[LogPosition], Any], a: LogPosition, b: LogPosition) -> Order:
    return Order.SAME if key(a) == key(b) else Order.NEWER if key(a) > key(b) else Order.OLDER


def the_transaction_is_not_looked_at(patch: Patch) -> None:
    high_is_newer = log_order._high_is_newer
    patch.setattr(
        log_order,
        "_high_is_newer",
        lambda low, high: high_is_newer(replace(low, transaction=None), high),
    )


def a_missing_proof_never_matters(patch: Patch) -> None:
    high_is_newer = log_order._high_is_newer

    def sure(low: LogPosition, high: LogPosition) -> Order:
        order = high_is_newer(low, high)
        return (
            order
            if order is not Order.UNDECIDED
            else Order.NEWER
            if low.seq0 is None
            else Order.OLDER
        )

    patch.setattr(log_order, "_high_is_newer", sure)


def no_offsets_prove_newer(patch: Patch) -> None:
    """As the rules once were: only offsets that say the opposite leave two creates undecided."""
    high_is_newer = log_order._high_is_newer

    def sure(low: LogPosition, high: LogPosition) -> Order:
        order = high_is_newer(low, high)
        proved = low.seq0 is not None and high.seq0 is None and low.offset == high.offset == -1
        return Order.OLDER if order is Order.UNDECIDED and proved else order

    patch.setattr(log_order, "_high_is_newer", sure)


def both_meanings_are_one(patch: Patch) -> None:
    patch.setattr(OwnCommitPosition, "own_commit", False)


def no_joined_offset(patch: Patch) -> None:
    joined = LogPosition.joined
    patch.setattr(
        LogPosition,
        "joined",
        lambda self, other, same: replace(joined(self, other, same), offset=self.offset),
    )


def the_rows_offset_for_every_field(patch: Patch) -> None:
    told_by = columns.told_by

    def of_the_row(cell: Cell, row: Stamp) -> Stamp | None:
        found = told_by(cell, row)
        if found is None or found is row:
            return found
        assert isinstance(found.position, LogPosition)
        assert isinstance(row.position, LogPosition)
        return replace(found, position=replace(found.position, offset=row.position.offset))

    patch.setattr(columns, "told_by", of_the_row)


def a_read_by_position_alone(patch: Patch) -> None:
    patch.setattr(
        log_order,
        "compare_change_to_read",
        lambda change, read: Order.NEWER if change.lsn > read.lsn else Order.OLDER,
    )


def reads_pass_the_floor_by_the_log_alone(patch: Patch) -> None:
    above = LogPosition.above

    def by_log(self: LogPosition, floor: Floor, lineage: Any) -> Above:
        return above(
            self,
            Floor(
                {
                    name: value
                    for name, value in floor.entries.items()
                    if not name.startswith("offset:")
                }
            ),
            lineage,
        )

    patch.setattr(LogPosition, "above", by_log)


def a_create_passes_the_floor_by_its_proof(patch: Patch) -> None:
    passes = LogPosition.passes
    patch.setattr(
        LogPosition,
        "passes",
        lambda self, limit: passes(self, limit) or (self.op == "c" and (self.seq0 or -1) > limit),
    )


def pairs_of(which: Copies) -> Search:
    """The first two changes whose copies are ordered against their commits."""

    def search() -> Caught | None:
        for events in copies((4, 2, 1), which):
            for older, newer in itertools.combinations(events, 2):
                for a, b in itertools.product(older, newer):
                    if log_order.compare_in_epoch(b, a) not in (Order.NEWER, Order.UNDECIDED):
                        return Caught(2, f"{b} is not newer than {a}")
        return None

    return search


# ---------------------------------------------------------------- R6, R11, R13: settling and
# suspicion


def null_records_are_deletes(patch: Patch) -> None:
    def believed(memory: Memory | None, event: Event, limits: Limits) -> Applied:
        hint = event.position
        assert isinstance(hint, LogPosition)
        stored = memory.stamp.position if memory is not None else None
        if not isinstance(stored, LogPosition) or hint.offset > stored.offset:
            gone = replace(hint, op="d", lsn=-1)
            return Applied(Memory(Stamp(gone, 0, "")), None, Reason.APPLIED)
        return Applied(memory, None, Reason.STALE)

    patch.setattr(decide, "_hint", believed)


def an_accepted_row_is_ordinary(patch: Patch) -> None:
    patch.setattr(decide, "on_declared", lambda memory, birth, event, applied, lineage: applied)


def a_delete_below_the_birth_is_stored(patch: Patch) -> None:
    on_declared = decide.on_declared

    def stored(
        memory: Memory, birth: Floor, event: Event, applied: Applied, lineage: Lineage
    ) -> Applied:
        return (
            on_declared(memory, birth, event, applied, lineage)
            if event.kind is Kind.PUT
            else applied
        )

    patch.setattr(decide, "on_declared", stored)


def an_accepted_row_is_born_nowhere(patch: Patch) -> None:
    patch.setattr(declared, "_born", lambda row, birth, lineage: None)


def only_the_highest_checkpoint_is_kept(patch: Patch) -> None:
    patch.setattr(reset, "CHECKPOINTS", 1)


def growth_by_raw_position(patch: Patch) -> None:
    patch.setattr(LogPosition, "growing", lambda self: Growing(self.scope, self.lsn))


def versions_are_not_suspected(patch: Patch) -> None:
    patch.setattr(lives, "judge", lambda memory, event: None)


def only_a_fall_below_a_tombstone_is_suspected(patch: Patch) -> None:
    judge = lives.judge

    def below(memory: Memory, event: Event) -> Applied | None:
        is_put_over_tombstone = event.kind is Kind.PUT and not memory.live
        return judge(memory, event) if is_put_over_tombstone else None

    patch.setattr(lives, "judge", below)


def only_what_has_fallen_is_suspected(patch: Patch) -> None:
    told = restarting.told

    def fallen(*asked: Any) -> Told:
        found = told(*asked)
        return Told.NOTHING if found is Told.RISEN else found

    patch.setattr(lives, "told", fallen)


def an_accepted_life_remembers_nothing(patch: Patch) -> None:
    patch.setattr(lives, "bound_over", lambda *asked: None)


def an_accepted_life_has_no_low_versions(patch: Patch) -> None:
    told = lives.told

    def by_version(position: Clocked, stored: Clocked, bound: Bound | None, margin: int) -> Told:
        if bound is None or not restarting.is_restartable(position):
            return told(position, stored, bound, margin)
        if position.value <= bound.value:
            return Told.UNBOUND
        return told(position, stored, None, margin)

    patch.setattr(lives, "told", by_version)


def a_tombstone_forgets_the_lives_before(patch: Patch) -> None:
    bounded = lives.bounded

    def until_deleted(before: Memory, applied: Applied) -> Applied:
        after = applied.memory
        return applied if after is None or not after.live else bounded(before, applied)

    patch.setattr(lives, "bounded", until_deleted)


def lived(plans: tuple[Plan, ...] = TWO_LIVES, *, informed: bool = True) -> Search:
    def search() -> Caught | None:
        for told in restarted_versions(plans, 40, 0):
            found = Lives(told, informed=informed).search()
            if not found.safe:
                return _trace(found)
        return None

    return search


def accepting(letters: str) -> Search:
    return lambda: _trace(Accepting("version", letters).search())


# ---------------------------------------------------------------- R3: scopes


def only_its_own_partition_counts(patch: Patch) -> None:
    def own(self: OffsetPosition, floor: Floor, lineage: Any) -> Above:
        limit = floor.entries.get(f"{self.scope}#{self.epoch}/{self.partition}", -1)
        return Above.YES if isinstance(limit, int) and self.offset > limit else Above.NO

    patch.setattr(OffsetPosition, "above", own)


def every_family_is_reaped(patch: Patch) -> None:
    patch.setattr(
        OffsetPosition,
        "raising",
        lambda self, floor: floor.raised(
            {f"{self.scope}#{self.epoch}/{self.partition}": self.offset}
        ),
    )


# ---------------------------------------------------------------- R14: runs


def the_log_decides_across_runs(patch: Patch) -> None:
    patch.setattr(log_order, "across_runs", log_order.compare_in_epoch)


def clocks_decide_across_runs(patch: Patch) -> None:
    """As the rules were first argued: the log decides unless commit times contradict it by more
    than a second."""

    def argued(a: LogPosition, b: LogPosition) -> Order:
        order = log_order.compare_in_epoch(a, b)
        known = a.time is not None and b.time is not None and not {a.op, b.op} & log_order.READS
        apart = (a.time or 0) - (b.time or 0)
        contradicted = (order is Order.NEWER and apart < -1_000_000) or (
            order is Order.OLDER and apart > 1_000_000
        )
        return Order.WAITING if known and contradicted else order

    patch.setattr(log_order, "across_runs", argued)


def the_later_run_is_always_newer(patch: Patch) -> None:
    patch.setattr(
        log_order, "across_runs", lambda a, b: Order.NEWER if a.run > b.run else Order.OLDER
    )


def runs_are_no_epochs(patch: Patch) -> None:
    patch.setattr(log_order, "epoch_of_run", lambda run, snapshot_runs: 0)


def a_floor_of_another_run_absorbs(patch: Patch) -> None:
    above = LogPosition.above

    def sure(self: LogPosition, floor: Floor, lineage: Any) -> Above:
        found = above(self, floor, lineage)
        return Above.NO if found is Above.UNKNOWN else found

    patch.setattr(LogPosition, "above", sure)


def the_run_is_not_joined(patch: Patch) -> None:
    joined = LogPosition.joined
    patch.setattr(
        LogPosition,
        "joined",
        lambda self, other, same: replace(joined(self, other, same), run=self.run),
    )


def another_history(*, limit: int = 3, ahead: int = 20, reaping: bool = False) -> Search:
    def lives() -> Iterator[Life]:
        for pairs in (rebuilt(2, 2, limit=limit), lagging(3, 2, limit=limit)):
            yield from (
                life_of(clocked(pair.plan, ahead), pair.truth, reaping=reaping) for pair in pairs
            )

    return lives_of(lives)


def restarted_lives() -> Iterator[Life]:
    for log in histories(3, 2, 0, 0):
        value = final_state(log)
        for plan in restarted(log, forgets=False, limit=4):
            life = life_of(clocked(plan, 0), None if value is None else {"x": value})
            told = zip(life.changes, life.store.events, strict=True)
            life.ranks = {
                event.position.identity(): rank(log, change)
                for change, event in told
                if event.position is not None
            }
            yield life


def open_in_the_end() -> int:
    return tally(
        life_of(clocked(pair.plan, 20), pair.truth) for pair in rebuilt(2, 2, limit=4)
    ).open


# what is replaced, the search, the longest trace that is expected
VARIANTS: dict[str, tuple[Callable[[Patch], None], Search, int]] = {
    "R8 no birth floor": (no_birth_floor, fold_of("PXYD", 4), 6),
    "R8 a delete older than the row is just stale": (
        older_delete_is_just_stale,
        fold_of("PXYD", 3),
        3,
    ),
    "R8 what an older delete cleared is not remembered": (
        what_a_delete_cleared_is_forgotten,
        fold_of("PXYD", 3),
        3,
    ),
    "R8 an older put never fills": (last_writer_wins, fold_of("PXYD", 3), 2),
    "R8 a late delete is stored as a tombstone": (late_delete_is_stored, fold_of("PXYD", 3), 4),
    "R8 the holes of a create inherit": (holes_of_a_create_inherit, fold_of("CNPX", 2), 2),
    "R8 a create older than the row is only a put": (
        older_create_is_only_a_put,
        fold_of("CNPXY", 3),
        3,
    ),
    "R8 writes of a batch are only added up": (
        writes_are_only_added,
        fold_of("PXYpqD", 3, columns="xyz", size=3),
        2,
    ),
    "R3 forgetting does not raise the floor": (floor_is_not_raised, fold_of("PD", 2), 3),
    "R10 a truncate deletes rows and is forgotten": (
        truncate_deletes_rows_only,
        fold_of("PDT", 2),
        2,
    ),
    "R10 a truncate only raises the floor": (truncate_raises_the_floor_only, fold_of("PDT", 3), 3),
    "R1 held entries are never decided again": (
        held_is_never_decided_again,
        books_of("PXYD", 3),
        3,
    ),
    "R12 the first of a tie stays": (first_of_a_tie_stays, books_of("PX", 2, ties=True), 2),
    "R9 losers are released before the store took the winner": (
        losers_are_released_first,
        put_then_refused,
        1,
    ),
    "R4 log position alone": (by_position_alone, connector((3, 2, 0, 0), 4), 3),
    "R4 the sequence, null first": (
        by_sequence_null_first,
        connector((3, 2, 1, 0), 4, forgets=True),
        3,
    ),
    "R4 the greater half of the sequence": (
        by_the_greater_of_both_halves,
        connector((3, 2, 0, 0), 5, lost=True),
        3,
    ),
    "R4 the transaction is not looked at": (
        the_transaction_is_not_looked_at,
        pairs_of(Copies()),
        2,
    ),
    "R4 a missing proof never matters": (
        a_missing_proof_never_matters,
        connector((3, 2, 0, 0), 5, lost=True),
        3,
    ),
    "R4 records without offsets prove newer": (
        no_offsets_prove_newer,
        pairs_of(Copies(restarts=True, offsets=Offsets.NOWHERE)),
        2,
    ),
    "R4 the own commit is taken for the last one seen": (
        both_meanings_are_one,
        pairs_of(Copies(restarts=True, own_commits=(False, True))),
        2,
    ),
    "R5 no joined offset": (no_joined_offset, connector((2, 1, 0, 1), 5), 7),
    "R5 the row's joined offset for every field": (
        the_rows_offset_for_every_field,
        lives_of(lambda: lives_with_holes(Bounds((3, 2, 0, 0), 4), IN_TURN)),
        3,
    ),
    "R5 a read by its position alone": (a_read_by_position_alone, connector((3, 2, 0, 0), 3), 2),
    "R5 reads pass the floor by the log alone": (
        reads_pass_the_floor_by_the_log_alone,
        connector((3, 2, 0, 0), 4, reaping=True),
        4,
    ),
    "R4 a create passes the floor by its proof": (
        a_create_passes_the_floor_by_its_proof,
        connector((2, 1, 1, 0), 4, reaping=True),
        4,
    ),
    "R6 null records are deletes": (
        null_records_are_deletes,
        lives_of(lambda: lives_with_hints((2, 1, 0, 0), 5)),
        3,
    ),
    "R11 an accepted row is an ordinary one": (an_accepted_row_is_ordinary, accepting("PDPD"), 5),
    "R11 a delete below an accepted row's birth is stored": (
        a_delete_below_the_birth_is_stored,
        accepting("PDPD"),
        6,
    ),
    "R11 an accepted row's holes are anybody's": (
        an_accepted_row_is_born_nowhere,
        accepting("PXDX"),
        6,
    ),
    "R13 only the highest checkpoint is kept": (
        only_the_highest_checkpoint_is_kept,
        lambda: _counted("silent", restarts(0, 10)[1]),
        25_920,
    ),
    "R13 growth by the raw position": (
        growth_by_raw_position,
        lambda: _counted("alarms", alarms((4, 2, 1), 0)[1]),
        10_000,
    ),
    "R13 versions that start again are not suspected": (versions_are_not_suspected, lived(), 5),
    "R13 only a fall below a tombstone is suspected": (
        only_a_fall_below_a_tombstone_is_suspected,
        lived(),
        5,
    ),
    "R13 a life that came first is not suspected": (
        only_what_has_fallen_is_suspected,
        lived(),
        5,
    ),
    "R13 an accepted life remembers nothing": (
        an_accepted_life_remembers_nothing,
        lived(informed=False),
        6,
    ),
    "R13 an accepted life has no low versions": (
        an_accepted_life_has_no_low_versions,
        lived(MORE_LIVES),
        7,
    ),
    "R13 a tombstone forgets the lives before": (
        a_tombstone_forgets_the_lives_before,
        lived((((3, True), (1, True)),), informed=False),
        7,
    ),
    "R3 only its own partition's floor counts": (
        only_its_own_partition_counts,
        lambda: _trace(Stream(MOVED, partitions=1).search()),
        3,
    ),
    "R3 epochs of a topic do not count": (
        only_its_own_partition_counts,
        lambda: _trace(Stream(LAYOUTS, [kafka(1, 0, epoch=1)], partitions=2).search()),
        3,
    ),
    "R3 tombstones of every family are reaped": (
        every_family_is_reaped,
        lambda: _trace(Stream(BLIND, [kafka(0, 0, topic="a")], partitions=1).search()),
        4,
    ),
    "R14 the log decides across runs": (the_log_decides_across_runs, another_history(), 4),
    "R14 commit times decide across runs": (clocks_decide_across_runs, another_history(), 4),
    "R14 commit times decide, and a clock is slow": (
        clocks_decide_across_runs,
        another_history(ahead=-3),
        4,
    ),
    "R14 the later run is always newer": (
        the_later_run_is_always_newer,
        lambda: _counted("steps back", tally(restarted_lives()).back),
        1_000,
    ),
    "R14 a snapshot begins no epoch": (
        runs_are_no_epochs,
        lambda: _counted("open", open_in_the_end()),
        10_000,
    ),
    "R14 a floor of an earlier run absorbs a later run's delete": (
        a_floor_of_another_run_absorbs,
        another_history(limit=4, reaping=True),
        5,
    ),
    "R14 what a later run tells again stays the earlier one's": (
        the_run_is_not_joined,
        lambda: _counted("open", tally(restarted_lives()).open),
        1_000,
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_a_tempting_variant_is_caught(name: str, monkeypatch: Patch, report: Report) -> None:
    variant, search, longest = VARIANTS[name]
    assert passes(search), "the rules themselves must pass this search"

    variant(monkeypatch)
    found = search()

    assert found is not None, f"{name}: no counterexample"
    report(trace=found.text)
    assert found.steps <= longest, found.text

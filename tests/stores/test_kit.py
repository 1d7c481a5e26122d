"""The conformance kit: right stores pass every check; every broken store fails, at the check that
names its mistake."""

from __future__ import annotations

import functools
from collections.abc import Callable

import msgspec
import pytest

from anyorder._core import decide
from anyorder._core.event import Event
from anyorder._core.fold import Applied, Limits, stamp_of
from anyorder._core.memory import Memory
from anyorder._core.outcome import Reason
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import TableSpec
from anyorder.stores.memory.store import MemoryStore
from anyorder.testing import CHECKS, Place, StoreCheckFailed, check_store
from anyorder.testing.kit import FORGETTING
from anyorder.testing.places import POISONED, memory_place, sqlite_place
from tests.stores import broken

RIGHT: dict[str, Callable[[], Place]] = {
    "memory": memory_place,
    "sqlite, the user's table": sqlite_place,
    "sqlite, checked at commit": functools.partial(sqlite_place, deferred=True),
    "sqlite, children go": functools.partial(sqlite_place, action="ON DELETE CASCADE"),
    "sqlite, children are freed": functools.partial(sqlite_place, action="ON DELETE SET NULL"),
    "sqlite, its own table": functools.partial(sqlite_place, refusing=False),
}
IN_MEMORY = {
    broken.NoGuard: "orders",
    broken.NotOlderWins: "orders",
    broken.OwnContentUnknown: "adopted positions",
    broken.PassOverEvents: "adopted positions",
    broken.NoTombstones: "orders",
    broken.BoundLost: "lives",
    broken.ExpiredAreFiltered: "expired",
    broken.TokenIgnored: "ambiguous commit",
    broken.SettledNever: "ties",
    broken.TornMemory: "orders",
    broken.LastClaimWins: "catalogue",
    broken.CaseFolded: "table names",
    broken.ProvenanceLost: "quarantine",
    broken.HeldWithoutProvenance: "quarantine",
    broken.ProvenanceOfTheStore: "quarantine",
    broken.ReadAnewByNobody: "retried",
    broken.RereadWhatIsClosed: "retried",
    broken.ReadAnewInADetail: "retried",
    broken.ClosedOverAgain: "retried",
    broken.NumbersInAnyOrder: "retried",
    broken.OneContent: "disputes",
    broken.WordForgotten: "disputes",
    broken.ClosedIsOpen: "disputes",
}
IN_SQLITE = {
    broken.FloorAfterDelete: "stopped reaper",
    broken.UnconditionalReaper: "stopped reaper",
    broken.FloorReadOutside: "stopped writer",
    broken.FloorReadOnce: "floor of others",
    broken.ForgetsTheLivesBefore: "lives",
    broken.ReapsTheYoung: "young tombstones",
    broken.ReapsWithoutLimit: "young tombstones",
    broken.LosersReleased: "refused",
    broken.RowWithoutMemory: "crashes",
    broken.EveryNameFits: "table names",
    broken.NamesAsSpelled: "table names",
    broken.NoTurns: "threads",
    broken.WaitsForever: "waiting",
    broken.TriesOneByOne: "waiting",
    broken.StaysOpen: "interrupted",
}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("place", RIGHT)
def test_right_stores_pass(place: str, check: str) -> None:
    """Memory and SQLite hold every check, and the report says so."""
    report = check_store(RIGHT[place], only=[check])
    assert [finding.check for finding in report.findings] == [check]
    assert report.promises.name in str(report)


@pytest.mark.parametrize("check", ["refused", "batches", "crashes", "retried"])
@pytest.mark.parametrize("refused_by", sorted(POISONED.keys() - {"check"}))
def test_what_an_expression_cannot_evaluate_is_refused_like_any_value(
    refused_by: str, check: str
) -> None:
    """A generated column, an index or a CHECK that raises: SQLite has no code of its own for it."""
    check_store(functools.partial(sqlite_place, refused_by=refused_by), only=[check])


@pytest.mark.parametrize(("kind", "check"), IN_MEMORY.items())
def test_broken_memory_store_fails(kind: type, check: str) -> None:
    """A mistake in what is remembered or decided fails the check of its name, with the steps that
    led there."""
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(lambda: memory_place(broken.broken(kind)), only=[check])
    assert failure.value.check == check
    assert failure.value.steps


@pytest.mark.parametrize(("kind", "check"), IN_SQLITE.items())
def test_broken_sqlite_store_fails(kind: type, check: str) -> None:
    """A mistake in the reaper, the floor or the transaction fails the check of its name."""
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(lambda: sqlite_place(kind), only=[check])
    assert failure.value.check == check


@pytest.mark.parametrize("kind", IN_SQLITE)
def test_broken_sqlite_store_is_right_undisturbed(kind: type) -> None:
    """These mistakes do not show as long as nobody disturbs the store: an ordinary test suite would
    pass."""
    assert (
        len(
            check_store(
                lambda: sqlite_place(kind), only=["orders", "ties", "retention zero"]
            ).findings
        )
        == 3
    )


def test_late_delete_stored_as_a_row_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delete below the floor that is stored as a fresh tombstone lets a later put resurrect the
    key."""
    right = decide.apply

    def storing(memory: Memory | None, event: Event, limits: Limits) -> Applied:
        found = right(memory, event, limits)
        return (
            Applied(Memory(stamp_of(event)), None, Reason.APPLIED)
            if found.reason is Reason.ABSORBED
            else found
        )

    monkeypatch.setattr(decide, "apply", storing)
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(memory_place, only=["retention zero"])
    assert failure.value.check == "retention zero"


def test_store_without_lock_forks() -> None:
    """Two writers that both beat the same predecessor are found by the chain test."""
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(lambda: memory_place(broken.NoLock), only=["writers"])
    assert failure.value.check == "writers"


class NeverForgets(MemoryStore):
    """Cannot read a floor in the same step as an insert, so it keeps every tombstone, and says
    so."""

    promises = msgspec.structs.replace(MemoryStore.promises, forgets=False)

    def reap(self, spec: TableSpec, before: float, limit: int = 1000) -> int:
        return 0


class SaysItForgets(NeverForgets):
    """The same, and its promise is not true."""

    promises = MemoryStore.promises


def test_a_store_that_never_forgets_is_a_right_one_if_it_says_so() -> None:
    """The checks of forgetting are not for it; that it keeps its tombstones is asserted."""
    report = check_store(lambda: memory_place(NeverForgets))
    assert {finding.check for finding in report.findings} == CHECKS.keys() - FORGETTING
    assert set(report.left_out) == FORGETTING
    assert str(report).count("left out: the store promises") == len(FORGETTING)


def test_a_store_that_forgets_in_words_only_fails() -> None:
    """The promise is held against what the store does."""
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(lambda: memory_place(SaysItForgets), only=["promises"])
    assert failure.value.check == "promises"


def test_half_a_batch_of_one_transaction_fails() -> None:
    """A store that promises one transaction, and keeps what a batch wrote before it ended in the
    middle, is found."""
    with pytest.raises(StoreCheckFailed) as failure:
        check_store(lambda: memory_place(broken.HalfABatch), only=["promises"])
    assert failure.value.check == "promises"


def test_unknown_check_is_refused() -> None:
    """A misspelt check is an error, not an empty success."""
    with pytest.raises(ConfigurationError, match="no check"):
        check_store(memory_place, only=["ordres"])

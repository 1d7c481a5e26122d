"""One store under test: deliver changes to it, reap, and judge what it then shows."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from anyorder._core.batch import identity_of
from anyorder._core.event import canonical
from anyorder._core.memory import Memory, pack
from anyorder._core.outcome import Outcome, Reason, outcome_of
from anyorder.guard.contract import EntryQuery, Store, TableSpec
from anyorder.guard.intake import Share, Taken
from anyorder.guard.parts import take
from anyorder.testing.change import COLUMNS, Change, Row, decode, meaning
from anyorder.testing.place import MakeStore, StoreCheckFailed

NEVER = TableSpec("kit", ("id",))
RETENTION_ZERO = TableSpec("kit", ("id",), retention=0.0)
ENOUGH = 1_000_000  # tombstones reaped at once
REPLAYED = 100  # deliveries of one batch of a replay
REAP_TRIES = 20  # passes of the reaper until it finds nothing


class Bench:
    """A fresh store with one connection open. `delivered` and `steps` say what happened, for the
    judgement and the counterexample; `planted`: what lay there before, as puts."""

    def __init__(self, check: str, make_store: MakeStore, spec: TableSpec = RETENTION_ZERO) -> None:
        self.check = check
        self.spec = spec
        self.place = make_store()
        self.store = self.connect()
        self.delivered: list[Change] = []
        self.planted: list[Change] = []
        self.steps: list[str] = []
        self._clock = itertools.count(1_000_000)
        self._tokens = itertools.count(1)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()
        self.place.close()

    def connect(self) -> Store:
        """Another connection to the same store."""
        return self.place.connect(decode)

    def now(self) -> float:
        """A time later than any before, in seconds."""
        return float(next(self._clock))

    def token(self) -> str:
        """A token of a new attempt."""
        return f"t{next(self._tokens)}"

    def deliver(
        self,
        changes: Sequence[Change],
        *,
        store: Store | None = None,
        token: str = "",
        now: float | None = None,
        provenance: str = "",
    ) -> list[Reason]:
        """Deliver a batch; the reason of each change, in the order given."""
        self.delivered += changes
        events = [change.event(provenance) for change in changes]
        taken = self.take(
            events,
            store or self.store,
            token or self.token(),
            self.now() if now is None else now,
            provenance,
        )
        found = [decision.reason for decision in taken.decisions]
        self.steps += [f"{change}: {reason}" for change, reason in zip(changes, found, strict=True)]
        return found

    def take(
        self, events: Sequence[Any], store: Store, token: str, now: float, provenance: str = ""
    ) -> Taken:
        """One batch through the very door that a pipeline uses."""
        shares = [Share(self.spec, events)]
        return take(store, shares, now=now, token=token, provenance=provenance)

    def reap(self, store: Store | None = None) -> int:
        """Forget every tombstone."""
        gone = 0
        for _ in range(REAP_TRIES):
            went = (store or self.store).reap(self.spec, self.now(), ENOUGH)
            gone += went
            if not went:
                break
        self.steps.append(f"reap: {gone} forgotten")
        return gone

    def rows(self) -> dict[object, Row]:
        """What the user sees, by key."""
        return {
            row["id"]: {column: row.get(column) for column in COLUMNS}
            for row in self.place.rows(self.spec.name)
        }

    def held(self, store: Store | None = None) -> list[str]:
        """The open quarantine entries: the canonical key and identity of each."""
        with (store or self.store).reading() as transaction:
            return sorted(
                f"{canonical(entry.key)} {entry.identity}"
                for entry in transaction.entries(EntryQuery("open", self.spec.name))
            )

    def memories(self, keys: Iterable[object], store: Store | None = None) -> dict[object, str]:
        """What is remembered of these keys, without the attempt's token, as text."""
        entities = {canonical({"id": key}): key for key in keys}
        with (store or self.store).transaction(self.now(), dry=True) as transaction:
            transaction.open_table(self.spec)
            known = transaction.remembered(self.spec, list(entities))
        return {
            key: _text(known[entity].memory)
            for entity, key in entities.items()
            if entity in known and known[entity].memory is not None
        }

    def accepted(self) -> list[Change]:
        """Everything delivered except what the quarantine still holds."""
        held = set(self.held())
        told = [change for change in self.delivered if _identity(change) not in held]
        return [*self.planted, *told]

    def judge(self) -> None:
        """The rows are the fold of what was accepted, however it came."""
        found, wanted = self.rows(), meaning(self.accepted())
        for key in sorted(found.keys() | wanted.keys(), key=repr):
            if found.get(key) != wanted.get(key):
                raise self.failed(
                    (
                        f"key {key!r} shows {_shown(found.get(key))}; what was accepted comes to "
                        f"{_shown(wanted.get(key))}"
                    ),
                    key,
                )

    def judge_replay(self) -> None:
        """Everything again, through a new connection: nothing is applied, and the rows stay."""
        before = self.rows()
        unique = {_text_of(change): change for change in self.delivered}
        store = self.connect()
        try:
            for batch in _chunks(list(unique.values())):
                for change, reason in zip(batch, self.deliver(batch, store=store), strict=True):
                    if reason is Reason.APPLIED:
                        raise self.failed(f"{change} was applied a second time", change.key)
            if self.rows() != before:
                raise self.failed("a replay of everything changed the rows", None)
        finally:
            store.close()

    def failed(self, problem: str, key: object = None) -> StoreCheckFailed:
        """The failure, told with the steps that concern the key."""
        name = repr(key)
        steps = [
            step
            for step in self.steps
            if key is None
            or f" {name} @" in step
            or step.startswith(("reap", "truncate", "stopped", "crashed"))
        ]
        return StoreCheckFailed(self.check, problem, steps[-40:])


def _chunks(changes: Sequence[Change]) -> list[Sequence[Change]]:
    return [changes[start : start + REPLAYED] for start in range(0, len(changes), REPLAYED)]


def is_held(reason: Reason) -> bool:
    """Did the delivery go to the quarantine?"""
    return outcome_of(reason) is Outcome.QUARANTINED


def _text(memory: Memory | None) -> str:
    return "" if memory is None else pack(msgspec.structs.replace(memory, token=""))


def _shown(row: Row | None) -> str:
    return "no row" if row is None else str(row)


def _identity(change: Change) -> str:
    event = change.event()
    return f"{canonical(event.key)} {identity_of(event)}"


def _text_of(change: Change) -> bytes:
    return msgspec.json.encode(change)

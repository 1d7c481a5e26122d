"""A store of one's own: a dictionary with a lock. It is read from a file when it is opened, and
written there when it is closed, so one process at a time.

What it must do is said in `anyorder.contract`; that it does, `anyorder.testing` says.
"""

import pickle
import threading
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from anyorder import contract as c

KINDS = (
    "tables",
    "catalogue",
    "rows",
    "memories",
    "entries",
    "retries",
    "runs",
    "growths",
    "frontiers",
)


class OurStore:
    """`place`: the file, nothing to keep nothing. `decode`: see `anyorder.contract.Decode`."""

    promises = c.Promises(
        "a dictionary",
        guard="one lock",
        memory="beside, in one dictionary",
        forgets=True,
        one_transaction=True,
        exact_outcome=True,
        note="one process at a time; kept when it is closed",
    )

    def __init__(self, place: str = "", decode: c.Decode | None = None) -> None:
        self.file, self.decode, self.lock = Path(place), decode, threading.Lock()
        self.kept: dict[str, dict[Any, Any]] = {kind: {} for kind in KINDS}
        if self.file.is_file():
            self.kept = pickle.loads(self.file.read_bytes())

    @contextmanager
    def transaction(self, now: float, *, dry: bool = False) -> Iterator["OurTransaction"]:
        with self.lock:
            written: dict[str, dict[Any, Any]] = {kind: {} for kind in KINDS}
            # what is written lies over what is kept until the end; an exception drops it
            over = {kind: ChainMap(written[kind], self.kept[kind]) for kind in KINDS}
            yield OurTransaction(over, now, self.decode)
            if not dry:
                for kind in KINDS:
                    self.kept[kind].update(written[kind])

    @contextmanager
    def reading(self) -> Iterator["OurTransaction"]:
        with self.transaction(0.0, dry=True) as transaction:
            yield transaction

    def reap(self, spec: c.TableSpec, before: float, limit: int = 1000) -> int:
        with self.transaction(before) as transaction:
            limits, gone = transaction.open_table(spec), 0
            for entity, _, memory in transaction.memories(spec):
                since = transaction.kept["memories"][spec.name, entity][2]
                if not memory.live and since <= before and gone < limit:
                    limits, gone = c.forget(limits, memory.greatest), gone + 1
                    transaction.kept["memories"][spec.name, entity] = None
            # the floor rises in the very step in which the tombstones go
            transaction.save_limits(spec, limits)
        return gone

    def check(self, spec: c.TableSpec) -> Iterator[c.Finding]:
        yield from ()

    def close(self) -> None:
        if self.file.name:
            self.file.write_bytes(pickle.dumps(self.kept))


class OurTransaction:
    """What a batch may read and write."""

    atomic = True  # rows, memories, quarantine and frontier are one step

    def __init__(self, kept: dict[str, Any], now: float, decode: c.Decode | None) -> None:
        self.kept, self.now, self.decode = kept, now, decode

    # ---- tables, memories, rows

    def open_table(self, spec: c.TableSpec) -> c.Limits:
        _, limits = self.kept["tables"].setdefault(spec.name, (spec.key, c.Limits()))
        floor = c.Floor(limits.floor.entries, spec.partitions)
        return c.Limits(floor, limits.truncated, self.lineage())

    def save_limits(self, spec: c.TableSpec, limits: c.Limits) -> None:
        key, _ = self.kept["tables"][spec.name]
        self.kept["tables"][spec.name] = (key, c.Limits(limits.floor, limits.truncated))

    def key_kinds(self, spec: c.TableSpec) -> c.Kinds:
        return {}  # no column of ours has a type

    def remembered(self, spec: c.TableSpec, entities: Sequence[str]) -> dict[str, c.Remembered]:
        held = self._held(spec) if spec.writes_rows else []
        found = {}
        for entity in entities:
            there = self.kept["memories"].get((spec.name, entity))
            memory = None if there is None else c.unpack(there[1])
            entries = tuple(one for one in held if one.event.entity == entity)
            found[entity] = c.Remembered(memory, entries)
        return found

    def write(
        self, spec: c.TableSpec, writes: Sequence[c.Write], limits: c.Limits, token: str
    ) -> list[c.Answer]:
        for write in writes:
            key, known = self.kept["tables"][spec.name]
            self.kept["tables"][spec.name] = (key or tuple(write.key), known)
            place = (spec.name, write.entity)
            self.kept["rows"][place] = write.row(self.kept["rows"].get(place))
            self.kept["memories"][place] = None
            if write.after is not None:
                self.kept["memories"][place] = (write.key, c.pack(write.after, token), self.now)
        return []  # none was refused

    def name_columns(self, spec: c.TableSpec, columns: Set[str]) -> None:
        """A row is what was told of it: there is no list of columns."""

    def news(self, spec: c.TableSpec) -> c.News:
        return c.News()  # nobody else moves a key meanwhile

    def content(self, spec: c.TableSpec, key: Mapping[str, object]) -> dict[str, object] | None:
        row: dict[str, object] | None = self.kept["rows"].get((spec.name, c.canonical(key)))
        return row

    def memories(self, spec: c.TableSpec) -> Iterator[tuple[str, dict[str, object], c.Memory]]:
        for (table, entity), there in list(self.kept["memories"].items()):
            if table == spec.name and there is not None:
                yield entity, there[0], c.unpack(there[1])

    def tables(self) -> list[c.TableFacts]:
        return [self._facts(name) for name in sorted(self.kept["tables"])]

    def catalogue(self) -> list[c.Catalogued]:
        known, recorded = self.kept["tables"], self.kept["catalogue"]
        return [c.Catalogued(name, known[name][0], recorded.get(name)) for name in sorted(known)]

    def recorded(self, table: str) -> c.Recorded | None:
        there: c.Recorded | None = self.kept["catalogue"].get(table)
        return there

    def same_table(self, table: str) -> str:
        return table

    def unfit(self, table: str) -> str:
        return ""

    def obstacle(self, spec: c.TableSpec) -> str:
        return ""  # no table is there before it is opened

    def record(self, table: str, before: c.Recorded | None, after: c.Recorded) -> bool:
        if self.kept["catalogue"].get(table) != before:
            return False
        self.kept["catalogue"][table] = after
        return True

    def _facts(self, name: str) -> c.TableFacts:
        key, limits = self.kept["tables"][name]
        there = [row for (table, _), row in self.kept["rows"].items() if table == name and row]
        alive = [memory.live for _, _, memory in self.memories(c.TableSpec(name))]
        columns = tuple(dict.fromkeys(column for row in there for column in row))
        limits = c.Limits(limits.floor, limits.truncated, self.lineage())
        live = sum(alive)
        return c.TableFacts(name, key, columns, len(there), live, len(alive) - live, limits)

    # ---- the quarantine

    def hold(self, holdings: Iterable[c.Holding]) -> list[c.Listing]:
        return [self._hold(holding) for holding in holdings]

    def _hold(self, holding: c.Holding) -> c.Listing:
        key = holding.event.key if holding.entity else None
        there = [one for one in self._all() if (one.table, one.key) == (holding.table, key)]
        alone = _alone(there, holding)
        if alone is not None:
            # it is one of several contents from now on, and moves into their entry
            self.settle(alone.id, "settled", c.Reason.CONFLICT)
            there = [self.kept["entries"][one.id] for one in there]
        known = _listing(there, holding)
        entry = self._into(there, holding) if known is None else self.kept["entries"][known.entry]
        contents = entry.contents
        if entry.state == "open":
            contents = _with(contents, holding.contents)
        self._change(entry, count=entry.count + 1, contents=contents)
        return known or c.Listing(entry.id, is_new=alone is None)

    def _into(self, there: Sequence[c.Entry], holding: c.Holding) -> c.Entry:
        """The entry that a delivery goes into which none lists."""
        identity, last = holding.identity, _last(there, holding)
        if last is not None and last.state == "open":
            return last  # another content of the same dispute
        if last is not None and last.state != "settled":
            identity, last = holding.identity_after(last.identity), None  # a word closed that one
        number = len(self.kept["entries"]) + 1 if last is None else last.id
        self.kept["retries"][number] = holding.retry
        return c.Entry(
            id=number,
            table=holding.table,
            key=holding.event.key if holding.entity else None,
            reason=holding.reason.value,
            detail=holding.detail or holding.event.note,
            state="open",
            first_seen=self.now,
            last_seen=self.now,
            count=0,
            identity=identity,
            delivery=holding.event.delivery if last is None else last.delivery,
            provenance=holding.provenance if last is None else last.provenance,
            contents=() if last is None else last.contents,
        )

    def settle(self, entry: int, state: str, reason: c.Reason, word: c.Word | None = None) -> None:
        held = self.kept["entries"][entry]
        if held.state != "open":
            return  # a word that was given stays
        detail = f"{held.detail}; then {reason.value}" if held.detail else reason.value
        chosen, listed, _ = word or c.Word()
        contents = [replace(one, chosen=one.number in chosen) for one in held.contents]
        self._change(
            held, state=state, detail=detail, closed=self.now, contents=_with(contents, listed)
        )

    def settle_all(self, closings: Sequence[c.Closing]) -> None:
        for one in closings:
            self.settle(*one)

    def reread(self, entry: int, reason: c.Reason, detail: str, provenance: str) -> None:
        held = self.kept["entries"][entry]
        if held.state == "open":
            self._change(held, reason=reason.value, detail=detail, provenance=provenance)

    def open_entries(self) -> int:
        return sum(entry.state == "open" for entry in self.kept["entries"].values())

    def open_among(self, numbers: Sequence[int]) -> set[int]:
        entries = self.kept["entries"]
        return {number for number in numbers if entries[number].state == "open"}

    def _change(self, entry: c.Entry, **changes: Any) -> None:
        self.kept["entries"][entry.id] = replace(entry, last_seen=self.now, **changes)

    def entries(self, query: c.EntryQuery) -> Iterator[c.Entry]:
        for number in sorted(self.kept["entries"]):
            entry = self.kept["entries"][number]
            if query.selects(entry):
                yield replace(entry, delivery=None, contents=())

    def _all(self) -> list[c.Entry]:
        return [self.kept["entries"][number] for number in sorted(self.kept["entries"])]

    def entry(self, number: int) -> c.Entry | None:
        entry: c.Entry | None = self.kept["entries"].get(number)
        return entry

    def entries_among(self, numbers: Sequence[int]) -> list[c.Entry]:
        found = map(self.entry, numbers)
        return [entry for entry in found if entry is not None]

    def event(self, number: int) -> c.Event | None:
        entry = self.entry(number)
        if entry is None or entry.delivery is None or self.decode is None:
            return None
        return self.decode(entry.provenance, entry.delivery)

    def _held(self, spec: c.TableSpec) -> list[c.Held]:
        held: list[c.Held] = []
        for entry in self._all():
            if entry.state == "open" and entry.table == spec.name:
                held += self._held_in(entry)
        return [one for one in held if one.event.key]

    def _held_in(self, entry: c.Entry) -> Iterator[c.Held]:
        if self.decode is None:
            return
        # an entry that lists nothing holds one delivery; what a row showed came by none
        own = c.Content(0, entry.identity, entry.delivery, entry.provenance)
        for one in entry.contents or (own,):
            if one.delivery is not None:
                event = self.decode(one.provenance, one.delivery)
                yield c.Held(entry.id, event, one.provenance, one.number)

    def held_entities(self, spec: c.TableSpec) -> list[str]:
        return sorted({one.event.entity for one in self._held(spec)})

    def try_again(self, entry: int) -> None:
        """Nothing is refused for now."""

    def any_refused(self) -> bool:
        return False

    def settleable(self) -> list[tuple[str, str]]:
        return []  # it has no constraints between rows, so nothing is refused for now

    def crossing(self) -> list[list[tuple[str, str]]]:
        return []

    def together(
        self,
        keys: Sequence[tuple[str, str]],
        take: Callable[[Sequence[tuple[str, str]]], list[c.Settled]],
    ) -> list[c.Settled]:
        return take(keys)

    def ring(self, spec: c.TableSpec, event: c.Event) -> list[str]:
        return []

    def postpone(self, table: str, entity: str) -> None:
        """No write undoes another."""

    def quarantine_size(self) -> int:
        entries = self.kept["entries"].values()
        return sum(len(entry.delivery.value or b"") for entry in entries)

    # ---- what belongs to no table

    def lineage(self) -> c.Lineage:
        return dict(self.kept["runs"])

    def add_run(self, scope: str, run: str) -> None:
        runs = {*self.kept["runs"].get(scope, ()), run}
        self.kept["runs"][scope] = tuple(sorted(runs))

    def growths(self, scopes: Sequence[str] | None = None) -> dict[str, c.Growth]:
        known = self.kept["growths"]
        return {scope: known[scope] for scope in known if scopes is None or scope in scopes}

    def save_growths(self, growths: dict[str, c.Growth]) -> None:
        self.kept["growths"].update(growths)

    def frontier(self, source: str) -> str | None:
        position: str | None = self.kept["frontiers"].get(source)
        return position

    def save_frontier(self, source: str, position: str) -> None:
        self.kept["frontiers"][source] = position


def _listing(there: Sequence[c.Entry], holding: c.Holding) -> c.Listing | None:
    """The latest entry that lists this very delivery, and is open or was closed by a word."""
    # a dispute's own identity is its position's, which other contents have as well
    own = "" if holding.contents else holding.identity
    names = {holding.content, own} - {""}
    # what a word closed before the row showed another content says nothing of the two
    states = {"open"} if holding.claims else {"open", "accepted", "dropped"}
    for entry in reversed(there):
        found = [one for one in entry.contents if one.identity in names]
        if entry.state in states and (found or entry.identity in names):
            chosen = found[0].chosen if found else entry.state == "accepted"
            return c.Listing(entry.id, False, entry.state, chosen)
    return None


def _alone(there: Sequence[c.Entry], holding: c.Holding) -> c.Entry | None:
    """The open entry that holds alone what a dispute lists from now on."""
    for entry in there:
        is_alone = entry.state == "open" and entry.identity == holding.content
        if holding.contents and is_alone:
            return entry
    return None


def _last(there: Sequence[c.Entry], holding: c.Holding) -> c.Entry | None:
    """The latest entry of this identity; those after one that a word closed are numbered."""
    for entry in reversed(there):
        if entry.identity == holding.identity or entry.identity.startswith(holding.later):
            return entry
    return None


def _with(listed: Sequence[c.Content], more: Sequence[c.Content]) -> tuple[c.Content, ...]:
    """What an entry lists, and what is new to it."""
    found = list(listed)
    for one in more:
        if one.identity not in {other.identity for other in found}:
            found.append(replace(one, number=len(found) + 1))
    return tuple(found)


def open_store(place: str, decode: c.Decode | None) -> c.Store:
    """What `our_store:open_store://PLACE` opens."""
    return OurStore(place, decode)

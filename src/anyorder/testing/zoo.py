"""Keys that a store, or a reader of JSON, easily takes for one another: each is a row of its own,
or none."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Self

import msgspec

from anyorder._core.event import Delivery, Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.key import KeyKind
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Store, TableSpec
from anyorder.testing.bench import NEVER, Bench
from anyorder.testing.change import Change, put
from anyorder.testing.place import MakeStore, sample_of

ZOO: tuple[tuple[object, str], ...] = (
    (0, "0"),
    (Decimal("-0"), "0"),
    (-0.0, "0"),
    (1, "1"),
    (1.0, "1"),
    (True, "true"),
    ("1", "the text 1"),
    (None, ""),
    (2**63, "2^63"),
    (2**64, "2^64"),
    (2**64 - 1, "2^64 - 1"),
    (str(2**64), "the text of 2^64"),
    (Decimal("1.5"), "1.5"),
    (Decimal("1.50"), "1.5"),
    (1.5, ""),
    ("Ana", "Ana"),
    ("ana", "ana"),
    ("\u00e9", "one letter with an accent"),
    ("e\u0301", "a letter and an accent"),
    ("ana ", "ana and a blank"),
    ("", "nothing"),
    ("ana\x00", "ana and NUL"),
    (["ana"], ""),
    (Decimal("9" * 5000), ""),
)
"""What comes as a key, and the entity that it names; "" for what names none. Of a float with a
fraction nobody knows the decimal, and null, a list and thousands of digits name no row."""

TWO = TableSpec("pairs", ("tenant", "region"))


class Keyed(NamedTuple):
    """One change of the key with this number in the zoo; a put where `is_put`."""

    number: int
    version: int
    is_put: bool = True

    @property
    def text(self) -> str:
        """What the row shows after it."""
        return f"{self.number}@{self.version}"

    def event(self) -> Event:
        """The event. Its delivery has numbers only: what is a key in Python need not be JSON."""
        return decode("", Delivery(topic=NEVER.name, value=msgspec.json.encode(self)))


_changes = msgspec.json.Decoder(Keyed)


def decode(_: str, delivery: Delivery) -> Event:
    """The event of a delivery that this module made."""
    change = _changes.decode(delivery.value or b"")
    return Event(
        Kind.PUT if change.is_put else Kind.DELETE,
        NEVER.name,
        {"id": ZOO[change.number][0]},
        ScalarPosition("version", NEVER.name, (change.version,)),
        {"x": change.text, "y": None} if change.is_put else None,
        delivery=delivery,
    )


class Cage(Bench):
    """A bench whose deliveries are of this module."""

    def __enter__(self) -> Self:
        return self

    def connect(self) -> Store:
        """Another connection to the same store."""
        return self.place.connect(decode)

    def give(self, change: Keyed) -> Reason:
        """Deliver one change through a connection of its own, which knows nothing but what the
        store has kept."""
        store = self.connect()
        try:
            taken = self.take([change.event()], store, self.token(), self.now())
        finally:
            store.close()
        reason = taken.decisions[0].reason
        what = "upsert" if change.is_put else "delete"
        self.steps.append(f"{what} {ZOO[change.number][0]!r} @{change.version}: {reason}")
        return reason

    def shown(self) -> list[object]:
        """The column `x` of every row."""
        return sorted((row.get("x") for row in self.place.rows(self.spec.name)), key=repr)


def check_key_kinds(make_store: MakeStore) -> str:
    """Every pair of a zoo of keys, in both orders: two entities never share a row, one entity
    never has two, and what cannot have a row of its own is malformed.

    A declared kind counts before the first event's, what the store refuses tells none, and a key of
    two columns has no null in it.
    """
    pairs = list(itertools.product(range(len(ZOO)), repeat=2))[:: sample_of(make_store)]
    for first, second in pairs:
        _check_pair(make_store, first, second)
    _check_declared(make_store)
    _check_refused(make_store)
    _check_two_columns(make_store)
    return f"{len(pairs)} pairs of {len(ZOO)} keys, declared kinds, null beside a text"


def _check_pair(make_store: MakeStore, first: int, second: int) -> None:
    with Cage("key kinds", make_store, NEVER) as cage:
        shown: dict[str, str] = {}
        for put in (Keyed(first, 1), Keyed(second, 2)):
            _, entity = ZOO[put.number]
            if _is_taken(cage, put, known=entity in shown):
                shown[entity] = put.text
        _expect(cage, shown)
        # A delete finds the row of its own entity, and of no other.
        if cage.give(Keyed(first, 3, is_put=False)) is Reason.APPLIED:
            _, entity = ZOO[first]
            shown.pop(entity, None)
        _expect(cage, shown)
        _read_entries(cage)


def _read_entries(cage: Cage) -> None:
    """What is held of any key, or of what is none, must be readable, or nothing of it ends."""
    try:
        cage.held()
    except Exception as error:
        raise cage.failed(f"the open entries cannot be read: {error!r}") from error


def _is_taken(cage: Cage, put: Keyed, *, known: bool) -> bool:
    """Deliver a put: it is new, so it is applied, or it can have no row of its own. `known`: its
    entity has a row."""
    value, entity = ZOO[put.number]
    reason = cage.give(put)
    if reason not in (Reason.APPLIED, Reason.MALFORMED):
        raise cage.failed(f"key {value!r} ended as {reason}")
    if reason is Reason.APPLIED and not entity:
        raise cage.failed(f"{value!r} is no key, and was applied")
    if reason is Reason.MALFORMED and known:
        raise cage.failed(f"{value!r} is another spelling of a key that has a row, and is refused")
    return reason is Reason.APPLIED


def _expect(cage: Cage, shown: dict[str, str]) -> None:
    wanted = sorted(shown.values())
    if cage.shown() != wanted:
        raise cage.failed(f"the rows show {cage.shown()}, what was applied comes to {wanted}")


def _check_declared(make_store: MakeStore) -> None:
    # A table that the store makes itself: a column of the user's own would say its kind.
    spec = TableSpec("declared", ("id",), kinds={"id": KeyKind.TEXT})
    names = [entity for _, entity in ZOO]
    number, text = names.index("2^64"), names.index("the text of 2^64")
    with Cage("key kinds", make_store, spec) as cage:
        found = [cage.give(Keyed(number, 1)), cage.give(Keyed(text, 2))]
        if found != [Reason.MALFORMED, Reason.APPLIED]:
            raise cage.failed(f"the kind is declared as text, and a number and a text are {found}")


def _check_refused(make_store: MakeStore) -> None:
    place = make_store()
    poison = place.poison
    place.close()
    # A place that refuses nothing has nothing to learn from it.
    if poison is None:
        return
    bad = [Change(key, version, {"x": poison}) for version, key in enumerate(("a", "b"), 1)]
    good = [*(put(key, 3) for key in (7, 8)), put("c", 4)]
    wanted = [Reason.MALFORMED] * 2 + [Reason.APPLIED] * 2 + [Reason.MALFORMED]
    for size in (1, 2, 5):
        with Bench("key kinds", make_store, NEVER) as bench:
            found: list[Reason] = []
            for start in range(0, len(wanted), size):
                found += bench.deliver([*bad, *good][start : start + size])
            if found != wanted:
                raise bench.failed(f"after two refused texts, numbers and a text are {found}")
            again = bench.deliver(bad)
            if again != [Reason.DUPLICATE] * 2 or sorted(bench.rows(), key=repr) != [7, 8]:
                raise bench.failed(f"the refused come again as {again}: {bench.rows()}")


def _check_two_columns(make_store: MakeStore) -> None:
    with Bench("key kinds", make_store, TWO) as bench:
        events = [_of_two(region, version) for version, region in enumerate((None, "a", None), 1)]
        found: Sequence[Any] = bench.take(events, bench.store, bench.token(), bench.now()).decisions
        reasons = [decision.reason for decision in found]
        if reasons != [Reason.MALFORMED, Reason.APPLIED, Reason.MALFORMED]:
            raise bench.failed(f"keys with null, 'a' and null beside a number are {reasons}")
        rows = bench.place.rows(TWO.name)
        if len(rows) != 1:
            raise bench.failed(f"a key with null in it has a row: {rows}")


def _of_two(region: str | None, version: int) -> Event:
    key = {"tenant": 1, "region": region}
    position = ScalarPosition("version", TWO.name, (version,))
    delivery = Delivery(topic=TWO.name, value=str(version).encode())
    return Event(Kind.PUT, TWO.name, key, position, {"x": version}, delivery=delivery)

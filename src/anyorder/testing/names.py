"""The check of targets' names: which are one table, which can be none, and whose each is."""

from __future__ import annotations

from typing import Any

import msgspec

from anyorder._core.event import Event
from anyorder._core.outcome import Reason
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.parts import take
from anyorder.guard.routes import Route
from anyorder.testing.bench import Bench
from anyorder.testing.change import Change, put, truncate
from anyorder.testing.place import MakeStore

NAMES = (
    *("kit", "Kit", "KIT", "other", "two words", 'a"quote', "semi;colon", "trailing "),
    *("1st", "ünï", "ÜNÏ", "select", "table", "a.dot", "pg_class", "x" * 63, "x" * 64),
    *("anyorder", "anyorder_frontier", "Anyorder_Quarantine", "sqlite_master", "SQLITE_stat1"),
    *("json_each", "pragma_table_info", "dbstat", "x" * 255, "X" * 300, "nul\x00", "\ud800", ""),
)
"""What an event may call its table."""
ADOPTING = "older-than-everything"  # no row that is there keeps a table from being written
replace = msgspec.structs.replace


def check_names(make_store: MakeStore) -> str:
    """Whatever events call their tables, each source table has a table of its own, or none: none
    takes another's rows, and none is one of the store's own books.

    Every name comes from a source table of its own, in a batch of its own.
    """
    kept: dict[str, Change] = {}
    with Bench("table names", make_store) as bench:
        with bench.store.transaction(bench.now()) as transaction:
            transaction.save_frontier("kit", "17")
        for number, name in enumerate(NAMES, 1):
            change = put(1, number)
            # A mistake shows in what another table has by then.
            if _deliver(bench, name, change):
                kept[name] = change
            _judge(bench, kept)

        # What has no table is refused in every batch; what has one goes on.
        for number, name in enumerate(NAMES, 100):
            if name in kept:
                kept[name] = put(1, number)
            _deliver(bench, name, kept.get(name, truncate(number)))
            _judge(bench, kept)
    if "kit" not in kept:
        raise bench.failed("no table can be called kit")
    return f"{len(kept)} of {len(NAMES)} names have a table each"


def _deliver(bench: Bench, name: str, change: Change) -> bool:
    """Deliver a change of the source table of a name; has it a table?"""
    event = replace(change.event(), table=name, source=f"the source table {name}")
    try:
        route = _route(bench, event)
        if not isinstance(route, TableSpec):
            return False
        taken = take(bench.store, [Share(route, [event])], now=bench.now(), token=bench.token())
    # Whatever the driver raises: a name that comes from an event must not stop a run.
    except Exception as problem:
        raise bench.failed(f"{change} of the table {name!r:.40} raises {problem!r}") from problem
    (decision,) = taken.decisions
    bench.steps.append(f"{change} of {name!r:.40}: {decision.reason}")
    if decision.reason is not Reason.APPLIED:
        raise bench.failed(f"the table {name!r:.40} is another's, or none: {bench.steps[-1]}")
    return True


def _route(bench: Bench, event: Event) -> Route:
    """Where it goes, asked of a pipeline that starts anew: it knows what is recorded."""
    catalogue = Catalogue(lambda *origin: TableSpec(origin[1], ("id",), adopt=ADOPTING))
    with bench.store.reading() as transaction:
        catalogue.load(transaction)
    (route,) = catalogue.routes(bench.store, [event], bench.now())
    return route


def _judge(bench: Bench, kept: dict[str, Change]) -> None:
    """Every table holds its own row, and the books are as they were."""
    for name, change in kept.items():
        found = [_told(row) for row in bench.place.rows(name)]
        if found != [change.fields]:
            raise bench.failed(f"the table {name!r:.40} shows {found}, not {change.fields}")
    with bench.store.reading() as transaction:
        books = transaction.frontier("kit"), len(transaction.catalogue())
    if books != ("17", len(kept)):
        raise bench.failed(f"frontier and number of tables are {books}, not {('17', len(kept))}")


def _told(row: dict[str, Any]) -> dict[str, object]:
    return {column: row.get(column) for column in ("x", "y")}

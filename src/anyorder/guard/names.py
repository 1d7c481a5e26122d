"""The names of targets as a store compares them: which of them are one, and which can be none."""

from __future__ import annotations

import msgspec

from anyorder.guard.contract import TableSpec, Transaction
from anyorder.guard.routes import Route, Unrouted
from anyorder.guard.targets import listed

UNNAMED = Unrouted(
    'it names neither a topic nor a table: say name = "..." in its [[table]], or in [source] what '
    'the documents are versions of, options = { table = "users", ... }'
)
UNFIT = "{!r} cannot be a target: {}; give it a [[table]] with another name, or with ignore = true"
UNUSABLE = (
    "{}; or give it a [[table]] with another name, or with ignore = true; then anyorder quarantine "
    "retry"
)
MOST_SHOWN = 80  # characters of a name
replace = msgspec.structs.replace


def unusable(transaction: Transaction, spec: TableSpec, key: tuple[str, ...]) -> Unrouted | None:
    """Nowhere, if a table that is there cannot be the target of this name. `key`: of the events,
    where none is declared."""
    # One that we keep already was looked at then.
    if listed(transaction, spec.name) is not None:
        return None
    asked = replace(
        spec,
        key=spec.key or key,
    )
    why = transaction.obstacle(asked)
    if not why:
        return None
    return Unrouted(UNUSABLE.format(why))


class Names:
    """The names that were looked at so far, and what the store makes of each."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}
        self._found: dict[str, str | Unrouted] = {}

    def is_new(self, name: str) -> bool:
        """Has nobody looked at it yet?"""
        return name not in self._found

    def look(self, transaction: Transaction, name: str) -> None:
        """Ask the store what it makes of a name: a target that it has, perhaps by another
        spelling; a new one; or none."""
        if not self.is_new(name):
            return
        # Read now: another process may have made one meanwhile. The first of each name counts.
        for target in transaction.catalogue():
            self._targets.setdefault(transaction.same_table(target.name), target.name)
        same = transaction.same_table(name)
        self._found[name] = self._targets.setdefault(same, name)
        why = transaction.unfit(name)
        if not name:
            self._found[name] = UNNAMED
        elif why:
            self._found[name] = Unrouted(UNFIT.format(name[:MOST_SHOWN], why))

    def known(self, route: Route) -> Route:
        """The same, to the target that the store means by its name; nowhere, if it means none.
        A name that nobody looked at stays."""
        if not isinstance(route, TableSpec):
            return route
        # A name in another spelling would begin a second memory beside the same rows.
        found = self._found.get(route.name, route.name)
        if isinstance(found, Unrouted):
            return found
        return replace(route, name=found)

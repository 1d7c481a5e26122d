"""Rows that were in a table before it was guarded, where each takes its position from a column of
its own.

Which position a row has is the store's to say whenever it is asked for the row's memory, so events
are decided right before, during and after the pass that writes it down. The pass makes it last: who
changes the column afterwards moves nothing that is remembered.
"""

from __future__ import annotations

from collections.abc import Callable

from anyorder._core.row_clock import OLDER_THAN_EVERYTHING
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Adopting, Store, TableSpec


def check_store(store: Store, spec: TableSpec) -> None:
    """Raises ConfigurationError for a store that cannot take positions from a column."""
    # No row has a position of its own; or each has one in the store, too.
    if spec.clock is None or isinstance(store, Adopting):
        return
    raise ConfigurationError(
        f"{store.promises.name} takes no positions from a column, so {spec.adopt!r} cannot be said "
        f'of table {spec.name}: say adopt = "{OLDER_THAN_EVERYTHING}", or fill an empty table'
    )


def never() -> bool:
    """Nobody wants it to end early."""
    return False


def adopt_rows(
    store: Store,
    spec: TableSpec,
    now: float,
    stops: Callable[[], bool] = never,
) -> str | None:
    """The whole pass, or the rest of it: what there is to tell a person, "" for nothing. None where
    somebody wanted to stop: the next start goes on from there."""
    clock = spec.clock
    # Most tables take no position from a column.
    if clock is None or not isinstance(store, Adopting):
        return ""
    # It ends: each round is of rows behind those of the round before, whichever process took them.
    while not stops():
        adopted = store.adopt(
            spec,
            now,
        )
        if adopted.is_done:
            return clock.warning(
                spec.name,
                adopted.rows,
                adopted.without,
                adopted.example,
            )
    return None

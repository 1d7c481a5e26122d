"""Rows that were in a table before it was guarded, where each takes its position from a column of
its own.

Which position a row has is the store's to say whenever it is asked for the row's memory, so events
are decided right before, during and after the pass that writes it down. The pass makes it last: who
changes the column afterwards moves nothing that is remembered.
"""

from __future__ import annotations

from collections.abc import Callable

from anyorder._core.row_clock import OLDER_THAN_EVERYTHING, REFUSE
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import Adopted, Adopting, Store, TableSpec

COLUMN = "column:"  # before the name of a column
WORDS = (REFUSE, OLDER_THAN_EVERYTHING)


def column_of(adopt: str) -> str:
    """The column whose values are the positions of rows; "" where another word is said. Raises
    ConfigurationError for what is no word."""
    if adopt in WORDS:
        return ""
    column = adopt.removeprefix(COLUMN)
    if column in ("", adopt):
        raise ConfigurationError(
            f'adopt is "{REFUSE}", "{OLDER_THAN_EVERYTHING}" or "{COLUMN}NAME", not {adopt!r:.80}'
        )
    return column


def check_without(column: str, without: str) -> None:
    """Raises ConfigurationError for what cannot be said of rows whose column holds no position."""
    if without not in WORDS:
        raise ConfigurationError(
            f'adopt_without is "{REFUSE}" or "{OLDER_THAN_EVERYTHING}", not {without!r:.80}'
        )
    if not column and without != OLDER_THAN_EVERYTHING:
        raise ConfigurationError(
            f'adopt_without is of rows without a value in adopt = "{COLUMN}NAME": say that, or '
            "leave it out"
        )


def check_store(store: Store, spec: TableSpec) -> None:
    """Raises ConfigurationError for a store that cannot take positions from a column."""
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
) -> Adopted | None:
    """The whole pass, or the rest of it. None where the table takes no position from a column, or
    somebody wanted to stop: the next start goes on from there."""
    if spec.clock is None or not isinstance(store, Adopting):
        return None
    # It ends: each round is of rows behind those of the round before, whichever process took them.
    while not stops():
        adopted = store.adopt(spec, now)
        if adopted.is_done:
            return adopted
    return None


def sentence(spec: TableSpec, adopted: Adopted) -> str:
    """What the pass has to tell a person; "" for nothing."""
    if spec.clock is None or not adopted.without:
        return ""
    return (
        f"table {spec.name}: {adopted.without} of {adopted.rows} rows have no position in the "
        f"column {spec.clock.column} ({adopted.example}), and are older than every event"
    )

"""Act 1: a delete overtakes the create; then every order of a short life."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from contextlib import closing
from itertools import permutations
from typing import NamedTuple

from anyorder._core.event import Delivery
from anyorder._core.explain import explain
from anyorder.demo.blocks import (
    SCORE_HEADER,
    Act,
    Block,
    Cell,
    Figure,
    Quote,
    Table,
    count,
    none,
    prose,
    score_row,
)
from anyorder.demo.figures import Band, story
from anyorder.demo.generated import Source
from anyorder.demo.guarded import Guarded
from anyorder.demo.naive import Consumer, Upsert, in_memory, rows_of
from anyorder.demo.score import Score, judge
from anyorder.demo.words import ending, lsn, operation, position

TITLE = "The delete overtakes the create"
BEGAN = 1_767_225_600.0  # 1 January 2026
COLUMNS = ("id", "name", "email")
USER = 7


class Life(NamedTuple):
    """One user's events, by place, in the order of their arrival. `returns`: created again after
    the delete."""

    key: int
    arrivals: list[int]
    returns: bool


def act(seed: int) -> Act:
    """Nothing here is left to chance, so the seed changes nothing."""
    del seed
    lives = list(every_life())
    deliveries, scores = _play(lives)
    usual = f"{scores['upsert'].total} of {len(lives)} users wrong"
    blocks = [*_one_user(), *_every_order(lives, deliveries, scores)]
    return Act(1, TITLE, blocks, usual, none(scores["anyorder"].total), scores)


def every_life() -> Iterator[Life]:
    """One user for each order of three and of four events and for each of these events, which then
    comes once more."""
    key = 0
    for events in (3, 4):
        for order in permutations(range(events)):
            for again in range(events):
                key += 1
                yield Life(key, [*order, again], events == 4)


def _one_user() -> list[Block]:
    """Create, delete; delivered the other way round."""
    source = Source("users")
    create = source.put(BEGAN, _row(USER, "ada"))
    delete = source.delete(BEGAN + 60, USER)
    rows: list[list[str | Cell]] = []
    shown: dict[str, list[int]] = {"upsert": [], "anyorder": []}
    with closing(Upsert(in_memory(), COLUMNS)) as upsert, closing(Guarded()) as guarded:
        code = _code(upsert)
        for delivery in (delete, create):
            upsert.take(delivery)
            (decision,) = guarded.take([delivery], BEGAN + 100)
            shown["upsert"].append(int(USER in rows_of(upsert.database)))
            shown["anyorder"].append(int(USER in guarded.rows()))
            decided = ending(decision)
            did = Cell(f"{decided.text}: a tombstone", decided.tone) if decision else decided
            rows.append(
                [
                    f"{operation(delivery)} of user {USER}",
                    lsn(position(delivery)),
                    "inserted" if shown["upsert"][-1] else "nothing to delete",
                    did,
                ]
            )
    ends = [
        Cell("the user is there", "bad") if there[-1] else Cell("no such user", "good")
        for there in shown.values()
    ]
    bands = [Band(name, there, [not one for one in there]) for name, there in shown.items()]
    return [
        prose("""A user is created, then deleted. Between the database and us lies a bus that keeps
            no order, and the delete arrives first. Beside anyorder stands the consumer that
            everybody writes: insert or update, and delete when told to. In order, it is right."""),
        Quote(code, "the upsert", only_page=True),
        Figure(
            story(["create", "delete"], [1, 0], bands, "The delete arrives before the create"),
            (
                "Above, what happened; below, what arrived. The two lanes show which event "
                "each table holds afterwards. A dash is no row; red is wrong."
            ),
            wide=False,
        ),
        Table(
            ("arrives", "happened at", "upsert", "anyorder"), [*rows, ["the table now", "", *ends]]
        ),
        prose("""The delete found no row and left no trace, so nothing spoke against the create.
            anyorder keeps a trace, a tombstone. Of the create it says:"""),
        Quote([explain(decision)], "anyorder"),
    ]


def _row(key: int, name: str) -> dict[str, object]:
    return {"id": key, "name": name, "email": f"{name}@example.org"}


def _code(consumer: Consumer) -> list[str]:
    """The consumer as it runs here: its two statements and its method."""
    upsert = consumer.upsert.replace(" ON CONFLICT", "\nON CONFLICT").splitlines()
    write = textwrap.dedent(inspect.getsource(Consumer.write)).splitlines()
    return [
        f'delete = "{consumer.delete}"',
        f'upsert = """{upsert[0]}',
        f'{upsert[1]}"""',
        "",
        *(line for line in write if '"""' not in line),
    ]


def _play(lives: list[Life]) -> tuple[int, dict[str, Score]]:
    """Deliver every life to both. How many deliveries there were, and how the tables ended."""
    source, arrivals = Source("users"), []
    for life in lives:
        records = _records(source, life)
        arrivals += [records[place] for place in life.arrivals]
    with closing(Upsert(in_memory(), COLUMNS)) as upsert, closing(Guarded()) as guarded:
        for number, delivery in enumerate(arrivals):
            upsert.take(delivery)
            guarded.take([delivery], BEGAN + number)
        return len(arrivals), {
            "upsert": judge(rows_of(upsert.database), source.rows),
            "anyorder": judge(guarded.rows(), source.rows),
        }


def _records(source: Source, life: Life) -> list[Delivery]:
    time = BEGAN + life.key * 10
    records = [
        source.put(time, _row(life.key, "ada")),
        source.put(time + 1, _row(life.key, "ada.l")),
        source.delete(time + 2, life.key),
    ]
    return [*records, source.put(time + 3, _row(life.key, "ada.k"))] if life.returns else records


def _every_order(lives: list[Life], deliveries: int, scores: dict[str, Score]) -> list[Block]:
    returning = sum(life.returns for life in lives)
    return [
        prose(f"""Now every order there is. {count(len(lives) - returning, "user")} are created,
            changed and deleted; {returning} more are created again after that. Each user's events
            arrive in another order, and one of them comes twice:
            {count(deliveries, "delivery", "deliveries")}."""),
        Table(
            ("in the end", *SCORE_HEADER),
            [score_row(name, score) for name, score in scores.items()],
            numbers=1,
        ),
        prose(
            """Wrong: the row has other values than the source's. Resurrected: the source has
            deleted it. Missing: only the source has it."""
        ),
    ]

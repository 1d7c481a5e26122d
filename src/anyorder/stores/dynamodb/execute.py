"""The requests of a batch, carried out: single conditional writes, and creates under one check of
their bucket's floor."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from anyorder._core.outcome import Reason
from anyorder.errors import StoreError
from anyorder.guard.contract import Answer, Lost, Refused
from anyorder.stores.dynamodb.books import Meta
from anyorder.stores.dynamodb.floors import bucket_of
from anyorder.stores.dynamodb.items import Item, item_key, memory_of
from anyorder.stores.dynamodb.parts import Parts
from anyorder.stores.dynamodb.requests import Answer as Said
from anyorder.stores.dynamodb.tables import TableShape
from anyorder.stores.dynamodb.writes import CONDITION_FAILED, Planned, is_mine, settle

CREATED_AT_ONCE = 25  # creates that share one floor check
CREATED_BYTES = 3_000_000  # of them together, about; a transaction may have 4 MB


class Done(NamedTuple):
    """One write as it ended. `answer`: None if it was written as decided; `item`: what is there of
    a lost one, if it was said."""

    made: Planned
    answer: Answer | None
    item: Item | None = None


class Execution:
    """Carries out a batch of one table. Where anything may be forgotten, creates check the floor.
    `version`: of the floor that a table's key was decided under."""

    def __init__(
        self,
        parts: Parts,
        meta: Meta,
        shape: TableShape,
        now: float,
        version: Callable[[str, str], int],
    ) -> None:
        self._floors = parts.floors
        self._requests = parts.requests
        self._meta = meta
        self._shape = shape
        self._now = now
        self._version = version
        self._guarded = meta.guarded is not None

    def run(self, planned: Sequence[Planned]) -> list[Done]:
        """All of them, at once as far as the table takes it."""
        singles, creates = [], []
        for made in planned:
            if self._guarded and made.creates:
                creates.append(made)
            else:
                singles.append([made])
        found = self._requests.each(self._work, singles + by_bucket(creates))
        return list(itertools.chain.from_iterable(found))

    def _work(self, planned: list[Planned]) -> list[Done]:
        if self._guarded and planned[0].creates:
            return self._create(planned)
        return [self._single(planned[0])]

    def _single(self, made: Planned) -> Done:
        said = self._requests.call(made.operation, **made.arguments)
        if said.code not in ("", CONDITION_FAILED, "ValidationException"):
            raise self._refused(said)
        if said.code == CONDITION_FAILED and said.item is None:
            there = self._read(made)
            if made.text is None and there is None and said.repeated:
                return Done(made, None)
            if there:
                said = said._replace(response={**said.response, "Item": there})
        return Done(made, settle(made, said), said.item)

    def _create(self, planned: list[Planned]) -> list[Done]:
        """Creates of one bucket, while its floor is the very one that they were decided under
        (rules R2)."""
        done: list[Done] = []
        bucket = bucket_of(planned[0].write.entity)
        # The oldest: those that were decided under a later one are decided again as well.
        version = min(self._version(self._meta.name, made.write.entity) for made in planned)
        check = self._floors.check(self._meta, bucket, version, self._now)
        # ends: every turn ends at least one of these creates, or raises
        while planned:
            puts = [{"Put": _unanswered(made.arguments)} for made in planned]
            said = self._requests.call(
                "transact_write_items",
                TransactItems=[check, *puts],
                ClientRequestToken=uuid.uuid4().hex,
            )
            if not said.code:
                return done + [Done(made, None) for made in planned]
            if said.code == "ValidationException":
                return done + self._smaller(planned, said)
            if said.code != "TransactionCanceledException":
                raise self._refused(said)
            floor, *reasons = said.reasons
            if floor.get("Code") == "ConditionalCheckFailed":
                self._floors.read_again(self._meta.name, bucket)
                return done + [
                    self._failed(made, reason.get("Item"), said)
                    for made, reason in zip(planned, reasons, strict=True)
                ]
            ended, planned = self._cancelled(planned, reasons, said)
            done += ended
        return done

    def _smaller(self, planned: list[Planned], said: Said) -> list[Done]:
        """DynamoDB refuses the request as a whole: one by one, so that one bad item does not sink
        its neighbours."""
        if len(planned) > 1:
            return list(itertools.chain.from_iterable(self._create([made]) for made in planned))
        return [Done(planned[0], _malformed(planned[0], said.message))]

    def _cancelled(
        self, planned: list[Planned], reasons: list[dict[str, Any]], said: Said
    ) -> tuple[list[Done], list[Planned]]:
        """Those that were the reason of a cancellation, and those to try again without them."""
        done, rest = [], []
        for made, reason in zip(planned, reasons, strict=True):
            code = reason.get("Code")
            if code == "ConditionalCheckFailed":
                done.append(self._failed(made, reason.get("Item") or self._read(made), said))
            elif code == "ValidationError":
                done.append(Done(made, _malformed(made, str(reason.get("Message")))))
            else:
                rest.append(made)
        if not done:
            raise self._refused(said)
        return done, rest

    def _failed(self, made: Planned, item: Item | None, said: Said) -> Done:
        if is_mine(made, item, repeated=said.repeated):
            return Done(made, None)
        return Done(made, Lost(made.write.entity, memory_of(item)), item)

    def _read(self, made: Planned) -> Item | None:
        """A condition failed, and the server did not say on what."""
        key = item_key(self._shape.schema, made.write.entity, made.write.key)
        found = self._requests.get_many([(self._shape.name, key)])
        return found[0]["item"] if found else None

    def _refused(self, said: Said) -> StoreError:
        return StoreError(
            f"DynamoDB refuses to write to {self._shape.name} ({said.operation}): {said.code}: "
            f"{said.message}"
        )


def _unanswered(arguments: dict[str, Any]) -> dict[str, Any]:
    """A put's arguments without the one that a transaction does not take."""
    return {name: value for name, value in arguments.items() if name != "ReturnValues"}


def _malformed(made: Planned, message: str) -> Refused:
    return Refused(made.write.entity, Reason.MALFORMED, f"DynamoDB refuses the item: {message}")


def by_bucket(planned: Sequence[Planned]) -> list[list[Planned]]:
    """Creates that can share a floor check: one bucket, so many, so many bytes."""
    groups: dict[int, list[list[Planned]]] = {}
    sizes: dict[int, int] = {}
    for made in planned:
        bucket = bucket_of(made.write.entity)
        found = groups.setdefault(bucket, [[]])
        size = sizes.get(bucket, 0) + len(str(made.item))
        if found[-1] and (len(found[-1]) == CREATED_AT_ONCE or size > CREATED_BYTES):
            found.append([])
            size = len(str(made.item))
        found[-1].append(made)
        sizes[bucket] = size
    return list(itertools.chain.from_iterable(groups.values()))

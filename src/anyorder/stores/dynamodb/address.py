"""A DynamoDB URL: which table, where, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, ClassVar

import msgspec

from anyorder.guard.contract import Decode, Promises
from anyorder.stores.dynamodb.store import THREADS, DynamoDBStore
from anyorder.urls import Discreet


class DynamoDBAddress(Discreet, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`place`: the table, which may hold `{table}`. `region`, `endpoint`: by default what boto3
    finds. `forget`: "own" or "ttl". `threads`: most requests at once."""

    place: Annotated[str, msgspec.Meta(pattern="^[^/@]+(/|$)")]
    region: str | None = None
    endpoint: str | None = None
    forget: str = "own"
    threads: Annotated[int, msgspec.Meta(ge=1)] = THREADS

    promises: ClassVar[Promises] = DynamoDBStore.promises

    def open(self, decode: Decode | None) -> DynamoDBStore:
        """The store; its tables are made when they are first written."""
        return DynamoDBStore(
            self.place.partition("/")[0],
            decode,
            region=self.region,
            endpoint=self.endpoint,
            forget=self.forget,
            threads=self.threads,
        )

    open_dry = open
    open_looking = open

    def copied(self, decode: Decode | None) -> AbstractContextManager[None]:
        """It cannot be copied."""
        return nullcontext()

    def missing(self) -> str:
        """Opening it makes nothing."""
        return ""

    def is_made(self) -> bool:
        """Opening it makes nothing."""
        return True

    @staticmethod
    def ddl(tables: Sequence[str]) -> None:
        """There is none: tables are made by requests."""

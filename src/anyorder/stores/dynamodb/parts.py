"""What the modules of this store share: its connection, its tables and its books, as one value.

They take this value and never the store, which is made of them: so none of them needs to know it.
"""

from __future__ import annotations

from typing import NamedTuple

from anyorder.stores.dynamodb.books import Books
from anyorder.stores.dynamodb.closings import Closings
from anyorder.stores.dynamodb.floors import Floors
from anyorder.stores.dynamodb.held import HeldItems
from anyorder.stores.dynamodb.open_entries import OpenEntries
from anyorder.stores.dynamodb.quarantine import QuarantineItems
from anyorder.stores.dynamodb.requests import Requests
from anyorder.stores.dynamodb.staleness import Staleness
from anyorder.stores.dynamodb.tables import UserTables


class Parts(NamedTuple):
    """Of one store, for as long as it is open. `native_ttl`: does DynamoDB's own TTL forget the
    tombstones?"""

    requests: Requests
    tables: UserTables
    books: Books
    floors: Floors
    held: HeldItems
    quarantine: QuarantineItems
    closings: Closings
    open_entries: OpenEntries
    staleness: Staleness
    native_ttl: bool

"""The conformance kit: is this store trustworthy? Public API; needs no test framework.

`check_store(make_store)` runs every check, raises `StoreCheckFailed` with a counterexample, and
returns a report that prints what the store promises and what it cannot:

    from anyorder.testing import check_store
    from anyorder.testing.places import sqlite_place

    print(check_store(sqlite_place))

A store of your own needs a function that makes a `Place`: how to connect to a fresh store, and how
to read its rows.
"""

from __future__ import annotations

from anyorder.testing.kit import CHECKS, check_store
from anyorder.testing.place import Place, StoreCheckFailed
from anyorder.testing.promises import StoreReport

__all__ = ["CHECKS", "Place", "StoreCheckFailed", "StoreReport", "check_store"]

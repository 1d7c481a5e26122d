"""A sample of the fuzzing of whole runs; `make fuzz` is the whole."""

from __future__ import annotations

from tests.runtime import fuzz

COUNT = 4000


def test_whatever_records_hold_a_run_reads_them_all_and_its_books_balance() -> None:
    """Content is a reason: `malformed` or `unrouted`, never an exception."""
    assert fuzz.run(COUNT, seed=1) == []

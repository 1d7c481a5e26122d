"""Mistakes in how a store keeps what was decided."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

SQLITE = "stores/sqlite/store.py"
BORROWED = "stores/sqlite/borrowed.py"
SQL = "stores/sqlite/sqlite.sql"

MUTANTS = [
    Mutant(
        "R2",
        "forgetting does not raise the floor",
        Change(SQLITE, "SQLiteStore.reap", "transaction.save_limits(spec, limits)", ""),
        killed_by="tests/table/test_table.py"
        "::test_a_forgotten_key_s_late_put_is_quarantined_and_a_late_delete_absorbed",
    ),
    Mutant(
        "R2",
        "a transaction that reads first takes the lock later",
        Change(BORROWED, "BEGIN", '"BEGIN IMMEDIATE"', '"BEGIN"'),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass",
    ),
    Mutant(
        "decide()",
        "nothing is quarantined twice, nothing is settled: dropped entries reopen",
        Change(
            SQL,
            "hold",
            "state = CASE WHEN state = 'settled' THEN 'open' ELSE state END",
            "state = 'open'",
        ),
        killed_by="tests/table/test_table.py::test_a_dropped_entry_does_not_come_back",
    ),
]

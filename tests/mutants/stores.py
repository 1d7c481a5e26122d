"""Mistakes in how a store keeps what was decided."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

ROWS = "stores/sqlite/rows.py"
SQL = "stores/sqlite/sqlite.sql"
SQLITE = "stores/sqlite/store.py"
TRANSACTION = "stores/sqlite/transaction.py"

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
        Change(SQLITE, "BEGIN", '"BEGIN IMMEDIATE"', '"BEGIN"'),
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
    Mutant(
        "R3",
        "the reaper forgets tombstones however young they are",
        Change(SQL, "old_tombstones", "AND since <= :before", ""),
        killed_by="tests/stores/test_kit.py"
        "::test_right_stores_pass[sqlite, its own table-young tombstones]",
    ),
    Mutant(
        "R3",
        "the reaper forgets more at once than it is told",
        Change(SQL, "old_tombstones", "LIMIT :limit", ""),
        killed_by="tests/stores/test_kit.py"
        "::test_right_stores_pass[sqlite, its own table-young tombstones]",
    ),
    Mutant(
        "R3",
        "the reaper forgets rows",
        Change(SQL, "old_tombstones", "live = 0 AND", ""),
        killed_by="tests/stores/test_kit.py"
        "::test_right_stores_pass[sqlite, its own table-young tombstones]",
    ),
    Mutant(
        "the row",
        "only the first key of a batch is asked for its columns",
        Change(
            ROWS,
            "RowWriter._fit",
            "number == 0 or write.key.keys() != set(key)",
            "number == 0",
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_a_key_of_other_columns_is_malformed_wherever_it_stands_in_its_batch",
    ),
    Mutant(
        "the row",
        "an index that is unique for some rows counts as the key",
        Change(SQL, "unique_indexes", "AND i.partial = 0", ""),
        killed_by="tests/table/test_shapes.py"
        "::test_an_index_that_is_unique_for_some_rows_only_is_no_key",
    ),
    Mutant(
        "the row",
        "an index that is not unique counts as the key",
        Change(SQL, "unique_indexes", 'i."unique" AND', ""),
        killed_by="tests/table/test_shapes.py::test_an_index_that_is_not_unique_is_no_key",
    ),
    Mutant(
        "the row",
        "a column that was rolled back with its batch is believed to be there",
        Change(
            TRANSACTION,
            "SQLiteTransaction._together",
            "schema.reload(self._database)",
            "",
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_a_column_that_went_with_a_refused_batch_is_made_again",
    ),
    Mutant(
        "the row",
        "a key that was rolled back with its event is believed",
        Change(TRANSACTION, "SQLiteTransaction._together", "schema.key = key", ""),
        killed_by="tests/table/test_shapes.py::test_a_key_that_a_refused_event_told_is_not_learned",
    ),
    Mutant(
        "the row",
        "a table that was rolled back with its transaction is believed to be there",
        Change(SQLITE, "SQLiteStore.transaction", "self._tables.clear()", "", occurrence=1),
        killed_by="tests/table/test_shapes.py"
        "::test_a_table_that_went_with_a_transaction_is_made_again",
    ),
    Mutant(
        "the row",
        "a table that went with a dry run is believed to be there",
        Change(SQLITE, "SQLiteStore.transaction", "self._tables.clear()", "", occurrence=2),
        killed_by="tests/table/test_shapes.py::test_a_table_that_went_with_a_dry_run_is_made_again",
    ),
]

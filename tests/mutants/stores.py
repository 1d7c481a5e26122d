"""Mistakes in how a store keeps what was decided."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

BLOCK = "stores/sqlite/block.py"
BORROWED = "stores/sqlite/borrowed.py"
ROWS = "stores/sqlite/rows.py"
SCHEMA = "stores/sqlite/schema.py"
SQL = "stores/sqlite/sqlite.sql"
SQLITE = "stores/sqlite/store.py"
REFUSAL = "stores/sqlite/refusal.py"
TAKING = "stores/sqlite/taking.py"
TRANSACTION = "stores/sqlite/transaction.py"

GONE = "tests/stores/test_sqlite_rows.py::"
PRESENCE = "tests/stores/test_presence.py::"

MUTANTS = [
    Mutant(
        "R14",
        "a table that somebody dropped is made anew",
        Change(
            "stores/sqlite/transaction.py",
            "SQLiteTransaction.write",
            "self._tables[spec.name].require()",
            "pass",
        ),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass[sqlite, its own table-dropped]",
    ),
    Mutant(
        "R10",
        "who reads a file that is gone is told of it as if it were there",
        Change("stores/sqlite/store.py", "SQLiteStore.reading", "self._presence.check()", "pass"),
        killed_by=PRESENCE + "test_what_a_file_that_is_gone_holds_is_told_to_nobody",
    ),
    Mutant(
        "store",
        "what is written into a file that is gone is told to be written",
        Change("stores/sqlite/presence.py", "Presence.check", "there != self._opened", "False"),
        killed_by=PRESENCE + "test_nothing_is_written_into_a_file_that_is_gone",
    ),
    Mutant(
        "store",
        "a journal that is gone is not missed",
        Change("stores/sqlite/presence.py", "Presence.check", "journal != self._journal", "False"),
        killed_by=PRESENCE + "test_nothing_is_written_into_a_file_that_is_gone",
    ),
    Mutant(
        "store",
        "a database is made beside what is left of another",
        Change("stores/sqlite/connection.py", "connect", "_refuse_remains(path)", ""),
        killed_by=PRESENCE + "test_no_database_is_made_beside_what_is_left_of_one",
    ),
    Mutant(
        "store",
        "what is left of a database is not told to who asks",
        Change(
            "stores/sqlite/address.py",
            "SQLiteAddress.missing",
            "is_absent and not remains(self.place[1:])",
            "is_absent",
        ),
        killed_by=PRESENCE + "test_who_asks_is_told_what_is_left_of_a_database",
    ),
    Mutant(
        "store",
        "a whole number is a double whose shortest digits it has",
        Change(
            "stores/sqlite/values.py",
            "_is_unchanged",
            "told is not None and told == _number(stored) and _is_exact(told, stored)",
            "told is not None and told == _number(stored)",
        ),
        killed_by="tests/stores/test_keys.py"
        "::test_a_number_is_stored_exactly_or_refused_whatever_its_column_is_declared[NUMERIC]",
    ),
    Mutant(
        "store",
        "a table that was made anew is as it was",
        Change(
            SCHEMA,
            "Schema.load",
            "loaded.columns == self._text and version == self._version",
            "loaded.columns == self._text",
        ),
        killed_by="tests/stores/test_kit.py"
        "::test_right_stores_pass[sqlite, the user's table-made anew]",
    ),
    Mutant(
        "store",
        "what goes from a table is told with every change of the database",
        Change(SCHEMA, "Schema.tell", "set(gone).difference(self._told_gone)", "set(gone)"),
        killed_by=GONE + "test_a_column_that_goes_while_we_run_is_told_once[True-DROP COLUMN a]",
    ),
    Mutant(
        "store",
        "what goes from a table is told by nobody",
        Change(
            TRANSACTION,
            "SQLiteTransaction.write",
            "self._tables[spec.name].tell(self._database)",
            "",
        ),
        killed_by=GONE + "test_a_table_that_is_made_anew_while_we_run_is_told_once",
    ),
    Mutant(
        "store",
        "a table that is empty is told, though nothing of it is remembered",
        Change(
            "stores/sqlite/changes.py",
            "tell_emptied",
            "database.execute(SQL['any_live'].format(memory=memory)).fetchone() is None",
            "False",
        ),
        killed_by=GONE + "test_a_table_of_which_nothing_is_remembered_may_be_empty",
    ),
    Mutant(
        "store",
        "what is gone is told as lacked as well",
        Change(
            "stores/sqlite/check.py",
            "_columns",
            "{*declared.columns, *ours}",
            "{*declared.columns}",
        ),
        killed_by=GONE + "test_what_is_gone_is_not_told_as_lacked_too",
    ),
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
        killed_by="tests/table/test_shared_transaction.py"
        "::test_nobody_else_writes_from_the_first_line_of_the_block_on[ours]",
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
        killed_by="tests/table/test_words.py::test_what_was_dropped_and_has_no_key_stays_dropped",
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
            "number == 0 or write.key.keys() != key",
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
            TAKING,
            "Taking._together",
            "schema.put_back(kept)",
            "",
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_a_column_that_went_with_a_refused_batch_is_made_again",
    ),
    Mutant(
        "the row",
        "a key that was rolled back with its event is believed",
        Change(
            SCHEMA,
            "Schema.put_back",
            "self.key, self.columns, self.declared, self.missing = kept[:4]",
            "self.columns, self.declared, self.missing = kept[1:4]",
        ),
        killed_by="tests/table/test_shapes.py::test_a_key_that_a_refused_event_told_is_not_learned",
    ),
    Mutant(
        "the row",
        "a table that was rolled back with its transaction is believed to be there",
        Change(SQLITE, "SQLiteStore._mend", "self._tables.clear()", ""),
        killed_by="tests/table/test_shapes.py"
        "::test_a_table_that_went_with_a_transaction_is_made_again",
    ),
    Mutant(
        "the row",
        "a table that went with a dry run is believed to be there",
        Change(SQLITE, "SQLiteStore.transaction", "self._is_torn = dry", ""),
        killed_by="tests/table/test_shapes.py::test_a_table_that_went_with_a_dry_run_is_made_again",
    ),
    Mutant(
        "the row",
        "what another process added to the table is not seen",
        Change(
            SCHEMA,
            "Schema.load",
            "loaded.columns == self._text and version == self._version",
            "self._version != UNKNOWN",
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_a_column_that_another_process_added_is_written_and_emptied_as_any",
    ),
    Mutant(
        "the row",
        "two names that differ only in case are two columns",
        Change(SCHEMA, "Schema.widen", "there != column", "False"),
        killed_by="tests/table/test_shapes.py"
        "::test_two_names_that_differ_only_in_case_are_never_one_column",
    ),
    Mutant(
        "the row",
        "a row that is told in part is inserted again",
        Change(
            ROWS,
            "RowWriter._write_shape",
            "shape.live and shape.spared != NONE_SPARED",
            "False",
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_a_row_that_is_told_in_part_keeps_a_column_that_may_not_be_null",
    ),
    Mutant(
        "the row",
        "a row is written where the caller's own SQL writes it",
        Change(ROWS, "RowWriter.write", "not self._rows or not writes", "not writes"),
        killed_by="tests/table/test_shared_transaction.py::test_the_rows_are_the_caller_s_alone",
    ),
    Mutant(
        "R9",
        "what was written of a refused row stays",
        Change(
            TAKING,
            "Taking._together",
            'self._undo("anyorder", error)',
            "",
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_nothing_of_a_refused_row_stays_however_late_it_is_refused",
    ),
    Mutant(
        "R3",
        "the partitions that are declared do not reach the floor",
        Change(
            TRANSACTION,
            "SQLiteTransaction.open_table",
            "spec.partitions != floor.partitions",
            "False",
        ),
        killed_by="tests/table/test_floor.py"
        "::test_a_raw_topic_s_declared_partitions_tell_what_lies_above_the_floor[declared]",
    ),
    Mutant(
        "R1",
        "a child before its parent is malformed",
        Change(
            REFUSAL,
            "OTHER_ROWS",
            '"SQLITE_CONSTRAINT_FOREIGNKEY"',
            '"SQLITE_CONSTRAINT"',
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_what_another_row_is_missing_for_waits_for_it[FK]",
    ),
    Mutant(
        "R1",
        "what a user's trigger refuses is malformed",
        Change(
            REFUSAL,
            "WAITS",
            '"SQLITE_CONSTRAINT_TRIGGER"',
            '"SQLITE_CONSTRAINT"',
        ),
        killed_by="tests/table/test_shapes.py"
        "::test_what_another_row_is_missing_for_waits_for_it[trigger]",
    ),
    Mutant(
        "R2",
        "a transaction that the caller has begun takes no lock",
        Change(
            BORROWED,
            "Borrowed.begin",
            'self.execute(SQL["lock"])',
            "pass",
        ),
        killed_by="tests/table/test_shared_transaction.py"
        "::test_nobody_else_writes_from_the_first_line_of_the_block_on[the caller's]",
    ),
    Mutant(
        "R1",
        "what was accepted in a block is not committed",
        Change(BLOCK, "Block.running", "self._lender.commit(self._borrowed)", "pass"),
        killed_by="tests/table/test_shared_transaction.py"
        "::test_what_was_accepted_is_there_for_everybody_when_the_block_ends",
    ),
]

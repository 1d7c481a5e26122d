"""Mistakes in what a store really holds: which row a key means, what a column makes of a value."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

ROWS = "stores/sqlite/rows.py"
SCHEMA = "stores/sqlite/schema.py"
VALUES = "stores/sqlite/values.py"
DECLARED = "stores/sqlite/declared.py"
TRANSACTION = "stores/sqlite/transaction.py"
SQL = "stores/sqlite/sqlite.sql"
TESTS = "tests/stores/test_sqlite_rows.py::"
KIT = "tests/stores/test_kit.py::test_right_stores_pass"


def row(mistake: str, file: str, place: str, old: str, new: str, killed_by: str) -> Mutant:
    """A mistake about rows."""
    return Mutant("row", mistake, Change(file, place, old, new), killed_by=killed_by)


MUTANTS = [
    row(
        "a delete that was overtaken in its batch leaves what no event names",
        ROWS,
        "RowWriter._write_shape",
        "shape.ended",
        "False",
        TESTS + "test_a_delete_takes_what_no_event_names_in_batches_of_any_size",
    ),
    row(
        "a late delete leaves what an adopted row shows from before",
        ROWS,
        "RowWriter._shape_of",
        "write.ended or ends_before(write)",
        "write.ended",
        "tests/stores/test_adoption.py::"
        "test_a_delete_ends_what_lay_there_also_in_columns_that_no_event_names",
    ),
    row(
        "the number of changed rows is not looked at",
        ROWS,
        "RowWriter._run",
        "changed == len(writes)",
        "True",
        TESTS + "test_what_a_trigger_ignores_is_not_applied",
    ),
    row(
        "what a trigger keeps counts as deleted",
        ROWS,
        "RowWriter._delete",
        "not schema.declared.has_triggers",
        "True",
        TESTS + "test_what_a_trigger_ignores_is_not_applied",
    ),
    row(
        "an upsert takes the row of any key that the index takes for it",
        ROWS,
        "RowWriter._exactly",
        "column in folding",
        "False",
        TESTS + "test_a_key_never_takes_the_row_of_another_that_the_column_takes_for_it",
    ),
    row(
        "a delete takes the row of any key that the index takes for it",
        "stores/sqlite/lookup.py",
        "Lookup.condition",
        "parts.append(f'{quoted(column)} = ? COLLATE BINARY')",
        "parts.append(f'{quoted(column)} = ?')",
        TESTS + "test_a_key_never_takes_the_row_of_another_that_the_column_takes_for_it",
    ),
    row(
        "a part of a row that is gone is written as a row",
        ROWS,
        "RowWriter._write_shape",
        "shape.live and shape.spared != NONE_SPARED",
        "shape.live and shape.spared is None and False",
        KIT + "[sqlite, the user's table-gone]",
    ),
    row(
        "a column becomes ours, and the rows of before go on to show what lay there",
        ROWS,
        "RowWriter.reset_untold",
        "self._schema.joined",
        "False",
        TESTS + "test_what_an_adopted_row_holds_does_not_depend_on_who_names_a_column_first",
    ),
    row(
        "what no event of a key has told is taken from an adopted row",
        "stores/sqlite/untold.py",
        "_is_of_adoption",
        "isinstance(told.position, OF_BEFORE)",
        "False",
        KIT + "[sqlite, the user's table-adopted]",
    ),
    row(
        "what the user filled in is taken away",
        SCHEMA,
        "Schema._add",
        "column not in self.missing",
        "True",
        TESTS + "test_what_the_user_filled_in_for_the_events_of_before_is_not_taken_away",
    ),
    row(
        "bytes are adopted as a key",
        "stores/sqlite/reachable.py",
        "unreachable",
        "stored.name not in reached",
        "stored.name not in {*reached, 'blob'}",
        KIT + "[sqlite, the user's table-adopted keys]",
    ),
    row(
        "a column's digits beyond 64 bits are no double's",
        "stores/sqlite/reachable.py",
        "unreachable",
        "kind is KeyKind.NUMBER and column in declared.typed",
        "False",
        TESTS + "test_rows_whose_key_no_event_can_have_are_not_adopted",
    ),
    row(
        "a key that the first event tells is adopted unseen",
        SCHEMA,
        "Schema.learn_key",
        "self.adopts",
        "False",
        TESTS + "test_rows_whose_key_no_event_can_have_are_not_adopted",
    ),
    row(
        "only what is written names columns",
        "guard/batch.py",
        "_Batch._write",
        "self._spec.writes_rows",
        "False",
        TESTS + "test_a_table_that_is_made_has_the_columns_of_every_event",
    ),
    row(
        "a content that is in dispute names no column",
        "guard/writing.py",
        "Writing.named",
        "one.reason is CONFLICT or not one.reason.quarantined",
        "not one.reason.quarantined",
        TESTS + "test_both_contents_of_a_dispute_name_their_columns",
    ),
    row(
        "a key may become a number",
        VALUES,
        "Typed.check_keys",
        "isinstance(value, str) is not isinstance(stored, str)",
        "False",
        TESTS + "test_a_key_that_the_column_would_store_as_another_is_malformed",
    ),
    row(
        "a number of any size fits into a double",
        VALUES,
        "Typed._keeps",
        "EXACT_IN_A_DOUBLE if self.affinity == REAL else INT64",
        "INT64",
        TESTS + "test_what_a_column_would_change_is_refused_and_what_it_keeps_is_stored",
    ),
    row(
        "a text that spells a number may become it in any column",
        VALUES,
        "_is_unchanged",
        "isinstance(value, str) and not is_numeric",
        "False",
        TESTS + "test_what_a_column_would_change_is_refused_and_what_it_keeps_is_stored",
    ),
    row(
        "ANY of a STRICT table converts",
        DECLARED,
        "declared_now",
        "is_strict == (1,)",
        "False",
        TESTS + "test_a_strict_table_converts_too_and_any_keeps_all",
    ),
    row(
        "the default of a bare word is another column",
        DECLARED,
        "_expression",
        "BARE_WORD.fullmatch(default)",
        "False",
        TESTS + "test_parts_of_a_row_in_every_order_leave_a_default_where_nobody_tells",
    ),
    row(
        "a hole of a column with a default is null",
        ROWS,
        "RowWriter._shape_of",
        "not self._schema.declared.defaults",
        "True",
        TESTS + "test_a_column_that_a_delete_ended_has_its_default_in_every_order",
    ),
    row(
        "the table is looked at once",
        SCHEMA,
        "Schema.load",
        "version == self._version",
        "self._version != UNKNOWN",
        TESTS + "test_the_table_is_looked_at_again_while_we_run",
    ),
    row(
        "columns that nobody names are written",
        SQL,
        "schema_5",
        "UPDATE anyorder_table SET columns = '[]' WHERE created = 0;",
        "",
        TESTS + "test_books_of_before_list_columns_that_no_event_named_and_they_are_let_go",
    ),
    row(
        "the table's own conflict clause counts",
        SQL,
        "insert_row",
        "INSERT OR ABORT INTO",
        "INSERT INTO",
        TESTS + "test_the_table_s_own_conflict_clause_does_not_count",
    ),
    row(
        "a truncate leaves adopted rows",
        TRANSACTION,
        "SQLiteTransaction.memories",
        "schema.adopts",
        "False",
        KIT + "[sqlite, the user's table-adopted]",
    ),
    row(
        "an adopted row is nothing",
        TRANSACTION,
        "SQLiteTransaction._adopted",
        "not schema.adopts",
        "True",
        KIT + "[sqlite, the user's table-adopted]",
    ),
    row(
        "the row may tell another key",
        "_core/coherence.py",
        "_contradiction",
        "told is not value",
        "False",
        "tests/core/test_coherence.py"
        "::test_the_row_s_column_of_the_key_s_name_is_the_key_or_the_event_is_malformed",
    ),
    row(
        "true is 1",
        "_core/coherence.py",
        "_is_same",
        "isinstance(told, bool) is not isinstance(key, bool)",
        "False",
        "tests/core/test_coherence.py"
        "::test_the_row_s_column_of_the_key_s_name_is_the_key_or_the_event_is_malformed",
    ),
    row(
        "true is 1 at a glance",
        "_core/misfit.py",
        "is_plain",
        "cell.__class__ is not value.__class__ or cell != value",
        "cell != value",
        "tests/core/test_coherence.py::test_no_glance_lets_in_what_contradicts_itself",
    ),
    row(
        "at a glance every column has a name",
        "_core/misfit.py",
        "is_plain",
        "told is not None and is_nameable(event)",
        "told is not None",
        "tests/core/test_coherence.py::test_no_glance_lets_in_what_contradicts_itself",
    ),
    row(
        "what contradicts itself is let in when its key moves",
        "_core/misfit.py",
        "decidable",
        "coherent(one.event)",
        "one.event",
        "tests/core/test_coherence.py"
        "::test_what_is_held_for_contradicting_itself_is_not_let_in_when_its_key_moves",
    ),
    row(
        "the column called * is the rest",
        "_core/names.py",
        "part_of",
        "PARTS.get(column, column)",
        "column",
        "tests/core/test_coherence.py"
        "::test_a_column_called_as_the_rest_is_told_apart_from_it_in_memory_and_in_what_is_written",
    ),
]

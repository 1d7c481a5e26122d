"""Mistakes about rows that were there before and take their positions from a column, and about
positions that are ranks."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

CLOCK = "_core/row_clock.py"
PASS = "stores/sqlite/adoption.py"
LOOKUP = "stores/sqlite/lookup.py"
SCHEMA = "stores/sqlite/schema.py"
RANKS = "_core/families/ranks.py"
SQL = "stores/sqlite/sqlite.sql"
STORE = "tests/stores/test_adoption.py::test_"
CLI = "tests/cli/test_adoption.py::test_"
DOCUMENT = "tests/envelopes/test_document.py::test_"
KIT = "tests/stores/test_kit.py::test_right_stores_pass"


def adopted(mistake: str, file: str, place: str, old: str, new: str, killed_by: str) -> Mutant:
    """A mistake about adopted rows."""
    return Mutant("adopted", mistake, Change(file, place, old, new), killed_by=killed_by)


MUTANTS = [
    adopted(
        "another content takes an adopted row of its version",
        CLOCK,
        "RowClock.memory_of",
        "OF_A_PUT | MARKED",
        "OF_A_PUT",
        f"{STORE}the_row_s_own_event_and_another_content_come_to_one_end_in_any_order",
    ),
    adopted(
        "what an adopted row shows is another content of its version",
        "guard/own_content.py",
        "_known",
        "columns is None or not _is_shown(transaction, spec, event, columns)",
        "True",
        f"{STORE}a_row_is_as_an_event_at_the_version_in_its_column",
    ),
    adopted(
        "whatever comes at an adopted row's version is what the row shows",
        "guard/own_content.py",
        "_known",
        "columns is None or not _is_shown(transaction, spec, event, columns)",
        "columns is None",
        f"{STORE}a_row_is_as_an_event_at_the_version_in_its_column",
    ),
    adopted(
        "a column that something newer told is compared, too",
        CLOCK,
        "columns_of_row",
        "source_of(memory, name) == stamp",
        "True",
        f"{KIT}[memory-adopted positions]",
    ),
    adopted(
        "the row of a dispute is told without the columns that it is about",
        "guard/own_content.py",
        "content_before",
        "is_of_row(memory) and spec.writes_rows",
        "False",
        f"{STORE}the_row_s_own_event_and_another_content_come_to_one_end_in_any_order",
    ),
    adopted(
        "rows that the pass has not come to are older than everything",
        LOOKUP,
        "Lookup.adopted",
        "clock is None or clock.column not in schema.declared.names.values()",
        "True",
        f"{STORE}rows_that_a_hand_puts_before_and_behind_the_pass_have_their_own_position",
    ),
    adopted(
        "the pass undoes what an event has told",
        SQL,
        "adopt_memory",
        "INSERT OR IGNORE",
        "INSERT OR REPLACE",
        f"{STORE}an_event_that_came_before_the_pass_is_not_undone_by_it",
    ),
    adopted(
        "a pass begins anew each time",
        PASS,
        "take_page",
        "rows.page(reached.after)",
        "rows.page([])",
        f"{STORE}the_pass_is_of_few_rows_at_a_time_and_writes_each_once",
    ),
    adopted(
        "a pass goes on by another clock",
        PASS,
        "_is_other",
        "msgspec.structs.replace(told, without=known.without) != known",
        "False",
        f"{STORE}a_pass_that_another_clock_began_is_not_gone_on_with",
    ),
    adopted(
        "a truth value of a key is a number",
        PASS,
        "Rows._key_of",
        "key[name] = bool(key[name])",
        "pass",
        f"{STORE}a_row_is_found_whatever_its_key",
    ),
    adopted(
        "a column that is called rowid is taken for the place of a row",
        PASS,
        "Rows.__init__",
        "name not in taken",
        "True",
        f"{STORE}a_column_that_is_called_rowid_is_no_place_of_a_row",
    ),
    adopted(
        "rows without a position are not refused",
        PASS,
        "check_column",
        "clock.without == REFUSE",
        "False",
        f"{STORE}rows_without_a_position_are_refused_if_that_is_said_and_nothing_is_written",
    ),
    adopted(
        "rows without a position are not told",
        CLOCK,
        "RowClock.warning",
        "not without",
        "True",
        f"{STORE}rows_without_a_position_are_older_than_everything_and_that_is_said",
    ),
    adopted(
        "a column that events name later is emptied in adopted rows",
        "stores/sqlite/untold.py",
        "OF_BEFORE",
        "(AdoptedPosition, AdoptedVersion)",
        "(AdoptedPosition,)",
        f"{STORE}a_column_that_is_named_later_stays_in_a_row_that_was_told_in_part",
    ),
    adopted(
        "rows of before do not take their positions from a column later",
        SCHEMA,
        "Schema.take_clock",
        "spec.clock is None or self.clock is not None or not self.adopts",
        "True",
        f"{STORE}what_was_older_than_everything_may_take_its_position_from_a_column_later",
    ),
    adopted(
        "any store is asked for what it cannot do",
        "guard/adoption.py",
        "check_store",
        "spec.clock is None or isinstance(store, Adopting)",
        "True",
        f"{STORE}a_store_of_another_kind_says_that_it_cannot",
    ),
    adopted(
        "the pass of a run is of another's table, too",
        "runtime/routing.py",
        "Routing.adopting",
        "not there.known.sources",
        "True",
        f"{CLI}a_table_of_another_source_table_is_not_touched",
    ),
    Mutant(
        "ranks",
        "positions of two lists compare",
        Change(RANKS, "is_of_other_list", "not longer.startswith(f'{shorter[:-1]},')", "False"),
        killed_by=f"{DOCUMENT}a_list_in_another_order_makes_conflicts_and_one_that_has_grown_none",
    ),
    Mutant(
        "ranks",
        "a list that has grown makes conflicts",
        Change(RANKS, "is_of_other_list", "not longer.startswith(f'{shorter[:-1]},')", "True"),
        killed_by=f"{DOCUMENT}a_list_in_another_order_makes_conflicts_and_one_that_has_grown_none",
    ),
    Mutant(
        "ranks",
        "a rank that begins as another one is taken for it",
        Change(RANKS, "is_of_other_list", "f'{shorter[:-1]},'", "shorter[:-2]"),
        killed_by=f"{DOCUMENT}a_rank_of_another_list_compares_where_both_lists_begin_alike_up_to_it",
    ),
    Mutant(
        "ranks",
        "a rank may be told twice",
        Change("envelopes/document.py", "_ranks_of", "len(set(told)) < len(told)", "False"),
        killed_by=f"{DOCUMENT}ranks_are_two_texts_or_more_each_once_and_nothing_else_spells_the_position",
    ),
]

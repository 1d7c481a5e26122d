"""Mistakes in which table an event means: whose a target is, and what it may be called."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

CATALOGUE = "guard/catalogue.py"
CLAIM = "guard/claim.py"
HOLDINGS = "guard/holdings.py"
NAMES = "guard/names.py"
OWNERS = "guard/owners.py"
ROUTING = "runtime/routing.py"
FAULTS = "guard/faults.py"
SQLITE = "stores/sqlite/names.py"
TARGETS = "guard/targets.py"
TRANSACTION = "stores/sqlite/transaction.py"
TRUNCATES = "guard/truncates.py"
SOURCE_TEST = "tests/table/test_source.py::"
TARGET_TEST = "tests/runtime/test_targets.py::"

MUTANTS = [
    Mutant(
        "R1",
        "a list of source tables gives away any target",
        Change(
            OWNERS,
            "admits",
            "is_listed and not set(spec.sources).isdisjoint(owned.sources)",
            "is_listed",
        ),
        killed_by=f"{TARGET_TEST}test_a_list_does_not_give_away_a_table_of_somebody_else",
    ),
    Mutant(
        "R1",
        "the word of one section counts for another's target",
        Change(OWNERS, "admits", "spec.merge and owned.merge", "spec.merge"),
        killed_by=f"{TARGET_TEST}test_the_word_of_one_section_is_not_another_s",
    ),
    Mutant(
        "R1",
        "what was merged is parted again by a section that says so no longer",
        Change(
            OWNERS,
            "declared_as",
            "spec.merge or (owned.merge and owned.others != ())",
            "spec.merge",
        ),
        killed_by=f"{TARGET_TEST}"
        "test_what_was_merged_stays_merged_when_the_section_says_so_no_longer",
    ),
    Mutant(
        "R10",
        "a truncate of one of several merged source tables is carried out",
        Change(TRUNCATES, "take_truncates", "spec.merge", "False"),
        killed_by=f"{TARGET_TEST}"
        "test_every_source_table_that_matches_is_merged_and_none_truncates_the_others",
    ),
    Mutant(
        "R10",
        "a held truncate of merged source tables is decided again",
        Change(
            TRUNCATES,
            "_held_truncates",
            "spec.merge or not spec.writes_rows",
            "not spec.writes_rows",
        ),
        killed_by=f"{SOURCE_TEST}test_a_held_truncate_of_merged_source_tables_is_not_decided_again",
    ),
    Mutant(
        "R11",
        "an operator may truncate merged source tables",
        Change(FAULTS, "not_owned", "is_truncate and owned.merge", "False"),
        killed_by=f"{SOURCE_TEST}test_merged_source_tables_never_truncate_each_other",
    ),
    Mutant(
        "R11",
        "an operator may accept what is another source table's",
        Change(
            FAULTS,
            "not_owned",
            "is_unrouted and not admits(owned, spec, source)",
            "False",
        ),
        killed_by=f"{SOURCE_TEST}"
        "test_what_is_unrouted_stays_so_when_its_key_moves_and_is_never_accepted",
    ),
    Mutant(
        "R1",
        "another source table's delivery is held under a key of the table",
        Change(HOLDINGS, "holding", "entity, identity = '', f'{entity} {identity}'", "pass"),
        killed_by=f"{SOURCE_TEST}"
        "test_what_is_unrouted_stays_so_when_its_key_moves_and_is_never_accepted",
    ),
    Mutant(
        "R1",
        "a table of the user's own takes whatever it is given",
        Change(
            CLAIM,
            "Claim._is_foreign",
            "self._source(event) not in (NAMELESS, *self.owned.sources)",
            "False",
        ),
        killed_by=f"{SOURCE_TEST}"
        "test_what_another_source_table_told_is_unrouted_and_changes_nothing",
    ),
    Mutant(
        "R1",
        "a change that was not applied says whose a table is",
        Change(CLAIM, "Claim._tried", "ends.isdisjoint(OWN)", "False"),
        killed_by=f"{SOURCE_TEST}test_the_first_change_that_is_applied_says_whose_the_table_is",
    ),
    Mutant(
        "R1",
        "documents claim a table by what the user calls them",
        Change(
            "tables.py",
            "Table._claim",
            "not needs_table(reader.name) or called != self.spec.name",
            "True",
        ),
        killed_by=f"{SOURCE_TEST}test_what_tells_no_source_table_is_taken_as_ever",
    ),
    Mutant(
        "R1",
        "hints of another source table's topic stay",
        Change(
            CLAIM, "Claim._parted", "follows or self._is_foreign(event)", "self._is_foreign(event)"
        ),
        killed_by=f"{SOURCE_TEST}test_hints_go_with_the_changes_of_their_topic",
    ),
    Mutant(
        "R1",
        "names are compared as they are spelled",
        Change(SQLITE, "folded", "name.translate(LOWER)", "name"),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass",
    ),
    Mutant(
        "R1",
        "letters beyond ASCII are folded too",
        Change(SQLITE, "folded", "name.translate(LOWER)", "name.lower()"),
        killed_by=f"{TARGET_TEST}test_letters_that_sqlite_tells_apart_are_two_tables",
    ),
    Mutant(
        "R1",
        "a name of ours may be a target in capitals",
        Change(SQLITE, "unfit", "_reserved(folded(name))", "_reserved(name)"),
        killed_by=f"{TARGET_TEST}"
        "test_a_name_that_no_target_can_have_is_unrouted_and_its_neighbours_are_applied",
    ),
    Mutant(
        "R1",
        "a view is a target",
        Change(SQLITE, "_taken", "kind not in ('', 'table')", "False"),
        killed_by=f"{TARGET_TEST}"
        "test_a_name_that_no_target_can_have_is_unrouted_and_its_neighbours_are_applied",
    ),
    Mutant(
        "R1",
        "nobody looks at the names to which only broken records go",
        Change(
            CATALOGUE,
            "Catalogue._names_of_followers",
            "isinstance(declared, TableSpec) and self._names.is_new(declared.name)",
            "False",
        ),
        killed_by=f"{TARGET_TEST}"
        "test_a_name_that_no_target_can_have_is_unrouted_and_its_neighbours_are_applied",
    ),
    Mutant(
        "R1",
        "a name that a person wrote is found out event by event",
        Change(
            ROUTING, "Routing.catalogue", "section.is_spelled_out and not section.ignore", "False"
        ),
        killed_by=f"{TARGET_TEST}"
        "test_a_name_that_the_pipeline_spells_out_is_misuse_before_anything_is_read",
    ),
    Mutant(
        "R1",
        "a target that was dropped is its events' fault",
        Change(
            TRANSACTION,
            "SQLiteTransaction.write",
            "spec.writes_rows",
            "False",
        ),
        killed_by=f"{TARGET_TEST}"
        "test_a_target_that_was_dropped_is_the_store_s_trouble_and_no_content",
    ),
    Mutant(
        "R1",
        "another spelling of a table is a table of its own",
        Change(
            TARGETS,
            "_check_name",
            "kept != spec.name",
            "False",
        ),
        killed_by=f"{SOURCE_TEST}test_another_spelling_of_a_table_that_is_there_is_misuse",
    ),
]

"""Mistakes in what a person types and reads: words, names of before, completion, progress."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

OF_NAMES = "tests/stores/test_former_names.py::"
OF_CHECK = "tests/cli/test_foreseen.py::"
OF_CONTENTS = "tests/cli/test_contents.py::"
OF_SCOPES = "tests/table/test_scopes.py::"
OF_LOUDNESS = "tests/cli/test_loudness.py::"
OF_PROGRESS = "tests/cli/test_progress.py::"
OF_SCHEMA = "tests/runtime/test_schema.py::"
OF_COMPLETION = "tests/cli/test_completion.py::"
OF_MISTYPED = "tests/cli/test_mistyped.py::"
BY_EITHER = OF_NAMES + "test_entries_of_before_are_listed_by_either_name_under_the_new_one"

MUTANTS = [
    Mutant(
        "manners",
        "an entry of before keeps the name that its reason had",
        Change("guard/entry.py", "Entry.__post_init__", "reason_named(self.reason)", "self.reason"),
        killed_by=OF_NAMES + "test_every_store_s_entries_have_the_name_of_today",
    ),
    Mutant(
        "manners",
        "entries of before are not found by the reason of today",
        Change(
            "stores/sqlite/sqlite.sql",
            "entries",
            "reason IN (:reason, :former)",
            "reason = :reason",
        ),
        killed_by=BY_EITHER + "[no_content]",
    ),
    Mutant(
        "manners",
        "an item of before is not found by the reason of today",
        Change("guard/entry.py", "EntryQuery.asks_for", "reason_named(reason)", "reason"),
        killed_by=OF_NAMES + "test_an_item_of_before_is_read_and_found_by_the_new_name",
    ),
    Mutant(
        "manners",
        "a delivery of before that comes again is another one",
        Change(
            "_core/batch.py",
            "identity_of",
            "IDENTIFIED.get(event.kind, event.kind.value)",
            "event.kind.value",
        ),
        killed_by=OF_NAMES + "test_a_delivery_of_before_that_comes_again_finds_its_entry",
    ),
    Mutant(
        "manners",
        "a check tells nothing of what a table refuses",
        Change("runtime/look.py", "tried", "one.problem or problem", "one.problem"),
        killed_by=OF_CHECK + "test_a_table_that_refuses_everything_is_found_and_stays_as_it_is",
    ),
    Mutant(
        "manners",
        "a child whose parent comes among the records is a problem",
        Change("runtime/trial.py", "_problem", "identity_of(decision.event) not in held", "False"),
        killed_by=OF_CHECK + "test_a_child_before_its_parent_is_no_problem_if_the_parent_comes",
    ),
    Mutant(
        "manners",
        "a dry run of a word does not look at the content's number",
        Change("cli/acts/settle.py", "_foreseen", "number is not None", "False"),
        killed_by=OF_CONTENTS
        + "test_a_dry_run_tells_the_content_that_would_be_accepted_and_accepts_nothing",
    ),
    Mutant(
        "manners",
        "a dry run of a word does not look how many contents there are",
        Change("cli/acts/settle.py", "_foreseen", "choice.check(options.of)", "pass"),
        killed_by=OF_CONTENTS + "test_a_dry_run_refuses_what_the_word_itself_would_be_refused_for",
    ),
    Mutant(
        "manners",
        "a retention is taken over positions that count for each key",
        Change(
            "runtime/routing.py",
            "Routing._check_retention",
            "keeps_for_ever(self._envelope.name, self._envelope.options)",
            '""',
        ),
        killed_by=OF_SCOPES
        + "test_a_pipeline_is_refused_before_it_reads_and_an_ignored_table_is_not_asked_about",
    ),
    Mutant(
        "manners",
        "milliseconds are taken for seconds",
        Change(
            "_core/families/timestamp.py", "_counted", "not FIRST <= nanoseconds < END", "False"
        ),
        killed_by="tests/envelopes/test_document.py::"
        "test_a_time_beyond_the_years_that_there_are_is_malformed_and_the_note_names_the_unit",
    ),
    Mutant(
        "manners",
        "a quiet command says what nobody has to read",
        Change("cli/terminal.py", "note", "not is_quiet()", "True"),
        killed_by=OF_LOUDNESS + "test_a_quiet_run_that_needs_nobody_says_nothing",
    ),
    Mutant(
        "manners",
        "a command is as loud as the one before it in this process",
        Change("cli/terminal.py", "set_loudness", "LOG.removeHandler(handler)", "pass"),
        killed_by=OF_LOUDNESS + "test_the_next_command_is_as_loud_as_it_says_itself",
    ),
    Mutant(
        "manners",
        "the time left counts what an earlier run has read",
        Change("cli/progress.py", "Progress._left", "share - first", "share"),
        killed_by=OF_PROGRESS + "test_the_time_left_is_as_it_went_since_the_first_batch",
    ),
    Mutant(
        "manners",
        "the schema takes any key of a source of ours",
        Change("runtime/schema.py", "_of_kind", "False", "True"),
        killed_by=OF_SCHEMA + "test_a_wrong_file_is_not_valid",
    ),
    Mutant(
        "manners",
        "completion offers options that the act does not take",
        Change("cli/grammar.py", "Grammar.options_of", "others.isdisjoint(option.names)", "True"),
        killed_by=OF_COMPLETION + "test_a_shell_offers_what_may_be_typed_there_and_nothing_else",
    ),
    Mutant(
        "manners",
        "a key of a delivery is markup in a notebook",
        Change("notebook.py", "cell", "escape(str(value), quote=True)", "str(value)"),
        killed_by="tests/table/test_notebook.py::test_markup_in_a_key_a_value_and_a_column_is_text",
    ),
    Mutant(
        "manners",
        "a word that is like none is answered by some other",
        Change("mistyped.py", "CLOSE", "0.6", "0.0"),
        killed_by=OF_MISTYPED + "test_nothing_is_guessed_of_a_word_that_is_like_none",
    ),
]

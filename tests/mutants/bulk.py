"""Mistakes in a word for many entries, and in what is asked before it."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

BULK = "runtime/bulk.py"
ANSWERS = "cli/acts/answers.py"
KIT = "tests/stores/test_kit.py::test_right_stores_pass"
CLI = "tests/cli/test_bulk.py::"

MUTANTS = [
    Mutant(
        "R13",
        "a word for one event decides it by a clock that is suspected",
        Change(
            "guard/faults.py",
            "disbelieved",
            "held.entry.reason != Reason.SUSPECTED_RESET",
            "True",
        ),
        killed_by="tests/table/test_clocks.py::"
        "test_no_word_for_one_event_believes_a_clock_that_is_suspected",
    ),
    Mutant(
        "R11",
        "an empty filter narrows nothing, and a word reaches what nobody meant",
        Change("cli/acts/filters.py", "_text", "not text", "False"),
        killed_by=CLI + "test_words_that_do_not_say_which_entries_are_misuse",
    ),
    Mutant(
        "R12",
        "a word for many guesses which content of a dispute is right",
        Change(BULK, "Bulk._read", "needs_a_content(entry)", "False"),
        killed_by=CLI + "test_a_dispute_is_not_guessed_for_many_and_accepted_alone",
    ),
    Mutant(
        "R11",
        "two entries of a key are decided on one memory",
        Change(BULK, "groups", "is_truncate or entity in group or '' in group", "False"),
        killed_by=KIT + "[memory-words]",
    ),
    Mutant(
        "R11",
        "what the store refuses is told as accepted",
        Change(
            "guard/word.py",
            "Words._refuse",
            "self.answered[one.entry.id] = Unaccepted(why, by_store=True)",
            "",
        ),
        killed_by=CLI + "test_what_one_entry_is_refused_for_stops_no_other",
    ),
    Mutant(
        "R11",
        "what a word settles of its key stays open",
        Change("guard/word.py", "Words.give", "self._follow()", ""),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass[memory-quarantine]",
    ),
    Mutant(
        "R11",
        "a word for many is given where nobody could be asked",
        Change(ANSWERS, "is_agreed", "not _is_terminal()", "False"),
        killed_by=CLI + "test_a_bulk_word_by_filter_needs_yes_where_nobody_can_be_asked",
    ),
    Mutant(
        "R11",
        "who says no is taken to have said yes",
        Change(
            ANSWERS,
            "is_agreed",
            "return sys.stdin.readline().strip().lower() in ('y', 'yes')",
            "return True",
        ),
        killed_by=CLI + "test_on_a_terminal_a_word_for_many_is_asked_for",
    ),
    Mutant(
        "R11",
        "a closed entry is dropped again",
        Change(BULK, "Bulk._open", "entry.state == 'open'", "True"),
        killed_by=KIT + "[memory-words]",
    ),
    Mutant(
        "R13",
        "what a dismissal would do is done",
        Change(
            "guard/quarantine.py",
            "Quarantine.foreseen",
            "self._store.transaction(time.time(), dry=True)",
            "self._store.transaction(time.time())",
        ),
        killed_by=CLI + "test_a_dismissal_says_first_what_it_will_do_and_needs_yes",
    ),
    Mutant(
        "why",
        "a key of other columns is asked for as if it were one",
        Change("why/story.py", "_named", "set(named) == set(columns) or not columns", "True"),
        killed_by=CLI + "test_why_of_a_key_with_other_columns_says_which_there_are",
    ),
]

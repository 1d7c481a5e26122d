"""Mistakes in what an entry lists, and in what a word does to it (rules R11, R12)."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

CHOICE = "guard/choice.py"
CHOSEN = "guard/chosen.py"
CONTENTS = "guard/contents.py"
SETTLE = "guard/settle.py"
SQL = "stores/sqlite/sqlite.sql"
QUARANTINE = "stores/sqlite/quarantine.py"
WORDS = "tests/table/test_words.py"

MUTANTS = [
    Mutant(
        "R12",
        "what the row shows is in no list",
        Change(CONTENTS, "contents_of", "_shown_before(share, event, row)", "()"),
        killed_by=f"{WORDS}::test_each_content_of_a_dispute_can_be_accepted_also_the_one_that_is_shown",
    ),
    Mutant(
        "R12",
        "what a batch applied, and then disputed, is in no list",
        Change(CONTENTS, "_beside", "yield other, told_by", "yield event, provenance"),
        killed_by=f"{WORDS}::test_a_batch_lists_what_one_by_one_would",
    ),
    Mutant(
        "R11",
        "a word is guessed where there are several contents",
        Change(CHOICE, "Choice.only", "len(others) == 1", "others"),
        killed_by=f"{WORDS}::test_a_word_for_one_of_several_contents_says_which",
    ),
    Mutant(
        "R11",
        "a word closes contents that nobody was shown",
        Change(CHOICE, "Choice.check", "count not in (None, there)", "count == 0"),
        killed_by=f"{WORDS}::test_a_word_is_refused_if_the_entry_lists_more_by_now",
    ),
    Mutant(
        "R11",
        "what was chosen before is asked about again",
        Change(CHOSEN, "chosen_at", "stamp.is_marked", "not stamp.is_marked"),
        killed_by=f"{WORDS}::test_what_a_word_did_not_list_opens_a_new_entry_and_moves_nothing",
    ),
    Mutant(
        "R11",
        "a dropped dispute marks nothing",
        Change(CHOSEN, "settled", "not is_dispute(entry)", "True"),
        killed_by=f"{WORDS}::test_a_dropped_dispute_keeps_what_is_shown_for_good",
    ),
    Mutant(
        "R11",
        "what a word replaced, and cannot be compared with it, asks again",
        Change(CHOSEN, "shown", "tuple(found)", "()"),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass[memory-disputes]",
    ),
    Mutant(
        "R11",
        "what comes after a word goes into the entry that it closed",
        Change(
            QUARANTINE,
            "Quarantine._hold_dispute",
            'state in ("accepted", "dropped")',
            "False",
        ),
        killed_by=f"{WORDS}::test_what_a_word_did_not_list_opens_a_new_entry_and_moves_nothing",
    ),
    Mutant(
        "R12",
        "an entry of before forgets its own delivery",
        Change(QUARANTINE, "Quarantine._hold_dispute", "self._contents.adopt(number)", "pass"),
        killed_by=f"{WORDS}::test_a_dispute_of_before_still_settles_and_takes_in_what_comes",
    ),
]

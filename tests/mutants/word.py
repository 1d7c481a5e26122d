"""Mistakes in what an operator's word leaves behind (rules R11), and in what is one content."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

CONTENT = "_core/content.py"
DECLARED = "_core/declared.py"
FOLD = "_core/fold.py"
FORMER = "_core/former.py"
MEMORY = "_core/memory.py"
MOVES = "_core/moves.py"
TIES = "_core/ties.py"
WORD = "_core/word.py"
MARKS = "_core/marks.py"
TESTS = "tests/core/test_word.py::"
CONTENTS = "tests/core/test_content.py::"
OTHER = f"{TESTS}test_another_content_of_a_settled_position_is_told_and_moves_nothing"
CLOCKS = f"{TESTS}test_between_two_clocks_a_word_takes_all_that_is_not_newer_for_certain"

MUTANTS = [
    Mutant(
        "R11",
        "a word marks nothing",
        Change(MEMORY, "Stamp.marked", "self.rank | MARKED", "self.rank"),
        killed_by=OTHER,
    ),
    Mutant(
        "R11",
        "a word marks the row's own stamp only",
        Change(MARKS, "marked", "_chosen(cell, position, lineage)", "cell"),
        killed_by=f"{TESTS}test_a_word_takes_nothing_newer_away",
    ),
    Mutant(
        "R11",
        "a word marks no end of what was before",
        Change(MARKS, "marked", "Dead(_chosen(base.stamp, position, lineage))", "base"),
        killed_by="tests/model/test_words.py::test_a_word_is_final[PXYD]",
    ),
    Mutant(
        "R11",
        "an accepted delete is not marked",
        Change(WORD, "_ended", "Memory(stamp.marked())", "Memory(stamp)"),
        killed_by=OTHER,
    ),
    Mutant(
        "R11",
        "a word leaves the dispute as it was",
        Change(
            MARKS,
            "marked",
            "memory.disputed - _settled(memory, position, lineage)",
            "memory.disputed",
        ),
        killed_by=f"{TESTS}test_a_dropped_dispute_stays_as_it_is_shown",
    ),
    Mutant(
        "R11",
        "a dropped dispute is written though it was settled before",
        Change(MARKS, "marked", "after == memory", "False"),
        killed_by=f"{TESTS}test_a_dropped_dispute_stays_as_it_is_shown",
    ),
    Mutant(
        "R11",
        "what was chosen differs from itself",
        Change(
            MEMORY, "Stamp.has_content_of", "self.is_put is other.is_put", "self.rank == other.rank"
        ),
        killed_by=OTHER,
    ),
    Mutant(
        "R11",
        "what a word refused is stale",
        Change(FOLD, "_judged", "other = met.other_than(stamp)", "pass"),
        killed_by=OTHER,
    ),
    Mutant(
        "R11",
        "a put is stale beside a delete that was chosen",
        Change(
            FOLD,
            "_onto_memory",
            "if tied:\n    return Applied(memory, None, Reason.CONFLICT, stored)",
            "",
        ),
        killed_by=OTHER,
    ),
    Mutant(
        "R11",
        "what was chosen and comes again is stale",
        Change(FOLD, "_judged", "replace(applied, reason=DUPLICATE)", "applied"),
        killed_by="tests/core/test_word.py"
        "::test_a_chosen_content_that_comes_again_beneath_a_newer_row_is_a_duplicate",
    ),
    Mutant(
        "R11",
        "what was chosen is disputed by what comes later",
        Change(TIES, "meet", "met.chosen if stored.is_marked else met.ties", "met.ties"),
        killed_by=OTHER,
    ),
    Mutant(
        "R11",
        "accept takes away what is newer",
        Change(WORD, "_moves", "orders[name] is OLDER", "False"),
        killed_by=f"{TESTS}test_a_word_takes_nothing_newer_away",
    ),
    Mutant(
        "R11",
        "accept brings back what is known to be dead",
        Change(WORD, "_moves", "memory is not None and _is_ended(memory, stamp, lineage)", "False"),
        killed_by=f"{TESTS}test_a_known_end_is_newer_than_what_a_word_brings_back_of_before",
    ),
    Mutant(
        "R11",
        "every accepted row is declared",
        Change(
            WORD,
            "_birth",
            "memory.declared is not None or reason not in FORGOTTEN",
            "memory.declared is not None",
        ),
        killed_by=f"{TESTS}test_a_word_about_what_was_never_forgotten_leaves_an_exact_memory",
    ),
    Mutant(
        "R11",
        "the birth is the floor of the moment",
        Change(WORD, "_birth", "memory.base.floor", "limits.floor"),
        killed_by=f"{TESTS}test_the_birth_of_a_row_is_the_floor_when_its_slot_was_filled",
    ),
    Mutant(
        "R11",
        "an accepted delete of a declared row is stored",
        Change(
            WORD, "_ended", "birth is not None and not is_above(stamp, birth, lineage)", "False"
        ),
        killed_by=f"{TESTS}test_an_accepted_delete_of_a_declared_row_stores_no_tombstone",
    ),
    Mutant(
        "R11",
        "what is not held any more is not chosen",
        Change(WORD, "accept", "_chosen_already(event, decided, limits.lineage)", "decided"),
        killed_by=f"{TESTS}test_what_is_not_held_any_more_needs_no_word_and_is_chosen_all_the_same",
    ),
    Mutant(
        "R11",
        "the birth stays for ever",
        Change(
            DECLARED,
            "_with_birth",
            "all((is_above(stamp, birth, lineage) for stamp in row.stamps))",
            "False",
        ),
        killed_by="tests/core/test_word.py"
        "::test_a_declared_row_is_ordinary_as_soon_as_nothing_of_it_is_from_before_its_birth",
    ),
    Mutant(
        "R11",
        "what a late delete clears of a declared row is dead up to itself",
        Change(DECLARED, "declared", "replace(row, base=_born(row, birth, lineage))", "row"),
        killed_by="tests/core/test_word.py"
        "::test_what_a_late_delete_clears_of_a_declared_row_is_asked_for_again",
    ),
    Mutant(
        "R11",
        "what is held beside a declared row moves it",
        Change(DECLARED, "on_declared", "is_put and applied.reason is Reason.CONFLICT", "False"),
        killed_by=f"{TESTS}test_a_content_of_a_declared_row_s_position_is_told_and_moves_nothing",
    ),
    Mutant(
        "R11",
        "what is newer than the row is newer than another clock's column",
        Change(MOVES, "_is_by_word", "cell.is_marked or is_of_other_clock", "cell.is_marked"),
        killed_by=CLOCKS,
    ),
    Mutant(
        "R11",
        "what is newer than the row is newer than what a word chose",
        Change(MOVES, "_is_by_word", "cell.is_marked or is_of_other_clock", "is_of_other_clock"),
        killed_by="tests/core/test_word.py"
        "::test_what_is_newer_than_the_row_takes_no_chosen_column_without_a_proof",
    ),
    Mutant(
        "R11",
        "a copy with a better proof takes what was chosen at its position",
        Change(
            MOVES,
            "moves_of_newer",
            "moves_of_older(columns, orders) | dict.fromkeys(chosen, KEEP)",
            "moves_of_older(columns, orders)",
        ),
        killed_by="tests/core/test_word.py"
        "::test_a_copy_with_a_better_proof_does_not_fill_what_was_chosen_to_end",
    ),
    Mutant(
        "R11",
        "a delete ends another clock's column",
        Change(
            FOLD,
            "_newer",
            "memory.cells is not None",
            "False",
        ),
        killed_by=CLOCKS,
    ),
    Mutant(
        "R12",
        "each spelling of a number is a content",
        Change(CONTENT, "spelled_value", "_number(value, str(value))", "value"),
        killed_by=f"{CONTENTS}test_one_number_has_one_fingerprint_however_it_is_spelled",
    ),
    Mutant(
        "R12",
        "a memory of before does not know its event",
        Change(
            FORMER,
            "known_as",
            "return replace(stamp, fingerprint=stored.fingerprint)",
            "return stamp",
        ),
        killed_by=f"{CONTENTS}test_a_memory_of_before_knows_its_event_again",
    ),
]

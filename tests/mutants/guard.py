"""Mistakes in how a batch is written, and what is held is decided again."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

CLOCKS = "guard/clocks.py"
INTAKE = "guard/intake.py"
RECALL = "guard/recall.py"
REFUSALS = "guard/refusals.py"
SETTLE = "guard/settle.py"
TRUNCATES = "guard/truncates.py"
WRITING = "guard/writing.py"

MUTANTS = [
    Mutant(
        "R1",
        "what the quarantine holds already is held again",
        Change(SETTLE, "_decision", "one.reason.quarantined and one.number in known", "False"),
        killed_by="tests/table/test_table.py::test_a_dropped_entry_does_not_come_back",
    ),
    Mutant(
        "R1",
        "the books are not checked",
        Change(INTAKE, "take_in", "raise BooksUnbalanced", ""),
        killed_by="tests/table/test_table.py"
        "::test_books_that_do_not_balance_stop_the_batch_before_it_commits",
    ),
    Mutant(
        "R9",
        "losers are released although their winner was refused",
        Change(
            WRITING,
            "Writing._refused",
            "one_by_one(self._transaction, self._spec, arrivals, there, limits, "
            "self._token, refused)",
            "self.shares[entity]",
        ),
        killed_by="tests/table/test_table.py"
        "::test_the_user_s_own_table_stays_as_it_is_and_keeps_its_constraints",
    ),
    Mutant(
        "R9",
        "our own ambiguous commit counts as a duplicate",
        Change(SETTLE, "_finished", "share.before.token == token", "False"),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass",
    ),
    Mutant(
        "R9",
        "what was refused alone is not decided again when its key moves",
        Change(REFUSALS, "one_by_one", "key.remembered.memory is not start", "False"),
        killed_by="tests/table/test_table.py"
        "::test_what_was_undecided_when_the_winner_was_refused_is_decided_again_as_soon_as_its_key_moves",
    ),
    Mutant(
        "R10",
        "held truncates are never decided again",
        Change(TRUNCATES, "_take_held", "waiting and moved", "False"),
        killed_by="tests/table/test_table.py"
        "::test_a_waiting_truncate_is_decided_again_when_its_run_is_known_to_have_begun_with_a_snapshot",
    ),
    Mutant(
        "R13",
        "what a suspected clock told is decided again by itself",
        Change(RECALL, "recall", "len(trusted) == len(held)", "True"),
        killed_by="tests/table/test_table.py"
        "::test_what_a_suspected_clock_told_is_not_decided_again_before_a_person_says_so",
    ),
    Mutant(
        "R14",
        "a snapshot run is not remembered",
        Change(CLOCKS, "learn_runs", "transaction.add_run(scope, run)", ""),
        killed_by="tests/table/test_table.py"
        "::test_a_waiting_truncate_is_decided_again_when_its_run_is_known_to_have_begun_with_a_snapshot",
    ),
]

"""Mistakes in how a batch is written, and what is held is decided again."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

BATCH = "guard/batch.py"
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
        "R9",
        "what comes after a truncate in its batch is decided before it",
        Change(
            BATCH,
            "sort_out",
            "if stretches[-1].truncates:\n    stretches.append(Stretch({}, []))",
            "",
        ),
        killed_by="tests/model/test_cuts.py"
        "::test_what_arrived_in_one_order_comes_to_the_same_in_every_cut",
    ),
    Mutant(
        "R9",
        "a copy that comes after a truncate counts as an answer that was lost",
        Change(BATCH, "_Batch.take", "self._token += '+'", "pass"),
        killed_by="tests/table/test_truncates.py"
        "::test_a_copy_on_the_other_side_of_a_truncate_is_a_duplicate",
    ),
    Mutant(
        "R10",
        "held truncates are never decided again",
        Change(TRUNCATES, "_take_held", "waiting and moved", "False"),
        killed_by="tests/table/test_table.py"
        "::test_a_waiting_truncate_is_decided_again_when_its_run_is_known_to_have_begun_with_a_snapshot",
    ),
    Mutant(
        "R10",
        "what is held of any key is not decided again after a truncate",
        Change(
            BATCH,
            "_Batch.truncate",
            "if has_moved and self._settles:\n"
            "    self.reconsider("
            "self._transaction.held_entities(self._spec))",
            "",
        ),
        killed_by="tests/table/test_truncates.py"
        "::test_what_was_late_is_settled_by_a_truncate_that_is_newer",
    ),
    Mutant(
        "R13",
        "what a suspected clock told is decided again by itself",
        Change(RECALL, "recall", "_trusted(held, suspected)", "held"),
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
    Mutant(
        "R13",
        "what earlier batches told of a clock is not read",
        Change(CLOCKS, "screen", "transaction.growths(sorted(scopes))", "{}"),
        killed_by="tests/table/test_clocks.py"
        "::test_what_comes_an_hour_later_and_far_below_is_suspected_in_a_later_batch_too",
    ),
    Mutant(
        "R13",
        "what is not judged by itself has no clock",
        Change(CLOCKS, "_clock", "clock_of(arrival.event)", "''"),
        killed_by="tests/core/test_reset.py"
        "::test_what_is_not_judged_by_itself_is_held_when_its_clock_is_suspected[i]",
    ),
    Mutant(
        "R1",
        "what belongs to no table keeps nothing of how it was read",
        Change(
            INTAKE,
            "take_in",
            "settle_without_rows(transaction, spec, others, provenance)",
            "settle_without_rows(transaction, spec, others, '')",
        ),
        killed_by="tests/runtime/test_claims.py"
        "::test_what_belongs_to_no_table_keeps_how_it_was_read",
    ),
    Mutant(
        "R14",
        "a snapshot run settles what its own table holds only",
        Change(INTAKE, "take_in", "settling.reconsider(but=specs)", "[]"),
        killed_by="tests/runtime/test_duties.py"
        "::test_what_waits_for_a_snapshot_is_settled_by_that_of_another_table",
    ),
]

"""Mistakes in how one event, or one key's events, are decided."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

BATCH = "_core/batch.py"
DECIDE = "_core/decide.py"
DECLARED = "_core/declared.py"
FOLD = "_core/fold.py"
MOVES = "_core/moves.py"
PAST = "_core/past.py"
RESET = "_core/reset.py"
TIES = "_core/ties.py"
WORD = "_core/word.py"

MUTANTS = [
    Mutant(
        "R1",
        "the same event again is applied again",
        Change(FOLD, "_onto_memory", "order is SAME", "False", occurrence=2),
        killed_by="tests/core/test_decide.py::test_each_situation_has_its_reason",
    ),
    Mutant(
        "R1",
        "held entries are never decided again",
        Change(BATCH, "_Folding.arrive", "self.memory is not start", "False"),
        killed_by="tests/table/test_table.py"
        "::test_a_hint_waits_for_its_delete_and_settles_by_itself",
    ),
    Mutant(
        "R3",
        "the floor is not looked at",
        Change(FOLD, "_onto_empty", "above is not YES", "False"),
        killed_by="tests/core/test_decide.py::test_each_situation_has_its_reason",
    ),
    Mutant(
        "R6",
        "a hint settles itself",
        Change(
            DECIDE,
            "_hint",
            "not memory.live or hint.is_settled(memory.stamp.position, limits.floor)",
            "True",
        ),
        killed_by="tests/table/test_table.py"
        "::test_a_hint_waits_for_its_delete_and_settles_by_itself",
    ),
    Mutant(
        "R6",
        "a hint waits for ever after a tombstone was forgotten",
        Change(DECIDE, "_hint", "hint.is_settled(None, limits.floor)", "False"),
        killed_by="tests/core/test_decide.py::test_each_situation_has_its_reason",
    ),
    Mutant(
        "R5",
        "a row of several events has one offset",
        Change(
            FOLD,
            "_put_on",
            "after_newer(columns, moves, stored, met.ties)",
            "after_newer(columns, moves, stored.joined(own), met.ties)",
        ),
        killed_by="tests/model/test_books.py"
        "::test_every_order_and_every_batching_ends_in_one_state[False-PXYD-log]",
    ),
    Mutant(
        "R8",
        "the last writer of the row wins",
        Change(FOLD, "_onto_memory", "order is OLDER and memory.is_simple", "order is OLDER"),
        killed_by="tests/core/test_decide.py"
        "::test_a_row_of_several_events_tells_where_each_column_came_from_and_what_is_missing",
    ),
    Mutant(
        "R8",
        "no birth floor",
        Change(PAST, "of_empty_slot", "return Born(floor)", "return None"),
        killed_by="tests/model/test_books.py"
        "::test_every_order_and_every_batching_ends_in_one_state[False-PXYD-log]",
    ),
    Mutant(
        "R8",
        "a delete older than the row clears nothing",
        Change(MOVES, "TABLE", "CLEAR", "KEEP"),
        killed_by="tests/model/test_books.py"
        "::test_every_order_and_every_batching_ends_in_one_state[False-PXYD-version]",
    ),
    Mutant(
        "R8",
        "what an older delete cleared is not remembered",
        Change(FOLD, "_older", "event.kind is not PUT or event.creates", "False"),
        killed_by="tests/model/test_books.py"
        "::test_every_order_and_every_batching_ends_in_one_state[False-PXYD-log]",
    ),
    Mutant(
        "R8",
        "an older put never fills",
        Change(MOVES, "TABLE", "TAKE", "KEEP", occurrence=2),
        killed_by="tests/core/test_decide.py"
        "::test_a_row_of_several_events_tells_where_each_column_came_from_and_what_is_missing",
    ),
    Mutant(
        "R8",
        "a late delete is stored as a tombstone",
        Change(
            FOLD,
            "_onto_empty",
            "above is not YES",
            "above is not YES and event.kind is PUT",
        ),
        killed_by="tests/core/test_decide.py::test_each_situation_has_its_reason",
    ),
    Mutant(
        "R8",
        "the holes of a create inherit",
        Change(PAST, "of_put", "event.creates", "False"),
        killed_by="tests/model/test_books.py"
        "::test_every_order_and_every_batching_ends_in_one_state[False-CNPXYD-log]",
    ),
    Mutant(
        "R10",
        "a truncate is not remembered",
        Change(
            DECIDE,
            "truncated_by",
            "return replace(limits, truncated=stamp), APPLIED",
            "return limits, APPLIED",
            occurrence=1,
        ),
        Change(
            DECIDE,
            "truncated_by",
            "return replace(limits, truncated=stamp), APPLIED",
            "return limits, APPLIED",
        ),
        killed_by="tests/table/test_table.py"
        "::test_a_truncate_that_cannot_be_placed_yet_is_one_entry_however_often_it_comes",
    ),
    Mutant(
        "R10",
        "a newer row keeps what it had from before the truncate",
        Change(DECIDE, "truncate", "order is OLDER and memory.live", "False"),
        killed_by="tests/model/test_fold.py"
        "::test_every_row_is_the_fold_of_what_was_accepted[truncates-log]",
    ),
    Mutant(
        "R11",
        "an accepted row is an ordinary row",
        Change(
            WORD,
            "_taken",
            "declared(row, birth, lineage)",
            "row",
        ),
        killed_by="tests/core/test_decide.py"
        "::test_an_accepted_row_refuses_a_newer_put_below_its_birth_and_goes_with_a_delete_there",
    ),
    Mutant(
        "R11",
        "a delete below a declared row's birth is stored",
        Change(DECLARED, "on_declared", "after is None or not after.live", "False"),
        killed_by="tests/core/test_decide.py"
        "::test_an_accepted_row_refuses_a_newer_put_below_its_birth_and_goes_with_a_delete_there",
    ),
    Mutant(
        "R12",
        "the first of a tie stays",
        Change(
            FOLD,
            "_onto_memory",
            "stamp.compare_content(stored)",
            "SAME if stamp.has_content_of(stored) else OLDER",
        ),
        killed_by="tests/model/test_books.py"
        "::test_a_tie_is_a_function_of_the_events[PXYD-2-3-True-xy]",
    ),
    Mutant(
        "R12",
        "a tie is not marked",
        Change(TIES, "meet", "found[name] = stored", ""),
        killed_by="tests/core/test_decide.py::test_each_situation_has_its_reason",
    ),
    Mutant(
        "R13",
        "only the highest position is kept",
        Change(RESET, "observe", "checkpoints[-CHECKPOINTS:]", "checkpoints[-1:]"),
        killed_by="tests/core/test_reset.py"
        "::test_no_order_of_a_second_life_is_silently_called_stale",
    ),
    Mutant(
        "R13",
        "a snapshot is compared with changes only",
        Change(
            RESET,
            "observe_snapshot",
            "by_changes or by_snapshots",
            "by_changes",
        ),
        killed_by="tests/core/test_reset.py"
        "::test_a_snapshot_of_a_log_that_was_further_before_is_suspected[r]",
    ),
    Mutant(
        "R13",
        "a checkpoint at the very position counts as one above it",
        Change(RESET, "_is_contradicted", "(position, inf)", "(position, -inf)"),
        killed_by="tests/core/test_reset.py"
        "::test_the_checkpoint_that_is_looked_for_tells_what_all_of_them_tell",
    ),
    Mutant(
        "R13",
        "the latest of the checkpoints above it is asked",
        Change(RESET, "_is_contradicted", "checkpoints[above][1]", "checkpoints[-1][1]"),
        killed_by="tests/core/test_reset.py"
        "::test_the_checkpoint_that_is_looked_for_tells_what_all_of_them_tell",
    ),
    Mutant(
        "R13",
        "each event is judged alone",
        Change(RESET, "observe", "growth.suspected", "False"),
        killed_by="tests/core/test_reset.py"
        "::test_from_the_first_suspicion_on_everything_of_the_scope_is_quarantined",
    ),
]

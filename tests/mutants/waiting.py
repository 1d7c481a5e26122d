"""Mistakes in what the store refuses, and in when it is tried again."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

BATCH = "guard/batch.py"
INTAKE = "guard/intake.py"
PARTS = "guard/parts.py"
REFUSALS = "guard/refusals.py"
REFUSAL = "stores/sqlite/refusal.py"
SETTLING = "guard/waiting.py"
TRUNCATES = "guard/truncates.py"
CONSTRAINTS = "stores/sqlite/constraints.py"
QUARANTINE = "stores/sqlite/quarantine.py"
REFERENCES = "stores/sqlite/references.py"
ROWS = "stores/sqlite/rows.py"
RINGS = "stores/sqlite/rings.py"
LOOKING = "stores/sqlite/looking.py"
LINES = "stores/sqlite/lines.py"
TURNS = "stores/sqlite/turns.py"
WAITERS = "stores/sqlite/waiters.py"
WAITING = "stores/sqlite/waiting.py"
TESTS = "tests/stores/test_waiting.py::"
TRANSACTION = "stores/sqlite/transaction.py"
CASCADES = "tests/stores/test_cascades.py::"

MUTANTS = [
    Mutant(
        "R1",
        "what the store refused is never tried again",
        Change(INTAKE, "take_in", "closed += settling.run()", ""),
        killed_by=TESTS + "test_a_child_settles_when_its_parent_comes_to_another_table",
    ),
    Mutant(
        "R14",
        "a snapshot run decides again what its own table holds only",
        Change(INTAKE, "take_in", "closed += settling.reconsider(but=specs)", ""),
        killed_by="tests/table/test_table.py"
        "::test_a_snapshot_run_that_one_table_learns_decides_again_what_every_table_holds",
    ),
    Mutant(
        "R9",
        "a batch that was undone commits no frontier",
        Change(PARTS, "take", "transaction.save_frontier(*frontier)", "pass", 2),
        killed_by=TESTS + "test_what_is_refused_at_commit_waits_alone_and_settles_with_its_parent",
    ),
    Mutant(
        "R9",
        "what is held sinks what came of its key",
        Change(
            PARTS,
            "_taking",
            "take_in(transaction, shares, (), token, provenance, settles=False)",
            "take_in(transaction, shares, (), token, provenance)",
        ),
        killed_by=TESTS + "test_what_is_held_of_a_key_does_not_sink_what_came_of_it",
    ),
    Mutant(
        "R9",
        "of a key with several deliveries all are held",
        Change(PARTS, "told", "counts[one.key] == 1", "True"),
        killed_by=TESTS + "test_of_a_key_with_several_deliveries_only_what_commit_refuses_is_held",
    ),
    Mutant(
        "R1",
        "what undoes a transaction is tried with every batch",
        Change(SETTLING, "_Alone.take", "transaction.postpone(*key)", "pass"),
        killed_by=TESTS
        + "test_what_undoes_the_transaction_again_and_again_costs_the_next_batch_nothing",
    ),
    Mutant(
        "R1",
        "a retry that is undone takes no smaller part",
        Change("runtime/retry.py", "Retry._batch", "len(ones) // 2", "0"),
        killed_by="tests/cli/test_keys.py"
        "::test_what_only_commit_refuses_is_in_no_other_entry_s_way",
    ),
    Mutant(
        "R1",
        "what undoes a transaction holds what is older of its key",
        Change(SETTLING, "_Alone._take_entries", "len(entries) > 1", "False"),
        killed_by=TESTS + "test_what_waits_of_a_key_settles_behind_what_commit_never_takes",
    ),
    Mutant(
        "R1",
        "what undoes a transaction ends what a truncate decides again",
        Change(
            SETTLING,
            "Settling.reconsider",
            'self.tried += [(spec.name, entity) for entity in [*held, ""]]',
            "pass",
        ),
        killed_by=TESTS + "test_a_truncate_decides_again_what_is_held_beside_what_commit_refuses",
    ),
    Mutant(
        "R1",
        "what was held for another reason is not tried again",
        Change(REFUSALS, "one_by_one", "transaction.try_again(case.one.entry)", "pass"),
        killed_by="tests/table/test_table.py"
        "::test_what_was_held_for_another_reason_waits_as_well_once_the_database_refuses_it",
    ),
    Mutant(
        "R10",
        "a truncate whose rows are still there is applied",
        Change(TRUNCATES, "take_truncates", "refused is not None", "False"),
        killed_by=TESTS + "test_a_truncate_of_parents_waits_for_their_children",
    ),
    Mutant(
        "R1",
        "the same few are tried in turn for ever",
        Change(
            TURNS,
            "Turns.take",
            'self._database.execute(SQL["next_turn"], {"entries": entries})',
            "pass",
        ),
        killed_by=TESTS + "test_what_nobody_can_derive_is_tried_in_turn_so_that_none_starves",
    ),
    Mutant(
        "R1",
        "rows that somebody else moves are not looked for soon",
        Change(LOOKING, "Looked.window", "limit = LOOKED_AT_SOON", "pass"),
        killed_by=TESTS + "test_a_parent_that_comes_by_hand_meanwhile_is_seen_within_three_batches",
    ),
    Mutant(
        "R1",
        "what waits is not looked through at the start",
        Change(LOOKING, "Looked.window", "limit, self.after = EVERYTHING, 0", "pass"),
        killed_by=TESTS + "test_a_parent_that_came_by_hand_while_nobody_ran_is_seen_at_the_start",
    ),
    Mutant(
        "R1",
        "keys that wait for each other are not told",
        Change(WAITING, "Waiting._rings_of_fresh", "entries not in self._rings", "False"),
        killed_by=TESTS + "test_a_ring_of_unique_values_settles_in_every_order",
    ),
    Mutant(
        "R1",
        "a closed entry goes on waiting",
        Change(QUARANTINE, "Quarantine.settle", "self.waiting.closed(entry)", ""),
        killed_by=TESTS + "test_entries_that_are_closed_wait_for_nothing",
    ),
    Mutant(
        "R9",
        "a row lets go of a value that its write does not change",
        Change(RINGS, "Rings._free_column", "name in told and name not in own", "True"),
        killed_by=TESTS + "test_rows_that_wait_for_values_which_the_others_keep_lose_none",
    ),
    Mutant(
        "R9",
        "a row lets go with null only",
        Change(RINGS, "Rings._free_value", "FREE_NUMBER - number", "None", occurrence=1),
        killed_by=TESTS + "test_a_ring_of_unique_values_settles_in_every_order",
    ),
    Mutant(
        "R9",
        "a row lets go only of a value that a CHECK lets go",
        Change(
            RINGS,
            "Rings.release",
            'SQL["ignore_checks"].format(value=1)',
            'SQL["ignores_checks"]',
        ),
        killed_by=TESTS + "test_a_ring_settles_whatever_is_checked_of_its_values",
    ),
    Mutant(
        "R9",
        "a ring breaks the foreign keys of its children",
        Change(RINGS, "Rings.together", "self._require_parents(ring, before)", "pass"),
        killed_by=TESTS + "test_a_ring_leaves_no_child_without_its_parent",
    ),
    Mutant(
        "R1",
        "what waits for another row by now closes no ring",
        Change(
            LINES,
            "Lines.strike",
            'self._database.execute(SQL["fresh_again"], {"entry": line.entry})',
            "pass",
        ),
        killed_by=TESTS + "test_a_ring_that_also_waits_for_another_row_settles_when_it_has_moved",
    ),
    Mutant(
        "R1",
        "what is held waits for all that it told",
        Change(WAITING, "Waiting._told_by", "applied.written is not None", "False"),
        killed_by=TESTS + "test_what_a_newer_event_tells_of_a_row_is_not_waited_for",
    ),
    Mutant(
        "R1",
        "a child that is there does not keep its parent",
        Change(
            CONSTRAINTS,
            "Constraints._referring",
            "is_asked and not is_kept and None not in named.values()",
            "False",
        ),
        killed_by=TESTS + "test_a_parent_that_still_has_children_keeps_nobody_else_from_their_turn",
    ),
    Mutant(
        "R1",
        "what COMMIT refuses is malformed",
        Change(REFUSAL, "undone", "_name(error) in OTHER_ROWS", "False"),
        killed_by=TESTS + "test_what_is_refused_at_commit_waits_alone_and_settles_with_its_parent",
    ),
    Mutant(
        "R9",
        "a column that nobody has told yet may not be null for ever",
        Change(REFUSAL, "_untold", "return column", 'return ""'),
        killed_by=TESTS
        + "test_a_column_that_may_not_be_null_and_is_not_told_waits_and_names_itself",
    ),
    Mutant(
        "R9",
        "what waits for its own key is tried in turn",
        Change(
            REFUSAL,
            "refusal",
            "Refused(entity, Reason.WAITING, told, untold=True)",
            "Refused(entity, Reason.WAITING, told)",
        ),
        killed_by=TESTS + "test_what_waits_for_its_own_key_costs_nothing",
    ),
    Mutant(
        "R9",
        "a cascade takes rows that no event told",
        Change(ROWS, "RowWriter.write", "self._schema.declared.has_followers", "False"),
        killed_by=CASCADES
        + "test_a_parent_waits_for_its_children_whatever_the_table_would_do_with_them",
    ),
    Mutant(
        "R9",
        "rows that no event tells of keep their parent for ever",
        Change(
            REFERENCES,
            "ForeignKey.moves",
            "self.is_guarded and self.action(goes=goes) not in HINDERING",
            "self.action(goes=goes) not in HINDERING",
        ),
        killed_by=CASCADES + "test_rows_that_no_event_tells_of_go_with_their_parent",
    ),
    Mutant(
        "R9",
        "a parent takes its children along to its new name",
        Change(
            REFERENCES,
            "ForeignKey.moves",
            "self.action(goes=goes) not in HINDERING",
            "self.action(goes=goes) not in HINDERING and goes",
        ),
        killed_by=CASCADES
        + "test_a_child_whose_source_did_not_follow_is_not_renamed_with_its_parent",
    ),
    Mutant(
        "R9",
        "who follows a ring for a moment stays where it led him",
        Change(RINGS, "Rings.together", "self._put_back(child, key, told)", "pass"),
        killed_by=TESTS + "test_parents_swap_the_value_by_which_their_children_name_them",
    ),
    Mutant(
        "R9",
        "a table that the same batch begins is not guarded yet",
        Change(INTAKE, "take_in", "transaction.open_table(spec)", "pass"),
        killed_by=CASCADES + "test_a_table_that_the_same_batch_begins_keeps_its_rows",
    ),
    Mutant(
        "R9",
        "a ring over two tables is taken though one of it is refused",
        Change(
            TRANSACTION,
            "SQLiteTransaction.together",
            "crossing.is_sound() and not self._waiting.any_waits(crossing.places)",
            "True",
        ),
        killed_by=CASCADES
        + "test_a_ring_over_two_tables_leaves_nothing_of_itself_where_one_is_refused",
    ),
    Mutant(
        "R9",
        "parents of a ring over two tables go before their children",
        Change(
            TRANSACTION,
            "SQLiteTransaction.together",
            "crossing.children_first()",
            "crossing.children_first()[::-1]",
        ),
        killed_by=CASCADES + "test_a_child_goes_over_to_a_parent_that_takes_the_place_of_its_own",
    ),
    Mutant(
        "R9",
        "a parent to come is known by its key alone",
        Change(WAITERS, "Waiters._place", "made.get(where, where)", "where"),
        killed_by=CASCADES + "test_two_parents_and_their_children_are_renamed_in_every_order",
    ),
    Mutant(
        "R10",
        "a truncate waits for rows that go with it",
        Change(
            ROWS,
            "RowWriter._spare_followers",
            "follower.table == table and place in going",
            "False",
        ),
        killed_by=CASCADES + "test_a_truncate_takes_a_tree_and_waits_for_children_elsewhere",
    ),
    Mutant(
        "R1",
        "who undoes a transaction keeps others from their ring",
        Change(
            WAITING,
            "Waiting.postpone",
            "self._lines.seen(entry)",
            'self._database.execute(SQL["not_fresh"])',
        ),
        killed_by=TESTS + "test_a_ring_settles_although_another_undoes_the_transaction",
    ),
    Mutant(
        "R9",
        "a row that a trigger took from its key is applied",
        Change(ROWS, "RowWriter._require_rows", "self._lookup.exists(write.key)", "True"),
        killed_by="tests/stores/test_sqlite_rows.py::"
        "test_a_row_that_a_trigger_takes_from_its_key_is_malformed_and_its_neighbours_are_not",
    ),
    Mutant(
        "R9",
        "a value by which children name a row is handed over in one batch only",
        Change(WAITERS, "Waiters._hand_over", "takers", "None", occurrence=1),
        killed_by=TESTS + "test_a_value_by_which_children_name_a_row_is_handed_over_to_another",
    ),
    Mutant(
        "R9",
        "who gives a value up does not wait for who takes it",
        Change(RINGS, "Rings.of", "awaited[giver].add(taker)", "pass"),
        killed_by=TESTS + "test_a_value_by_which_children_name_a_row_is_handed_over_to_another",
    ),
]

"""Mistakes in how the caller's own SQL and the memory beside it come to one end, and in whose turn
it is."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

ACCEPTANCE = "guard/acceptance.py"
BATCH = "_core/batch.py"
BLOCK = "stores/sqlite/block.py"
BORROWED = "stores/sqlite/borrowed.py"
DJANGO = "stores/sqlite/django.py"
SQLALCHEMY = "stores/sqlite/sqlalchemy.py"
REPAIR = "guard/repair.py"
STORE = "stores/sqlite/store.py"
UNWRITTEN = "guard/unwritten.py"
OWN_SQL = "tests/table/test_own_sql.py"
CONNECTION = "tests/table/test_own_connection.py"
DJANGO_S = "tests/table/test_django.py"
TABLES = "tables.py"
THREADS = "tests/table/test_threads.py"

MUTANTS = [
    Mutant(
        "R1",
        "what was taken back has taught its table",
        Change(REPAIR, "take_back", "not any(transaction.memories(spec))", "False"),
        killed_by=f"{OWN_SQL}::test_what_was_taken_back_has_taught_nothing_of_the_key[refused]",
    ),
    Mutant(
        "R9",
        "an exception in a transaction of the caller's leaves the memory",
        Change(ACCEPTANCE, "Acceptance.abandon", "self._undo(self._block, error)", ""),
        killed_by=f"{OWN_SQL}::test_an_exception_caught_outside_undoes_memory_and_row_though_the_transaction_goes_on",
    ),
    Mutant(
        "R9",
        "an exception that leaves `accepting` undoes nothing",
        Change(ACCEPTANCE, "Acceptance.accepting", "self._undo(mark, error)", ""),
        killed_by=f"{OWN_SQL}::test_an_exception_that_leaves_accepting_undoes_that_event_and_no_other",
    ),
    Mutant(
        "R1",
        "what was refused after a bare accept stays remembered",
        Change(
            ACCEPTANCE,
            "Acceptance._take_back",
            "take_back(self._shared.transaction, self._spec, step)",
            "",
        ),
        killed_by=f"{OWN_SQL}::test_refuse_takes_back_what_was_just_accepted_and_holds_it_with_the_caller_s_words",
    ),
    Mutant(
        "R1",
        "a commit inside the block is not noticed",
        Change(ACCEPTANCE, "Acceptance._end", "raise StoreError(ENDED)", ""),
        killed_by=f"{OWN_SQL}::test_ending_the_transaction_inside_the_block_is_an_error_and_nothing_is_half",
    ),
    Mutant(
        "R1",
        "a memory that was committed without its row stays",
        Change(REPAIR, "repair", "put_back(transaction, spec, step)", "pass"),
        killed_by=f"{OWN_SQL}::test_ending_the_transaction_inside_the_block_is_an_error_and_nothing_is_half",
    ),
    Mutant(
        "R1",
        "a memory is put back although its row was committed with it",
        Change(REPAIR, "is_left", "not is_written", "True"),
        killed_by=f"{OWN_SQL}::test_ending_the_transaction_inside_the_block_is_an_error_and_nothing_is_half",
    ),
    Mutant(
        "R1",
        "SQL that changed no row counts as applied",
        Change(UNWRITTEN, "is_unwritten", "not decision or not shared.is_missed", "True"),
        killed_by=f"{OWN_SQL}::test_sql_that_fails_after_a_bare_accept_and_is_caught_leaves_no_memory_and_is_told",
    ),
    Mutant(
        "R1",
        "a delete that failed counts as applied",
        Change(UNWRITTEN, "is_unwritten", "row is not None", "False"),
        killed_by=f"{OWN_SQL}::test_a_delete_that_fails_and_is_caught_leaves_the_row_and_its_memory",
    ),
    Mutant(
        "R1",
        "a put without a row at the end of the block counts as applied",
        Change(UNWRITTEN, "_is_missing", "step.decision.values is not None", "False"),
        killed_by=f"{OWN_SQL}::test_code_that_fails_before_its_sql_and_is_caught_leaves_no_memory_and_is_told",
    ),
    Mutant(
        "R12",
        "of a tie the caller is not told to write the greater content",
        Change(
            BATCH,
            "Decision.__bool__",
            "self.reason is Reason.APPLIED or self.values is not None",
            "self.reason is Reason.APPLIED",
        ),
        killed_by=f"{OWN_SQL}::test_of_two_contents_of_one_position_row_and_memory_show_the_same_whatever_came_first",
    ),
    Mutant(
        "R1",
        "a connection to another database is taken",
        Change(BORROWED, "check_same", "not is_same", "False"),
        killed_by=f"{OWN_SQL}::test_another_database_is_refused_with_both_names",
    ),
    Mutant(
        "R1",
        "our statements are read through the caller's text factory",
        Change(BORROWED, "Borrowed._ours", "connection.text_factory = str", "pass"),
        killed_by=f"{OWN_SQL}::test_the_caller_s_settings_hold_for_him_and_not_for_us",
    ),
    Mutant(
        "R1",
        "the caller's text factory is not given back",
        Change(BORROWED, "Borrowed._ours", "connection.text_factory = theirs", "pass"),
        killed_by=f"{OWN_SQL}::test_the_caller_s_settings_hold_for_him_and_not_for_us",
    ),
    Mutant(
        "R1",
        "a SQLAlchemy transaction that the driver has not begun is ended for its owner",
        Change(
            SQLALCHEMY,
            "ConnectionLender.begin",
            "self._is_autocommit and not borrowed.in_transaction",
            "not borrowed.in_transaction",
        ),
        killed_by=f"{CONNECTION}::test_a_sqlalchemy_transaction_is_committed_by_its_owner",
    ),
    Mutant(
        "R1",
        "what a session kept before an event goes with it",
        Change(SQLALCHEMY, "SessionLender.marking", "self._session.flush()", ""),
        killed_by=f"{CONNECTION}::test_an_object_that_was_added_before_the_event_stays_when_the_event_is_undone",
    ),
    Mutant(
        "R1",
        "a session's savepoint that was only announced lies inside ours",
        Change(SQLALCHEMY, "SessionLender.marking", "self._session.connection()", ""),
        killed_by=f"{CONNECTION}::test_a_session_s_own_savepoints_may_be_around_each_event",
    ),
    Mutant(
        "R1",
        "what a session keeps is written after the event that it is of",
        Change(ACCEPTANCE, "Acceptance.accepting", "self._shared.flush()", ""),
        killed_by=f"{CONNECTION}::test_an_object_that_the_database_refuses_is_told_in_its_own_accepting_and_undone",
    ),
    Mutant(
        "R9",
        "what a session keeps is written after the block that could undo it",
        Change(TABLES, "Guard.running", "self._shared.flush()", ""),
        killed_by=f"{CONNECTION}::test_what_a_session_cannot_write_undoes_the_block_though_its_transaction_goes_on",
    ),
    Mutant(
        "R9",
        "an undone event's objects stay in the session",
        Change(SQLALCHEMY, "SessionLender.undone", "nested.rollback()", "nested.commit()"),
        killed_by=f"{CONNECTION}::test_an_object_of_an_event_that_was_undone_is_not_written_later",
    ),
    Mutant(
        "R9",
        "a session's savepoint is made when it is first used",
        Change(SQLALCHEMY, "SessionLender.marked", "self._session.connection()", ""),
        killed_by=f"{CONNECTION}::test_an_object_of_an_event_that_was_undone_is_not_written_later",
    ),
    Mutant(
        "R1",
        "the transaction that a session begins by itself is left to the caller",
        Change(
            SQLALCHEMY,
            "SessionLender.__init__",
            "self._is_free = not session.in_transaction()",
            "self._is_free = False",
        ),
        killed_by=f"{CONNECTION}::test_a_session_that_is_in_no_transaction_commits_at_the_end_of_the_block",
    ),
    Mutant(
        "R1",
        "a session's own transaction is ended for it",
        Change(
            SQLALCHEMY,
            "SessionLender.__init__",
            "self._is_free = not session.in_transaction()",
            "self._is_free = True",
        ),
        killed_by=f"{CONNECTION}::test_a_session_in_a_transaction_is_committed_by_its_owner",
    ),
    Mutant(
        "R1",
        "Django rolls back what was acknowledged, without a word",
        Change(DJANGO, "DjangoLender.flush", "raise StoreError(DOOMED)", "pass"),
        killed_by=f"{DJANGO_S}::test_a_failure_that_was_caught_is_told_where_django_would_roll_back_without_a_word",
    ),
    Mutant(
        "R9",
        "Django rolls back all because of one event that was undone",
        Change(DJANGO, "DjangoLender.undone", "self._connection.set_rollback(False)", "pass"),
        killed_by=f"{DJANGO_S}::test_a_query_that_fails_inside_accepting_undoes_that_event_and_no_other",
    ),
    Mutant(
        "R1",
        "the transaction is begun where Django does not know of it",
        Change(DJANGO, "DjangoLender.begin", "not self._connection.get_autocommit()", "True"),
        killed_by=f"{DJANGO_S}::test_what_opens_atomic_by_itself_nests_in_the_block_and_on_commit_waits_for_its_end",
    ),
    Mutant(
        "R1",
        "a URL's wait counts for nothing",
        Change(
            "stores/sqlite/lock.py",
            "Lock._give_up",
            "LOCKED_SECONDS if self._patience is None else self._patience",
            "LOCKED_SECONDS",
        ),
        killed_by="tests/stores/test_sqlite_store.py::test_a_url_says_how_long_to_wait_for_a_writer",
    ),
    Mutant(
        "R1",
        "two threads are in one transaction",
        Change(STORE, "SQLiteStore.__init__", "threading.RLock()", "threading.Semaphore(8)"),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass",
    ),
    Mutant(
        "R1",
        "a question inside a transaction ends it",
        Change(STORE, "SQLiteStore.reading", "self._current is not None", "False"),
        killed_by=f"{THREADS}::test_a_question_inside_a_transaction_of_the_same_thread_sees_what_it_wrote",
    ),
    Mutant(
        "R1",
        "a table is used in a process that did not open it",
        Change(STORE, "SQLiteStore._alone", "os.getpid() != self._process", "False"),
        killed_by=f"{THREADS}::test_a_table_that_was_opened_before_a_fork_is_refused_after_it",
    ),
    Mutant(
        "R11",
        "a person's word writes a row past the caller's own SQL",
        Change(
            "guard/answered.py",
            "kept_now",
            "is_by_own_sql(entry.provenance)",
            "False",
        ),
        killed_by=f"{OWN_SQL}::test_a_person_cannot_accept_past_his_sql",
    ),
    Mutant(
        "R1",
        "what the caller's own code held settles without his SQL",
        Change("guard/recall.py", "recall", "not is_by_own_sql(one.provenance)", "True"),
        killed_by=f"{OWN_SQL}::test_what_moves_its_key_by_another_way_leaves_it_to_his_sql",
    ),
    Mutant(
        "R1",
        "what his own code held stays open when it is accepted",
        Change(
            ACCEPTANCE,
            "Acceptance._decide",
            "close_held(transaction, self._spec, entries, decision)",
            "",
        ),
        killed_by=f"{OWN_SQL}::test_the_same_event_accepted_later_closes_the_entry",
    ),
    Mutant(
        "R1",
        "a retry writes a row past the caller's own SQL",
        Change("runtime/again.py", "Again.is_own", "is_by_own_sql(self.entry.provenance)", "False"),
        killed_by=f"{OWN_SQL}::test_retry_leaves_it_to_his_sql",
    ),
    Mutant(
        "R1",
        "an exception while a transaction begins leaves it open",
        Change(STORE, "SQLiteStore._take_turn", "self._mend()", "pass"),
        killed_by=f"{THREADS}::test_an_exception_at_any_moment_leaves_a_table_that_goes_on",
    ),
    Mutant(
        "R1",
        "what a savepoint of the caller's brings back stays remembered",
        Change(
            UNWRITTEN,
            "TakenBack.returned",
            "is_there",
            "False",
        ),
        killed_by=f"{OWN_SQL}::test_a_savepoint_that_undoes_what_was_taken_back_leaves_no_memory_without_its_row",
    ),
    Mutant(
        "R1",
        "a rollback of the block that made the table's memories is not noticed",
        Change(ACCEPTANCE, "Acceptance._end_step", "self._is_unmade()", "False"),
        killed_by=f"{OWN_SQL}::test_a_savepoint_after_a_rollback_of_the_first_block_ever_is_an_error_with_a_sentence",
    ),
    Mutant(
        "R1",
        "what another guard wrote counts as the caller's",
        Change(
            BORROWED,
            "Borrowed._ours",
            "self._traffic.ours += connection.total_changes - before",
            "pass",
        ),
        killed_by=f"{OWN_SQL}::test_what_another_guard_writes_hides_no_event_whose_sql_wrote_nothing",
    ),
    Mutant(
        "R1",
        "an event over its row after which nothing was written counts as applied",
        Change(UNWRITTEN, "_is_missing", "step.changes == shared.changes", "False"),
        killed_by=f"{OWN_SQL}::test_the_last_event_of_a_block_after_which_nothing_was_written_is_not_applied_over_its_row",
    ),
]

"""Mistakes in how lines are read, and in what ends a run."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

EXITS = "cli/exits.py"
JSONL = "sources/jsonl.py"
LINES = "sources/lines.py"
LOCK = "stores/sqlite/lock.py"
LOOP = "runtime/loop.py"
PACKED = "sources/packed.py"
READING = "stores/sqlite/connection.py"
STORE = "stores/sqlite/store.py"

OF_LINES = "tests/cli/test_lines.py::"
OF_EXITS = "tests/cli/test_exits.py::"
RESUMED = f"{OF_LINES}test_a_file_is_resumed_only_if_all_that_was_done_is_still_there"
CUT = f"{OF_LINES}test_a_packed_file_that_is_cut_is_applied_as_far_as_it_goes_and_the_rest_held"

MUTANTS = [
    Mutant(
        "R1",
        "a file is resumed whatever lies in it now",
        Change(LINES, "Lines.skip", "self._digest.hexdigest() == done.digest", "True"),
        killed_by=RESUMED,
    ),
    Mutant(
        "R1",
        "the half of a last line is taken",
        Change(LINES, "Lines._unended", "self._grows", "False"),
        killed_by=f"{OF_LINES}test_a_last_line_that_is_being_written_is_left_and_said_every_time",
    ),
    Mutant(
        "R1",
        "the half of a packed line is done",
        Change(LINES, "Lines._unended", "not self._may_go_on(text)", "not self._grows"),
        killed_by=f"{OF_LINES}test_the_half_of_a_packed_line_is_read_whole_when_it_is_there",
    ),
    Mutant(
        "R1",
        "a reading goes on inside a line that was taken for whole",
        Change(LINES, "Lines._ends_here", "not rest.strip()", "True"),
        killed_by=f"{OF_LINES}"
        "test_what_was_done_in_the_middle_of_a_line_is_read_again_from_the_beginning",
    ),
    Mutant(
        "R1",
        "a file that grows is read on behind its end",
        Change(LINES, "Lines.__iter__", "not is_at_end", "True"),
        killed_by=f"{OF_LINES}test_a_file_that_grows_while_it_is_read_is_never_cut_inside_a_line",
    ),
    Mutant(
        "R1",
        "a number at the end of a file is whole",
        Change(LINES, "Lines._may_go_on", "not text.rstrip().endswith(ENDS)", "False"),
        killed_by=f"{OF_LINES}test_what_may_go_on_is_left",
    ),
    Mutant(
        "R1",
        "what was cut is done",
        Change(
            LINES,
            "Lines._cut",
            "self.left = len(text) or 1",
            "self.left = 1\nself._count(text)",
        ),
        killed_by=CUT,
    ),
    Mutant(
        "R1",
        "a packed file that is cut ends where it ends",
        Change(LINES, "Lines._unended", "self.trouble()", "False"),
        killed_by=CUT,
    ),
    Mutant(
        "R1",
        "a packed file unpacks without end",
        Change(PACKED, "Unpacked.readinto", "len(found) > room", "False"),
        killed_by=f"{OF_LINES}test_a_packed_file_that_unpacks_without_end_ends_malformed",
    ),
    Mutant(
        "R1",
        "a batch of lines is bounded by their number alone",
        Change(JSONL, "JSONLinesSource._batches", "held > LARGEST_BATCH", "False"),
        killed_by=f"{OF_LINES}test_a_batch_is_bounded_by_its_bytes_too",
    ),
    Mutant(
        "R1",
        "from the start goes on at the frontier",
        Change(LOOP, "Run.run", "None if self._from_start else frontier", "frontier"),
        killed_by=f"{OF_LINES}test_from_start_reads_everything_again",
    ),
    Mutant(
        "R11",
        "the same broken line at another place is another event",
        Change(
            "_core/batch.py",
            "identity_of",
            "delivery.partition >= 0 and delivery.offset >= 0",
            "delivery.offset >= 0",
        ),
        killed_by=f"{OF_LINES}test_the_same_broken_line_at_another_place_is_the_same_entry",
    ),
    Mutant(
        "R1",
        "a stop does not end the wait for a lock",
        Change(LOCK, "Lock._give_up", "self._is_stopped", "False"),
        killed_by=f"{OF_EXITS}test_a_wait_for_a_lock_says_for_whom_and_a_signal_ends_it",
    ),
    Mutant(
        "R1",
        "what may only be read cannot be looked into",
        Change(STORE, "SQLiteStore.__init__", "self._only_read(error)", "raise"),
        killed_by=f"{OF_EXITS}test_a_database_that_one_may_only_read_can_be_looked_into",
    ),
    Mutant(
        "R1",
        "what lies unseen in a WAL is not said",
        Change(READING, "connect_to_read", "_warn_of_unseen(file)", "pass"),
        killed_by=f"{OF_EXITS}test_who_may_only_read_is_told_what_he_cannot_see",
    ),
    Mutant(
        "R1",
        "content that broke a person's look is infrastructure",
        Change(EXITS, "CODES", "(Malformed, FOUND)", "(Malformed, STOPPED)"),
        killed_by=f"{OF_EXITS}test_every_exception_ends_with_the_code_that_the_design_gives_it",
    ),
]

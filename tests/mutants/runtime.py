"""Mistakes in what a run does beside deciding, and in what its source gives it."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

LINES = "sources/jsonl.py"
LOOP = "runtime/loop.py"

MUTANTS = [
    Mutant(
        "R1",
        "standard input resumes where another one ended",
        Change(
            LINES,
            "JSONLinesSource.batches",
            "frontier if self._is_file else None",
            "frontier",
        ),
        killed_by="tests/cli/test_input.py"
        "::test_standard_input_is_read_from_its_beginning_every_time",
    ),
    Mutant(
        "R1",
        "pipelines over one source have one frontier, whatever they make of it",
        Change("runtime/pipeline.py", "Pipeline.frontier_name", "self._made.encode()", 'b""'),
        killed_by="tests/cli/test_input.py"
        "::test_pipelines_that_make_something_else_of_one_file_have_a_frontier_each",
    ),
    Mutant(
        "R3",
        "a dry run forgets after a batch",
        Change(LOOP, "Run._take", "not self._dry", "True", occurrence=2),
        killed_by="tests/runtime/test_duties.py::test_a_dry_run_forgets_nothing[a batch]",
    ),
    Mutant(
        "R3",
        "a dry run forgets at its end",
        Change(LOOP, "Run._consume", "not self._dry", "True"),
        killed_by="tests/runtime/test_duties.py::test_a_dry_run_forgets_nothing[nothing new]",
    ),
    Mutant(
        "R3",
        "a run forgets nothing before it is half a minute old",
        Change(LOOP, "Run.__init__", "self._reaped = 0.0", "self._reaped = time.time()"),
        killed_by="tests/runtime/test_duties.py"
        "::test_a_run_forgets_what_is_old_after_its_first_batch",
    ),
    Mutant(
        "R3",
        "a run forgets nothing at its end",
        Change(LOOP, "Run._consume", "self._reap(everything=True)", ""),
        killed_by="tests/runtime/test_duties.py"
        "::test_a_run_with_nothing_new_forgets_what_is_old_and_keeps_what_is_young",
    ),
    Mutant(
        "R1",
        "a run does not look at the quarantine's size",
        Change(
            LOOP,
            "Run._watch_quarantine",
            "self._batches % CHECK_SIZE == 1 and taken.decisions",
            "False",
        ),
        killed_by="tests/runtime/test_duties.py"
        "::test_a_quarantine_beyond_its_size_ends_the_run_and_keeps_what_it_has",
    ),
    Mutant(
        "R1",
        "a run does not look at the quarantine",
        Change(LOOP, "Run._take", "self._watch_quarantine(taken)", ""),
        killed_by="tests/runtime/test_duties.py"
        "::test_a_quarantine_beyond_its_size_ends_the_run_and_keeps_what_it_has",
    ),
    Mutant(
        "R1",
        "a run that is asked to stop goes on",
        Change(LOOP, "Run._consume", "self._stopping", "False"),
        killed_by="tests/runtime/test_duties.py"
        "::test_a_run_that_is_asked_to_stop_ends_after_its_batch_and_the_next_goes_on",
    ),
    Mutant(
        "R1",
        "a line that is no record is ignored where everything is",
        Change(
            "runtime/loose.py", "of_no_table", "is_unread and isinstance(route, Ignored)", "False"
        ),
        killed_by="tests/runtime/test_duties.py"
        "::test_a_line_that_is_no_record_is_not_ignored_with_what_is",
    ),
    Mutant(
        "R3",
        "what grows old is looked for after every batch",
        Change(LOOP, "Run._reap", "self._reaped = now", "pass"),
        killed_by="tests/runtime/test_duties.py"
        "::test_what_grows_old_is_not_looked_for_after_every_batch",
    ),
]

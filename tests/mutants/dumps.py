"""Mistakes in reading what other tools print, and what is still being written."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

COLUMNS = "sources/columns.py"
VALUES = "sources/values.py"
LINES = "sources/lines.py"
LIVE = "sources/live.py"
SHAPES = "sources/shapes.py"
DIALECTS = "envelopes/dialects.py"
KEYLESS = "envelopes/keyless.py"
OF_DUMPS = "tests/cli/test_dumps.py::"
OF_VALUES = "tests/cli/test_values.py::"
OF_LIVE = "tests/cli/test_live.py::"
OF_NAN = "tests/cli/test_obstacles.py::test_a_share_that_is_none_is_misuse"
SAYS = "test_what_the_console_consumer_says_of_itself_is_no_record_before_the_first_one_alone"

MUTANTS = [
    Mutant(
        "dumps",
        "an empty column is a null",
        Change(COLUMNS, "Columns._value", "text in self.nulls", "text in self.nulls or not text"),
        killed_by=f"{OF_DUMPS}test_a_null_that_kcat_printed_as_nothing_is_held_with_what_to_say",
    ),
    Mutant(
        "dumps",
        "the end of a line that lost its beginning is a key and a value",
        Change(COLUMNS, "_separator_of", "sign if is_whole else b''", "sign"),
        killed_by=f"{OF_DUMPS}test_the_end_of_a_line_is_not_taken_for_columns",
    ),
    Mutant(
        "dumps",
        "a value that was cut takes the next one with it",
        Change(VALUES, "Scan.find_end", "token in OPENERS and not self._may_open()", "False"),
        killed_by=f"{OF_DUMPS}test_json_that_was_cut_does_not_take_the_next_one_with_it",
    ),
    Mutant(
        "dumps",
        "the end of an array is done with its last value",
        Change(VALUES, "Values.done", "self._told or super().done()", "super().done()"),
        killed_by=f"{OF_DUMPS}test_an_array_that_grew_is_read_from_where_it_ended",
    ),
    Mutant(
        "dumps",
        "a value that is being written is given as it is",
        Change(VALUES, "Values._unfinished", "self._grows", "False"),
        killed_by=f"{OF_VALUES}test_what_is_being_written_is_never_taken_for_more_than_it_is",
    ),
    Mutant(
        "dumps",
        "a pipe is never quiet",
        Change(LIVE, "Live.is_quiet", "self.is_still()", "False"),
        killed_by=f"{OF_LIVE}test_what_came_through_a_pipe_is_applied_while_the_pipe_is_open",
    ),
    Mutant(
        "dumps",
        "a value that did not come along is a delete",
        Change(DIALECTS, "_of_rpk", "'value_size' in found", "False"),
        killed_by=f"{OF_DUMPS}test_a_record_of_rpk_without_its_value_is_no_delete",
    ),
    Mutant(
        "dumps",
        "a key that changes is the new one alone",
        Change(KEYLESS, "Keyless._key", "len(rows) > 1 and rows[0] != rows[1]", "False"),
        killed_by=f"{OF_DUMPS}test_a_record_without_its_key_that_changes_it_is_held",
    ),
    Mutant(
        "dumps",
        "what the console consumer says of itself tells the columns",
        Change(SHAPES, "shape_of", "behind_said(head.lstrip(b' \\t\\r\\n\\x1e'))", "head.lstrip()"),
        killed_by=f"{OF_DUMPS}{SAYS}",
    ),
    Mutant(
        "dumps",
        "what the console consumer says of itself is a record",
        Change(LINES, "Lines._tells", "not self._has_begun and is_said(text)", "False"),
        killed_by=f"{OF_DUMPS}{SAYS}",
    ),
    Mutant(
        "dumps",
        "a record that says what the console consumer says is none",
        Change(LINES, "Lines._tells", "not self._has_begun", "True"),
        killed_by=f"{OF_DUMPS}{SAYS}",
    ),
    Mutant(
        "dumps",
        "what the console consumer says of itself is the beginning of a pipe",
        Change(LIVE, "Live._has_line", "behind_said(bytes(self._bytes))", "self._bytes"),
        killed_by=f"{OF_LIVE}"
        "test_what_the_console_consumer_says_of_itself_is_not_the_first_record_of_a_pipe",
    ),
    Mutant(
        "dumps",
        "what kcat prints for a record without value and key is no null",
        Change(SHAPES, "Shape.read", "text in NULLS", "False"),
        killed_by=f"{OF_DUMPS}"
        "test_what_a_tool_printed_makes_the_table_that_its_topic_makes[kcat-values.txt]",
    ),
    Mutant(
        "dumps",
        "the topic that the pipeline names is not the records'",
        Change(SHAPES, "Shape.read", "self.topic and not found.topic", "False"),
        killed_by=f"{OF_DUMPS}test_raw_values_have_the_topic_that_the_pipeline_names",
    ),
    Mutant(
        "dumps",
        "a packed file is read as lines",
        Change("sources/packed.py", "packed_with", "head.startswith(magic)", "False"),
        killed_by="tests/cli/test_input.py::"
        "test_a_packed_file_whose_name_does_not_say_so_is_misuse_and_holds_nothing[run-zstd]",
    ),
    Mutant(
        "dumps",
        "of a key of several columns the first is advised",
        Change("envelopes/detect.py", "_advice", "len(columns) == 1", "True"),
        killed_by="tests/cli/test_decode.py::"
        "test_the_key_that_is_advised_has_every_column_that_the_record_tells[two]",
    ),
    Mutant(
        "dumps",
        "a share may be none",
        Change(
            "runtime/pipeline.py",
            "Pipeline.__init__",
            "not 0 <= file.runtime.quarantine_share <= 1",
            "False",
        ),
        killed_by=OF_NAN,
    ),
]

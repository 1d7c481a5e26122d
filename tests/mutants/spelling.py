"""Mistakes in how a time, a missing value, a URL, a size or a control sign is spelled."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

TERMINAL = "cli/terminal.py"
OF_TERMINAL = "tests/cli/test_terminal.py::"
STORES = "stores/__init__.py"
OF_URLS = "tests/runtime/test_urls.py::"
REFUSED = (
    f"{OF_URLS}test_what_means_something_else_in_a_url_is_refused_with_a_sentence_and_makes_no_file"
)
STRICT = "envelopes/strict.py"
OF_LIMITS = "tests/cli/test_limits.py::"
AT_ITS_LIMIT = f"{OF_LIMITS}test_at_its_limit_a_record_is_applied_and_above_it_is_malformed_alone"
RECORD = "envelopes/record.py"
TOLD_TWICE = (
    "tests/envelopes/test_record.py::test_a_member_that_is_told_twice_is_found_however_small_it_is"
)
AT_A_GLANCE = (
    "tests/envelopes/test_strict.py::"
    "test_what_is_told_at_a_glance_is_what_a_look_at_every_name_tells"
)
WITHIN = "colons <= limits.members and has_one_array and deepest >= WITH_ONE_ARRAY"
NO_ROOM = "len(line) - known < _SHORTEST and line.startswith(head.encode())"
DOCUMENT = "envelopes/document.py"
UNAVAILABLE = "envelopes/unavailable.py"
OF_POSTGRESQL = "tests/envelopes/test_debezium_postgresql.py::"
SHAPE = f"{OF_POSTGRESQL}test_a_placeholder_of_any_shape_is_a_hole_and_no_value"
INTERRUPTION = "envelopes/interruption.py"
OF_INTERRUPTION = "tests/envelopes/test_interruption.py::"

MUTANTS = [
    Mutant(
        "spelling",
        "a terminal obeys what a person reads",
        Change(
            TERMINAL,
            "printable",
            "OBEYED.sub(lambda found: ascii(found.group())[1:-1], text)",
            "text",
        ),
        killed_by=f"{OF_TERMINAL}test_no_control_sign_comes_out_of_any_verb_in_any_format",
    ),
    Mutant(
        "spelling",
        "JSON is spelled as for a person, and reads back no more",
        Change(
            "cli/output.py",
            "encoded",
            "printable_json(encoder.encode(value).decode())",
            "encoder.encode(value).decode()",
        ),
        killed_by=f"{OF_TERMINAL}test_json_still_reads_back_what_was_told",
    ),
    Mutant(
        "spelling",
        "the log goes to a terminal as it is",
        Change("cli/main.py", "_run", "log_to_terminal()", ""),
        killed_by=f"{OF_TERMINAL}test_a_warning_of_the_log_is_printed_as_a_terminal_may_have_it",
    ),
    Mutant(
        "spelling",
        "what argparse says of an argument goes to a terminal as it is",
        Change(
            "cli/main.py",
            "Parser.error",
            "printable(message + self._meant(message))",
            "message + self._meant(message)",
        ),
        killed_by=f"{OF_TERMINAL}test_an_argument_that_is_one_too_many_is_told_as_a_terminal_may_have_it",
    ),
    Mutant(
        "spelling",
        "a password with an @ is shown from there on",
        Change("urls.py", "_public", "kept.rpartition('@')[2]", "kept.partition('@')[2]"),
        killed_by=f"{OF_URLS}test_a_url_is_shown_without_who_asks_and_what_he_asks",
    ),
    Mutant(
        "spelling",
        "a password with a question mark is taken for a query",
        Change("urls.py", "_public", '":" in kept and "@" in asked', "False"),
        killed_by=f"{OF_URLS}test_a_url_is_shown_without_who_asks_and_what_he_asks",
    ),
    Mutant(
        "spelling",
        "settings tell their URLs",
        Change(
            "urls.py",
            "Discreet.__repr__",
            "without_secrets(super().__repr__())",
            "super().__repr__()",
        ),
        killed_by=f"{OF_URLS}test_no_settings_tell_a_secret_when_they_are_printed",
    ),
    Mutant(
        "spelling",
        "a # cuts the name of a file off",
        Change(STORES, "_misspelled", '"#" in url', "False"),
        killed_by=REFUSED,
    ),
    Mutant(
        "spelling",
        "a lone % is itself",
        Change(STORES, "_misspelled", "LONE_PERCENT.search(url)", "False"),
        killed_by=REFUSED,
    ),
    Mutant(
        "spelling",
        "what is no option behind a ? is left out",
        Change(
            STORES,
            "_options",
            "parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)",
            "parse_qsl(parts.query, keep_blank_values=True)",
        ),
        killed_by=REFUSED,
    ),
    Mutant(
        "spelling",
        "a % in a name is kept",
        Change(
            STORES,
            "_address",
            "unquote(parts.netloc + parts.path, errors='strict')",
            "parts.netloc + parts.path",
        ),
        killed_by=f"{OF_URLS}test_a_file_of_any_name_can_be_spelled",
    ),
    Mutant(
        "spelling",
        "an integer without a unit counts nanoseconds",
        Change("_core/families/timestamp.py", "_counted", "unit not in NANOSECONDS", "False"),
        Change(
            "_core/families/timestamp.py",
            "_counted",
            "NANOSECONDS[unit]",
            "NANOSECONDS.get(unit, 1)",
        ),
        killed_by="tests/core/test_families.py"
        "::test_what_is_not_a_position_is_malformed_and_never_guessed",
    ),
    Mutant(
        "spelling",
        "times of two units compare",
        Change(
            "_core/families/spellings.py",
            "Spelling.text",
            "f'{BY_TIMES} in {self.unit}' if self.unit else BY_TIMES",
            "''",
        ),
        killed_by="tests/table/test_times.py"
        "::test_rows_of_before_a_unit_was_corrected_are_a_conflict_and_stay",
    ),
    Mutant(
        "spelling",
        "times of 1970 are not warned of",
        Change("guard/moments.py", "Moments.look", "0 <= event.time < YEAR", "False"),
        killed_by="tests/table/test_times.py::test_a_time_of_1970_is_warned_of_once",
    ),
    Mutant(
        "spelling",
        "true is the byte 1 of a placeholder",
        Change(
            UNAVAILABLE,
            "Placeholder._spelled",
            "{int, float, Decimal}",
            "{int, float, Decimal, bool}",
        ),
        killed_by=f"{OF_POSTGRESQL}test_the_bytes_one_by_one_may_be_negative_zero_and_one",
    ),
    Mutant(
        "spelling",
        "the bytes of a placeholder have a scale each",
        Change(UNAVAILABLE, "Placeholder._scaled", "len(scales - {ANY}) <= 1", "True"),
        killed_by=f"{OF_POSTGRESQL}test_what_only_looks_like_a_placeholder_is_a_value",
    ),
    Mutant(
        "spelling",
        "an hstore that is a text is a value",
        Change(
            UNAVAILABLE,
            "Placeholder.__init__",
            "self._names.union(*map(_objects, encoded))",
            "self._names",
        ),
        killed_by=SHAPE,
    ),
    Mutant(
        "spelling",
        "an exception of a class of somebody else's is the reader's mistake",
        Change(
            INTERRUPTION, "is_of_reading", "not _reads(type(failure).__module__, reader)", "False"
        ),
        killed_by=f"{OF_INTERRUPTION}test_what_another_thread_sends_goes_to_who_waits_for_it",
    ),
    Mutant(
        "spelling",
        "an exception that somebody else's code raises is the reader's mistake",
        Change(
            INTERRUPTION,
            "is_of_reading",
            "all(_reads(module, reader) for module in _modules(failure.__traceback__))",
            "True",
        ),
        killed_by=f"{OF_INTERRUPTION}test_what_a_signal_handler_raises_goes_to_who_has_set_it",
    ),
    Mutant(
        "spelling",
        "what interrupts the search for a key is swallowed",
        Change(
            "envelopes/envelope.py",
            "_if_readable",
            "not is_of_reading(failure, read.__module__)",
            "False",
        ),
        killed_by=f"{OF_INTERRUPTION}test_what_interrupts_the_search_for_a_key_is_raised_too",
    ),
    Mutant(
        "spelling",
        "a document has any number of members",
        Change(STRICT, "_check", "_names(value) > limits.members", "False"),
        killed_by=AT_ITS_LIMIT,
    ),
    Mutant(
        "spelling",
        "a number has any number of digits",
        Change(STRICT, "parse", "limits.digits < MOST_DIGITS", "False"),
        killed_by=AT_ITS_LIMIT,
    ),
    Mutant(
        "spelling",
        "a document is as large as one likes where its schema is known",
        Change("envelopes/connect.py", "Schemas.open", "strict.check_size(data, limits)", ""),
        killed_by=f"{OF_LIMITS}test_a_limit_counts_as_much_where_the_schema_is_known_already",
    ),
    Mutant(
        "spelling",
        "the limits of a document count for the record around it",
        Change(
            "envelopes/record.py",
            "_other",
            "strict.parse(line, limits=_of_line(limits))",
            "strict.parse(line, limits=limits)",
        ),
        killed_by=f"{OF_LIMITS}test_a_kafka_record_around_a_document_has_no_part_in_the_documents_limits",
    ),
    Mutant(
        "spelling",
        "what a file says of its limits counts for nothing",
        Change("runtime/pipeline.py", "Pipeline.__init__", "file.limits.checked()", "Limits()"),
        killed_by=AT_ITS_LIMIT,
    ),
    Mutant(
        "spelling",
        "a record line has room for one more member, and is not counted",
        Change(
            RECORD,
            "_has_no_room",
            NO_ROOM,
            "len(line) - known <= _SHORTEST and line.startswith(head.encode())",
        ),
        killed_by=TOLD_TWICE,
    ),
    Mutant(
        "spelling",
        "how a record line begins is not looked at",
        Change(RECORD, "_has_no_room", NO_ROOM, "len(line) - known < _SHORTEST"),
        killed_by=TOLD_TWICE,
    ),
    Mutant(
        "spelling",
        "where the names are as many as the colons, there may be any number of them",
        Change(STRICT, "_check", WITHIN, "has_one_array and deepest >= WITH_ONE_ARRAY"),
        killed_by=AT_A_GLANCE,
    ),
    Mutant(
        "spelling",
        "where the names are as many as the colons, arrays may lie as deep as they like",
        Change(STRICT, "_check", WITHIN, "colons <= limits.members and deepest >= WITH_ONE_ARRAY"),
        killed_by=AT_A_GLANCE,
    ),
    Mutant(
        "spelling",
        "a document of one array is less deep than it is",
        Change(STRICT, "WITH_ONE_ARRAY", "4", "3"),
        killed_by=AT_A_GLANCE,
    ),
    Mutant(
        "spelling",
        "fewer names than colons are all there are",
        Change(STRICT, "_is_shallow", "found == names", "found <= names", occurrence=2),
        killed_by=AT_A_GLANCE,
    ),
]

"""Mistakes in how a person's mistake is told before it eats anything, and mended afterwards."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

AGAIN = "runtime/again.py"
RETRY = "runtime/retry.py"
PREFLIGHT = "runtime/preflight.py"
LOOP = "runtime/loop.py"
PIPELINE = "runtime/pipeline.py"
KIT = "tests/stores/test_kit.py::test_right_stores_pass[memory-retried]"
OF_DISPUTES = "tests/stores/test_kit.py::test_right_stores_pass[memory-disputes]"
OF_RETRY = "tests/cli/test_retry.py::"
OF_PREFLIGHT = "tests/runtime/test_preflight.py::"
OF_CHECK = "tests/cli/test_foreseen.py::"

MUTANTS = [
    Mutant(
        "mistakes",
        "what is read as another event is decided where it stands",
        Change(
            AGAIN,
            "Again.stays",
            "is_there and was_routed and is_same_event",
            "is_there and was_routed",
        ),
        killed_by=KIT,
    ),
    Mutant(
        "mistakes",
        "an entry that stays does not tell the envelope that reads it now",
        Change(RETRY, "_decide_again", "_reread(transaction, one)", "pass"),
        killed_by=OF_RETRY + "test_what_nobody_can_read_stays_and_says_why_today",
    ),
    Mutant(
        "mistakes",
        "an entry that is taken in anew stays open",
        Change(
            RETRY,
            "_take_in_of",
            "transaction.settle_all(closings)",
            "pass",
        ),
        killed_by=KIT,
    ),
    Mutant(
        "mistakes",
        "what a table holds stays there, whatever today's sections say",
        Change(RETRY, "_may_move", "one.reading.is_ours", "False"),
        killed_by=OF_RETRY + "test_it_goes_where_today_s_sections_send_it",
    ),
    Mutant(
        "mistakes",
        "a section that is gone takes away what its table holds",
        Change(
            RETRY,
            "_moved",
            "is_gone and there is not None and _is_placed(one)",
            "False",
        ),
        killed_by=OF_RETRY + "test_a_section_that_is_gone_takes_nothing_away",
    ),
    Mutant(
        "mistakes",
        "a word that is given while entries are read does not count",
        Change(RETRY, "Retry._together", "_open_of(transaction, ones)", "ones"),
        killed_by=OF_RETRY + "test_a_word_that_was_given_meanwhile_counts",
    ),
    Mutant(
        "mistakes",
        "today's envelope reads what only another one can",
        Change(
            PIPELINE,
            "Pipeline.read_anew",
            "event.kind is not Kind.MALFORMED",
            "True",
        ),
        killed_by=OF_RETRY + "test_what_only_the_envelope_of_before_reads_stays_with_it",
    ),
    Mutant(
        "mistakes",
        "entries that are closed together are closed as if nothing were known of what they list",
        Change("guard/answered.py", "closings_of", "words.get(number)", "None"),
        killed_by=OF_DISPUTES,
    ),
    Mutant(
        "mistakes",
        "a mistake is told after the store was made",
        Change("cli/run.py", "_loop", "options.no_preflight or pipeline.is_made", "True"),
        killed_by=OF_PREFLIGHT
        + "test_an_envelope_that_reads_nothing_of_the_first_batch_stops_the_run",
    ),
    Mutant(
        "mistakes",
        "what cannot be read a second time is looked at first",
        Change(LOOP, "Run._looked_at", "is_kept and self._source.is_kept", "is_kept"),
        killed_by=OF_PREFLIGHT + "test_standard_input_is_taken_as_it_comes",
    ),
    Mutant(
        "mistakes",
        "what is acknowledged is looked at first",
        Change(LOOP, "Run._looked_at", "not self._source.acknowledges", "True"),
        killed_by=OF_PREFLIGHT + "test_what_is_acknowledged_is_taken_as_it_comes",
    ),
    Mutant(
        "mistakes",
        "a source that was read before is looked at",
        Change(LOOP, "Run.run", "frontier is None", "True"),
        killed_by=OF_PREFLIGHT + "test_a_source_that_was_read_before_is_not_looked_at",
    ),
    Mutant(
        "mistakes",
        "few records tell enough",
        Change(PREFLIGHT, "check_first", "len(telling) < ENOUGH", "False"),
        killed_by=OF_PREFLIGHT + "test_fewer_than_enough_tell_nothing",
    ),
    Mutant(
        "mistakes",
        "null values tell that something is read",
        Change(
            PREFLIGHT,
            "check_first",
            "one.note or one.delivery.value is not None",
            "True",
        ),
        killed_by=OF_PREFLIGHT + "test_nulls_do_not_hide_that_nothing_is_read",
    ),
    Mutant(
        "mistakes",
        "one's own pointers into another format are taken for a mistake",
        Change(PREFLIGHT, "_foreign", "envelope.name in READ_ANY", "False"),
        killed_by=OF_PREFLIGHT + "test_what_may_be_right_raises_no_alarm",
    ),
    Mutant(
        "mistakes",
        "a format that contains another is taken for it",
        Change(PREFLIGHT, "_foreign", "not found or envelope.name in found", "not found"),
        killed_by=OF_PREFLIGHT + "test_what_may_be_right_raises_no_alarm",
    ),
    Mutant(
        "mistakes",
        "columns of anybody's row are marks of a format",
        Change(
            "envelopes/detect.py",
            "envelopes_of",
            "not format.is_vague",
            "True",
        ),
        killed_by=OF_PREFLIGHT + "test_what_may_be_right_raises_no_alarm",
    ),
    Mutant(
        "mistakes",
        "nothing new over open entries reads as success",
        Change("cli/run.py", "_tell_open", "not count", "True"),
        killed_by=OF_RETRY + "test_every_run_says_what_is_open",
    ),
    Mutant(
        "mistakes",
        "a check opens the store to write",
        Change("cli/foreseen.py", "check", "pipeline.looking_store()", "pipeline.open_store()"),
        killed_by=OF_CHECK + "test_a_check_makes_no_store",
    ),
]

"""Mistakes in what a key is, and in which kind its columns have."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

KEY = "_core/key.py"
MISFIT = "_core/misfit.py"
KINDS = "guard/kinds.py"
RETRY = "runtime/retry.py"
FAULTS = "guard/faults.py"
BATCH = "guard/batch.py"
KIT = "tests/stores/test_kit.py::test_right_stores_pass"
TABLE = "tests/table/test_keys.py::"
CLI = "tests/cli/test_keys.py::"
ENVELOPES = "tests/envelopes/test_keys.py::"

MUTANTS = [
    Mutant(
        "keys",
        "a float that is an integer is a number of its own",
        Change(KEY, "spelled", "int(value) if value.is_integer() else value", "value"),
        killed_by=KIT,
    ),
    Mutant(
        "keys",
        "the zeros at a decimal's end count",
        Change(KEY, "_spelled_number", "value.normalize(EXACT)", "value"),
        killed_by=ENVELOPES + "test_a_number_of_a_key_is_the_decimal_that_is_written",
    ),
    Mutant(
        "keys",
        "a key of another kind is compared as any other",
        Change(MISFIT, "misfits", "kind is None", "False"),
        killed_by=KIT,
    ),
    Mutant(
        "keys",
        "what is held is decided on the memory of whatever key it was held under",
        Change(MISFIT, "decidable", "is_same and not misfit(event, table, kinds)", "True"),
        killed_by=TABLE + "test_what_is_held_is_not_decided_on_the_memory_of_another_key",
    ),
    Mutant(
        "keys",
        "an operator's word makes one row of two entities",
        Change(
            FAULTS,
            "misfitting",
            "misfit(held.event, spec.name, spec.kinds)",
            "None",
        ),
        killed_by=TABLE + "test_no_word_of_a_person_makes_one_row_of_two_entities",
    ),
    Mutant(
        "keys",
        "a kind that was learned is forgotten after its batch",
        Change(
            KINDS,
            "_is_recorded",
            "transaction.record(spec.name, recorded, replace(there, kinds=kinds))",
            "True",
        ),
        killed_by=TABLE + "test_a_kind_stays_when_everything_is_forgotten",
    ),
    Mutant(
        "keys",
        "what the store refuses says of which kind keys are",
        Change(
            "guard/batch.py",
            "_is_kept",
            "if decision.quarantined:\n    return decision.reason is not Reason.MALFORMED",
            "return True",
        ),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass"
        "[sqlite, the user's table-key kinds]",
    ),
    Mutant(
        "keys",
        "who teaches the kind of a key decides with it what contradicts it",
        Change(
            KINDS,
            "lesson_of",
            "all(_fits(arrival.event, kinds) for arrival in arrivals)",
            "True",
        ),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass"
        "[sqlite, the user's table-key kinds]",
    ),
    Mutant(
        "R1",
        "a name from an event that leads to a table of the user's own ends the run",
        Change("guard/catalogue.py", "Catalogue._claim", "declared.is_derived", "False"),
        killed_by="tests/cli/test_obstacles.py::test_a_name_from_an_event_stops_nobody",
    ),
    Mutant(
        "R1",
        "a name that a person wrote leads nowhere without a word",
        Change("guard/catalogue.py", "Catalogue._claim", "declared.is_derived", "True"),
        killed_by="tests/cli/test_obstacles.py"
        "::test_a_name_that_a_person_spelled_out_stops_the_run",
    ),
    Mutant(
        "keys",
        "a table of before learns from what comes first, whatever it remembers",
        Change(KINDS, "_learned", "if not known:\n    fresh |= _remembered(transaction, spec)", ""),
        killed_by=TABLE + "test_a_table_of_before_goes_on_by_the_kind_of_its_memories",
    ),
    Mutant(
        "keys",
        "what is declared counts before the type of the user's own column",
        Change(
            KINDS,
            "_known",
            "{**there.kinds, **spec.kinds, **dictated}",
            "{**dictated, **there.kinds, **spec.kinds}",
        ),
        killed_by="tests/stores/test_keys.py::test_a_column_s_type_counts_before_what_is_declared",
    ),
    Mutant(
        "keys",
        "what was learned counts before what is declared",
        Change(
            KINDS,
            "_known",
            "{**there.kinds, **spec.kinds, **dictated}",
            "{**spec.kinds, **there.kinds, **dictated}",
        ),
        killed_by=CLI + "test_the_kind_is_the_first_event_s_until_it_is_declared_and_what_was_held"
        "_is_retried",
    ),
    Mutant(
        "keys",
        "an entry of another key by now is decided where it was held",
        Change(
            "runtime/again.py",
            "Again.stays",
            "self.key == (self.spec.name, entity_of(self.event.key))",
            "True",
        ),
        killed_by=CLI + "test_what_becomes_another_key_by_an_option_is_taken_in_under_it",
    ),
    Mutant(
        "keys",
        "who asks for a key must know its kind",
        Change(KEY, "asked", "_meant(spelled(value), kinds.get(column))", "value"),
        killed_by=CLI + "test_a_key_is_found_as_a_person_spells_it",
    ),
    Mutant(
        "R8",
        "what is left under keys of before is not found",
        Change("cli/kinds.py", "Strays.look", "self._rows.update(others)", "pass"),
        killed_by="tests/cli/test_keys.py"
        "::test_doctor_finds_what_is_left_under_keys_of_the_kind_of_before",
    ),
    Mutant(
        "R8",
        "a key that is told exactly is taken as it is meant",
        Change("why/story.py", "story_of", "keys.reverse()", "pass"),
        killed_by="tests/cli/test_keys.py"
        "::test_why_reaches_a_key_of_the_kind_of_before_that_is_said_exactly",
    ),
]

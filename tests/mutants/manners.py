"""Mistakes in what a person types and reads: words, names of before, completion, progress."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

OF_NAMES = "tests/stores/test_former_names.py::"
BY_EITHER = OF_NAMES + "test_entries_of_before_are_listed_by_either_name_under_the_new_one"

MUTANTS = [
    Mutant(
        "manners",
        "an entry of before keeps the name that its reason had",
        Change(
            "guard/values.py", "Entry.__post_init__", "reason_named(self.reason)", "self.reason"
        ),
        killed_by=OF_NAMES + "test_every_store_s_entries_have_the_name_of_today",
    ),
    Mutant(
        "manners",
        "entries of before are not found by the reason of today",
        Change(
            "stores/sqlite/sqlite.sql",
            "entries",
            "reason IN (:reason, :former)",
            "reason = :reason",
        ),
        killed_by=BY_EITHER + "[no_content]",
    ),
    Mutant(
        "manners",
        "an item of before is not found by the reason of today",
        Change("guard/values.py", "EntryQuery.asks_for", "reason_named(reason)", "reason"),
        killed_by=OF_NAMES + "test_an_item_of_before_is_read_and_found_by_the_new_name",
    ),
    Mutant(
        "manners",
        "a delivery of before that comes again is another one",
        Change(
            "_core/batch.py",
            "identity_of",
            "IDENTIFIED.get(event.kind, event.kind.value)",
            "event.kind.value",
        ),
        killed_by=OF_NAMES + "test_a_delivery_of_before_that_comes_again_finds_its_entry",
    ),
]

"""Mistakes in what lies between a person's word and what else is held of its position (rules R11,
R12)."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

KIT = "tests/stores/test_kit.py::test_right_stores_pass[memory-held alone]"
KIT_OF_SQLITE = (
    "tests/stores/test_kit.py::test_right_stores_pass[sqlite, the user's table-held alone]"
)
MODEL = "tests/model/test_people.py::test_what_is_held_alone_beside_a_dispute_is_settled_with_it"
OWN_SQL = "tests/table/test_own_sql.py"

MUTANTS = [
    Mutant(
        "R12",
        "the detail of a dispute tells what the row shows",
        Change("guard/holdings.py", "disputing", "_is_shown(share, judged.event)", "True"),
        killed_by="tests/cli/test_contents.py::"
        "test_the_detail_tells_a_content_that_the_row_does_not_show",
    ),
    Mutant(
        "R12",
        "what was held alone stays so when it is one of two contents",
        Change("guard/holdings.py", "ties", "found.append(one)", "pass"),
        killed_by=KIT,
    ),
    Mutant(
        "R12",
        "what the dispute of a row that moves lists is not what it showed",
        Change(
            "guard/writing.py",
            "Writing._note_disputes",
            "chain(share.judged, share.still)",
            "iter(share.judged)",
        ),
        killed_by=KIT,
    ),
    Mutant(
        "R12",
        "the entry that held it alone stays open beside the dispute's",
        Change(
            "stores/sqlite/quarantine.py",
            "Quarantine._settle_alone",
            'self.settle(number, "settled", Reason.CONFLICT)',
            "pass",
        ),
        killed_by=KIT_OF_SQLITE,
    ),
    Mutant(
        "R12",
        "what was dropped alone disputes the row, and nothing lists it",
        Change(
            "stores/sqlite/quarantine.py",
            "Quarantine._known",
            'holding.claims and state != "open"',
            "False",
        ),
        killed_by=KIT_OF_SQLITE,
    ),
    Mutant(
        "R11",
        "what is dropped beside what is shown may take the row later",
        Change("guard/drop.py", "_disputing", "_is_tied(transaction, spec, event)", "False"),
        killed_by=KIT,
    ),
    Mutant(
        "R11",
        "the dispute of its position stays open when what is beside it is dropped",
        Change("guard/chosen.py", "refuse_others", "is_dispute_of(other, event)", "False"),
        killed_by=MODEL,
    ),
    Mutant(
        "R1",
        "the greater of two contents moves the row, and what waits is not decided again",
        Change("guard/parts.py", "Parts.settle", "one.reason in MOVING", "one"),
        killed_by=MODEL,
    ),
    Mutant(
        "R12",
        "a dispute of one's own SQL closes with the first content that is decided",
        Change(
            "guard/settle.py",
            "close_held",
            "all(_is_decided(transaction, spec, one, identity) for one in others)",
            "True",
        ),
        killed_by=f"{OWN_SQL}::test_a_dispute_stays_open_while_one_of_the_contents_that_it_lists_is_disputed",
    ),
    Mutant(
        "R11",
        "why names a column that a new content tells as the row does",
        Change(
            "why/said.py",
            "Said._other_columns",
            "fields.get(column) != row.get(column)",
            "True",
        ),
        killed_by="tests/table/test_words.py::test_why_says_that_nothing_moves_until_a_new_content_is_accepted",
    ),
]

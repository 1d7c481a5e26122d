"""Every mutant still names one place of the source, and what it makes of it can run."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.mutants import MUTANTS
from tests.mutants.mutation import Change, LeftBehind, Mutant, broken, changed

ROOT = Path(__file__).resolve().parents[2]
SOURCE = '''
LIMITS = {"rows": 10}

class Position:
    def above(self, floor):
        """What it is, and why."""
        if self.lsn > floor and (
            self.op in "cu"  # a put
            or self.seq0
        ):
            known = True
            return known
        return self.lsn > floor

def compare(a, b):
    return a.lsn > b.lsn
'''
STATEMENTS = """
-- name: hold
-- The same event again.
UPDATE entries
SET count = count + 1,
    state = 'open';

-- name: settle
UPDATE entries SET state = 'settled', count = 0;
"""


@cache
def made_by(mutant: Mutant) -> frozenset[tuple[Path, str]]:
    return frozenset(broken(mutant, ROOT).items())


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.rule}: {mutant.mistake}")
def test_a_mutant_names_one_place_of_the_source_and_compiles(mutant: Mutant) -> None:
    assert made_by(mutant)


def test_no_mistake_is_made_twice() -> None:
    made = set(map(made_by, MUTANTS))

    assert len(made) == len(MUTANTS)
    assert len({(mutant.rule, mutant.mistake) for mutant in MUTANTS}) == len(MUTANTS)


def test_the_test_that_kills_a_mutant_is_there() -> None:
    for mutant in MUTANTS:
        file, *names = mutant.killed_by.split("::")
        text = (ROOT / file).read_text(encoding="utf-8") if file else ""
        assert all(re.search(rf"\b{name.split('[')[0]}\b", text) for name in names), mutant.mistake


@pytest.mark.parametrize(
    ("place", "old", "new", "line"),
    [
        ("Position.above", "self.op in 'cu' or self.seq0", "False", "self.lsn > floor and False"),
        ("Position.above", "self.op in 'cu'\nor self.seq0", "a", "if self.lsn > floor and a:"),
        ("Position.above", "return self.lsn > floor", "", "        pass\n\ndef compare"),
        ("Position.above", "known = True\nreturn known", "return 1", ":\n            return 1\n"),
        ("compare", "a.lsn > b.lsn", "b", "    return b"),
        ("compare", "return a.lsn > b.lsn", "", "    pass"),
        ("LIMITS", "10", "11", "LIMITS = {'rows': 11}"),
    ],
)
def test_a_node_is_found_however_it_is_written(place: str, old: str, new: str, line: str) -> None:
    assert line in changed(SOURCE, Change("a.py", place, old, new))


def test_an_occurrence_chooses_one_of_several_in_the_order_of_the_source() -> None:
    second = changed(SOURCE, Change("a.py", "Position.above", "self.lsn > floor", "False", 2))

    assert "if self.lsn > floor and" in second
    assert "return False" in second


@pytest.mark.parametrize(
    ("place", "old", "new", "occurrence", "words"),
    [
        ("Position.above", "self.lsn > floor", "False", None, "there 2 times"),
        ("Position.above", "self.lsn > floor", "False", 3, "there 2 times"),
        ("Position.above", "self.lsn >= floor", "False", None, "there 0 times"),
        ("compare", "self.lsn > floor", "False", None, "there 0 times"),
        ("above", "self.lsn", "0", None, "0 definitions of above"),
        ("compare", "a.lsn > b.lsn", "(a.lsn) > b.lsn", None, "changes nothing"),
        ("compare", "a.lsn > b.lsn", "a.lsn > c.lsn", None, "does not know: {'c'}"),
    ],
)
def test_what_is_not_there_once_is_refused(
    place: str, old: str, new: str, occurrence: int | None, words: str
) -> None:
    with pytest.raises(LeftBehind, match=words):
        changed(SOURCE, Change("a.py", place, old, new, occurrence))


@pytest.mark.parametrize("new", ["a >", "break", "return = 1"])
def test_what_is_not_python_is_refused(new: str) -> None:
    with pytest.raises(SyntaxError):
        changed(SOURCE, Change("a.py", "compare", "return a.lsn > b.lsn", new))


def test_a_piece_of_sql_is_found_in_its_statement_whatever_the_whitespace() -> None:
    change = Change("a.sql", "hold", "count + 1, state = 'open'", "0")

    assert "SET count = 0;\n\n-- name: settle" in changed(STATEMENTS, change)


@pytest.mark.parametrize(
    ("place", "old", "words"),
    [
        ("settle", "count + 1", "there 0 times"),
        ("hold", "count", "there 2 times"),
        ("keep", "count", "no statement keep"),
    ],
)
def test_a_piece_of_sql_that_is_not_there_once_is_refused(place: str, old: str, words: str) -> None:
    with pytest.raises(LeftBehind, match=words):
        changed(STATEMENTS, Change("a.sql", place, old, "0"))

"""A row column by column: what two steps write together, and an answer that depends on its
arguments only."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.columns import Written, both, holes, source_of
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.families import LogPosition, ScalarPosition
from anyorder._core.fold import Limits
from anyorder._core.memory import Memory, Stamp, pack, unpack
from anyorder._core.outcome import Reason
from tests.house.modules import ROOT, SOURCE

NAMES = "abcde"
rows = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3))
told = st.dictionaries(st.sampled_from(NAMES), st.none() | st.integers(4, 7))
sweeps = st.builds(
    lambda values, spared: Written(values, spared.difference(values)),
    told,
    st.frozensets(st.sampled_from(NAMES)),
)
steps = st.none() | st.builds(Written, told) | sweeps


def onto(row: dict[str, int], step: Written | None) -> dict[str, object]:
    """The row after a step, without what is null."""
    shown = row if step is None else step.onto(row)
    return {name: value for name, value in shown.items() if value is not None}


@given(rows, steps, steps)
def test_two_steps_written_at_once_are_the_steps_one_by_one(
    row: dict[str, int], first: Written | None, later: Written | None
) -> None:
    assert onto(row, both(first, later)) == onto(onto(row, first), later)  # type: ignore[arg-type]


@given(steps, steps, steps)
def test_it_does_not_matter_which_steps_are_put_together_first(
    one: Written | None, two: Written | None, three: Written | None
) -> None:
    assert both(both(one, two), three) == both(one, both(two, three))


def test_a_step_that_spares_columns_makes_every_other_one_null() -> None:
    step = Written({"a": 1}, frozenset({"b"}))

    assert step.onto({"a": 0, "b": 2, "c": 3}) == {"a": 1, "b": 2}
    assert Written({"a": 1}).onto({"a": 0, "b": 2}) == {"a": 1, "b": 2}
    assert [one.replaces for one in (step, Written({}, frozenset()), Written({}))] == [
        False,
        True,
        False,
    ]


# a read of one run, and changes of two: the clocks of neither compare with the event's
READ = Stamp(LogPosition("pg:m", 30, "r", 25, 3, "1", 8, "", 3), 1, "read")
LATER_RUN = Stamp(LogPosition("pg:m", 10, "u", 5, 1, "1", 0, "01b", 1), 1, "later run")
ROW = Stamp(LogPosition("pg:m", 30, "u", 60, None, "1", 4, "01a", 3), 1, "row")
ARRIVING = LogPosition("pg:m", 10, "u", 5, None, "0", 8, "01a", 1)


@pytest.mark.parametrize("names", list(itertools.permutations(["x", "y", "z", "w"])))
def test_of_several_undecided_columns_a_conflict_is_named_before_what_waits_then_the_first_by_name(
    names: tuple[str, ...],
) -> None:
    waiting, other_waiting, conflict, other_conflict = names
    cells = {waiting: LATER_RUN, conflict: READ, other_conflict: READ, other_waiting: LATER_RUN}
    event = Event(Kind.PUT, "t", {"id": 1}, ARRIVING, dict.fromkeys(cells, 1), partial=True)

    answer = decide(Memory(ROW, cells), event, Limits())
    assert (answer.reason, answer.against) == (Reason.CONFLICT, READ)

    late = Stamp(READ.position, 1, f"of {max(conflict, other_conflict)}")
    answer = decide(Memory(ROW, {**cells, max(conflict, other_conflict): late}), event, Limits())
    assert answer.against is READ

    del cells[conflict], cells[other_conflict]
    assert decide(Memory(ROW, cells), event, Limits()).reason is Reason.WAITING


@pytest.mark.parametrize("names", list(itertools.permutations("vwxyz", 2)))
def test_of_several_ties_the_first_by_name_is_named(names: tuple[str, str]) -> None:
    first, second = sorted(names)
    position = ScalarPosition("version", "s", (3,))
    told = {name: Stamp(position, 1, f"the content that told {name}") for name in names}
    newer = Stamp(ScalarPosition("version", "s", (9,)), 1, "newer")
    event = Event(Kind.PUT, "t", {"id": 1}, position, {first: 1, second: 1}, partial=True)

    answer = decide(Memory(newer, {**told}), event, Limits())

    assert (answer.reason, answer.against) == (Reason.CONFLICT, told[first])


HISTORIES = """
import hashlib, random
from anyorder._core.decide import decide
from anyorder._core.event import Event, Kind
from anyorder._core.families import ScalarPosition
from anyorder._core.fold import Limits
from anyorder._core.memory import pack
chance, told = random.Random(1), hashlib.blake2b()
for _ in range(300):
    memory = None
    for _ in range(6):
        named = {name: 1 for name in chance.sample("abcdefgh", 5)}
        event = Event(
            Kind.PUT, "t", {"id": 1}, ScalarPosition("version", "s", (chance.randint(1, 4),)),
            named, frozenset("abcdefgh") - named.keys(), partial=chance.random() < 0.5,
        )
        answer = decide(memory, event, Limits())
        memory = answer.memory
        told.update(repr((pack(memory), answer.written and answer.written.values,
                          answer.reason, answer.against)).encode())
print(told.hexdigest())
"""


def test_an_answer_and_its_spelling_do_not_depend_on_the_order_of_sets() -> None:
    """One memory and one event: the same reason, memory, text and columns under every hash
    seed."""
    found = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(SOURCE)}
        done = subprocess.run(
            [sys.executable, "-c", HISTORIES],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found.add(done.stdout)
    assert len(found) == 1


SCALAR = '[["scalar","version","s",[%d],"","",false,false,null],%d,"f"]'
MEMORIES = [
    f'[{SCALAR % (3, 1)},"ab"]',
    '[[["kafka","kafka:t",0,7,0,null],0,""],""]',
    '[[["pg","pg:m",30,"u",25,3,"1",8,"01a",3],1,"f"],"t",{"x":true,"z":null,"y":'
    + SCALAR % (2, 1)
    + ',"*":'
    + SCALAR % (1, 1)
    + '},["born",{"entries":{"a":3},"partitions":null}],["y"],'
    + '{"entries":{"a":3},"partitions":null}]',
    f'[{SCALAR % (3, 1)},"",{{"x":true,"*":null}},["dead",{SCALAR % (1, 0)}],[],null]',
    f'[{SCALAR % (3, 1)},"",null,null,["*"],null]',
]


@pytest.mark.parametrize("text", MEMORIES)
def test_a_memory_of_before_is_read_and_spelled_as_it_was(text: str) -> None:
    assert pack(unpack(text)) == text


def test_a_column_that_nobody_mentions_is_as_the_rest() -> None:
    several, partial = unpack(MEMORIES[2]), unpack(MEMORIES[3])

    assert source_of(several, "x") is several.stamp
    assert source_of(several, "z") is None
    assert source_of(several, "never told") == source_of(several, "neither")
    assert holes(several, {"x", "new"}) == ["z"]
    assert holes(partial, {"x", "new"}) == ["new"]


def test_what_a_user_calls_a_column_is_never_the_rest() -> None:
    """A partial event that names a column `*` says nothing of all the others."""
    position = ScalarPosition("version", "s", (2,))
    before = decide(None, Event(Kind.PUT, "t", {"id": 1}, position, {"x": 1}), Limits()).memory
    assert before is not None
    newer = ScalarPosition("version", "s", (3,))
    event = Event(Kind.PUT, "t", {"id": 1}, newer, {"*": 1}, partial=True)

    after = decide(before, event, Limits()).memory

    assert after is not None
    assert source_of(after, "x") == before.stamp

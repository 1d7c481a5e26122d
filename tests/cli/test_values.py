"""JSON values one after the other, however they are printed, cut into blocks, and resumed."""

from __future__ import annotations

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anyorder.envelopes import Limits
from anyorder.sources.values import Values

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=5)
INDENTS = st.none() | st.integers(0, 3)


class Blocks(io.BytesIO):
    """A stream that gives no more than so many bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__(data)
        self._most = size

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(self._most)


def printed(objects: list[Any], indent: int | None, array: bool) -> bytes:
    if array:
        return json.dumps(objects, indent=indent).encode()
    return b"\n".join(json.dumps(one, indent=indent).encode() for one in objects)


@given(OBJECTS, INDENTS, st.booleans(), st.integers(1, 40))
def test_every_object_is_found_however_it_is_printed_and_cut_into_blocks(
    objects: list[Any], indent: int | None, array: bool, size: int
) -> None:
    found = list(Values(Blocks(printed(objects, indent, array), size)))

    assert [json.loads(line.text) for line in found] == objects
    assert {line.note for line in found} <= {""}


@given(OBJECTS.filter(bool), INDENTS, st.booleans(), st.data())
def test_it_goes_on_behind_any_of_them(
    objects: list[Any], indent: int | None, array: bool, data: st.DataObject
) -> None:
    place = data.draw(st.integers(1, len(objects)))
    text = printed(objects, indent, array)
    first = Values(Blocks(text, 7))
    for _, _line in zip(range(place), first, strict=False):
        pass

    second = Values(Blocks(text, 7))
    is_skipped = second.skip(first.done())

    assert is_skipped
    assert [json.loads(line.text) for line in second] == objects[place:]


@given(OBJECTS.filter(bool), INDENTS, st.data())
def test_what_is_being_written_is_never_taken_for_more_than_it_is(
    objects: list[Any], indent: int | None, data: st.DataObject
) -> None:
    text = printed(objects, indent, array=False)
    cut = data.draw(st.integers(0, len(text)))
    values = Values(Blocks(text[:cut], 11), grows=True)

    found = [json.loads(line.text) for line in values]

    assert found == objects[: len(found)]
    assert values.left == 0 or values.done().size + values.left <= cut


def test_of_a_value_that_is_too_long_the_beginning_is_kept_and_the_next_is_read() -> None:
    long = json.dumps({"id": 1, "text": ["x" * 30] * 3}, indent=1).encode()
    values = Values(Blocks(long + b'\n{"id": 2}\n', 9), limits=Limits(line=50))

    first, second = values

    assert "longer than 50 bytes" in first.note
    assert long.startswith(first.text)
    assert (second.text, second.note) == (b'{"id": 2}', "")


def test_what_is_no_object_is_told_by_its_line() -> None:
    found = list(Values(io.BytesIO(b'[1, 2,\n{"id": 1},\nNaN]\n')))

    assert [line.text for line in found] == [b"1, 2", b'{"id": 1}', b"NaN"]

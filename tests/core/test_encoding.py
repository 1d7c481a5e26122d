"""The byte encoding of positions keeps order, comes back exactly, or refuses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.encoding import decode, encode
from anyorder.errors import PositionTooLarge

INTEGERS = (
    st.integers(-(1 << 2000), 1 << 2000)
    | st.integers(-300, 300)
    | st.sampled_from([2**63, 2**64, 10**40, -(2**64)])
)


@given(INTEGERS, INTEGERS)
def test_integers_of_any_size_sort_as_bytes(a: int, b: int) -> None:
    assert (encode((a,)) < encode((b,))) == (a < b)


@given(st.binary(), st.binary())
def test_byte_strings_sort_as_bytes(a: bytes, b: bytes) -> None:
    assert (encode((a,)) < encode((b,))) == (a < b)


@given(st.lists(INTEGERS, max_size=4).map(tuple), st.lists(INTEGERS, max_size=4).map(tuple))
def test_tuples_sort_as_tuples_also_when_one_is_a_prefix_of_the_other(
    a: tuple[int, ...], b: tuple[int, ...]
) -> None:
    assert (encode(a) < encode(b)) == (a < b)


@given(st.integers(-(2**80), 2**80))
def test_null_comes_first(a: int) -> None:
    assert encode((None, a)) < encode((a, a))


@given(st.lists(INTEGERS | st.none() | st.binary() | st.text(), max_size=5).map(tuple))
def test_what_was_encoded_comes_back_exactly(parts: tuple[object, ...]) -> None:
    assert decode(encode(parts)) == parts  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1 << 2040, -(1 << 2040)])
def test_what_does_not_fit_is_refused_loudly(value: int) -> None:
    with pytest.raises(PositionTooLarge):
        encode((value,))


@pytest.mark.parametrize("value", [1.0, True, [1]])
def test_types_without_one_order_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        encode((value,))  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [b"\xff", b"\x1d\x09\x01", b"\x16\x01"])
def test_bytes_that_were_never_encoded_are_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="position encoding"):
        decode(broken)

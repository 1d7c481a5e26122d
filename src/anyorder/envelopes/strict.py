"""JSON without guesses: numbers exact, names unique, sizes and depth limited. What is not so is
Malformed, with the reason.

msgspec decodes; what it does not notice is checked here. Duplicate names are found without looking
at each name: where no name has a blank before its colon, the pairs `":` in the bytes are at least
as many as the names written, and the names in the decoded tree are at most as many. If the two are
equal, no name was lost. Otherwise the exact, slower reader tells.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from anyorder._core.key import DIGITS
from anyorder.envelopes.limits import DEFAULT, MOST_DIGITS, Limits
from anyorder.errors import Malformed

LARGEST_EXPONENT = MOST_DIGITS
OUT_OF_RANGE = "Integer value out of range"  # the decoder's words
MARK = b"\xef\xbb\xbf"
WITH_ONE_ARRAY = 4  # deep at most: an object, another in it, in that the array, an empty object
BLANK_BEFORE_COLON = re.compile(rb'"[ \n\t\r]+:')


def number(text: str) -> float | Decimal:
    """A JSON number with a fraction or an exponent: a float if that prints back to the same decimal
    value, else a Decimal."""
    value = float(text)
    if repr(value) == text:
        return value
    try:
        exact = Decimal(text)
    except InvalidOperation:
        raise Malformed(f"a number with an exponent beyond any use: {text:.80}") from None
    if abs(exact.adjusted()) > LARGEST_EXPONENT and exact:
        raise Malformed(f"a number with an exponent beyond any use: {text:.80}")
    if len(exact.as_tuple().digits) > MOST_DIGITS:
        raise Malformed(f"a number of more than {MOST_DIGITS} digits: {text:.80}")
    return value if exact == Decimal(repr(value)) else exact


_decode = msgspec.json.Decoder(float_hook=number).decode
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def parse(data: bytes, inside: int = 0, limits: Limits = DEFAULT) -> Any:
    """The value of one JSON document. `inside`: how many arrays and objects it was cut out of.
    Raises Malformed with the reason."""
    if len(data) > limits.document:
        check_size(data, limits)
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse(data, error, limits)
    if value.__class__ is dict or value.__class__ is list:
        _check(value, data, limits, limits.depth - inside)
    if limits.digits < MOST_DIGITS:
        _check_digits(value, limits.digits)
    return value


def check_size(data: bytes, limits: Limits) -> None:
    """Raises Malformed for a document of too many bytes."""
    if len(data) > limits.document:
        raise Malformed(
            f"{len(data)} bytes of JSON are more than {limits.document} (limits: document)"
        )


def members(data: bytes, limits: Limits = DEFAULT) -> dict[str, bytes]:
    """The members of one JSON object as they are written, each to be parsed by its reader. Raises
    Malformed with the reason."""
    check_size(data, limits)
    try:
        found = {name: bytes(raw) for name, raw in _members(data).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse(data, error, limits)
    written = data.count(b'":') - sum(raw.count(b'":') for raw in found.values())
    if written != len(found) or blank_before_colon(data):
        parse(data, limits=limits)
    return found


def blank_before_colon(data: bytes) -> bool:
    """Has a name a blank before its colon? Such a name is not counted by `":`."""
    suspect = (
        b" :" in data
        or (data.find(b"\n") >= 0 and b"\n:" in data)
        or (data.find(b"\t") >= 0 and b"\t:" in data)
    )
    # find of one byte is many times faster than the others
    if suspect or (data.find(b"\r") >= 0 and b"\r:" in data):
        return BLANK_BEFORE_COLON.search(data) is not None
    return False


def _check(value: Any, data: bytes, limits: Limits, deepest: int) -> None:
    """Depth, number of members and unique names of a decoded document."""
    colons = data.count(b":")
    has_one_array = data.find(b"[", data.find(b"[") + 1) < 0
    is_within = colons <= limits.members and has_one_array and deepest >= WITH_ONE_ARRAY
    # Every name has its colon. Most events have no other colons: then no name was lost, and none
    # lies deeper than in an object in this one.
    if is_within and _is_shallow(value, colons):
        return
    written = data.count(b'":')
    # Most often every colon follows a quote: then no name has a blank before its own.
    counts = colons == written or not blank_before_colon(data)
    # then no object inside an object inside this one has a member
    shallow = counts and _is_shallow(value, written)
    if data.count(b"[") + (3 if shallow else data.count(b"{")) > deepest and _deeper(
        value, deepest
    ):
        raise Malformed(_too_deep(limits))
    # there are at most as many names as colons behind quotes, where none has a blank before it
    if (written > limits.members or not counts) and _names(value) > limits.members:
        raise Malformed(f"more than {limits.members} members in objects (limits: members)")
    if not shallow and not (counts and _as_many(_names(value), written, data)):
        _unique(data)


def _as_many(names: int, written: int, data: bytes) -> bool:
    """Are all names there? If not at once, then without the pairs `":` inside texts (JSON in JSON),
    whose quote follows a backslash."""
    return names == written or (b'\\\\":' not in data and names == written - data.count(b'\\":'))


def _is_shallow(value: Any, names: int) -> bool:
    """Are so many names those of an object and of the objects in it, as in most events?"""
    if value.__class__ is list:
        return False
    found = len(value)
    # All are its own: none is left for an object in it.
    if found == names:
        return True
    for inner in value.values():
        if inner.__class__ is dict:
            found += len(inner)
    return found == names


def _names(value: Any) -> int:
    """All names in a tree."""
    is_object = value.__class__ is dict
    found = len(value) if is_object else 0
    for inner in value.values() if is_object else value:
        if inner.__class__ is dict or inner.__class__ is list:
            found += _names(inner)
    return found


def _too_deep(limits: Limits) -> str:
    return f"more than {limits.depth} arrays and objects inside one another (limits: depth)"


def _check_digits(value: Any, most: int) -> None:
    """Raises Malformed for a number of more digits, however deep it lies."""
    if value.__class__ is dict or value.__class__ is list:
        for inner in value.values() if value.__class__ is dict else value:
            _check_digits(inner, most)
    elif value.__class__ in (int, float, Decimal) and _written_out(value) > most:
        raise Malformed(f"a number of more than {most} digits (limits: digits): {value!s:.80}")


def _written_out(value: int | float | Decimal) -> int:
    """How many digits a number has without an exponent."""
    # a float without a fraction is told with a zero behind its point
    is_whole = isinstance(value, float) and value.is_integer()
    told = Decimal(int(value) if is_whole else str(value)).as_tuple()
    exponent = int(told.exponent)
    return max(len(told.digits) + max(exponent, 0), -exponent)


def _deeper(value: Any, deepest: int) -> bool:
    """Are there more than so many arrays and objects inside one another?"""
    if value.__class__ is not dict and value.__class__ is not list:
        return False
    inner = value.values() if value.__class__ is dict else value
    return deepest <= 0 or any(_deeper(one, deepest - 1) for one in inner)


def _unique(data: bytes) -> None:
    """The exact check: reads every object's names in pairs."""
    json.loads(data, object_pairs_hook=_once, parse_int=str, parse_float=str)


def _once(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise Malformed(f"an object names {twice!r:.80} twice")


def _refuse(data: bytes, error: Exception, limits: Limits) -> NoReturn:
    """Say why in the reader's words."""
    if isinstance(error, RecursionError):
        raise Malformed(_too_deep(limits)) from None
    if data.startswith(MARK):
        raise Malformed("not JSON: it begins with a byte order mark") from None
    if isinstance(error, UnicodeDecodeError):
        raise Malformed(f"not JSON: not UTF-8 ({error.reason})") from None
    # It is JSON, but of a number that no reader takes.
    if str(error).startswith(OUT_OF_RANGE):
        raise Malformed(f"an integer out of range: it has more than {DIGITS} digits") from None
    raise Malformed(f"not JSON: {_loosely(data)}{error}") from None


def _loosely(data: bytes) -> str:
    """What Python's own reader lets pass: numbers that are none, and halves of surrogate pairs."""
    constants: list[str] = []
    try:
        json.loads(data.decode(), parse_constant=constants.append)
    except (ValueError, RecursionError):
        return ""
    return "NaN and Infinity are no numbers: " if constants else "half of a surrogate pair: "

"""A value on its way into a SQLite column: how it is spelled, and what a column of the user's own
would make of it.

SQLite converts silently (https://sqlite.org/datatype3.html): a column declared STRING stores the
text 00123 as the number 123. What it makes of a value is asked of SQLite itself, in a database in
memory; only of values that a column of that affinity may change.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple, cast

import msgspec

from anyorder._core.content import spelled_value
from anyorder._core.event import canonical
from anyorder._core.key import spelled
from anyorder.errors import StoreError
from anyorder.stores.statements import load_statements

SQL = load_statements("sqlite/sqlite.sql")
INT64 = 1 << 63
EXACT_IN_A_DOUBLE = 1 << 53
PLAIN_DIGITS = 15  # so many decimal digits survive a double
PLAIN = frozenset("0123456789.-")
AS_IT_IS = frozenset({str, float, bytes, bool, type(None)})
Adapted = str | bytes | int | float | None
"""A value as the database takes it."""
TEXT, INTEGER, REAL, NUMERIC, NONE = "TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB"
# SQLite's own rules, in its order: the first word that the declared type contains decides.
WORDS = (
    ("INT", INTEGER),
    ("CHAR", TEXT),
    ("CLOB", TEXT),
    ("TEXT", TEXT),
    ("BLOB", NONE),
    ("REAL", REAL),
    ("FLOA", REAL),
    ("DOUB", REAL),
)
NUMBER = re.compile(
    r"(U|TINY|SMALL|MEDIUM|BIG|HUGE|LONG|BYTE)*INT(EGER)?\d*|(BIG|SMALL)?SERIAL\d*|(SMALL)?MONEY|"
    r"(BIG)?(NUMERIC|DECIMAL)\d*|DEC|DECFLOAT|NUMBER|FIXED|REAL|(BINARY_)?(FLOAT|DOUBLE)\d*"
)
"""A word of a type that means a number to its user. SQLite looks for letters in a type: to it ENUM,
INTERVAL and PHONE_NUMBER are numbers too, and to their users they are not."""
BESIDE_A_NUMBER = frozenset(
    {"UNSIGNED", "SIGNED", "BIG", "LONG", "PRECISION", "ZEROFILL", "IDENTITY", "AUTO_INCREMENT"}
)
WORD = re.compile(r"\w+")
SIZES = re.compile(r"\(.*\)", re.DOTALL)
# Classes of values that a column of this affinity never changes.
_FLOATING = frozenset({type(None), float, bytes})
SAFE: dict[str, frozenset[type]] = {
    TEXT: frozenset({str, int, bool, type(None), bytes, Decimal, list, dict}),
    INTEGER: _FLOATING | {bool, list, dict},
    NUMERIC: _FLOATING | {bool, list, dict},
    REAL: _FLOATING | {bool, list, dict},
}
_encode = msgspec.json.Encoder(decimal_format="number")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_probe = threading.local()


class RowRefused(StoreError):
    """The user's table does not take this row, whoever asks: its content, not the store, is the
    cause."""


class Typed(NamedTuple):
    """A column that SQLite converts into. `declared`: its type as the user wrote it; `is_numeric`:
    as a number, so that 12.30 and 12.3 are one value there."""

    name: str
    declared: str
    affinity: str
    is_numeric: bool

    @property
    def keeps_keys(self) -> bool:
        """Does it keep every text, or is it meant for numbers?"""
        return self.affinity == TEXT or self.is_numeric

    def check_values(self, values: Sequence[object]) -> None:
        """Raises RowRefused if the column would store another value than one of these."""
        risky = set(map(type, values)) - SAFE[self.affinity]
        # Nearly always all are of classes that it never changes, or plain numbers.
        if not risky or self._keeps([value for value in values if type(value) in risky]):
            return
        for value in values:
            if type(value) in risky and not self._keeps([value]):
                self._check(value)

    def check_keys(self, values: Sequence[object]) -> None:
        """The same of keys: besides, their kind must stay, or a number and a text would be one
        row."""
        kinds = set(map(type, values))
        is_integer = self.affinity != TEXT and kinds == {int} and self._keeps(values)
        is_text = self.affinity == TEXT and kinds == {str}
        if is_integer or is_text:
            return
        for value in values:
            stored = _converted(self.affinity, adapted_key(value))
            is_changed = isinstance(value, str) is not isinstance(stored, str)
            if is_changed or not _is_unchanged(value, stored, self.is_numeric):
                self._refuse(value, stored)

    def _keeps(self, values: Sequence[Any]) -> bool:
        """Are they all stored unchanged for certain? Then SQLite need not be asked."""
        kinds = set(map(type, values))
        if kinds == {int}:
            limit = EXACT_IN_A_DOUBLE if self.affinity == REAL else INT64
            return bool(-limit <= min(values) and max(values) < limit)
        if kinds != {str} or not self.is_numeric:
            return False
        # A number of so few digits is exact in every column, and what is no number stays a text.
        return max(map(len, values)) <= PLAIN_DIGITS and PLAIN.issuperset("".join(values))

    def _check(self, value: object) -> None:
        stored = _converted(self.affinity, adapted(value))
        if not _is_unchanged(value, stored, self.is_numeric):
            self._refuse(value, stored)

    def _refuse(self, value: object, stored: object) -> None:
        """Raises RowRefused with the words for a person."""
        raise RowRefused(
            f"column {self.name} is declared {self.declared}, which makes {value!r:.80} "
            f"{stored!r:.80}: declare it so that it keeps the value, then retry"
        )


def typed_column(name: str, declared: str) -> Typed | None:
    """A column of this declared type; None if it converts nothing."""
    affinity = affinity_of(declared)
    if not declared or affinity == NONE:
        return None
    return Typed(name, declared, affinity, means_number(declared))


def affinity_of(declared: str) -> str:
    """The affinity that SQLite gives a column of this declared type, other than none at all."""
    upper = declared.upper()
    return next((affinity for word, affinity in WORDS if word in upper), NUMERIC)


def means_number(declared: str) -> bool:
    """Is it the name of a number's type, word for word?"""
    words = WORD.findall(SIZES.sub(" ", declared.upper()))
    rest = [word for word in words if NUMBER.fullmatch(word) is None]
    return len(rest) < len(words) and BESIDE_A_NUMBER.issuperset(rest)


def adapted(value: Any) -> Adapted:
    """A decoded value as SQLite stores it exactly: integers beyond 64 bits and decimals as text,
    lists and objects as JSON text."""
    if value.__class__ in AS_IT_IS:
        found: Adapted = value
        return found
    if isinstance(value, int):
        return value if -INT64 <= value < INT64 else str(value)
    if isinstance(value, Decimal):
        return str(value)
    return _encode.encode(value).decode()


def adapted_all(values: list[Any]) -> list[Adapted]:
    """The values of one column, each as `adapted` makes it."""
    kinds = set(map(type, values))
    # Nearly always none is changed, and then it is the very list.
    if kinds <= AS_IT_IS or (kinds == {int} and _fit_64_bits(values)):
        return values
    return [value if value.__class__ in AS_IT_IS else adapted(value) for value in values]


def adapted_keys(values: list[Any]) -> list[Adapted]:
    """The same of a column of keys."""
    if Decimal in set(map(type, values)):
        return [adapted_key(value) for value in values]
    return adapted_all(values)


def _fit_64_bits(numbers: Sequence[int]) -> bool:
    return min(numbers) >= -INT64 and max(numbers) < INT64


def adapted_key(value: Any) -> Adapted:
    """The same of a key. A decimal that a double spells is one, as it was before keys were
    decimals: else a row of then would be found no more."""
    if value.__class__ is Decimal:
        nearest = float(value)
        # `Decimal` takes the shortest digits of the double, not its binary value.
        is_exact = Decimal(repr(nearest)) == value
        return nearest if is_exact else str(value)
    return adapted(value)


def as_told(value: object) -> object:
    """A stored value as an event spells it, where a column made a double of it."""
    return spelled(Decimal(repr(value))) if isinstance(value, float) else value


def is_stored(stored: object, value: Any, typed: Typed | None) -> bool:
    """Is this what a column holds after an event has told it the value?"""
    # Lists and objects lie there as JSON text, spelled by whoever wrote it.
    if isinstance(value, list | dict):
        return isinstance(stored, str) and _is_same_json(stored, value)
    made = adapted(value)
    if typed is not None:
        made = cast(Adapted, _converted(typed.affinity, made))
    if made.__class__ is stored.__class__ and made == stored:
        return True
    return not isinstance(value, str) and _is_unchanged(value, stored, is_numeric=True)


def _is_same_json(text: str, value: object) -> bool:
    try:
        told = _decode(text)
    except msgspec.DecodeError:
        return False
    return canonical(spelled_value(told)) == canonical(spelled_value(value))


def _is_unchanged(value: object, stored: object, is_numeric: bool) -> bool:
    if stored.__class__ is value.__class__ and stored == value:
        return True
    # A text in a column that is not declared as a number must stay that text, digit for digit.
    if isinstance(value, str) and not is_numeric:
        return str(stored) == value
    told = _number(value)
    return told is not None and told == _number(stored) and _is_exact(told, stored)


def _is_exact(told: Decimal, stored: object) -> bool:
    """A double keeps a fraction as its shortest decimal, which everybody reads back. A whole number
    is counted with, and there the double's own value is what counts: 1e30 is not 10^30."""
    if not isinstance(stored, float) or told != told.to_integral_value():
        return True
    return Decimal(stored) == told


def _number(value: object) -> Decimal | None:
    """The exact number that a value is, or spells; None for anything else. Of a double it is the
    shortest decimal that names it."""
    text = str(int(value)) if isinstance(value, bool) else str(value)
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


@lru_cache(maxsize=4096, typed=True)
def _converted(affinity: str, value: Adapted) -> object:
    """What SQLite stores of a value in a column of this affinity."""
    database = _scratch()
    database.execute(SQL["convert"].format(affinity=affinity), (value,))
    (stored,) = database.execute(SQL["converted"].format(affinity=affinity)).fetchone()
    return stored


def _scratch() -> sqlite3.Connection:
    """This thread's own database in memory, with a column of each affinity."""
    database: sqlite3.Connection | None = getattr(_probe, "database", None)
    if database is None:
        database = sqlite3.connect(":memory:", isolation_level=None)
        database.execute(SQL["create_scratch"])
        database.execute(SQL["fill_scratch"])
        _probe.database = database
    return database

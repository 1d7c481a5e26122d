"""One canonical, order-preserving byte encoding of tuples: integers of any size, byte strings,
texts, and null first.

The layout follows FoundationDB's tuple layer (github.com/apple/foundationdb, design/tuple.md): a
type byte, then big-endian bytes whose length is part of the type byte (integers up to 8 bytes) or
of a length byte; strings end in 00 with 00 -> 00 FF. Byte order of two encodings is the order of
the tuples, if their parts are of one type place by place.
"""

from __future__ import annotations

from collections.abc import Sequence

from anyorder.errors import PositionTooLarge

Part = int | bytes | str | None
NULL, BYTES, TEXT, ZERO = 0x00, 0x01, 0x02, 0x14
LONG_NEGATIVE, LONG_POSITIVE = 0x0B, 0x1D
SHORT = 8  # bytes of one integer, up to which its length is part of the type byte
LONGEST = 255  # bytes of one integer; a longer one is refused


def encode(parts: Sequence[Part]) -> bytes:
    """The encoding of a tuple. Raises PositionTooLarge for integers beyond 255 bytes, TypeError for
    parts of other types."""
    return b"".join(map(_part, parts))


def _part(part: Part) -> bytes:
    match part:
        case None:
            return bytes((NULL,))
        case bytes():
            return bytes((BYTES,)) + _string(part)
        case str():
            return bytes((TEXT,)) + _string(part.encode())
        # Python calls a truth value an integer; here it would come back as one.
        case bool():
            raise TypeError("bool has no order-preserving encoding")
        case int():
            return _integer(part)
        case _:
            raise TypeError(f"{type(part).__name__} has no order-preserving encoding")


def _string(value: bytes) -> bytes:
    # The end is 00, which sorts before any byte; a 00 inside is told apart by the FF after it.
    return value.replace(b"\x00", b"\x00\xff") + b"\x00"


def _integer(value: int) -> bytes:
    size = (abs(value).bit_length() + 7) // 8
    if size > LONGEST:
        raise PositionTooLarge(
            f"an integer of {size} bytes does not fit the position encoding (at most {LONGEST})"
        )
    # The length comes first, so that a longer number sorts after a shorter one.
    if value >= 0:
        return _head(size, ZERO + size, (LONG_POSITIVE, size)) + value.to_bytes(size, "big")
    # Of negative ones the longer is the smaller, so their lengths and their bytes count down.
    complement = (1 << 8 * size) - 1 + value
    return _head(size, ZERO - size, (LONG_NEGATIVE, 0xFF - size)) + complement.to_bytes(size, "big")


def _head(size: int, short: int, long: tuple[int, int]) -> bytes:
    """The type byte and, where the length is no part of it, the length."""
    if size <= SHORT:
        return bytes((short,))
    return bytes(long)


def decode(encoded: bytes) -> tuple[Part, ...]:
    """The tuple that was encoded. Raises ValueError for bytes that `encode` never writes."""
    parts, at = [], 0
    # It ends: every part that is read is at least its type byte.
    while at < len(encoded):
        part, at = _read(encoded, at)
        parts.append(part)
    return tuple(parts)


def _read(encoded: bytes, at: int) -> tuple[Part, int]:
    """The part that begins here, and where the next one does."""
    kind, at = encoded[at], at + 1
    if kind == NULL:
        return None, at
    if kind == BYTES:
        return _read_string(encoded, at)
    if kind == TEXT:
        value, at = _read_string(encoded, at)
        return value.decode(), at

    # The distance from zero is the length, the side of it the sign.
    if abs(kind - ZERO) <= SHORT:
        return _read_integer(encoded, at, abs(kind - ZERO), negative=kind < ZERO)
    # A longer one has its length in the next byte; of a negative one that byte counts down.
    if at < len(encoded) and kind == LONG_POSITIVE:
        return _read_integer(encoded, at + 1, encoded[at], negative=False)
    if at < len(encoded) and kind == LONG_NEGATIVE:
        return _read_integer(encoded, at + 1, 0xFF - encoded[at], negative=True)
    raise ValueError(f"not a position encoding: type byte {kind:#x}")


def _read_string(encoded: bytes, at: int) -> tuple[bytes, int]:
    end = encoded.index(b"\x00", at)
    # A 00 before FF is inside. It ends: `index` raises ValueError where there is no further 00.
    while encoded[end + 1 : end + 2] == b"\xff":
        end = encoded.index(b"\x00", end + 2)
    return encoded[at:end].replace(b"\x00\xff", b"\x00"), end + 1


def _read_integer(encoded: bytes, at: int, size: int, *, negative: bool) -> tuple[int, int]:
    piece = encoded[at : at + size]
    # A text that somebody cut would be read as another number.
    if len(piece) != size:
        raise ValueError("a position encoding is cut short")
    value = int.from_bytes(piece, "big")
    if negative:
        value -= (1 << 8 * size) - 1
    return value, at + size

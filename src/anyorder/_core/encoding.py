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
LONGEST = 255  # bytes of one integer; a longer one is refused


def encode(parts: Sequence[Part]) -> bytes:
    """The encoding of a tuple. Raises PositionTooLarge for integers beyond 255 bytes, TypeError for
    parts of other types."""
    return b"".join(_part(part) for part in parts)


def _part(part: Part) -> bytes:
    if part is None:
        return bytes((NULL,))
    if isinstance(part, bytes):
        return bytes((BYTES,)) + _string(part)
    if isinstance(part, str):
        return bytes((TEXT,)) + _string(part.encode())
    if isinstance(part, int) and not isinstance(part, bool):
        return _integer(part)
    raise TypeError(f"{type(part).__name__} has no order-preserving encoding")


def _string(value: bytes) -> bytes:
    return value.replace(b"\x00", b"\x00\xff") + b"\x00"


def _integer(value: int) -> bytes:
    size = (abs(value).bit_length() + 7) // 8
    if size > LONGEST:
        raise PositionTooLarge(
            f"an integer of {size} bytes does not fit the position encoding (at most {LONGEST})"
        )
    if value >= 0:
        head = bytes((ZERO + size,)) if size <= 8 else bytes((LONG_POSITIVE, size))
        return head + value.to_bytes(size, "big")
    head = bytes((ZERO - size,)) if size <= 8 else bytes((LONG_NEGATIVE, 0xFF - size))
    return head + ((1 << 8 * size) - 1 + value).to_bytes(size, "big")


def decode(encoded: bytes) -> tuple[Part, ...]:
    """The tuple that was encoded. Raises ValueError for bytes that `encode` never writes."""
    parts, at = [], 0
    while at < len(encoded):
        part, at = _read(encoded, at)
        parts.append(part)
    return tuple(parts)


def _read(encoded: bytes, at: int) -> tuple[Part, int]:
    kind, at = encoded[at], at + 1
    if kind == NULL:
        return None, at
    if kind in (BYTES, TEXT):
        return _read_string(encoded, at, kind)
    if kind in (LONG_NEGATIVE, LONG_POSITIVE) and at < len(encoded):
        size = encoded[at] if kind == LONG_POSITIVE else 0xFF - encoded[at]
        return _read_integer(encoded, at + 1, size, kind == LONG_NEGATIVE)
    if ZERO - 8 <= kind <= ZERO + 8:
        return _read_integer(encoded, at, abs(kind - ZERO), kind < ZERO)
    raise ValueError(f"not a position encoding: type byte {kind:#x}")


def _read_string(encoded: bytes, at: int, kind: int) -> tuple[Part, int]:
    end = at
    while True:
        end = encoded.index(b"\x00", end)
        if encoded[end + 1 : end + 2] != b"\xff":
            break
        end += 2
    value = encoded[at:end].replace(b"\x00\xff", b"\x00")
    return (value if kind == BYTES else value.decode()), end + 1


def _read_integer(encoded: bytes, at: int, size: int, negative: bool) -> tuple[Part, int]:
    piece = encoded[at : at + size]
    if len(piece) != size:
        raise ValueError("a position encoding is cut short")
    value = int.from_bytes(piece, "big")
    return (value - ((1 << 8 * size) - 1) if negative else value), at + size

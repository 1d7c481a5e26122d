"""A version that counts inside one life of its key, where the events say which life that is: when
it began, or only its id.

Lives that have a beginning are ordered by it, before any version. An id has no order: it only tells
that it is *another* life.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from anyorder._core.families.scalar import ScalarPosition
from anyorder._core.families.timestamp import utc
from anyorder._core.families.wrapping import half_round
from anyorder._core.position import (
    SAME,
    UNDECIDED,
    Clocked,
    Lineage,
    Order,
    Threshold,
    newer_if,
    threshold_of,
)

BEFORE_ALL = (-(2**64),)  # a version below every one that is told
INTEGER, TIME, UID = "integer", "time", "uid"


class LifePosition(ScalarPosition, frozen=True, array_like=True, tag="life", gc=False):
    """`life_kind`: how the life is told, "integer", "time" (nanoseconds since 1970) or "uid"; of
    two kinds nothing says which is later. A position without a life is spelled as ever, because a
    version that does not know lives must refuse one rather than misread it."""

    tells_life: ClassVar[bool] = True

    life_kind: str = UID
    life: int | str = ""

    def compare(self, other: Clocked, lineage: Lineage) -> Order:
        order = self.compare_life(other)
        # Which of two lives it is comes before every version in them.
        if order is not SAME:
            return order
        return super().compare(other, lineage)

    def compare_life(self, other: Clocked) -> Order:
        """How its life stands to the other's. SAME also where the other tells none: then a greater
        version is newer, a smaller one undecided, and their times may say more (lives.py)."""
        if not isinstance(other, LifePosition) or self.scope != other.scope:
            return SAME
        mine, theirs = self.life, other.life
        if (self.life_kind, mine) == (other.life_kind, theirs):
            return SAME
        # Texts are ids: nothing says which came first.
        if self.life_kind != other.life_kind or isinstance(mine, str) or isinstance(theirs, str):
            return UNDECIDED
        return newer_if(mine > theirs)

    def identity(self) -> str:
        return f"{super().identity()} of {self.life_kind} {self.life}"

    def newest_first(self) -> tuple[int, ...]:
        versions = super().newest_first()
        if isinstance(self.life, str):
            return versions
        return (-self.life, *versions)

    def threshold(self, *, incoming: bool) -> Threshold | None:
        if super().threshold(incoming=incoming) is None:
            return None
        # The kind of life is part of the first name, so that no version without one is taken for a
        # place below or above it. Versions of two lives are read: which of them it is counts first.
        kind = f"{self.kind} of {self.life_kind}"
        shared = half_round(self.kind, self.value)
        return threshold_of((kind, self.scope, self.lineage, self.life, *shared), self.value)

    def text(self) -> str:
        return f"{super().text()} of the life {self.life_text}"

    @property
    def life_text(self) -> str:
        """The life for people, in the words of the source as far as they are kept."""
        if self.life_kind == TIME and isinstance(self.life, int):
            return utc(self.life // 1000)
        return str(self.life)


def beginning(position: Clocked, stored: Clocked | None) -> LifePosition | None:
    """Where the life of an event began, if what is stored is of an earlier one, or nothing is:
    everything before it is dead. None: nothing tells that."""
    if not isinstance(position, LifePosition) or position.life_kind == UID:
        return None
    begun = msgspec.structs.replace(position, value=BEFORE_ALL, time=None)
    if stored is None:
        return begun
    # Of one life, or one that is not known, what is stored is no end of anything.
    order = position.compare_life(stored)
    return None if order is SAME else begun

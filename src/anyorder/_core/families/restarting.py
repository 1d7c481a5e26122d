"""What version and own time of an event say together, where the versions of a key may start again
with another life of it (rules R13). What is done about it, lives.py says."""

from __future__ import annotations

from enum import Enum
from typing import TypeGuard

import msgspec

from anyorder._core.families.life import LifePosition
from anyorder._core.families.scalar import ScalarPosition
from anyorder._core.position import SAME, Clocked

replace = msgspec.structs.replace


class Bound(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How far the lives of a key had come, in versions and in their own time, when an operator's
    word began another."""

    value: tuple[int, ...]
    time: int


class Told(Enum):
    """What an event's version and time are together. NOTHING: they agree, or are not judged."""

    NOTHING = "nothing"
    STRAGGLER = "straggler"  # of a life that has ended: before the bound in both
    UNBOUND = "unbound"  # from before the end of the lives before, with a version they never had
    FALLEN = "fallen"  # later, and its version is no greater
    RISEN = "risen"  # earlier, and its version is no smaller


def is_restartable(position: object) -> TypeGuard[ScalarPosition]:
    """Is it a version that may start again, with a time that can show it?"""
    return isinstance(position, ScalarPosition) and position.is_restartable


def told(position: Clocked, stored: Clocked, bound: Bound | None, margin: int) -> Told:
    """What an event here says against what is stored of its key."""
    if not is_restartable(position) or _is_of_another_life(position, stored):
        return Told.NOTHING
    # It is from before the lives before had ended, whatever is stored by now.
    if bound is not None and time_of(position) <= bound.time + margin:
        return _before(position, bound)
    if not is_restartable(stored):
        return Told.NOTHING
    apart = time_of(position) - time_of(stored)
    if apart > margin and position.value <= stored.value:
        return Told.FALLEN
    if apart < -margin and position.value >= stored.value:
        return Told.RISEN
    return Told.NOTHING


def _is_of_another_life(position: ScalarPosition, stored: Clocked) -> bool:
    """Do the events themselves say so? Then the lives decide, or nothing does (life.py)."""
    return isinstance(position, LifePosition) and position.compare_life(stored) is not SAME


def _before(position: ScalarPosition, bound: Bound) -> Told:
    """What is told by an event whose time is before the bound."""
    if position.value <= bound.value:
        return Told.STRAGGLER
    return Told.UNBOUND


def time_of(position: ScalarPosition) -> int:
    """The time of a version that may start again."""
    # Without one it is not judged at all.
    assert position.time is not None
    return position.time


def bound_over(
    position: Clocked,
    stored: Clocked,
    bound: Bound | None,
    margin: int,
) -> Bound | None:
    """The bound of a life that a word lets begin here, over what is stored and its own bound."""
    if not is_restartable(position) or not is_restartable(stored):
        return bound
    # Of an event that is no later nothing says that a life has ended before it.
    if time_of(position) <= time_of(stored) + margin:
        return bound
    before = Bound(stored.value, time_of(stored))
    if bound is None:
        return before
    return Bound(max(bound.value, before.value), max(bound.time, before.time))


def with_time_of(stored: Clocked, position: Clocked) -> ScalarPosition:
    """The stored position at the time of the other."""
    assert isinstance(stored, ScalarPosition)
    assert isinstance(position, ScalarPosition)
    return replace(stored, time=position.time)


def above_bound(position: Clocked, bound: Bound) -> Clocked:
    """The position, or the bound where that is greater."""
    assert isinstance(position, ScalarPosition)
    return replace(position, value=max(position.value, bound.value))

"""In which order what is held is decided again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from anyorder._core.event import Event


class _Eventful(Protocol):
    @property
    def event(self) -> Event: ...


One = TypeVar("One", bound=_Eventful)


def newest_first(ones: Iterable[One]) -> list[One]:
    """What is held, roughly newest first: the winner is then usually decided first. Of a tie the
    greater comes first."""
    by_content = sorted(ones, key=lambda one: one.event.fingerprint, reverse=True)
    return sorted(by_content, key=_age)


def _age(one: _Eventful) -> tuple[int, ...]:
    position = one.event.position
    # Without a position it is not compared, so it may stand anywhere.
    if position is None:
        return ()
    return position.newest_first()

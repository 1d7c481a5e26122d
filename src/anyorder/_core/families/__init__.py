"""How each kind of clock orders. `Position` is the closed union of them: stores write it as JSON
and read it back."""

from __future__ import annotations

from anyorder._core.families.adopted import AdoptedPosition
from anyorder._core.families.adopted_version import AdoptedVersion
from anyorder._core.families.kafka import OffsetPosition
from anyorder._core.families.life import LifePosition
from anyorder._core.families.postgres_log import LogPosition, OwnCommitPosition
from anyorder._core.families.scalar import ScalarPosition

__all__ = [
    "AdoptedPosition",
    "AdoptedVersion",
    "LifePosition",
    "LogPosition",
    "OffsetPosition",
    "OwnCommitPosition",
    "Position",
    "ScalarPosition",
]

Position = (
    LogPosition
    | OwnCommitPosition
    | OffsetPosition
    | ScalarPosition
    | LifePosition
    | AdoptedPosition
    | AdoptedVersion
)

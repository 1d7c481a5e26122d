"""Deliveries in, acknowledgements out: one module a source. `open_source` finds it by its kind."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, cast

import msgspec

from anyorder._core.event import canonical
from anyorder.doors import Door, own_door
from anyorder.envelopes.limits import DEFAULT, Limits
from anyorder.errors import ConfigurationError
from anyorder.mistyped import meant
from anyorder.sources.contract import Source

__all__ = ["DOORS", "Settings", "Source", "name_of", "nameless", "open_source", "settings_of"]

DOORS: dict[str, Door] = {
    "jsonl": Door("anyorder.sources.jsonl", "JSONLinesSettings"),
    "sqs": Door("anyorder.sources.sqs", "SQSSettings", extra="aws"),
}
"""Kind -> door. A source of our own is one more line here; anybody else's is `module:factory`."""

OF_EVERY_KIND = ("kind", "envelope", "options")  # what `[source]` has beside


class Settings(Protocol):
    """What `[source]` says beyond `kind`, `envelope` and `options`, for a door's struct."""

    nameless: ClassVar[str]
    """Why the topic of its deliveries is no part of a clock; "" where it may be."""

    @property
    def name(self) -> str:
        """What tells this source from others of its kind, as it is said; "" where nothing does."""

    def open(self, limits: Limits = DEFAULT) -> Source:
        """The source. `limits`: how large a record may be."""


def open_source(kind: str, said: dict[str, Any], limits: Limits = DEFAULT) -> Source:
    """`jsonl` with `path`; `sqs` with `queue`, `region`, `endpoint`, `visibility`, `drain`; or
    `module:factory`: what a function of your own makes when it is called with what is said, by
    name. `limits`: how large a record of ours may be; a source of your own sees to that itself.

    Raises ConfigurationError for other kinds and unknown or wrong settings, MissingExtra where a
    driver is not installed.
    """
    own = own_door(kind)
    if own is not None:
        made = own.made(**said)
        if not callable(getattr(made, "batches", None)):
            raise ConfigurationError(
                f"{own} made no source: a {type(made).__name__} has no batches"
            )
        return cast(Source, made)
    try:
        settings = settings_of(kind, said)
    except msgspec.ValidationError as error:
        raise ConfigurationError(str(error)) from error
    return settings.open(limits)


def nameless(kind: str, said: dict[str, Any]) -> str:
    """`Settings.nameless` of a source that is told so, which is checked and not opened; "" for a
    user's own, at which nobody looks before it is opened. Raises as `settings_of`."""
    return "" if own_door(kind) is not None else settings_of(kind, said).nameless


def name_of(kind: str, said: dict[str, Any]) -> str:
    """What entries of the quarantine call a source that is told so, which is not opened: who
    settles an entry needs no queue. "" where nothing tells it from others. Raises as
    `settings_of`."""
    if own_door(kind) is None:
        return settings_of(kind, said).name
    return f"{kind} {canonical(said)}" if said else kind


def settings_of(kind: str, said: dict[str, Any]) -> Settings:
    """What is said to a source of ours. Raises ConfigurationError for an unknown kind,
    msgspec.ValidationError, which names the place in a pipeline file, for what the kind does not
    know."""
    if kind not in DOORS:
        known = ", ".join(f'"{name}"' for name in DOORS)
        raise ConfigurationError(
            f"no source of kind {kind!r}; there are: {known}, or one of your own: "
            f'"module:factory"{meant(kind, DOORS)}'
        )
    struct = DOORS[kind].struct()
    names = struct.__struct_fields__
    unknown = sorted(said.keys() - set(names))
    if unknown:
        raise msgspec.ValidationError(
            f"a source of kind {kind} has no {', '.join(unknown)}; it has: {', '.join(names)}"
            f" - at `$.source`{meant(unknown[0], (*names, *OF_EVERY_KIND))}"
        )
    # nested as in the file, so that a message names the place: `$.source.visibility`
    file = msgspec.defstruct("File", [("source", struct)])
    found: Settings = msgspec.convert({"source": said}, file).source  # type: ignore[attr-defined]
    return found

"""The sections of a pipeline file: their keys, and what can be written where a word is wrong."""

from __future__ import annotations

import os
import re
from string import Template
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from anyorder._core.misfit import declared_kinds
from anyorder._core.row_clock import OLDER_THAN_EVERYTHING, WORDS, column_of
from anyorder.envelopes import DEFAULT_ENVELOPE
from anyorder.errors import ConfigurationError
from anyorder.guard.duration import FOREVER, seconds
from anyorder.mistyped import meant
from anyorder.runtime.limits import LimitsSection
from anyorder.sources import DOORS as SOURCES
from anyorder.urls import Discreet

PARTS = ("{schema}", "{table}", "{topic}")  # of a target's name, filled in from an event
UNKNOWN_FIELD = re.compile(r"unknown field `(?P<word>[^`]*)`(?: - at `\$\.(?P<place>\w+))?")
UNKNOWN_WORD = re.compile(
    r"Invalid enum value '(?P<word>[^']*)' - at `\$\.(?P<place>\w+)(?:\[\d+\])?\.(?P<key>\w+)"
)
SLIPS = {  # of the pen: what is said of them, and what to write instead
    "Expected `array`, got `object` - at `$.table`": "; write it in two brackets: [[table]]",
    "Invalid value (at line": "; a text stands in quotes",
}
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class SourceSection(Discreet, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[source]`, the part that all sources share: where deliveries come from, and their envelope.
    `options` go to the envelope. What else is said there goes to the source."""

    kind: str = "jsonl"
    envelope: str = DEFAULT_ENVELOPE
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class StoreSection(Discreet, msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[store]`: the URL. Here, and in the texts of `[source]`, `$NAME` is taken from the
    environment."""

    url: str


class RuntimeSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[runtime]`: `batch` deliveries at most are decided together; limits of the quarantine."""

    batch: int = 500
    quarantine_size: str = "1GB"
    quarantine_share: float = 0.5


class TableSection(msgspec.Struct, forbid_unknown_fields=True):
    """`[[table]]`: the first whose `match` (a glob over the topic, or the event's own table where
    there is none) and `source` fit wins. `kinds`: of key columns, {id = "number"}, "text" or
    "boolean"."""

    match: str = "*"
    source: str | list[str] | None = None
    name: str = "{table}"
    key: str | list[str] | None = None
    retention: str | float = FOREVER
    adopt: str = "refuse"
    adopt_without: str = OLDER_THAN_EVERYTHING
    partitions: int | None = None
    merge: bool = False
    ignore: bool = False
    kinds: dict[str, str] = {}

    @property
    def columns(self) -> tuple[str, ...]:
        """The key's columns, as far as they are said."""
        return (self.key,) if isinstance(self.key, str) else tuple(self.key or ())

    @property
    def sources(self) -> tuple[str, ...]:
        """The source tables that it takes, all of them one table; none: whatever matches."""
        return (self.source,) if isinstance(self.source, str) else tuple(self.source or ())

    @property
    def place(self) -> str:
        """The section, as messages name it."""
        return f'[[table]] match = "{self.match}"'

    @property
    def routing(self) -> list[object]:
        """All of it that says where an event goes. A key that was corrected is no part of it:
        what was not taken under the old one is held, and retried."""
        return [self.match, self.sources, self.name, self.ignore]

    @property
    def is_spelled_out(self) -> bool:
        """Is its target called the same, whatever the event?"""
        return not any(part in self.name for part in PARTS)

    def check(self) -> None:
        """Raises ConfigurationError for words that contradict each other, or mean nothing."""
        if not all(self.sources):
            raise ConfigurationError(
                f"{self.place}: source names a source table, as the records tell it, not an empty "
                "text"
            )
        unknown = [word for word in PLACEHOLDER.findall(self.name) if word not in PARTS]
        if unknown:
            raise ConfigurationError(
                f"{self.place}: name has {unknown[0]:.80}, and an event fills in "
                f"{', '.join(PARTS)} only"
            )
        if set("{}") & set(PLACEHOLDER.sub("", self.name)):
            raise ConfigurationError(
                f"{self.place}: name has a brace without the other: {self.name:.80}"
            )
        if self.partitions is not None and self.partitions < 1:
            raise ConfigurationError(f"{self.place}: a topic has at least 1 of partitions")
        try:
            column_of(self.adopt)
        except ConfigurationError as error:
            likely = meant(self.adopt, WORDS)
            raise ConfigurationError(f"{self.place}: {error}{likely}") from None
        if self.ignore and self.merge:
            raise ConfigurationError(
                f"{self.place}: what is ignored is not merged: say one of the two"
            )
        declared_kinds(self.columns, self.kinds)
        seconds(self.retention)

    def target(self, topic: str, table: str) -> str:
        """The target's name for an event: its `{schema}`, `{table}` and `{topic}` filled in."""
        schema, _, plain = table.rpartition(".")
        return (
            self.name.replace("{schema}", schema)
            .replace("{table}", plain or topic)
            .replace("{topic}", topic)
        )


class PipelineFile(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    store: StoreSection
    source: SourceSection = msgspec.field(default_factory=SourceSection)
    runtime: RuntimeSection = msgspec.field(default_factory=RuntimeSection)
    limits: LimitsSection = msgspec.field(default_factory=LimitsSection)
    table: list[TableSection] = msgspec.field(default_factory=lambda: [TableSection()])


SECTIONS: dict[str, type[msgspec.Struct]] = {
    "store": StoreSection,
    "source": SourceSection,
    "runtime": RuntimeSection,
    "limits": LimitsSection,
    "table": TableSection,
}


def there_can_be(error: Exception) -> str:
    """What can be written where a file has a key, or a word, that nobody knows, or a slip; else
    ""."""
    for said, instead in SLIPS.items():
        if said in str(error):
            return instead
    field = UNKNOWN_FIELD.search(str(error))
    if field is not None:
        section = _section_at(field["place"] or "")
        known = section.__struct_fields__ if section else ()
        return f"; there can be: {', '.join(known)}{meant(field['word'], known)}" if known else ""
    word = UNKNOWN_WORD.search(str(error))
    if word is None:
        return ""
    choices = _choices(word["place"], word["key"])
    return f"; there can be: {', '.join(choices)}{meant(word['word'], choices)}"


def _choices(place: str, key: str) -> tuple[str, ...]:
    """The words that a key of a section may have."""
    sections = [SECTIONS[place]]
    # Each kind of source has keys of its own there.
    if place == "source":
        sections += [door.struct() for door in SOURCES.values()]
    hints = [get_type_hints(section).get(key) for section in sections]
    return next((get_args(hint) for hint in hints if get_origin(hint) is Literal), ())


def _section_at(place: str) -> type[msgspec.Struct] | None:
    """The section at the beginning of a path, the whole file at none."""
    return SECTIONS.get(place) if place else PipelineFile


def source_settings(told: dict[str, Any]) -> dict[str, Any]:
    """Take out of a file's `[source]` what only the source itself knows."""
    source = told.get("source")
    if not isinstance(source, dict):
        return {}
    own = [name for name in source if name not in SourceSection.__struct_fields__]
    return {name: source.pop(name) for name in own}


def expanded(text: str, where: str) -> str:
    """`$NAME` and `${NAME}` are the environment's, `$$` is a dollar. Raises ConfigurationError for
    what is not set: a guess may be a real account. `where`: what a person wrote it for; the text
    itself may be a secret."""
    try:
        return Template(text).substitute(
            {name: value for name, value in os.environ.items() if value}
        )
    except KeyError as error:
        raise ConfigurationError(
            f"{where}: the environment sets no {error.args[0]}, or nothing in it; "
            "set it, or write $$ for a dollar"
        ) from None
    except ValueError:
        raise ConfigurationError(
            f"{where}: a lone $ names nothing; write $$ for a dollar"
        ) from None

"""A pipeline file: TOML, checked by msgspec, so errors name the path (`$.store.url`)."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from contextlib import AbstractContextManager
from fnmatch import fnmatchcase
from pathlib import Path
from string import Template
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from anyorder._core.event import Delivery, Event, Kind, canonical
from anyorder._core.misfit import declared_kinds
from anyorder._core.row_clock import OLDER_THAN_EVERYTHING, RowClock, check_without, column_of
from anyorder.envelopes import (
    DEFAULT_ENVELOPE,
    Envelope,
    Limits,
    keeps_for_ever,
    needs_table,
    open_envelope,
    row_clock,
)
from anyorder.envelopes.keyless import with_keys
from anyorder.envelopes.provenance import Envelopes, is_from, provenance_of
from anyorder.errors import ConfigurationError, NotReapable, StoreError
from anyorder.guard.adoption import check_store
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.duration import FOREVER, seconds
from anyorder.guard.routes import Ignored, Origin, Route, Unrouted, origin_of
from anyorder.mistyped import meant
from anyorder.runtime.again import Reading
from anyorder.runtime.limits import LimitsSection, size
from anyorder.sources import DOORS as SOURCES
from anyorder.sources import Source, name_of, nameless, open_source
from anyorder.stores import is_made, missing, open_copy, open_dry, open_looking, open_store
from anyorder.urls import Discreet

DEFAULT = "pipeline.toml"
UNNAMED = 'say in [source] what the documents are versions of, options = { table = "users", ... }'
PARTS = ("{schema}", "{table}", "{topic}")  # of a target's name, filled in from an event
UNMATCHED = "no [[table]] matches {!r:.200}: add one that does, then anyorder quarantine retry"
UNKNOWN_FIELD = re.compile(r"unknown field `(?P<word>[^`]*)`(?: - at `\$\.(?P<place>\w+))?")
UNKNOWN_WORD = re.compile(
    r"Invalid enum value '(?P<word>[^']*)' - at `\$\.(?P<place>\w+)(?:\[\d+\])?\.(?P<key>\w+)"
)
SLIPS = {  # of the pen: what is said of them, and what to write instead
    "Expected `array`, got `object` - at `$.table`": "; write it in two brackets: [[table]]",
    "Invalid value (at line": "; a text stands in quotes",
}
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


class SourceSection(Discreet, frozen=True, forbid_unknown_fields=True):
    """`[source]`, the part that all sources share: where deliveries come from, and their envelope.
    `options` go to the envelope. What else is said there goes to the source."""

    kind: str = "jsonl"
    envelope: str = DEFAULT_ENVELOPE
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class StoreSection(Discreet, frozen=True, forbid_unknown_fields=True):
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
    def routing(self) -> list[object]:
        """All of it that says where an event goes. A key that was corrected is no part of it:
        what was not taken under the old one is held, and retried."""
        return [self.match, self.sources, self.name, self.ignore]

    @property
    def is_spelled_out(self) -> bool:
        """Is its target called the same, whatever the event?"""
        return not any(part in self.name for part in PARTS)


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


class Pipeline:
    """A checked pipeline: finds the table of an event, and opens what it names."""

    def __init__(
        self, file: PipelineFile, settings: dict[str, Any], adopt: str | None = None
    ) -> None:
        self.source = file.source
        self.runtime = file.runtime
        self.url = expanded(file.store.url, "[store] url")
        self._settings = settings
        why = nameless(file.source.kind, settings)
        if why and needs_table(file.source.envelope) and not file.source.options.get("table"):
            raise ConfigurationError(f"{why}: {UNNAMED}")
        self._limits = file.limits.checked()
        self.envelope: Envelope = with_keys(_opened(file.source, self._limits), self._key_of)
        self._source_name = name_of(file.source.kind, settings)
        self._envelopes = Envelopes()
        self.provenance = provenance_of(self.envelope, self._source_name)
        routing = [section.routing for section in file.table]
        self._made = f"{self.provenance} {canonical(routing)}"
        self.quarantine_size = size(file.runtime.quarantine_size, "[runtime] quarantine_size")
        self._sections = file.table
        self._adopt = adopt
        self._declared: dict[Origin, Route] = {}
        if file.runtime.batch < 1:
            raise ConfigurationError("[runtime] batch is at least 1")
        for section in file.table:
            _check_section(section)
            self._check_retention(section)
            self._clock_of(section)

    def open_store(self) -> Store:
        """The store of `[store]`, able to decode what its quarantine holds."""
        return self._fitting(open_store(self.url, self.decode))

    def existing_store(self) -> Store:
        """The same for who asks. Raises StoreError where that would make an empty one."""
        absent = missing(self.url)
        if absent:
            raise StoreError(
                f"there is no database {absent}: the path in [store] is relative to the directory "
                "that you are in, or nothing has run yet; `anyorder run` makes it, and so does "
                "`anyorder schema apply`"
            )
        return self.open_store()

    def dry_store(self) -> Store:
        """The same for a dry run, which makes none: what is not there yet is empty."""
        return self._fitting(open_dry(self.url, self.decode))

    def looking_store(self) -> Store:
        """The same for who only looks: opening it makes and changes nothing."""
        return self._fitting(open_looking(self.url, self.decode))

    def _fitting(self, store: Store) -> Store:
        """The store. Raises ConfigurationError if it cannot do what a [[table]] asks for."""
        try:
            for section in self._sections:
                check_store(store, self._spec_of(section, "", ""))
        except ConfigurationError:
            store.close()
            raise
        return store

    def adopting(self, transaction: Transaction) -> list[TableSpec]:
        """The targets whose rows take their positions from a column, as far as the file tells
        their names, and that are nobody's yet: they are looked at before anything is read."""
        told = [spec for spec in map(self._adopting, self._sections) if spec is not None]
        # Most files say of no table that it has such rows: then the store is not asked.
        if not told:
            return []
        known = {transaction.same_table(one.name): one for one in transaction.catalogue()}
        specs: list[TableSpec] = []
        for spec in told:
            there = known.get(transaction.same_table(spec.name))
            if there is None:
                specs.append(spec)
            elif not there.known.sources:
                specs.append(msgspec.structs.replace(spec, name=there.name))
        return specs

    def _adopting(self, section: TableSection) -> TableSpec | None:
        """The target of a section whose rows take their positions from a column; None if they do
        not, or events alone tell its name."""
        # With such a clock the options name it.
        table = str(self.envelope.options.get("table", ""))
        is_told = section.is_spelled_out or fnmatchcase(table, section.match)
        spec = self._spec_of(section, "", table)
        if spec.clock is None or not is_told or "{topic}" in section.name:
            return None
        return spec

    def _clock_of(self, section: TableSection) -> RowClock | None:
        """The clock of the column that tells the positions of rows; None where none does. Raises
        ConfigurationError."""
        column = column_of(self._adopt or section.adopt)
        # What the command line says instead is said of every [[table]].
        check_without(column or column_of(section.adopt), section.adopt_without)
        if not column or section.ignore:
            return None
        return row_clock(self.envelope.name, self.envelope.options, column, section.adopt_without)

    def copied_store(self) -> AbstractContextManager[Store | None]:
        """A copy of it that may be written to and is thrown away; None where there can be none."""
        return open_copy(self.url, self.decode)

    @property
    def is_made(self) -> bool:
        """Are our own tables in the store, as far as opening it would make them?"""
        return is_made(self.url)

    @property
    def missing(self) -> str:
        """The path of a store that is not there yet; "" if it is."""
        return missing(self.url)

    def decode(self, provenance: str, delivery: Delivery) -> Event:
        """The event of a delivery that the quarantine holds: of our own source, and of before
        entries kept a provenance, by today's envelope; of all others, by the one that read it."""
        envelope = self._envelopes.of(provenance, self.envelope, self._source_name)
        return envelope.decode(delivery)

    def read_anew(self, provenance: str, delivery: Delivery) -> Reading:
        """A delivery that the quarantine holds, by today's envelope if it is of our own source. One
        that this envelope cannot read stays with the one that can."""
        is_ours = is_from(provenance, self._source_name)
        if is_ours:
            event = self.envelope.decode(delivery)
            if event.kind is not Kind.MALFORMED:
                return Reading(event, self.provenance, is_ours)
        event = self.decode(provenance, delivery)
        # Whoever cannot read it either says more of it if he is today's.
        if is_ours and event.kind is Kind.MALFORMED:
            return Reading(self.envelope.decode(delivery), self.provenance, is_ours)
        return Reading(event, provenance, is_ours)

    def open_source(self) -> Source:
        """The source of `[source]`. Its texts are expanded only now: who asks why a row is so needs
        no queue in the environment."""
        said = {
            name: expanded(value, f"[source] {name}") if isinstance(value, str) else value
            for name, value in self._settings.items()
        }
        return open_source(self.source.kind, said, self._limits)

    def frontier_name(self, source: Source) -> str:
        """What a source's frontier is stored under. Pipelines that make something else of the same
        records have one each: what one of them ignored is not done for another."""
        made = hashlib.blake2b(self._made.encode(), digest_size=8).hexdigest()
        return f"{source.name}#{made}"

    def catalogue(self, transaction: Transaction) -> Catalogue:
        """The catalogue of its store. Raises ConfigurationError for a changed key, and for a name
        that the file spells out and that no target can have."""
        for section in self._sections:
            if section.is_spelled_out and not section.ignore:
                _check_name(section, transaction)
        found = Catalogue(self.declared)
        found.load(transaction)
        return found

    def declared(self, topic: str, table: str, source: str) -> Route:
        """What the first [[table]] that fits says. `table`: the source's own name for it, used
        where there is no topic. `source`: the source table, or the best name for it."""
        place = (topic, table, source)
        if place not in self._declared:
            self._declared[place] = self._find(topic, table, source)
        return self._declared[place]

    def section(self, topic: str, table: str, source: str) -> TableSection | None:
        """The first [[table]] that fits, None for none."""
        for section in self._matching(topic or table):
            sources = section.sources
            if not sources or source in sources:
                return section
        return None

    def _check_retention(self, section: TableSection) -> None:
        """Raises NotReapable now, and not when the first tombstone is old enough."""
        if section.ignore or seconds(section.retention) is None:
            return
        why = keeps_for_ever(self.envelope.name, self.envelope.options)
        if why:
            raise NotReapable(f'[[table]] match = "{section.match}" has a retention, and {why}')

    def _key_of(self, event: Event) -> tuple[str, ...]:
        """The key's columns, as far as the file says them, of an event that came without a key."""
        section = self.section(*origin_of(event))
        return () if section is None else section.columns

    def _matching(self, name: str) -> list[TableSection]:
        return [section for section in self._sections if fnmatchcase(name, section.match)]

    def _find(self, topic: str, table: str, source: str) -> Route:
        section = self.section(topic, table, source)
        if section is not None:
            return Ignored() if section.ignore else self._spec_of(section, topic, table)
        if self._matching(topic or table):
            return Unrouted(_unlisted(source))
        return Unrouted(UNMATCHED.format(topic or table)) if topic or table else Unrouted()

    def _spec_of(self, section: TableSection, topic: str, table: str) -> TableSpec:
        clock = self._clock_of(section)
        return TableSpec(
            name=target_name(section.name, topic, table),
            # What lies in rows is found by the key that the documents tell.
            key=section.columns or (() if clock is None else clock.key),
            retention=seconds(section.retention),
            partitions=section.partitions,
            adopt=self._adopt or section.adopt,
            sources=section.sources,
            merge=section.merge,
            kinds=declared_kinds(section.columns, section.kinds),
            is_derived=not section.is_spelled_out,
            clock=clock,
        )


def _opened(source: SourceSection, limits: Limits) -> Envelope:
    # limits of a document are no option of its format, so that a held one is read by today's
    if "limits" in source.options:
        raise ConfigurationError("limits are a section of their own, [limits], and no option")
    return open_envelope(source.envelope, limits=limits, **source.options)


def _check_section(section: TableSection) -> None:
    """Raises ConfigurationError for words that contradict each other, or mean nothing."""
    where = f'[[table]] match = "{section.match}"'
    if not all(section.sources):
        raise ConfigurationError(
            f"{where}: source names a source table, as the records tell it, not an empty text"
        )
    unknown = [word for word in PLACEHOLDER.findall(section.name) if word not in PARTS]
    if unknown:
        raise ConfigurationError(
            f"{where}: name has {unknown[0]:.80}, and an event fills in {', '.join(PARTS)} only"
        )
    if section.ignore and section.merge:
        raise ConfigurationError(f"{where}: what is ignored is not merged: say one of the two")
    declared_kinds(section.columns, section.kinds)
    seconds(section.retention)


def _unlisted(source: str) -> str:
    return (
        f"it is of the source table {source!r}, which source = [...] of its [[table]] does not "
        "list: add it there if they are one table, or give it a [[table]] with another name"
    )


def _check_name(section: TableSection, transaction: Transaction) -> None:
    """Raises ConfigurationError: a person wrote this name, so nothing is read before it is put
    right."""
    why = transaction.unfit(section.name) if section.name else "it is empty"
    if why:
        raise ConfigurationError(
            f'[[table]] match = "{section.match}": {section.name:.80} cannot be a target: {why}; '
            "write another name"
        )


def target_name(pattern: str, topic: str, table: str) -> str:
    """`{schema}`, `{table}` and `{topic}` of an event in a target's name."""
    schema, _, plain = table.rpartition(".")
    return (
        pattern.replace("{schema}", schema)
        .replace("{table}", plain or topic)
        .replace("{topic}", topic)
    )


def load_pipeline(path: str | None = None, adopt: str | None = None) -> Pipeline:
    """Read a pipeline file: `path`, else ANYORDER_PIPELINE, else `pipeline.toml` here. Raises
    ConfigurationError with what to correct."""
    file = Path(path or os.environ.get("ANYORDER_PIPELINE") or DEFAULT)
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
        settings = source_settings(told)
        return Pipeline(msgspec.convert(told, PipelineFile), settings, adopt)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the pipeline {file}: {error.strerror}; name one, or set ANYORDER_PIPELINE"
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}{_known(error)}") from error


def _known(error: Exception) -> str:
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

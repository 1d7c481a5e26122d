"""A pipeline file: TOML, checked by msgspec, so errors name the path (`$.store.url`)."""

from __future__ import annotations

import hashlib
import os
import tomllib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event, Kind, canonical
from anyorder.envelopes import Envelope, Limits, needs_table, open_envelope
from anyorder.envelopes.keyless import with_keys
from anyorder.envelopes.provenance import Envelopes, is_from, provenance_of
from anyorder.errors import ConfigurationError, StoreError
from anyorder.guard.contract import Store
from anyorder.runtime.again import Reading
from anyorder.runtime.limits import size
from anyorder.runtime.routing import Routing
from anyorder.runtime.sections import (
    PipelineFile,
    SourceSection,
    expanded,
    source_settings,
    there_can_be,
)
from anyorder.sources import Source, name_of, nameless, open_source
from anyorder.stores import is_made, missing, open_copy, open_dry, open_looking, open_store

DEFAULT = "pipeline.toml"
UNNAMED = 'say in [source] what the documents are versions of, options = { table = "users", ... }'


class Pipeline:
    """A checked pipeline: opens what its file names, and reads what its quarantine holds.
    `routing`: which target an event goes to."""

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
        opened = _opened(file.source, self._limits)
        self.routing = Routing(file.table, opened, adopt)
        self.envelope: Envelope = with_keys(opened, self.routing.key_of)
        self._source_name = name_of(file.source.kind, settings)
        self._envelopes = Envelopes()
        self.provenance = provenance_of(self.envelope, self._source_name)
        said = [section.routing for section in file.table]
        self._made = f"{self.provenance} {canonical(said)}"
        self.quarantine_size = size(file.runtime.quarantine_size, "[runtime] quarantine_size")
        if file.runtime.batch < 1:
            raise ConfigurationError("[runtime] batch is at least 1")
        # no comparison holds for nan: the run would never stop
        if not 0 <= file.runtime.quarantine_share <= 1:
            raise ConfigurationError("[runtime] quarantine_share is a share: 0 to 1")
        self.routing.check()

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
            self.routing.check_store(store)
        except ConfigurationError:
            store.close()
            raise
        return store

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


def _opened(source: SourceSection, limits: Limits) -> Envelope:
    # limits of a document are no option of its format, so that a held one is read by today's
    if "limits" in source.options:
        raise ConfigurationError("limits are a section of their own, [limits], and no option")
    return open_envelope(source.envelope, limits=limits, **source.options)


def load_pipeline(path: str | None = None, adopt: str | None = None) -> Pipeline:
    """Read a pipeline file: `path`, else ANYORDER_PIPELINE, else `pipeline.toml` here. Raises
    ConfigurationError with what to correct."""
    file = Path(path or os.environ.get("ANYORDER_PIPELINE") or DEFAULT)
    try:
        # some editors begin a file with a byte order mark, which TOML does not know
        told = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        settings = source_settings(told)
        return Pipeline(msgspec.convert(told, PipelineFile), settings, adopt)
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the pipeline {file}: {error.strerror}; name one, or set ANYORDER_PIPELINE"
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}{there_can_be(error)}") from error

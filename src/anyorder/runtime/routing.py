"""Which target an event goes to, by the `[[table]]` sections of a pipeline file."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from anyorder._core.event import Event
from anyorder._core.misfit import declared_kinds
from anyorder._core.row_clock import RowClock, check_without, column_of
from anyorder.envelopes import Envelope, keeps_for_ever, row_clock
from anyorder.errors import ConfigurationError, NotReapable
from anyorder.guard import adoption
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Store, TableSpec, Transaction
from anyorder.guard.duration import seconds
from anyorder.guard.routes import Ignored, Origin, Route, Unrouted, origin_of
from anyorder.runtime.sections import TableSection

UNMATCHED = "no [[table]] matches {!r:.200}: add one that does, then anyorder quarantine retry"


class Routing:
    """The sections of one file. `envelope`: of its source. `adopt`: what the command line says
    instead of each section."""

    def __init__(
        self, sections: Sequence[TableSection], envelope: Envelope, adopt: str | None
    ) -> None:
        self._sections = sections
        self._envelope = envelope
        self._adopt = adopt
        self._declared: dict[Origin, Route] = {}

    def check(self) -> None:
        """Raises ConfigurationError for what contradicts itself, NotReapable for a retention that
        nothing could end."""
        for section in self._sections:
            section.check()
            self._check_retention(section)
            self._clock_of(section)

    def check_store(self, store: Store) -> None:
        """Raises ConfigurationError for a store that cannot do what a section asks for."""
        for section in self._sections:
            adoption.check_store(store, self._spec_of(section, "", ""))

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

    def key_of(self, event: Event) -> tuple[str, ...]:
        """The key's columns, as far as the file says them, of an event that came without a key."""
        section = self.section(*origin_of(event))
        return () if section is None else section.columns

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

    def _check_retention(self, section: TableSection) -> None:
        """Raises NotReapable now, and not when the first tombstone is old enough."""
        if section.ignore or seconds(section.retention) is None:
            return
        why = keeps_for_ever(self._envelope.name, self._envelope.options)
        if why:
            raise NotReapable(f"{section.place} has a retention, and {why}")

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
            name=section.target(topic, table),
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

    def _adopting(self, section: TableSection) -> TableSpec | None:
        """The target of a section whose rows take their positions from a column; None if they do
        not, or events alone tell its name."""
        # With such a clock the options name it.
        table = str(self._envelope.options.get("table", ""))
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
        return row_clock(self._envelope.name, self._envelope.options, column, section.adopt_without)


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
            f"{section.place}: {section.name:.80} cannot be a target: {why}; write another name"
        )

"""Where a held delivery came from: its source, and the envelope that read it, with its options.

An entry of the quarantine keeps that as a text, so that it can be decoded again by whoever opens
the store: entries of several pipelines lie in one quarantine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from anyorder._core.event import Delivery, Event, Kind, canonical
from anyorder.envelopes import Envelope, open_envelope
from anyorder.errors import ConfigurationError


class Provenance(msgspec.Struct, frozen=True):
    """`envelope`: its name; `options`: what it was opened with. `source`: as its pipeline names it,
    "" where nothing does: records that a program applies, standard input. `table`: the table to
    which a program applied them. `own_sql`: it was held by a program whose own SQL writes the
    rows."""

    envelope: str
    options: dict[str, Any] = {}
    source: str = ""
    table: str = ""
    own_sql: bool = False

    def __str__(self) -> str:
        """The text that a store keeps: one spelling for each provenance."""
        told = msgspec.structs.asdict(self)
        # What most do not have is not spelled out, as entries of before do not.
        if not self.table:
            del told["table"]
        if not self.own_sql:
            del told["own_sql"]
        return canonical(told)

    def is_of(self, envelope: Envelope, source: str, table: str) -> bool:
        """Is it this source's own, which this envelope reads by now? Where nothing names the
        source, the same format of the same table must tell."""
        if source != "" or self.source != "":
            return self.source == source
        # Two tables of one program wait for each other, and each has options of its own.
        is_same = self.envelope == envelope.name and self.table in ("", table)
        return is_same and self.options.get("table") == envelope.options.get("table")

    def is_from(self, source: str) -> bool:
        """Did a pipeline over this source hold it? Of what no source names (standard input), any
        pipeline over such a one."""
        is_by_program = self.table != "" or self.own_sql
        return not is_by_program and self.source == source


_provenance = msgspec.json.Decoder(Provenance)


def provenance_of(
    envelope: Envelope,
    source: str = "",
    table: str = "",
    *,
    own_sql: bool = False,
) -> str:
    """What an entry keeps of a delivery that this envelope read. `table`: to which a program
    applied it; `own_sql`: one whose own SQL writes the rows."""
    # In JSON's own types: a program may give a set, or a text of a type of its own.
    options = msgspec.to_builtins(dict(envelope.options), enc_hook=_plain, order="deterministic")
    return str(Provenance(envelope.name, options, source, table, own_sql))


def source_of(provenance: str) -> str:
    """The source that an entry names, as its pipeline does; "" where it names none."""
    try:
        return _provenance.decode(provenance).source
    # of before, when entries kept none; or by a later anyorder
    except msgspec.DecodeError:
        return ""


def is_from(provenance: str, source: str) -> bool:
    """`Provenance.is_from` of the text that an entry keeps; never of one that nobody can read."""
    try:
        return _provenance.decode(provenance).is_from(source)
    except msgspec.DecodeError:
        return False


def _plain(value: object) -> object:
    """An option that JSON has no type for, as near to it as can be."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Iterable):
        return list(value)
    return repr(value)


class Unopened:
    """Stands for an envelope that an entry names and nobody can open any more."""

    def __init__(self, name: str, problem: Exception) -> None:
        self.name = name
        self.options: Mapping[str, Any] = {}
        self._note = f"the envelope {name!r:.80} that read it cannot be opened any more: {problem}"

    def decode(self, delivery: Delivery) -> Event:
        """Of kind MALFORMED, whatever it is: nobody knows how to read it."""
        return Event(Kind.MALFORMED, note=self._note, delivery=delivery)


class Envelopes:
    """The envelopes of a quarantine's entries, each opened once."""

    def __init__(self) -> None:
        self._opened: dict[str, Envelope] = {}

    def of(self, provenance: str, own: Envelope, source: str = "", table: str = "") -> Envelope:
        """The envelope of an entry. `own` reads those of its own source, so that an option which
        was corrected counts at once, and those of before, which name none. All others are read as
        they were when they came."""
        if not provenance:
            return own
        try:
            told = _provenance.decode(provenance)
        except msgspec.DecodeError as error:
            return Unopened(provenance, error)
        return own if told.is_of(own, source, table) else self._recorded(provenance, told)

    def _recorded(self, provenance: str, told: Provenance) -> Envelope:
        opened = self._opened.get(provenance)
        if opened is None:
            opened = self._opened[provenance] = _opened(told)
        return opened


def _opened(told: Provenance) -> Envelope:
    try:
        return open_envelope(told.envelope, **told.options)
    # by a later anyorder perhaps, whose envelope or options this one does not know
    except (ConfigurationError, TypeError) as error:
        return Unopened(told.envelope, error)

"""The JSON schema of a pipeline file, made of the structs that read it, for editors that complete
and check TOML."""

from __future__ import annotations

from typing import Any

import msgspec

from anyorder._core.key import KeyKind
from anyorder._core.row_clock import COLUMN, WORDS
from anyorder.envelopes import ENVELOPES, options_of
from anyorder.runtime.sections import PipelineFile
from anyorder.sources import DOORS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OWN = "^[^:]+:[^:]+"  # module:factory, as far as a schema need know it
Schema = dict[str, Any]


def schema() -> Schema:
    """What a file may say. A source of the user's own may have any key."""
    sections = _parts(PipelineFile)
    _narrow(sections["TableSection"]["properties"])
    sections["SourceSection"] = _source(sections["SourceSection"]["properties"])
    whole = sections.pop("PipelineFile")
    return {"$schema": DIALECT, "title": "An anyorder pipeline", **whole, "$defs": sections}


def _parts(struct: type[msgspec.Struct]) -> dict[str, Schema]:
    """A struct, and those in it, by their names."""
    _, parts = msgspec.json.schema_components([struct], ref_template="#/$defs/{name}")
    return {name: _plain(part) for name, part in parts.items()}


def _plain(part: Schema) -> Schema:
    """Without the name of the struct, and with its words in one line."""
    told = {name: value for name, value in part.items() if name != "title"}
    if "description" in told:
        told["description"] = " ".join(told["description"].split())
    return told


def _narrow(table: Schema) -> None:
    """`[[table]]`: what is a text to msgspec, and of which only some words mean anything."""
    table["kinds"]["additionalProperties"] = {"enum": [kind.value for kind in KeyKind]}
    table["adopt"]["pattern"] = f"^({'|'.join(WORDS)}|{COLUMN}.+)$"
    table["adopt_without"]["enum"] = list(WORDS)


def _source(common: Schema) -> Schema:
    """`[source]`: what every source has, and what its kind has beside."""
    common = {**common, "envelope": {**common["envelope"], "enum": list(ENVELOPES)}}
    kinds = [_of_kind(kind, common) for kind in DOORS]
    own = {**common, "kind": {"type": "string", "pattern": OWN}}
    kinds.append({"type": "object", "properties": own, "required": ["kind"]})
    return {"oneOf": kinds, "allOf": [_of_envelope(name) for name in ENVELOPES]}


def _of_kind(kind: str, common: Schema) -> Schema:
    struct = DOORS[kind].struct()
    of_its_own = _parts(struct)[struct.__name__]["properties"]
    # Only the one that is meant where none is said may be left out.
    required = [] if kind == common["kind"]["default"] else ["kind"]
    return {
        "type": "object",
        "properties": {**common, **of_its_own, "kind": {"const": kind}},
        "required": required,
        "additionalProperties": False,
    }


def _of_envelope(name: str) -> Schema:
    """The options that an envelope has, where it is said."""
    known = {"propertyNames": {"enum": options_of(name)}}
    return {
        "if": {"properties": {"envelope": {"const": name}}, "required": ["envelope"]},
        "then": {"properties": {"options": known}},
    }

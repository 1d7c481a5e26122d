"""`python -m tests.docs.generate`: writes the parts of the pages that the code's own tables say.
`make docs` runs it.

A part lies between `<!-- generated: NAME -->` and `<!-- end of generated -->`; everything around it
is written by hand.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal, get_args, get_origin

import msgspec

import anyorder
import anyorder.envelopes
import anyorder.sources
import anyorder.stores
from anyorder import contract, errors
from anyorder._core.outcome import REASONS, Outcome
from anyorder.envelopes.debezium_sources import SOURCES
from anyorder.envelopes.envelope import Reader
from anyorder.envelopes.formats import FORMATS
from anyorder.guard.contract import Promises
from anyorder.guard.quarantine import Quarantine
from anyorder.runtime import sections
from anyorder.runtime.limits import LimitsSection
from anyorder.tables import Guard
from anyorder.testing import CHECKS, Place, StoreCheckFailed, check_store
from anyorder.testing.kit import must_hold
from tests.docs.pages import GENERATED, pages, read

OUTCOMES = {
    Outcome.APPLIED: "The row, or what is remembered of it, changed.",
    Outcome.IGNORED: "Nothing to do, and provably so.",
    Outcome.QUARANTINED: (
        "Not applied, not lost: kept with its bytes and this reason until it settles "
        "by itself or somebody settles it."
    ),
}
KEYS = {
    ("table", "kinds"): (
        'The kind of key columns: `kinds = { id = "number" }`, `"text"` or `"boolean"`. Without it '
        "a column is of the type that your own table gives it, else of the first event's kind. See "
        "[keys](envelopes.md#keys)."
    ),
    (
        "source",
        "kind",
    ): (
        "Where deliveries come from. `jsonl`: a file, or standard input. `sqs`: [a "
        "queue](../how-to/run-from-sqs.md); needs the extra `aws`. `module:factory`: "
        "[a source of your own](#a-source-of-your-own)."
    ),
    ("source", "envelope"): "The format of the records: see [envelopes](envelopes.md).",
    (
        "source",
        "options",
    ): (
        'Options of the envelope, for example `options = { tombstone = "delete" }`. '
        "`json` from `sqs` needs `table`."
    ),
    (
        "jsonl",
        "path",
    ): (
        "The file; `.gz` and `.xz` are unpacked. `-` is standard input, which cannot resume. "
        "[What is too long](#what-is-too-long) is `malformed`."
    ),
    ("jsonl", "format"): (
        "What the file looks like: `lines` (a record a line), `json` (over many lines, or arrays), "
        "`columns` (what kafka-console-consumer and `kcat -K` print). `auto`: its beginning tells. "
        "See [Read a dump](../how-to/read-a-dump.md)."
    ),
    ("jsonl", "separator"): "What stands between columns; by default the first line tells.",
    ("jsonl", "null"): (
        'What stands for a null between columns; by default `null` and `NULL`. `""`: nothing, as '
        "kcat prints it without `-Z`."
    ),
    ("jsonl", "topic"): "The topic of records that do not tell theirs.",
    ("sqs", "queue"): "The queue's name or URL. Required.",
    ("sqs", "region"): "The region; by default what boto3 finds.",
    ("sqs", "endpoint"): "Another service's URL.",
    ("sqs", "visibility"): "Seconds for which a message is ours; the queue's own by default.",
    ("sqs", "drain"): "End when the queue is empty.",
    (
        "store",
        "url",
    ): (
        "See [stores](stores.md). `$NAME` is taken from the environment, so a secret "
        "need not be in the file; `$$` is a dollar."
    ),
    (
        "runtime",
        "batch",
    ): "At most this many deliveries are decided together. It changes speed, never the result.",
    (
        "runtime",
        "quarantine_size",
    ): (
        "The run stops (exit code 1) when the quarantine holds more bytes than this: "
        "`KB`, `MB`, `GB`."
    ),
    (
        "runtime",
        "quarantine_share",
    ): (
        "The run stops when more than this share of the latest 1,000 deliveries went "
        "to the quarantine."
    ),
    ("limits", "line"): "Bytes of a line of a file, without its end. `B`, `KB`, `KiB`, ... `GiB`.",
    ("limits", "document"): "Bytes of one JSON document.",
    ("limits", "depth"): "Arrays and objects inside one another; 500 at most.",
    ("limits", "members"): "Members of all objects of a document together.",
    ("limits", "digits"): "Digits of one number, written out without an exponent. An integer has "
    "4,300 at most, whatever this says.",
    ("limits", "unpacked"): "Bytes that a packed file may unpack to.",
    ("limits", "expansion"): "Or so many times its own size, if that is more.",
    ("limits", "memory"): "Bytes that unpacking an `.xz` may need.",
    (
        "table",
        "match",
    ): (
        "A glob over the topic, or over the event's own table where there is no "
        "topic. The first `[[table]]` that fits wins."
    ),
    (
        "table",
        "name",
    ): "The table to keep. `{schema}`, `{table}` and `{topic}` are filled in from the event; "
    "nothing else may stand in braces.",
    (
        "table",
        "key",
    ): "The columns of the records' key, if you want to be sure of them: an event with "
    "another key is `malformed`. Without it the key is learned from the first event. It does not "
    "choose a key: that is in the record, or an option of the envelope.",
    (
        "table",
        "retention",
    ): (
        'How long tombstones are kept: `"forever"`, `"48h"`, or seconds. See [choose '
        "a retention](../how-to/choose-a-retention.md)."
    ),
    (
        "table",
        "adopt",
    ): (
        'Rows that no event explains: `"refuse"`, `"older-than-everything"`, or `"column:NAME"`: '
        "each [has its position in that column](../how-to/adopt-by-column.md). See [adopt a "
        "table](../how-to/adopt-a-table.md)."
    ),
    ("table", "adopt_without"): "With `column:NAME`, what a row is whose column holds no position: "
    '`"older-than-everything"`, or a reason to `"refuse"` the table.',
    (
        "table",
        "partitions",
    ): (
        "The partition count of the topic. Needed with a retention where the Kafka "
        "offset is the clock."
    ),
    ("table", "source"): "The source table that it takes, as the records tell it "
    "(`shop.public.users`), or several that are one table (a renamed topic, a moved schema). "
    "Others go on to the next `[[table]]`.",
    ("table", "merge"): "Your word that keys are unique over every source table that fits "
    "(shards, partitions): all are kept in one target, and a truncate of one is a `conflict`.",
    ("table", "ignore"): "Deliveries that match are counted as `not_a_change` and go nowhere.",
}
OF_ALL = (["--quiet"], ["--verbose"], ["--version"])
SOURCE_DOORS = {kind: door.struct() for kind, door in anyorder.sources.DOORS.items()}
SECTIONS = {
    "source": sections.SourceSection,
    **SOURCE_DOORS,
    "store": sections.StoreSection,
    "runtime": sections.RuntimeSection,
    "limits": LimitsSection,
    "table": sections.TableSection,
}


HEADINGS = {
    "table": "[[table]]",
    **{kind: f"[source] of kind {kind}" for kind in SOURCE_DOORS},
}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    names = list(header)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return (
        "\n".join(
            "| "
            f"{' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in line)}"
            " |"
            for line in lines
        )
        + "\n"
    )


def reasons() -> str:
    parts = []
    for outcome, what in OUTCOMES.items():
        found = [
            (reason, meaning) for reason, meaning in REASONS.items() if meaning.outcome is outcome
        ]
        rows = ((f"`{reason.value}`", meaning.when, meaning.to_do) for reason, meaning in found)
        parts.append(
            f"## {outcome.value}\n\n{what}\n\n" + table(("reason", "when", "what to do"), rows)
        )
    return "\n".join(parts)


def sentences() -> str:
    return table(
        ("reason", "an event with it ..."),
        ((f"`{reason.value}`", meaning.sentence) for reason, meaning in REASONS.items()),
    )


def command_line() -> str:
    parts = []
    for name, verb in import_module("anyorder.cli.main").VERBS.items():
        parser = parser_of(name)
        parts.append(
            f"## anyorder {name}\n\n{verb.summary[0].upper()}{verb.summary[1:]}.\n\n"
            f"{_arguments(parser)}"
        )
    return "\n".join(parts)


def parser_of(name: str) -> argparse.ArgumentParser:
    """A verb's parser, as it is without any ANYORDER_ variable."""
    kept = {
        variable: os.environ.pop(variable)
        for variable in list(os.environ)
        if variable.startswith("ANYORDER_")
    }
    try:
        return import_module("anyorder.cli.main").parser_of(name)
    finally:
        os.environ.update(kept)


def _arguments(parser: argparse.ArgumentParser) -> str:
    rows = []
    for action in parser._actions:
        # What every verb takes is said once, in the page.
        if isinstance(action, argparse._HelpAction) or action.option_strings[-1:] in OF_ALL:
            continue
        words, _, variable = (action.help or "").partition(" [ANYORDER_")
        rows.append(
            (
                _spelled(action),
                words,
                f"`ANYORDER_{variable.removesuffix(']')}`" if variable else "",
            )
        )
    return table(("argument", "what it is", "environment"), rows) if rows else "No arguments.\n"


def _spelled(action: argparse.Action) -> str:
    """`--state STATE`, `[KEY]`, with the choices where there are few."""
    choices = (
        f" {{{', '.join(str(c) for c in action.choices if c)}}}"
        if action.choices and not action.metavar
        else ""
    )
    if not action.option_strings:
        name = str(action.metavar or action.dest).upper()
        return f"`[{name}]{choices}`" if action.nargs in ("?", "*") else f"`{name}{choices}`"
    takes = "" if action.nargs == 0 else choices or f" {action.metavar or action.dest.upper()}"
    return f"`{action.option_strings[-1]}{takes}`"


def public_names() -> str:
    parts = []
    for name in anyorder.__all__:
        value = getattr(import_module(f"anyorder.{anyorder._HOMES[name]}"), name)
        parts.append(f"## {name}\n\n{_signature(name, value)}{_prose(inspect.getdoc(value) or '')}")
        if inspect.isclass(value) and not issubclass(value, Exception):
            parts += [_member(name, *member) for member in _members(value)]
    return "\n".join(parts)


def reached_names() -> str:
    """Classes that are not public names but are handed out by them."""
    parts = []
    for value in (Guard, Quarantine):
        parts.append(f"### {value.__name__}\n\n{_prose(inspect.getdoc(value) or '')}")
        parts += [
            _member(value.__name__, *member).replace("###", "####", 1) for member in _members(value)
        ]
    return "\n".join(parts)


def _members(value: type) -> Iterator[tuple[str, Any]]:
    """The documented public methods and properties that a class itself defines."""
    for name, member in vars(value).items():
        if (
            not name.startswith("_")
            and (inspect.isfunction(member) or isinstance(member, property))
            and inspect.getdoc(member)
        ):
            yield name, member


def _member(owner: str, name: str, member: Any) -> str:
    if isinstance(member, property):
        return f"### {owner}.{name}\n\n{_prose(inspect.getdoc(member) or '')}"
    return (
        f"### {owner}.{name}\n\n{_signature(f'{owner}.{name}', member)}"
        f"{_prose(inspect.getdoc(member) or '')}"
    )


def _signature(name: str, value: Any) -> str:
    """`Table.apply(records, *, envelope=None)`: names and defaults; the types are in the source."""
    if not inspect.isfunction(value):
        return ""
    shown, marked = [], False
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not marked:
            shown.append("*")
            marked = True
        prefix = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
        default = "" if parameter.default is parameter.empty else f"={parameter.default!r}"
        shown.append(f"{prefix}{parameter.name}{default}")
    return f"`{name}({', '.join(shown)})`\n\n"


def _prose(text: str) -> str:
    """A docstring as Markdown: `Args:` and `Raises:` blocks become lists."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.rstrip(":") in ("Args", "Raises", "Returns") and line.endswith(":"):
            inside = True
            lines += ["", line, ""]
        elif inside and line.startswith("        "):
            lines[-1] += f" {line.strip()}"
        elif inside and line.startswith("    "):
            name, _, rest = line.strip().partition(": ")
            lines.append(f"* `{name}`: {rest}")
        else:
            inside = inside and not line.strip()
            lines.append(line)
    squeezed = "\n".join(lines).strip()
    while "\n\n\n" in squeezed:
        squeezed = squeezed.replace("\n\n\n", "\n\n")
    return squeezed + "\n"


def exceptions() -> str:
    found = [
        c
        for _, c in inspect.getmembers(errors, inspect.isclass)
        if issubclass(c, errors.AnyorderError)
    ]
    return table(("exception", "what it says"), ((f"`{c.__name__}`", str(c())) for c in found))


def stores() -> str:
    rows = []
    for found in promises():
        yes = {True: "yes", False: "no"}
        rows.append(
            (
                found.name,
                found.guard,
                found.memory,
                yes[found.forgets],
                yes[found.one_transaction],
                yes[found.exact_outcome],
                found.note,
            )
        )
    return table(
        (
            "store",
            "guard",
            "memory",
            "forgets safely",
            "one transaction a batch",
            "exact outcome",
            "note",
        ),
        rows,
    )


def promises() -> list[Promises]:
    """What each store behind a door of ours promises."""
    found = [door.struct().promises for door in anyorder.stores.DOORS.values()]
    return sorted(found, key=lambda one: (one.name != "SQLite", one.name == "memory", one.name))


def doors() -> str:
    """How each store's URL is written, and what it needs."""
    rows = []
    for door in anyorder.stores.DOORS.values():
        needs = f"`pip install 'anyorder[{door.extra}]'`" if door.extra else ""
        spelling = re.sub(r"\w+://[^\s,]*", r"`\g<0>`", door.spelling)
        rows.append((door.struct().promises.name, spelling, needs))
    return table(("store", "URL", "needs"), rows)


def contract_protocols() -> str:
    """What a store and a source implement."""
    parts = []
    told = (
        contract.Store,
        contract.Transaction,
        contract.Sharing,
        contract.Shared,
        contract.Locking,
        contract.Source,
        contract.Stoppable,
        contract.Measured,
    )
    for value in told:
        told = _prose(inspect.getdoc(value) or "")
        rows = [(_called(*member), _words(member[1])) for member in _members(value)]
        parts.append(f"## {value.__name__}\n\n{told}\n" + table(("member", "what it does"), rows))
    return "\n".join(parts)


def contract_values() -> str:
    """What they are given and give."""
    shown = {"Store", "Transaction", "Sharing", "Shared", "Locking"}
    shown |= {"Source", "Stoppable", "Measured"}
    values = {name: getattr(contract, name) for name in contract.__all__ if name not in shown}
    told = [(f"`{name}`", _words(values[name])) for name in values if _words(values[name])]
    return table(("name", "what it is"), told)


def _called(name: str, member: Any) -> str:
    signature = _signature(name, member).strip()
    return signature or f"`{name}`"


def _words(value: Any) -> str:
    """The docstring that a value itself has, on one line."""
    if isinstance(value, property):
        value = value.fget
    if not getattr(value, "__module__", "").startswith("anyorder."):
        return ""  # an alias: what it stands for is no name of ours
    return " ".join((inspect.getdoc(value) or "").split())


def kit() -> str:
    """The function that runs the checks, and what it raises."""
    called = f"{_signature('check_store', check_store)}{_prose(inspect.getdoc(check_store) or '')}"
    return (
        f"## check_store\n\n{called}\n## "
        f"StoreCheckFailed\n\n{_prose(inspect.getdoc(StoreCheckFailed) or '')}"
    )


def kit_checks() -> str:
    """Each check and what must hold, as its report says it."""
    return table(
        ("check", "what must hold"),
        ((name, must_hold(check)) for name, check in CHECKS.items()),
    )


def kit_place() -> str:
    """What a place is made of."""
    parts = re.split(
        r"^`([\w]+(?:\([\w, ]*\))?)`: ", inspect.getdoc(Place) or "", flags=re.MULTILINE
    )
    rows = (
        (f"`{name}`", " ".join(what.split()))
        for name, what in zip(parts[1::2], parts[2::2], strict=True)
    )
    return f"{' '.join(parts[0].split())}\n\n" + table(("member", "what it is"), rows)


def envelopes() -> str:
    """Every envelope, what it reads and its options, from its class."""
    rows = []
    for reader in readers():
        parameters = inspect.signature(reader.__init__).parameters.values()
        options = [
            p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty
        ]
        what = (inspect.getdoc(inspect.getmodule(reader)) or "").split("\n\n")[0]
        rows.append((f"`{reader.name}`", what, ", ".join(f"`{option}`" for option in options)))
    return table(("envelope", "what it reads", "options"), rows)


def readers() -> list[type[Reader]]:
    found = {}
    for module in iter_modules(anyorder.envelopes.__path__, "anyorder.envelopes."):
        for _, value in inspect.getmembers(import_module(module.name), inspect.isclass):
            if issubclass(value, Reader) and "name" in vars(value):
                found[value.name] = value
    return [found[name] for name in sorted(found)]


def options() -> str:
    """What each envelope's options mean: its class docstring."""
    return (
        "".join(
            f"### {reader.name}\n\n{_prose(inspect.getdoc(reader) or '')}\n" for reader in readers()
        ).rstrip("\n")
        + "\n"
    )


def connectors() -> str:
    rows = ((f"`{name}`", source.evidence) for name, source in SOURCES.items())
    return table(("Debezium connector", "what our reading of its positions rests on"), rows)


def formats() -> str:
    """What `anyorder decode` tells apart."""
    rows = (
        (
            found.name,
            f"`{found.envelope}`" if found.envelope else "none",
            found.why[0].upper() + found.why[1:],
        )
        for found in FORMATS
    )
    return table(("format", "envelope", "what `anyorder decode` says of it"), rows)


def keys() -> str:
    parts = []
    for name, section in SECTIONS.items():
        heading = HEADINGS.get(name, f"[{name}]")
        fields = msgspec.structs.fields(section)
        rows = [
            (f"`{field.name}`", _type(field.type), _default(field), KEYS[name, field.name])
            for field in fields
        ]
        parts.append(f"### {heading}\n\n" + table(("key", "type", "default", "what it is"), rows))
    return "\n".join(parts)


def _type(kind: Any) -> str:
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    if kind in names:
        return names[kind]
    if get_origin(kind) is Literal:
        return "text"
    parts = [part for part in get_args(kind) if part is not type(None)]
    if getattr(kind, "__origin__", None) is list:
        return "list of texts"
    if getattr(kind, "__origin__", None) is dict:
        return "table"
    return " or ".join(_type(part) for part in parts)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return "none" if value is None else f"`{msgspec.json.encode(value).decode()}`"


PARTS: dict[str, Callable[[], str]] = {
    "reasons": reasons,
    "sentences": sentences,
    "command-line": command_line,
    "public-names": public_names,
    "reached-names": reached_names,
    "exceptions": exceptions,
    "stores": stores,
    "store-doors": doors,
    "envelopes": envelopes,
    "envelope-options": options,
    "connectors": connectors,
    "formats": formats,
    "pipeline-keys": keys,
    "contract-protocols": contract_protocols,
    "contract-values": contract_values,
    "kit": kit,
    "kit-checks": kit_checks,
    "kit-place": kit_place,
}


def regenerated(text: str) -> str:
    """A page with its generated parts as the code says today. Raises KeyError for a part that
    nothing generates."""
    return GENERATED.sub(
        lambda found: (
            f"<!-- generated: {found['name']} -->\n\n{PARTS[found['name']]()}\n<!-- end "
            "of generated -->"
        ),
        text,
    )


def main() -> int:
    for page in pages():
        text = read(page)
        fresh = regenerated(text)
        if fresh != text:
            page.write_text(fresh, encoding="utf-8")
            print(f"written: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

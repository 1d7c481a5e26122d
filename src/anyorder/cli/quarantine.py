"""`anyorder quarantine list | show ID | retry [ID] | settle ID`: what could not be decided."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path

from anyorder._core.event import Delivery
from anyorder._core.outcome import REASONS, Reason
from anyorder.cli.main import Parser, word
from anyorder.cli.output import add_formats, encoded, print_rows
from anyorder.cli.terminal import say
from anyorder.envelopes.provenance import source_of
from anyorder.errors import ConfigurationError
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.contract import Decode, Entry, Store, TableSpec
from anyorder.guard.quarantine import Quarantine
from anyorder.guard.retry import Retried, Retry
from anyorder.guard.routes import Unrouted
from anyorder.runtime.pipeline import Pipeline, load_pipeline
from anyorder.urls import without_secrets

LONGEST_NUMBER = 18  # digits of an entry's id
TAKEN = {
    "list": {"--state", "--reason", "--json", "--nl", "--csv"},
    "show": {"WHICH", "--json", "--nl", "--csv"},
    "retry": {"WHICH"},
    "settle": {"WHICH", "--accept", "--drop", "--from-source"},
    "dismiss": {"WHICH"},
}
"""What each act goes by, beside the pipeline."""


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "act",
        choices=["list", "show", "retry", "settle", "dismiss"],
        help="retry: decode, route and decide again what is open, or the entry ID; "
        "dismiss SCOPE: the suspicion of a reset was wrong",
    )
    parser.add_argument(
        "which",
        nargs="?",
        type=word,
        help="an entry's id (retry: all without it); for dismiss, the scope that "
        "`anyorder doctor` names",
    )
    parser.add_option("--pipeline", "the pipeline file", default=None)
    parser.add_argument(
        "--state",
        default=None,
        choices=["open", "settled", "accepted", "dropped", "all"],
        help="which entries to list (default: open)",
    )
    parser.add_argument(
        "--reason",
        default="",
        choices=["", *(r.value for r in Reason)],
        help="only entries of this reason",
        metavar="REASON",
    )
    decisions = parser.add_mutually_exclusive_group()
    decisions.add_argument(
        "--accept",
        action="store_true",
        help="your word counts: write the event, marked as declared",
    )
    decisions.add_argument("--drop", action="store_true", help="close the entry, write nothing")
    decisions.add_argument(
        "--from-source", action="store_true", help="read the row again at its source"
    )
    add_formats(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0; `list` and `retry` give 1 if there is an open entry."""
    _check_words(options)
    pipeline = load_pipeline(options.pipeline)
    with closing(pipeline.existing_store()) as store:
        return _act(options, pipeline, store, Quarantine(store, None, pipeline.decode))


def _check_words(options: argparse.Namespace) -> None:
    """Raises ConfigurationError for a word that the act does not go by: who writes it thinks that
    it does."""
    said = {
        "WHICH": options.which is not None,
        "--state": options.state is not None,
        "--reason": options.reason != "",
        "--accept": options.accept,
        "--drop": options.drop,
        "--from-source": options.from_source,
        f"--{options.format}": options.format != "table",
    }
    unused = [name for name, is_said in said.items() if is_said and name not in TAKEN[options.act]]
    if unused:
        word = options.which if unused[0] == "WHICH" else unused[0]
        taken = ", ".join(sorted(TAKEN[options.act]))
        raise ConfigurationError(
            f"`quarantine {options.act}` does not go by {word}; it takes {taken}"
        )


def _act(
    options: argparse.Namespace, pipeline: Pipeline, store: Store, quarantine: Quarantine
) -> int:
    match options.act:
        case "list":
            state = options.state or "open"
            entries = quarantine.entries("" if state == "all" else state, options.reason)
            rows = [
                brief(entry) if options.format == "table" else summary(entry) for entry in entries
            ]
            print_rows(
                rows,
                options,
                "the quarantine is empty"
                if state == "open" and not options.reason
                else "no such entry",
            )
            return int(any(entry.state == "open" for entry in entries))
        case "show":
            entry = quarantine.show(_number(options))
            say(shown(entry, options.format, pipeline.decode))
        case "retry":
            number = None if options.which is None else _number(options)
            return _retried(Retry(store, _catalogue(pipeline, store), pipeline.decode).run(number))
        case "settle":
            say(_settled(options, pipeline, store, quarantine))
        case _:
            specs = _catalogue(pipeline, store).specs()
            say(f"{quarantine.dismiss(options.which or '', specs)} entries closed")
    return 0


def _retried(done: Retried) -> int:
    say(f"{done.settled} settled, {done.open} still open")
    if done.own:
        say(f"{done.own} were held by your own code: deliver these events to it again")
    return int(done.open > 0)


def _catalogue(pipeline: Pipeline, store: Store) -> Catalogue:
    with store.reading() as transaction:
        return pipeline.catalogue(transaction)


def summary(entry: Entry) -> dict[str, object]:
    """One line of the list; scripts rely on id, table, key, reason and state."""
    return {
        "id": entry.id,
        "table": entry.table,
        "key": entry.key,
        "reason": entry.reason,
        "state": entry.state,
        "count": entry.count,
        "first_seen": _when(entry.first_seen),
        "last_seen": _when(entry.last_seen),
        "detail": entry.detail,
        "identity": entry.identity,
    }


def brief(entry: Entry) -> dict[str, object]:
    """The same for people, as much as fits a terminal."""
    whole = summary(entry)
    return {
        name: whole[name]
        for name in ("id", "table", "key", "reason", "state", "count", "last_seen", "detail")
    }


def shown(entry: Entry, format: str, decode: Decode) -> str:
    """One entry with its bytes, for people or for scripts."""
    delivery = entry.delivery
    record = (
        {}
        if delivery is None
        else {
            "event": decode(entry.provenance, delivery).kind.value,
            "source": without_secrets(source_of(entry.provenance)),
            "place": _place(entry.provenance, delivery),
            "headers": delivery.headers,
            "record_key": _readable(delivery.key),
            "value": _readable(delivery.value),
        }
    )
    if format != "table":
        return encoded({**summary(entry), **record})
    lines = [
        f"{name:<11} {value if isinstance(value, str) else encoded(value)}"
        for name, value in {**summary(entry), **record}.items()
    ]
    meaning = REASONS[Reason(entry.reason)]
    return "\n".join(
        [*lines, "", f"{entry.reason}: {meaning.when}", f"What to do: {meaning.to_do}"]
    )


def _place(provenance: str, delivery: Delivery) -> str:
    """Where a delivery came from; a line with the name of its file."""
    if delivery.partition >= 0 or delivery.offset < 0:
        return delivery.place
    file = Path(source_of(provenance).partition(":")[2]).name or "standard input"
    line = f"{file} line {delivery.offset}"
    return f"{delivery.topic}, {line}" if delivery.topic else line


def _readable(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _settled(
    options: argparse.Namespace, pipeline: Pipeline, store: Store, quarantine: Quarantine
) -> str:
    number = _number(options)
    if options.drop:
        quarantine.drop(number)
        return f"entry {number} is dropped"
    if options.from_source:
        raise ConfigurationError(
            "--from-source needs a source that can be asked, and a JSON-lines file cannot: "
            "use --accept or --drop"
        )
    if not options.accept:
        raise ConfigurationError(
            f"how shall entry {number} be settled? Say --accept, --drop or --from-source"
        )
    return quarantine.accept(number, _spec_for(pipeline, store, quarantine.show(number)))


def _spec_for(pipeline: Pipeline, store: Store, entry: Entry) -> TableSpec | None:
    """The table of an entry. What no table took is routed again: a [[table]] may take it now."""
    catalogue = _catalogue(pipeline, store)
    if entry.table or entry.state != "open" or entry.delivery is None:
        return catalogue.spec_of(entry.table)
    event = pipeline.decode(entry.provenance, entry.delivery)
    (route,) = catalogue.routes(store, [event], time.time())
    if isinstance(route, Unrouted) and route.detail:
        raise ConfigurationError(f"entry {entry.id} cannot be accepted: {route.detail}")
    return route if isinstance(route, TableSpec) else None


def _number(options: argparse.Namespace) -> int:
    text = options.which or ""
    # a number that no store gives is no entry's either
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise ConfigurationError(
            f"`quarantine {options.act}` needs an entry's id; `anyorder quarantine list` shows them"
        )
    return int(text)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

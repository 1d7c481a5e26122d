"""`anyorder quarantine settle --accept | --drop`: an operator's word, for one entry or many."""

from __future__ import annotations

import argparse
import time
from functools import partial

import msgspec

from anyorder.cli.acts.answers import answer, counts, is_agreed, sample
from anyorder.cli.acts.asked import THE_ONE, Asked
from anyorder.cli.acts.filters import STANDARD_INPUT, Found, found_of, is_filtered
from anyorder.cli.acts.refused import missing, refused_lines
from anyorder.cli.terminal import say
from anyorder.errors import ConfigurationError
from anyorder.guard.catalogue import Catalogue
from anyorder.guard.choice import Choice
from anyorder.guard.contract import Entry, TableSpec
from anyorder.guard.routes import Unrouted
from anyorder.runtime.bulk import Bulk, Done


def settle(asked: Asked) -> int:
    """`settle ID`, `settle -` or `settle` with filters. Exit code 1 if one was refused."""
    options = asked.options
    is_one = options.which not in (None, STANDARD_INPUT)
    if is_one and is_filtered(options):
        raise ConfigurationError(_either(options))
    if options.which is None and not is_filtered(options):
        raise ConfigurationError(
            "which entries shall be settled? Say an id, - for ids from standard input, or a filter "
            "(--table, --reason, --key, --detail, --older, --limit)"
        )
    if options.accept is None and not options.drop:
        what = f"entry {asked.number}" if is_one else "they"
        raise ConfigurationError(f"How shall {what} be settled? Say --accept or --drop")
    is_of_one = options.of is not None or options.accept not in (None, THE_ONE)
    if is_of_one and not is_one:
        raise ConfigurationError("a content's number, and --of, are said of one entry: give its id")
    return _one(asked) if is_one else _many(asked)


def _either(options: argparse.Namespace) -> str:
    """What to say instead of an id and filters."""
    # `--accept 1` beside a filter reads as if it chose a content of each.
    if options.is_by_accept:
        return (
            f"`--accept {options.which}` names entry {options.which} here, and the filters name "
            "others. To accept what the filters name: settle FILTERS --accept. To accept content "
            f"{options.which} of one entry: settle ID --accept {options.which}"
        )
    return "an entry's id, or filters: say one of the two"


# ---- one


def _one(asked: Asked) -> int:
    options, number = asked.options, asked.number
    entry = asked.quarantine.show(number)
    if options.dry_run:
        return _foreseen(asked, entry)
    spec = table_of(asked, asked.catalogue(), entry)
    if options.drop:
        done, said = Done(dropped=1), asked.quarantine.drop(number, spec, of=options.of)
    else:
        content = None if options.accept == THE_ONE else options.accept
        said = asked.quarantine.accept(number, spec, content=content, of=options.of)
        done = Done(accepted=1)
    answer(options, {**msgspec.structs.asdict(done), "answer": said}, said)
    return 0


def _foreseen(asked: Asked, entry: Entry) -> int:
    """What a word for this entry would be; no word for one that is closed, or for a content that it
    does not list."""
    options = asked.options
    if entry.state != "open":
        raise ConfigurationError(f"entry {entry.id} is {entry.state} already")
    choice = Choice(entry, asked.pipeline.decode)
    choice.check(options.of)
    number = None if options.accept == THE_ONE else options.accept
    text = choice.text() if entry.contents else ""
    if number is not None:
        text = f"content {number}: {choice.told(number)}"
    sample(options, _verb(asked), [entry], content=number, text=text)
    return 0


# ---- many


def _many(asked: Asked) -> int:
    options = asked.options
    found = found_of(asked)
    if options.dry_run:
        sample(options, _verb(asked), found.entries)
        return 0
    if not _may(asked, found):
        say("nothing was settled")
        return 1
    catalogue = asked.catalogue()
    bulk = Bulk(asked.store, partial(table_of, asked, catalogue), asked.pipeline.decode)
    done = bulk.drop(found.entries) if options.drop else bulk.accept(found.entries)
    done.refused |= missing(found)
    is_left = bool(done.refused)
    answer(options, msgspec.structs.asdict(done), "\n".join(_lines(done)), needs_a_hand=is_left)
    return int(is_left)


def _may(asked: Asked, found: Found) -> bool:
    """Does the person agree? Who names the ids has looked already."""
    if asked.options.which == STANDARD_INPUT:
        return True
    question = f"{_verb(asked)} {counts(found.entries)}?"
    return is_agreed(asked.options, question)


def _verb(asked: Asked) -> str:
    return "drop" if asked.options.drop else "accept"


def _lines(done: Done) -> list[str]:
    told = [
        f"{done.accepted} accepted" if done.accepted else "",
        f"{done.dropped} dropped" if done.dropped else "",
        f"{done.settled} had settled by themselves" if done.settled else "",
    ]
    return [", ".join(filter(None, told)) or "no entry was settled", *refused_lines(done.refused)]


def table_of(asked: Asked, catalogue: Catalogue, entry: Entry) -> TableSpec | None:
    """The table of an entry. What no table took is routed again: a [[table]] may take it now.
    Raises ConfigurationError if none can."""
    if entry.table or entry.state != "open" or entry.delivery is None:
        return catalogue.spec_of(entry.table)
    event = asked.pipeline.decode(entry.provenance, entry.delivery)
    (route,) = catalogue.routes(asked.store, [event], time.time())
    # What is dropped needs no table.
    if isinstance(route, Unrouted) and route.detail and not asked.options.drop:
        raise ConfigurationError(f"entry {entry.id} cannot be accepted: {route.detail}")
    return route if isinstance(route, TableSpec) else None

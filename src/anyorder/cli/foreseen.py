"""`anyorder run --check`: what the next ten records would become, and nothing written."""

from __future__ import annotations

import argparse
from contextlib import closing

from anyorder.cli.output import encoded, print_rows
from anyorder.cli.terminal import note, say
from anyorder.runtime.look import Foreseen, look, tried
from anyorder.runtime.pipeline import Pipeline

UNTRIED = (
    "; whether the tables take them was not tried, since the store cannot be copied or is large: "
    "`anyorder run --dry-run` decides everything"
)
UNKNOWN = "no known format (of your own JSON it cannot say more)"
WIDEST_ROW = 120  # characters of a row's columns, for people


def check(pipeline: Pipeline, options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if one of them would be held."""
    with closing(pipeline.looking_store()) as store:
        found = look(pipeline, store, from_start=options.from_start)
    with pipeline.copied_store() as copy:
        is_tried = copy is not None
        if copy is not None:
            found = tried(pipeline, copy, found)
    if options.json:
        say(encoded([row_of(one) for one in found]))
    else:
        shown = argparse.Namespace(format="table")
        print_rows(
            [brief(one) for one in found], shown, "nothing new: --from-start shows the first"
        )
        _tell(pipeline, found, is_tried=is_tried)
    return int(any(one.problem for one in found))


def row_of(one: Foreseen) -> dict[str, object]:
    """One record for scripts."""
    event = one.event
    return {
        "record": one.place,
        "format": one.format,
        "event": event.kind.value,
        "table": one.table,
        "key": event.key,
        "position": one.position,
        "retention": one.retention,
        "match": one.match,
        "problem": one.problem,
        "row": event.fields,
        "holes": sorted(event.holes),
    }


def brief(one: Foreseen) -> dict[str, object]:
    """The same for people: the problem, or the row."""
    whole = row_of(one)
    names = ("record", "event", "table", "key", "position", "retention", "match")
    rest = one.problem or ("" if one.event.fields is None else encoded(one.event.fields))
    cut = rest if one.problem or len(rest) <= WIDEST_ROW else rest[: WIDEST_ROW - 1] + "…"
    return {**{name: whole[name] for name in names}, "row, or problem": cut}


def _tell(pipeline: Pipeline, found: list[Foreseen], *, is_tried: bool) -> None:
    """By which envelope they were read, and what they seem to be."""
    formats = ", ".join(dict.fromkeys(one.format or UNKNOWN for one in found))
    if found:
        note(f"read with the envelope {pipeline.envelope.name}; `anyorder decode` says: {formats}")
        note("nothing was written" + ("" if is_tried else UNTRIED))

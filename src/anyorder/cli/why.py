"""`anyorder why TABLE KEY`: the story of one row."""

from __future__ import annotations

import argparse
from contextlib import closing
from decimal import Decimal, InvalidOperation

import msgspec

from anyorder.cli.main import Parser, word
from anyorder.cli.output import encoded
from anyorder.cli.terminal import say
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import TableSpec
from anyorder.guard.kinds import known_kinds
from anyorder.runtime.pipeline import load_pipeline
from anyorder.why.story import story_of

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument("table", type=word, help="the target table")
    parser.add_argument(
        "key",
        type=word,
        help="a bare value, a JSON text that is not to be taken for a number ('\"42\"'), or a JSON "
        'object for a composite key: \'{"sku":"a","place":"b"}\'',
    )
    parser.add_option("--pipeline", "the pipeline file", default=None)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if nothing is known of the key."""
    pipeline = load_pipeline(options.pipeline)
    with closing(pipeline.existing_store()) as store:
        with store.reading() as transaction:
            names = [target.name for target in transaction.catalogue()]
            kinds = known_kinds(transaction, TableSpec(options.table))
        if options.table not in names:
            raise ConfigurationError(
                f"no guarded table {options.table!r}; there are: {', '.join(names) or 'none yet'}"
            )
        stories = [
            story_of(store, TableSpec(options.table), key, exactly=exactly)
            for key, exactly in readings(options.key, is_known=bool(kinds))
        ]
        story = next((story for story in stories if story.is_known), stories[0])
    say(encoded(story) if options.json else str(story))
    return int(not story.is_known)


def readings(text: str, *, is_known: bool) -> list[tuple[object, bool]]:
    """What a key may be, and whether it is told exactly. `42` may be the number or the text, `"42"`
    is the text. `is_known`: the table knows of which kind its key is, and takes the text for that;
    else the number comes first. An object is a key by its columns. Raises ConfigurationError for a
    broken one."""
    try:
        value = _decode(text)
    # A number whose exponent no decimal takes, or a text that is no JSON at all.
    except (msgspec.DecodeError, InvalidOperation, UnicodeEncodeError, RecursionError):
        if text.startswith("{"):
            raise ConfigurationError(f"not a JSON object: {text}") from None
        return [(text, False)]
    if isinstance(value, dict):
        return [(value, True)]
    if isinstance(value, str):
        return [(value, True), (text, False)]
    found: list[tuple[object, bool]] = [(text, False), (value, False)]
    return found if is_known else found[::-1]

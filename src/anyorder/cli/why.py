"""`anyorder why TABLE KEY`: the story of one row."""

from __future__ import annotations

import argparse
from contextlib import closing

import msgspec

from anyorder.cli.main import Parser, word
from anyorder.cli.output import encoded
from anyorder.errors import ConfigurationError
from anyorder.guard.contract import TableSpec
from anyorder.guard.story import Story, story_of
from anyorder.runtime.pipeline import load_pipeline


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument("table", type=word, help="the target table")
    parser.add_argument(
        "key",
        type=word,
        help='a bare value, or a JSON object for a composite key: \'{"sku":"a","place":"b"}\'',
    )
    parser.add_option("--pipeline", "the pipeline file", default=None)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 1 if nothing is known of the key."""
    pipeline = load_pipeline(options.pipeline)
    with closing(pipeline.open_store()) as store:
        with store.reading() as transaction:
            names = [target.name for target in transaction.catalogue()]
        if options.table not in names:
            raise ConfigurationError(
                f"no guarded table {options.table!r}; there are: {', '.join(names) or 'none yet'}"
            )
        stories = [story_of(store, TableSpec(options.table), key) for key in readings(options.key)]
        story = next((story for story in stories if known(story)), stories[0])
    print(encoded(story) if options.json else story)
    return int(not known(story))


def known(story: Story) -> bool:
    """Is there anything to tell?"""
    return story.state != "unknown" or bool(story.entries)


def readings(text: str) -> list[object]:
    """`42` may be the number or the text: the number first. An object is a composite key. Raises
    ConfigurationError for a broken one."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        if text.startswith("{"):
            raise ConfigurationError(f"not a JSON object: {text}") from None
        return [text]
    return [value] if isinstance(value, dict) else [value, text]

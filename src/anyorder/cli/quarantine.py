"""`anyorder quarantine list | summary | show ID | retry | settle | dismiss SCOPE`: what could not
be decided."""

from __future__ import annotations

import argparse
from contextlib import closing

from anyorder.cli.acts.asked import LONGEST_NUMBER, THE_ONE, Asked
from anyorder.cli.acts.dismiss import dismiss
from anyorder.cli.acts.filters import STANDARD_INPUT, add_filters, filtered_by
from anyorder.cli.acts.look import list_entries, show
from anyorder.cli.acts.retry import retry
from anyorder.cli.acts.settle import settle
from anyorder.cli.acts.summary import summarise
from anyorder.cli.main import Parser, word
from anyorder.cli.output import add_formats
from anyorder.errors import ConfigurationError
from anyorder.runtime.pipeline import load_pipeline

FORMATS = {"--json", "--nl", "--csv"}
FILTERS = {"--table", "--reason", "--key", "--detail", "--older", "--limit"}
TAKEN = {
    "list": {"WHICH", "--state"} | FILTERS | FORMATS,
    "summary": {"--state"} | FILTERS | FORMATS,
    "show": {"WHICH"} | FORMATS,
    "retry": {"WHICH", "--dry-run"} | FILTERS | FORMATS,
    "settle": {"WHICH", "--accept", "--drop", "--of", "--dry-run", "--yes"} | FILTERS | FORMATS,
    "dismiss": {"WHICH", "--dry-run", "--yes"} | FORMATS,
}
"""What each act goes by, beside the pipeline."""
ACTS = {
    "list": list_entries,
    "summary": summarise,
    "show": show,
    "retry": retry,
    "settle": settle,
    "dismiss": dismiss,
}


def configure(parser: Parser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "act",
        choices=list(ACTS),
        help="summary: how many of each kind; retry: decode, route and decide again; settle: your "
        "word; dismiss SCOPE: the suspicion of a reset was wrong",
    )
    parser.add_argument(
        "which",
        nargs="?",
        type=word,
        help="an entry's id, or - for ids from standard input (or the lines of `list --nl`); for "
        "dismiss, the scope that `anyorder doctor` names",
    )
    parser.add_option("--pipeline", "the pipeline file", default=None)
    parser.add_argument(
        "--state",
        default=None,
        choices=["open", "settled", "accepted", "dropped", "all"],
        help="which entries to list (default: open)",
    )
    add_filters(parser)
    decisions = parser.add_mutually_exclusive_group()
    decisions.add_argument(
        "--accept",
        nargs="?",
        type=_content,
        const=THE_ONE,
        default=None,
        metavar="N",
        help="your word counts: write the event; of a dispute, its content N in `show`",
    )
    decisions.add_argument(
        "--drop",
        action="store_true",
        help="close the entry, write nothing; of a dispute, what is shown is chosen",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say how many and show some, change nothing"
    )
    parser.add_argument(
        "--yes", action="store_true", help="do not ask; needed where nobody can be asked"
    )
    parser.add_argument(
        "--of",
        type=_number,
        default=None,
        metavar="M",
        help="settle: only if the entry still lists M contents, as `show` told you",
    )
    add_formats(parser)


def _content(text: str) -> int | str:
    """The number of a content; or what names the entries, since `settle --accept 12` and `settle
    --accept -` mean those."""
    return text if text == STANDARD_INPUT else _number(text)


def _number(text: str) -> int:
    """The number of a content, or of contents."""
    if not text.isdecimal() or len(text) > LONGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"not a number: {text!r}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Exit code 0; `list`, `summary` and `retry` give 1 if there is an open entry, `settle` if one
    was refused."""
    _check_words(options)
    # It names the entry, not a content of none.
    options.is_by_accept = options.which is None and options.accept not in (None, THE_ONE)
    if options.is_by_accept:
        options.which, options.accept = str(options.accept), THE_ONE
    pipeline = load_pipeline(options.pipeline)
    with closing(pipeline.existing_store()) as store:
        return ACTS[options.act](Asked(options, pipeline, store))


def _check_words(options: argparse.Namespace) -> None:
    """Raises ConfigurationError for a word that the act does not go by: who writes it thinks that
    it does."""
    said = {
        "WHICH": options.which is not None,
        "--state": options.state is not None,
        "--accept": options.accept is not None,
        "--drop": options.drop,
        "--of": options.of is not None,
        "--dry-run": options.dry_run,
        "--yes": options.yes,
        f"--{options.format}": options.format != "table",
        **filtered_by(options),
    }
    unused = [name for name, is_said in said.items() if is_said and name not in TAKEN[options.act]]
    if unused:
        word = options.which if unused[0] == "WHICH" else unused[0]
        taken = ", ".join(sorted(TAKEN[options.act]))
        raise ConfigurationError(
            f"`quarantine {options.act}` does not go by {word}; it takes {taken}"
        )

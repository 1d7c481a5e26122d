"""`anyorder VERB`: finds the verb, turns errors into one sentence and an exit code (exits.py)."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Collection
from importlib import import_module
from traceback import format_exception
from typing import NamedTuple, NoReturn

from anyorder.cli.exits import FINE, INTERRUPTED, MISUSE, code_of, sentence_of
from anyorder.cli.exits import overview as exit_codes
from anyorder.cli.terminal import complain, log_to_terminal, printable, say, set_loudness
from anyorder.mistyped import meant
from anyorder.urls import without_secrets

PREFIX = "ANYORDER_"
QUIET, VERBOSE, VERSION = "--quiet", "--verbose", "--version"  # of every verb
NO_CHOICE = re.compile(r"invalid choice: '?(?P<word>.*?)'? \(choose from (?P<known>.*)\)")
NO_OPTION = "unrecognized arguments: "
TRACEBACK = "ANYORDER_TRACEBACK"  # set: an exception is shown whole, for a report of a bug


class Verb(NamedTuple):
    """A verb's module and the line that `--help` shows."""

    module: str
    summary: str


VERBS: dict[str, Verb] = {
    "run": Verb("run", "consume a source, guard its tables, quarantine what cannot be decided"),
    "why": Verb("why", "the story of one row"),
    "quarantine": Verb("quarantine", "list, show and settle what could not be decided"),
    "incomplete": Verb("incomplete", "rows with values that no delivered event has told yet"),
    "decode": Verb("decode", "what is in these bytes, and each field's role"),
    "reap": Verb("reap", "forget tombstones older than their retention, safely"),
    "doctor": Verb("doctor", "look for trouble"),
    "schema": Verb("schema", "print or apply the DDL, or print what a pipeline file may say"),
    "completion": Verb("completion", "a script with which your shell completes what is typed"),
    "demo": Verb("demo", "the whole story on one page, no services needed"),
}


class ShowVersion(argparse.Action):
    """The option that ends with the version, whatever else is said."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """It is said."""
        say_version()
        parser.exit()


def say_version() -> None:
    """`anyorder 0.1.0`."""
    from importlib.metadata import version

    say(f"anyorder {version('anyorder')}")


class Parser(argparse.ArgumentParser):
    """Misuse is exit code 2 with one line, and every option has an environment variable, shown in
    its help."""

    def error(self, message: str) -> NoReturn:
        """End with what is wrong, which tells the arguments as they were given."""
        super().error(printable(message + self._meant(message)))

    @property
    def arguments(self) -> list[argparse.Action]:
        """All of them, options too."""
        return list(self._actions)

    def _meant(self, message: str) -> str:
        """The option, or the choice, that is like the one that is not known."""
        choice = NO_CHOICE.search(message)
        if choice is not None:
            return meant(choice["word"], choice["known"].replace("'", "").split(", "))
        _, _, unknown = message.partition(NO_OPTION)
        words = [word.partition("=")[0] for word in unknown.split() if word.startswith("--")]
        options = [name for name in self._option_string_actions if name.startswith("--")]
        return meant(words[0], options) if words else ""

    def add_option(self, name: str, help: str, *, short: str = "", **settings: object) -> None:
        """An option `--name` whose default may come from ANYORDER_NAME. `short`: `-n`."""
        variable = PREFIX + name.strip("-").replace("-", "_").upper()
        value = os.environ.get(variable)
        if settings.get("action") == "store_true":
            settings["default"] = value not in (None, "", "0", "false")
        elif value is not None:
            choices = settings.get("choices")
            if isinstance(choices, Collection) and value not in map(str, choices):
                self.error(f"{variable} is {value!r}; choose from {', '.join(map(str, choices))}")
            # argparse converts a default that is text, and complains of it like of an argument
            settings["default"] = value
        names = [short, name] if short else [name]
        self.add_argument(*names, help=f"{help} [{variable}]", **settings)  # type: ignore[arg-type]


def word(text: str) -> str:
    """An argument that is looked up in a store. Raises ArgumentTypeError for bytes that are no
    text: nothing can be called so."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError(f"not UTF-8: {text!r}") from None
    return text


def overview() -> str:
    """What `anyorder --help` prints."""
    lines = [
        "usage: anyorder VERB [options]",
        "",
        "State that is right whatever order events arrive in, and that can say why.",
        "",
    ]
    lines += [f"  {name:<11} {verb.summary}" for name, verb in VERBS.items()]
    lines += [
        "",
        "anyorder VERB --help shows a verb's options. Every verb takes -q (only what is wrong, or "
        "needs a hand)",
        f"and -v (tell what happens). -V is the version. Exit codes: {exit_codes()}.",
    ]
    return "\n".join(lines)


def parser_of(name: str) -> Parser:
    """A verb's parser."""
    verb = VERBS[name]
    parser = Parser(
        prog=f"anyorder {name}", description=verb.summary[0].upper() + verb.summary[1:] + "."
    )
    import_module(f"anyorder.cli.{verb.module}").configure(parser)
    parser.add_option(
        QUIET, "say only what is wrong, or needs a hand", short="-q", action="store_true"
    )
    parser.add_option(
        VERBOSE, "tell on standard error what happens", short="-v", action="store_true"
    )
    parser.add_argument(
        "-V", VERSION, action=ShowVersion, nargs=0, help="say the version, and do nothing"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        say(overview())
        return FINE if words else MISUSE
    if words[0] in ("-V", VERSION):
        say_version()
        return FINE
    if words[0] not in VERBS:
        known = ", ".join(VERBS)
        complain(f"anyorder: no verb {words[0]!r}; there are: {known}{meant(words[0], VERBS)}")
        return MISUSE
    return _run(words[0], words[1:])


def _run(name: str, words: list[str]) -> int:
    log_to_terminal()
    try:
        parser = parser_of(name)
        options = parser.parse_args(words)
        if options.quiet and options.verbose:
            parser.error(f"{QUIET} and {VERBOSE}: say one of the two")
        set_loudness(quiet=options.quiet, verbose=options.verbose)
        code = import_module(f"anyorder.cli.{VERBS[name].module}").run(options)
        _flush()
    except BrokenPipeError:
        _forget_output()
        return FINE
    except KeyboardInterrupt:
        return INTERRUPTED
    # whatever it is, who reads it at night gets a sentence and a code, not a traceback
    except Exception as error:
        if os.environ.get(TRACEBACK):
            complain(without_secrets("".join(format_exception(error))))
        complain(f"anyorder {name}: {sentence_of(error)}")
        _forget_output()
        return code_of(error)
    return int(code)


def _flush() -> None:
    """Write out what was printed, while an error can still be told."""
    # a shell may have closed it: then nothing was printed
    if sys.stdout is not None:
        sys.stdout.flush()


def _forget_output() -> None:
    """Where what was printed cannot be written, Python must not try again at its end."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

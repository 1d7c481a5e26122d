"""What may be typed: verbs, their acts and options, read from the parsers themselves."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import NamedTuple

from anyorder.cli.main import VERBS, parser_of

FILES = frozenset({"pipeline", "file", "html"})  # arguments that name a file


class Option(NamedTuple):
    """`names`: as `-q`, `--quiet`. `takes`: "" for nothing, "file", or "word"; then `choices`, if
    there are few."""

    names: tuple[str, ...]
    help: str
    takes: str
    choices: tuple[str, ...]


class Grammar(NamedTuple):
    """Of one verb. `acts`: the words that its first argument may be. `takes_file`: an argument of
    it names a file. `taken`: act -> the options that are for it."""

    verb: str
    summary: str
    acts: tuple[str, ...]
    takes_file: bool
    options: tuple[Option, ...]
    taken: dict[str, set[str]]

    def options_of(self, act: str) -> list[Option]:
        """The options of an act, "" where none is said yet."""
        if act not in self.taken:
            return list(self.options)
        # What no act takes by name, every act takes.
        told = set().union(*self.taken.values())
        others = told - self.taken[act]
        return [option for option in self.options if others.isdisjoint(option.names)]


def grammars() -> list[Grammar]:
    """Every verb."""
    return [_grammar(name) for name in VERBS]


def _grammar(name: str) -> Grammar:
    parser = parser_of(name)
    module = import_module(f"anyorder.cli.{VERBS[name].module}")
    actions = parser.arguments
    places = [action for action in actions if not action.option_strings]
    options = [_option(action) for action in actions if action.option_strings]
    acts = tuple(places[0].choices or ()) if places else ()
    takes_file = any(place.dest in FILES for place in places)
    taken = getattr(module, "TAKEN", {})
    return Grammar(name, VERBS[name].summary, acts, takes_file, tuple(options), taken)


def _option(action: argparse.Action) -> Option:
    takes = "word"
    if action.nargs == 0:
        takes = ""
    elif action.dest in FILES:
        takes = "file"
    choices = tuple(str(choice) for choice in action.choices or ())
    help, _, _ = (action.help or "").partition(" [ANYORDER_")
    return Option(tuple(action.option_strings), help, takes, choices)

"""How a thing that a person names is found: one of ours by a short word, a user's own by
`module:factory`. Its module is imported when the name is first used."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from inspect import signature
from types import ModuleType
from typing import Any, NamedTuple, cast

from anyorder.errors import ConfigurationError

NAME = r"[^\W\d]\w*"
OWN = re.compile(
    rf"(?P<module>{NAME}(?:\.{NAME})*):(?P<factory>{NAME})(?:://(?P<place>.*))?", re.DOTALL
)


class Door(NamedTuple):
    """One of ours. `module` and `name`: a struct whose fields are what a person may say of it, and
    whose `open` makes it. `extra`: what pip installs its driver with, if it needs one. `spelling`:
    how it is written."""

    module: str
    name: str
    extra: str = ""
    spelling: str = ""

    def struct(self) -> Any:
        """The struct, imported now."""
        return getattr(import_module(self.module), self.name)


class OwnDoor(NamedTuple):
    """A user's own: `module:factory`, or `module:factory://place`."""

    module: str
    factory: str
    place: str

    def __str__(self) -> str:
        return f"{self.module}:{self.factory}"

    def __repr__(self) -> str:
        # its place may have a password in it
        return str(self)

    def made(self, /, *arguments: Any, **settings: Any) -> Any:
        """What the factory makes. Raises ConfigurationError where it is not there, or takes other
        arguments."""
        factory = self._found()
        try:
            signature(factory).bind(*arguments, **settings)
        except (TypeError, ValueError) as error:  # ValueError: nothing tells what it takes
            raise ConfigurationError(f"{self} cannot be called so: {error}") from error
        return factory(*arguments, **settings)

    def _found(self) -> Callable[..., Any]:
        factory: Any = getattr(self._imported(), self.factory, None)
        if not callable(factory):
            raise ConfigurationError(
                f"{self}: the module {self.module} has no function {self.factory}"
            )
        return cast("Callable[..., Any]", factory)

    def _imported(self) -> ModuleType:
        # an installed command does not look into the current directory, as `python -m` does; it
        # comes last, so that a file there hides nothing that is installed
        package, here = self.module.partition(".")[0], os.getcwd()
        if package not in sys.modules and find_spec(package) is None:
            sys.path.append(here)
        try:
            return import_module(self.module)
        except ModuleNotFoundError as error:
            missing = error.name or ""
            if not f"{self.module}.".startswith(f"{missing}."):
                raise  # the module is there, and what it imports is not
            raise ConfigurationError(
                f"{self}: there is no module {missing}; is it installed, or here in {here}?"
            ) from error


def own_door(text: str) -> OwnDoor | None:
    """The user's own door that a text names; None for any other text."""
    found = OWN.fullmatch(text)
    if found is None:
        return None
    return OwnDoor(found["module"], found["factory"], found["place"] or "")

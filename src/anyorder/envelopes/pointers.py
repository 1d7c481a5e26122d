"""JSON pointers (RFC 6901): where in a document something is. `""` is the whole, `/order/id` a
member of a member, `/lines/0` an element."""

from __future__ import annotations

import re
from typing import Any

from anyorder._core.event import KeyFields
from anyorder.envelopes.envelope import KeyOption, parts
from anyorder.envelopes.keys import key_fields
from anyorder.errors import ConfigurationError, Malformed

BROKEN_ESCAPE = re.compile(r"~(?![01])")
INDEX = re.compile(r"0|[1-9][0-9]*")


class Missing:
    """What a pointer finds where nothing is: absent is not null."""


MISSING = Missing()


class Pointer:
    """A checked pointer. Raises ConfigurationError for what RFC 6901 does not allow."""

    def __init__(self, text: object, option: str) -> None:
        if (
            not isinstance(text, str)
            or (text and not text.startswith("/"))
            or BROKEN_ESCAPE.search(text)
        ):
            raise ConfigurationError(
                f'the envelope option {option} must be a JSON pointer such as "/order/id", '
                f"not {text!r:.80}"
            )
        self.text = text
        self.tokens = tuple(
            token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:]
        )
        self._member = self.tokens[0] if len(self.tokens) == 1 else None

    @property
    def column(self) -> str:
        """The name of what it points to: its last token."""
        return self.tokens[-1] if self.tokens else "value"

    def find(self, document: Any) -> Any:
        """What it points to, or MISSING."""
        # Most point to a member of the whole.
        if self._member is not None and type(document) is dict:
            return document.get(self._member, MISSING)
        found = document
        for token in self.tokens:
            if type(found) is dict and token in found:
                found = found[token]
            elif (
                type(found) is list
                and INDEX.fullmatch(token)
                and len(token) < 10
                and int(token) < len(found)
            ):
                found = found[int(token)]
            else:
                return MISSING
        return found


def escaped(name: str) -> str:
    """A member's name as a pointer spells it."""
    return name.replace("~", "~0").replace("/", "~1")


def spelled(found: Any) -> str:
    """What a pointer found, as the one who wrote the document knows it."""
    if found is MISSING:
        return "nothing"
    return "null" if found is None else f"{found!r:.80}"


def pointed(key: KeyOption) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The columns of a key that lies in a document, and the option `key` that says where. A name
    without a slash is a member of the document."""
    pointers = key
    if not isinstance(pointers, dict):
        pointers = {part.rsplit("/", 1)[-1]: part for part in parts(key)}
    if not pointers:
        raise ConfigurationError(
            'JSON documents need a key: key="/id", or key={"column": "/pointer"}'
        )
    said = {
        column: part if part.startswith("/") else f"/{part}" for column, part in pointers.items()
    }
    return tuple(said), {"key": said}


class KeyPointers:
    """Where a document's key is: one pointer, a list of them, or {column: pointer}; without a
    column the last token names it."""

    def __init__(self, option: object) -> None:
        if isinstance(option, str):
            option = [option]
        if isinstance(option, list | tuple) and option:
            pointers = [Pointer(text, "key") for text in option]
            self.columns = {pointer.column: pointer for pointer in pointers}
        elif isinstance(option, dict) and option:
            pointers = [Pointer(text, "key") for text in option.values()]
            self.columns = dict(zip(map(str, option), pointers, strict=True))
        else:
            given = "" if option is None else f", not {option!r:.80}"
            raise ConfigurationError(
                'the envelope option key must say where the key is: key = "/order/id"' + given
            )
        if len(self.columns) != len(pointers):
            raise ConfigurationError(
                "two pointers of the envelope option key give one column; "
                'name them: key = {customer = "/customer/id"}'
            )

    def find(self, document: Any) -> KeyFields:
        """The key of a document. Raises Malformed where a part is missing, null, or no single
        value."""
        key = {}
        for column, pointer in self.columns.items():
            part = pointer.find(document)
            if part is MISSING or part is None or type(part) in (dict, list):
                raise Malformed(
                    f"the key is missing: {pointer.text} finds {spelled(part)}, "
                    "where a text or a number must be"
                )
            key[column] = part
        return key_fields(key)

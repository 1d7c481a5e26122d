"""What of a URL may be shown: who asks, his password, and what stands behind the question mark are
nobody's business who reads a screen or a log."""

from __future__ import annotations

import re

URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^\s\"'<>`]*)")
"""A URL in a text, up to a blank or a quote."""
BEHIND = re.compile(r"[?#].*", re.DOTALL)
HIDDEN = "..."


class Discreet:
    """What makes a struct tell its URLs, and the texts that have one inside, as they may be shown.
    No struct itself: `anyorder --help` imports this module, and msgspec takes longer than all the
    rest."""

    __slots__ = ()

    def __repr__(self) -> str:
        """As of any struct, with URLs as they may be shown."""
        return without_secrets(super().__repr__())


def shown(url: str) -> str:
    """A URL without user, password, query and fragment."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme}://{_public(rest)}" if mark else BEHIND.sub(f"?{HIDDEN}", url)


def without_secrets(text: str) -> str:
    """A text in which every URL is without user, password and query."""
    # most have none
    if "://" not in text:
        return text
    return URL.sub(lambda found: f"{found['scheme']}://{_public(found['rest'])}", text)


def _public(rest: str) -> str:
    """What follows the two slashes, as far as it may be shown."""
    kept = BEHIND.sub("", rest)
    asked = rest[len(kept) :]
    # A password may have one of these signs that nobody escaped: nobody can tell where it ends.
    if ":" in kept and "@" in asked:
        return HIDDEN
    end = f"?{HIDDEN}" if asked else ""
    # A path may have an @ too, where there is no host.
    if kept.startswith("/") or "@" not in kept:
        return kept + end
    return f"{HIDDEN}@{kept.rpartition('@')[2]}{end}"

"""What a person may have meant by a word that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

CLOSE = 0.6  # of two words, as difflib compares them


def meant(word: object, known: Iterable[object]) -> str:
    """`; did you mean "topic"?`, if one of the known words is like this one; else ""."""
    from difflib import get_close_matches  # only who has mistyped something waits for it

    words = {str(one).lower(): str(one) for one in known}
    found = get_close_matches(str(word).lower(), words, n=1, cutoff=CLOSE)
    return f'; did you mean "{words[found[0]]}"?' if found else ""

"""Which content of an entry a person means, and what an entry lists, in words."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.coherence import coherent
from anyorder._core.event import Event, Kind, canonical
from anyorder._core.memory import Memory
from anyorder._core.shown import identity_of_stamp
from anyorder.errors import ConfigurationError
from anyorder.guard.chosen import chosen_at
from anyorder.guard.contents import Content, unpacked
from anyorder.guard.contract import Decode, Entry

LONGEST = 200  # characters of a content in a sentence
GREW = (
    "entry {0.id} lists {1} contents, and your word was for {2}: look at it again, "
    "`anyorder quarantine show {0.id}`"
)


class Choice:
    """Of one open entry. `decode` turns a delivery back into its event, anew: an envelope that was
    corrected since may read what it could not."""

    def __init__(self, entry: Entry, decode: Decode) -> None:
        self.entry = entry
        # What holds one delivery alone lists nothing.
        self.contents = entry.contents or (Content(1, ""),)
        self._decode = decode

    def check(self, count: int | None) -> None:
        """Raises ConfigurationError if the entry lists more by now than were shown (`count`)."""
        there = len(self.contents)
        if count not in (None, there):
            raise ConfigurationError(GREW.format(self.entry, there, count))

    def any_event(self) -> Event | None:
        """An event of the entry that can be read; all of them have one key and one position."""
        for content in self.contents:
            event = event_in(self.entry, content, self._decode)
            if event.position is not None:
                return event
        return None

    def numbered(self, number: int) -> Content:
        """The content of this number. Raises ConfigurationError if there is none."""
        for content in self.contents:
            if content.number == number:
                return content
        raise ConfigurationError(f"entry {self.entry.id} has no content {number}. {self.text()}")

    def told(self, number: int) -> str:
        """What the content of this number tells, in words. Raises ConfigurationError if there is
        none."""
        return content_text(event_in(self.entry, self.numbered(number), self._decode))

    def only(self, memory: Memory | None) -> Content:
        """The one content that no word has chosen yet. Raises ConfigurationError if there are
        several."""
        chosen = set(map(identity_of_stamp, chosen_at(memory, self.any_event())))
        others = [one for one in self.contents if one.identity not in chosen]
        if len(others) == 1:
            return others[0]
        raise ConfigurationError(
            f"which content of entry {self.entry.id}? {self.text()} Say its number: --accept N, "
            "or content=N"
        )

    def text(self, chosen: Sequence[int] = ()) -> str:
        """What the entry lists, as a sentence."""
        told: list[str] = []
        for content in self.contents:
            text = content_text(event_in(self.entry, content, self._decode))
            told.append(f"{content.number}: {text}")
            if content.number in chosen:
                told[-1] += " (chosen)"
        # An entry of one content is asked about by its number alone.
        count = f"{len(told)} contents"
        if len(told) == 1:
            count = "1 content"
        parts = "; ".join(told)
        return f"It lists {count}: {parts}."


def event_in(entry: Entry, content: Content, decode: Decode) -> Event:
    """The event of a content that an entry lists."""
    if content.shown:
        key = entry.key
        assert isinstance(key, dict)
        return unpacked(content.shown, key)
    if content.delivery is not None:
        return coherent(decode(content.provenance, content.delivery))
    # The entry's own delivery is kept once.
    assert entry.delivery is not None
    return coherent(decode(entry.provenance, entry.delivery))


def content_text(event: Event) -> str:
    """What an event tells, short enough for a sentence."""
    if event.kind is not Kind.PUT:
        return event.kind.words
    told = "what the row showed"
    if event.fields is not None:
        told = canonical(event.fields)
    if len(told) > LONGEST:
        told = f"{told[:LONGEST]}..."
    return f"upsert {told}"

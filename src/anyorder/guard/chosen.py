"""What an operator's word chooses of what an entry lists, and what it refuses (rules R11)."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.batch import identity_of
from anyorder._core.event import Event
from anyorder._core.fold import Limits
from anyorder._core.marks import marked
from anyorder._core.memory import Memory, Stamp
from anyorder._core.outcome import Reason
from anyorder._core.shown import event_of, identity_of_stamp, incomparable, stamps_at
from anyorder.guard.contents import Content, Word, packed
from anyorder.guard.contract import Entry, Remembered, TableSpec, Transaction
from anyorder.guard.holdings import is_dispute, is_dispute_of


def settled(entry: Entry, event: Event, memory: Memory | None, limits: Limits) -> Memory | None:
    """The memory after a word for an entry: of a dispute, no content of its position that is not
    shown moves it any more, even where the event itself needed no word."""
    # Nothing is there to be chosen.
    if memory is None or event.position is None or not is_dispute(entry):
        return memory
    return marked(memory, event.position, limits.lineage)


def chosen_at(memory: Memory | None, event: Event | None) -> list[Stamp]:
    """What a word has chosen before of the contents of an event's position."""
    # Nothing of an entry can be read, or it has none.
    if event is None or event.position is None:
        return []
    return [stamp for stamp in stamps_at(memory, event.position) if stamp.is_marked]


def replaced(
    transaction: Transaction,
    spec: TableSpec,
    event: Event,
    before: Memory | None,
    limits: Limits,
) -> tuple[Content, ...]:
    """What the row showed and does not compare with an accepted event: it is listed with it, since
    its redelivery would ask the same question again."""
    if before is None or event.position is None:
        return ()
    stamps = incomparable(before, event.position, limits.lineage)
    return shown(transaction, spec, event, before, stamps)


def shown(
    transaction: Transaction,
    spec: TableSpec,
    event: Event,
    before: Memory,
    stamps: Sequence[Stamp],
) -> tuple[Content, ...]:
    """What the event's row shows of these stamps, as contents to be listed."""
    # Most often the clocks tell.
    if not stamps:
        return ()
    key, table = event.key or {}, event.table
    row = transaction.content(spec, key)
    found: list[Content] = []
    for stamp in stamps:
        shown = event_of(before, stamp, key, table, row)
        content = Content(
            number=0,
            identity=identity_of(shown),
            shown=packed(shown),
        )
        found.append(content)
    return tuple(found)


def word_of(
    entry: Entry,
    event: Event,
    after: Memory | None,
    accepted: tuple[int, ...],
    others: tuple[Content, ...] = (),
) -> Word:
    """What a word chose: the contents that were `accepted`, and what is shown of their position
    `after` it. `others`: what it replaced."""
    listed = others
    # What holds one delivery alone lists nothing: then that is the first of several.
    if others and not entry.contents:
        listed = (Content(1, identity_of(event)), *others)
    shown: set[str] = set()
    if event.position is not None:
        stamps = stamps_at(after, event.position)
        shown.update(map(identity_of_stamp, stamps))
    chosen = (one.number for one in entry.contents if one.identity in shown)
    return Word(
        chose=(*accepted, *chosen),
        listed=listed,
        of=len(entry.contents),
    )


def shown_beside(
    transaction: Transaction,
    spec: TableSpec,
    entry: Entry,
    event: Event,
    before: Memory | None,
) -> tuple[Content, ...]:
    """What is shown of the position of an event that is held alone, and is refused: it is listed
    with it, since it is what the word chooses."""
    # A dispute lists it already.
    if entry.contents or before is None or event.position is None:
        return ()
    stamps = stamps_at(before, event.position)
    return shown(transaction, spec, event, before, stamps)


def word_against(event: Event, others: tuple[Content, ...]) -> Word:
    """The word that refuses an event that is held alone, and chooses these others."""
    return Word(
        chose=tuple(range(2, 2 + len(others))),
        listed=(Content(1, identity_of(event)), *others),
    )


def refuse_others(
    transaction: Transaction,
    entry: Entry,
    event: Event,
    there: Remembered,
    after: Memory | None,
) -> None:
    """Where what was held alone is refused, what is shown is chosen for the open dispute of its
    position, too: the word closes that with all it lists. `there`: of its key; `after`: the memory
    after the word."""
    for number in dict.fromkeys(one.entry for one in there.held):
        other = transaction.entry(number)
        if other is None or number == entry.id or other.state != "open":
            continue
        if is_dispute_of(other, event):
            word = word_of(other, event, after, accepted=())
            transaction.settle(number, "dropped", Reason.DUPLICATE, word)

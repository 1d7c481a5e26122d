"""What the quarantine is told of a decision; a dispute lists both contents."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from types import MappingProxyType

from anyorder._core.batch import Coalesced, Judged, StillHeld, identity_of, replace
from anyorder._core.event import Event, canonical
from anyorder._core.explain import awaited, contradiction
from anyorder._core.families import Position
from anyorder._core.memory import Stamp
from anyorder._core.outcome import Reason
from anyorder._core.shown import stamps_at
from anyorder._core.ties import disputed_at
from anyorder.guard.contents import Listing, contents_of
from anyorder.guard.contract import Entry, Holding, Transaction
from anyorder.guard.routes import origin_of
from anyorder.guard.values import AGAIN

DISPUTE = "dispute "  # the beginning of the identity of every dispute's entry
FINGERPRINT = attrgetter("fingerprint")
NONE_YET: Mapping[int, Listing] = MappingProxyType({})


def is_dispute(entry: Entry) -> bool:
    """Is an entry that of a dispute?"""
    return entry.identity.startswith(DISPUTE)


def is_dispute_of(entry: Entry, event: Event) -> bool:
    """Is it that of an event's very position?"""
    if event.position is None:
        return False
    identity, _, _ = entry.identity.partition(AGAIN)
    return identity == dispute_at(event.position)


def disputes(judged: Judged | StillHeld) -> bool:
    """Is it a tie: another content of the very position that the row, or its end, has? (rules
    R12)"""
    # Hardly anything is: then nobody asks for its position.
    if judged.reason is not Reason.CONFLICT:
        return False
    against, position = judged.against, judged.event.position
    # A floor is no content, and what has no position has no other content either.
    if position is None or not isinstance(against, Stamp):
        return False
    # Only a tie ends as a conflict whose evidence has the very position.
    return against.position.identity() == position.identity()


def disputing(share: Coalesced, judged: Judged, content: object) -> Judged:
    """The dispute with a content as its detail that the row does not show, whichever came first: a
    person takes the row for the one and the detail for the other. `content`: the row as it was."""
    told: object = judged.event.fields
    if _is_shown(share, judged.event):
        told = _other_content(share, judged.event, content)
    other = "a delete" if told is None else canonical(told)
    return replace(judged, detail=f"the other content: {other}")


def _is_shown(share: Coalesced, event: Event) -> bool:
    """Does the row show this content of its position from now on?"""
    assert event.position is not None
    shown = stamps_at(share.after, event.position)
    return event.fingerprint in map(FINGERPRINT, shown)


def _other_content(share: Coalesced, event: Event, content: object) -> object:
    """What another event of this batch tells of the position, or the row as it was."""
    for one in share.judged:
        is_rival = one.event.fingerprint != event.fingerprint
        # What came in the same batch has not been in the row yet, so it counts before the row.
        if is_rival and one.event.position == event.position:
            return one.event.fields
    # Usually one of the two came earlier, and was what the row showed.
    return content


def dispute(
    table: str,
    entity: str,
    share: Coalesced,
    judged: Judged,
    content: object,
    provenance: str,
    own: str | None = None,
) -> Holding:
    """The quarantine's view of a tie: one entry a position, which lists every content, whichever
    came second (rules R12). `content`: the row as it was; `own`: the provenance of what is tied,
    where it is not the batch's."""
    if own is None:
        own = provenance
    told = disputing(share, judged, content)
    listed = contents_of(
        share,
        judged,
        content,
        provenance,
        own,
    )
    claimed = None
    if share.after is not None and judged.event.position is not None:
        claimed = disputed_at(share.after, judged.event.position)
    held = holding(table, entity, told, own)
    return held._replace(contents=listed, claims=claimed is not None)


def ties(transaction: Transaction, share: Coalesced) -> list[StillHeld]:
    """What is held alone and is a tie by now. What the entry of a dispute lists is there
    already."""
    found: list[StillHeld] = []
    for one in filter(disputes, share.still):
        entry = transaction.entry(one.held.entry)
        # A moment ago it was open; then it may have been told to its dispute.
        is_alone = entry is not None and entry.state == "open" and not is_dispute(entry)
        if is_alone:
            found.append(one)
    return found


def tie(
    table: str,
    entity: str,
    share: Coalesced,
    one: StillHeld,
    content: object,
    provenance: str,
) -> Holding:
    """The quarantine's view of what was held alone and is a tie by now. `content`: the row as it
    was; `provenance`: the batch's."""
    judged = Judged(-one.held.entry, one.event, one.reason, one.against)
    return dispute(
        table,
        entity,
        share,
        judged,
        content,
        provenance,
        one.held.provenance,
    )


def dispute_at(position: Position) -> str:
    """The identity of the entry that lists all contents of this position."""
    return f"{DISPUTE}{position.identity()}"


def holding(table: str, entity: str, judged: Judged, provenance: str) -> Holding:
    """The quarantine's view of a delivery that is held. `provenance`: its batch's."""
    identity = identity_of(judged.event)
    position = judged.event.position
    content = ""
    if position is not None:
        # What concerns no key is in nobody's dispute.
        content = identity if entity else ""
        # One entry a position, whichever content came second (rules R12).
        if disputes(judged):
            identity = dispute_at(position)

    if judged.reason is Reason.UNROUTED:
        _, _, source = origin_of(judged.event)
        # Another source table's is held under no key, or it would be decided when the key moves
        # here.
        if table:
            entity, identity = "", f"{entity} {identity}"
        # Nothing says that two source tables have different keys.
        identity = f"{source} {identity}"
        # What came a second time by another place tells more of its clocks than the first alone,
        # and nothing was told to a memory yet.
        if not table:
            identity = f"{identity} {judged.event.delivery.place}"

    return Holding(
        table=table,
        entity=entity,
        identity=identity,
        reason=judged.reason,
        detail=judged.detail or _undecided(judged),
        event=judged.event,
        retry=judged.retry,
        provenance=provenance,
        content=content,
    )


def _undecided(judged: Judged) -> str:
    """What contradicts what, where one key's versions are suspected; what is waited for, where the
    clocks will tell; else ""."""
    against = judged.against if isinstance(judged.against, Stamp) else None
    if judged.reason is Reason.WAITING:
        return awaited(judged.event, against)
    # What a whole clock told is not judged against a memory.
    if judged.reason is Reason.SUSPECTED_RESET and against is not None:
        return contradiction(judged.event, against)
    return ""


def keep(
    transaction: Transaction,
    holdings: Mapping[int, Holding],
    early: Mapping[int, Listing] = NONE_YET,
) -> dict[int, Listing]:
    """Put deliveries (by their number) into the quarantine; those that were there, with the entries
    that list them.

    `early`: what was said of those that were put there before their rows were written.
    """
    # Each delivery is counted once: what is there since this very batch is not put there again.
    rest = {number: one for number, one in holdings.items() if number not in early}
    told = dict(early)
    if rest:
        found = transaction.hold(rest.values())
        told |= dict(zip(rest, found, strict=True))
    return {number: kept for number, kept in told.items() if not kept.is_new}

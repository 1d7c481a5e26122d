"""What the quarantine is told of a decision; a dispute lists both contents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from anyorder._core.batch import Coalesced, Judged, identity_of, is_tie, replace
from anyorder._core.event import Event, canonical
from anyorder._core.explain import contradiction
from anyorder._core.key import is_readable
from anyorder._core.memory import Stamp
from anyorder._core.outcome import Reason
from anyorder.guard.contents import Listing, contents_of
from anyorder.guard.contract import Entry, Holding, Transaction
from anyorder.guard.routes import origin_of

DISPUTE = "dispute "  # the beginning of the identity of every dispute's entry
NONE_YET: Mapping[int, Listing] = MappingProxyType({})


def is_dispute(entry: Entry) -> bool:
    """Is an entry that of a dispute?"""
    return entry.identity.startswith(DISPUTE)


def disputes(judged: Judged) -> bool:
    """Is it a tie: another content of the very position that the row, or its end, has? (rules
    R12)"""
    return is_tie(judged.event, judged.reason, judged.against)


def disputing(share: Coalesced, judged: Judged, content: object) -> Judged:
    """The dispute with the other content as its detail: that of another event of this batch, or the
    row as it was (`content`)."""
    event = judged.event
    other = content
    # Usually one of the two came earlier, and is what the row shows.
    # What came in the same batch, or was held until now, has not been in the row yet, so it counts
    # before the row.
    events = [one.event for one in share.judged]
    events += [one.held.event for one in share.settled]
    for one in events:
        is_rival = one.fingerprint != event.fingerprint
        if is_rival and one.position == event.position:
            other = one.fields
            break
    return replace(judged, detail=f"the other content: {canonical(other)}")


def dispute(
    table: str,
    entity: str,
    share: Coalesced,
    judged: Judged,
    content: object,
    provenance: str,
) -> Holding:
    """The quarantine's view of a tie: one entry a position, which lists every content, whichever
    came second (rules R12). `content`: the row as it was."""
    told = disputing(share, judged, content)
    listed = contents_of(share, judged, content, provenance)
    return holding(table, entity, told, provenance)._replace(contents=listed)


def entity_of(key: object) -> str:
    """The entity that something of this key is held under, "" for none."""
    # A truncate concerns every key, and of broken bytes the key may be unreadable.
    return canonical(key) if is_readable(key) else ""


def dispute_of(event: Event) -> str:
    """The identity of the entry that lists all contents of an event's position; "" for none."""
    return "" if event.position is None else f"{DISPUTE}{event.position.identity()}"


def holding(table: str, entity: str, judged: Judged, provenance: str) -> Holding:
    """The quarantine's view of a delivery that is held. `provenance`: its batch's."""
    identity = identity_of(judged.event)
    position = judged.event.position
    content = ""
    # What concerns no key is in nobody's dispute.
    if position is not None and entity:
        content = identity
    # One entry a position, whichever content came second (rules R12).
    if position is not None and disputes(judged):
        identity = dispute_of(judged.event)

    # Another source table's is held under no key, or it would be decided when the key moves here.
    if judged.reason is Reason.UNROUTED and table:
        _, _, source = origin_of(judged.event)
        entity, identity = "", f"{source} {entity} {identity}"

    # Nothing says that two source tables without a target have different keys.
    if judged.reason is Reason.UNROUTED:
        _, _, source = origin_of(judged.event)
        identity = f"{source} {identity}"

    return Holding(
        table=table,
        entity=entity,
        identity=identity,
        reason=judged.reason,
        detail=judged.detail or _suspicion(judged),
        event=judged.event,
        retry=judged.retry,
        provenance=provenance,
        content=content,
    )


def _suspicion(judged: Judged) -> str:
    """What contradicts what, where one key's versions are suspected; else ""."""
    # What a whole clock told is not judged against a memory.
    if judged.reason is Reason.SUSPECTED_RESET and isinstance(judged.against, Stamp):
        return contradiction(judged.event, judged.against)
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

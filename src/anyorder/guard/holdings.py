"""What the quarantine is told of a decision; a dispute lists both contents."""

from __future__ import annotations

from anyorder._core.batch import Coalesced, Decision, identity_of
from anyorder._core.event import canonical
from anyorder._core.memory import Stamp
from anyorder._core.outcome import Reason
from anyorder.guard.contract import Holding


def disputes(decision: Decision) -> bool:
    """Is it a tie: another content of the very position that the row, or its end, has? (rules
    R12)"""
    against, position = decision.against, decision.event.position
    tied = (
        isinstance(against, Stamp)
        and position is not None
        and against.position.identity() == position.identity()
    )
    return tied and decision.reason is Reason.CONFLICT


def disputing(share: Coalesced, decision: Decision, content: object) -> Decision:
    """The decision with the other content as its detail: that of another event of this batch, or
    the row as it was."""
    event = decision.event
    same = (
        d.event
        for d in share.decisions
        if d.event.position == event.position and d.event.fingerprint != event.fingerprint
    )
    other = next(same, None)
    return Decision(
        event,
        decision.reason,
        decision.against,
        f"the other content: {canonical(content if other is None else other.fields)}",
    )


def holding(table: str, entity: str, decision: Decision) -> Holding:
    """The quarantine's view of a decision. What the store refused for now has a detail; it is tried
    again after every batch.

    A dispute is one entry per position, whichever content came second (rules R12).
    """
    retry = decision.reason is Reason.WAITING and decision.detail != ""
    position = decision.event.position
    identity = (
        f"dispute {position.identity()}"
        if disputes(decision) and position is not None
        else identity_of(decision.event)
    )
    return Holding(table, entity, identity, decision.reason, decision.detail, decision.event, retry)

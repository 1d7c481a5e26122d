"""Is the first batch of a source what the pipeline says? A mistake must not consume the input: then
nothing is written, and the frontier stays where it was."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.event import Event, Kind
from anyorder.envelopes import Envelope, detect, envelopes_of
from anyorder.errors import ConfigurationError
from anyorder.sources.contract import Received

ENOUGH = 20  # deliveries that tell something; of fewer nothing is concluded
# They read what the user points at, or anything on a topic, whatever format it is of.
READ_ANY = frozenset({"json", "raw"})
NOT_READ = "the envelope {} reads none of the first {} records of {} that have a value ({})"
OF_ANOTHER = "the first {} records of {} are not of the envelope {}"
TO_DO = (
    "{}. Nothing was written. `anyorder decode` takes the first for {}. Correct [source], and look "
    "at it with `anyorder run --check`; --no-preflight reads them all the same"
)


def decoded(envelope: Envelope, received: Received) -> Event:
    """The event of a delivery; what is no record at all is malformed, with the source's reason."""
    if received.note:
        return Event(Kind.MALFORMED, note=received.note, delivery=received.delivery)
    return envelope.decode(received.delivery)


def check_first(envelope: Envelope, batch: Sequence[Received], place: str) -> None:
    """Raises ConfigurationError if a first batch is not what its envelope reads, with what it
    seems to be. `place`: of the source, as a person calls it."""
    # A null value is read by any envelope, or by none: it tells nothing of its format.
    telling = [one for one in batch if one.note or one.delivery.value is not None]
    if len(telling) < ENOUGH:
        return
    problem = _unread(envelope, telling, place) or _foreign(envelope, telling[:ENOUGH], place)
    if problem:
        found = detect(telling[0].delivery)
        taken_for = f"{found.format or 'nothing it knows'}: {found.why}"
        raise ConfigurationError(TO_DO.format(problem, taken_for))


def _unread(envelope: Envelope, telling: Sequence[Received], place: str) -> str:
    """Is nothing of it read? What the store would refuse is read, and so is a heartbeat."""
    events = (decoded(envelope, one) for one in telling)
    # One that is read is enough, and nearly always it is the first.
    if any(event.kind is not Kind.MALFORMED for event in events):
        return ""
    note = decoded(envelope, telling[0]).note
    return NOT_READ.format(envelope.name, len(telling), place, note)


def _foreign(envelope: Envelope, telling: Sequence[Received], place: str) -> str:
    """Is all of it of another format?"""
    if envelope.name in READ_ANY:
        return ""
    for one in telling:
        found = envelopes_of(one.delivery)
        # Of one that is known by no mark, nothing can be said; one may contain another.
        if not found or envelope.name in found:
            return ""
    return OF_ANOTHER.format(len(telling), place, envelope.name)

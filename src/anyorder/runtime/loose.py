"""The deliveries of a batch that go to no table, or change none, beside each table's share."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.batch import Judged
from anyorder._core.event import Event, Kind
from anyorder._core.outcome import Reason
from anyorder.guard.contract import TableSpec
from anyorder.guard.intake import Share
from anyorder.guard.routes import Ignored, Route, Unrouted


def parted_by_table(
    events: Sequence[Event], routes: Sequence[Route]
) -> tuple[list[Share], list[Judged]]:
    """Each table's share of a batch, and the deliveries of no table, decided."""
    routed: dict[str, tuple[TableSpec, list[Event]]] = {}
    loose: list[Judged] = []
    for event, route in zip(events, routes, strict=True):
        if isinstance(route, TableSpec) and changes(event):
            routed.setdefault(route.name, (route, []))[1].append(event)
        else:
            loose.append(of_no_table(event, route))
    shares = [Share(spec, found) for spec, found in routed.values()]
    return shares, loose


def changes(event: Event) -> bool:
    """Does it concern the table that its topic leads to?"""
    return event.kind is not Kind.CONTROL


def of_no_table(event: Event, route: Route) -> Judged:
    """What becomes of a delivery that goes to no table."""
    is_broken = event.kind is Kind.MALFORMED
    if isinstance(route, Unrouted):
        return _unrouted(event, route.detail, is_broken=is_broken)
    # Whose it is cannot be read: nobody said to ignore it.
    is_unread = is_broken and not event.table
    if is_unread and isinstance(route, Ignored):
        return Judged(0, event, Reason.MALFORMED, detail=event.note)
    return Judged(0, event, Reason.NOT_A_CHANGE)


def _unrouted(event: Event, why: str, *, is_broken: bool) -> Judged:
    # Of broken bytes the first thing to know is what breaks them.
    if is_broken:
        return Judged(0, event, Reason.MALFORMED, detail=event.note or why)
    return Judged(0, event, Reason.UNROUTED, detail=why or event.note)

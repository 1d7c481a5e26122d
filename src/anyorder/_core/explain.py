"""Decisions as sentences that a tired person understands at 3 a.m."""

from __future__ import annotations

from anyorder._core.batch import Decision
from anyorder._core.columns import holes, in_words
from anyorder._core.families.floor_entry import parse
from anyorder._core.floor import Floor
from anyorder._core.memory import Memory, Stamp
from anyorder._core.outcome import REASONS, Reason


def explain(decision: Decision) -> str:
    """One decision: what happened, by which evidence, and what to do if anything."""
    event = decision.event
    where = event.position.text() if event.position is not None else event.delivery.place
    subject = f"The {event.kind.value} of {event.table or 'the record'} {event.entity if event.key is not None else ''}".rstrip()
    meaning = REASONS[decision.reason]
    parts = [f"{subject} ({where}) {meaning.sentence}{_evidence(decision)}."]
    if decision.detail or event.note:
        parts.append(f"{decision.detail or event.note}.")
    if decision.quarantined:
        parts.append(meaning.to_do)
    return " ".join(parts)


def _evidence(decision: Decision) -> str:
    against = decision.against
    if isinstance(against, Stamp) and decision.reason is not Reason.APPLIED:
        return (
            f", namely {'a row' if against.rank else 'a tombstone'} from {against.position.text()}"
        )
    if isinstance(against, Floor) and against:
        return f"; the floor is {floor_text(against)}"
    return ""


def floor_text(floor: Floor) -> str:
    """A floor's entries for people: `pg:main at LSN 0/16B3F80, shop.public.users/3 offset 8`."""
    entries = sorted(floor.entries.items())
    return ", ".join(parse(*entry).text() for entry in entries) or "nothing forgotten"


def explain_memory(subject: str, memory: Memory | None, columns: set[str]) -> list[str]:
    """What is remembered of a key: the event that won, where inherited columns came from, what
    nobody has told."""
    if memory is None:
        return [
            f"{subject}: nothing is remembered. No event of it was accepted, or its tombstone was forgotten."
        ]
    sentences = [
        f"{subject}: {'a row' if memory.live else 'deleted (a tombstone)'}, by {describe(memory.stamp)}."
    ]
    inherited: dict[str, list[str]] = {}
    for column, cell in sorted((memory.cells or {}).items()):
        if isinstance(cell, Stamp):
            inherited.setdefault(describe(cell), []).append(in_words(column, "the other columns"))
    sentences += [f"{', '.join(names)}: told by {event}." for event, names in inherited.items()]
    if missing := holes(memory, columns):
        sentences.append(f"Incomplete: no delivered event has told {', '.join(missing)}.")
    if memory.disputed:
        names = ", ".join(in_words(column, "all columns") for column in sorted(memory.disputed))
        sentences.append(
            f"Disputed: two different events claim this position ({names}); the same one is shown whatever came first."
        )
    if memory.declared is not None:
        sentences.append(
            "Its row was put there by an operator's word; an event above the floor of that moment makes it ordinary again."
        )
    return sentences


def describe(stamp: Stamp) -> str:
    """An event in words: what it was, where in its source's history, when by its source's clock."""
    told = stamp.position.describe()
    act = told.act or ("a put" if stamp.rank else "a delete")
    time = stamp.position.time
    when = "no time" if time is None else utc(time)
    place = f"{when}, {told.transport}" if told.transport else when
    return f"{act} at {told.clock} ({place})"


def utc(microseconds: int) -> str:
    """Microseconds since 1970 as `2026-11-24 08:15:30.123456Z`, for any year from 1 to 9999."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    days, rest = divmod(seconds, 86_400)
    year, month, day = _date(days)
    return f"{year:04d}-{month:02d}-{day:02d} {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{fraction:06d}Z"


def _date(days: int) -> tuple[int, int, int]:
    """Days since 1970-01-01 as a civil date (H. Hinnant, "chrono-compatible low-level date
    algorithms")."""
    shifted = days + 719_468
    era, day_of_era = divmod(shifted, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    return (
        year_of_era + era * 400 + (month <= 2),
        month,
        day_of_year - (153 * shifted_month + 2) // 5 + 1,
    )

"""The one table of outcomes and reasons. Every delivery ends in exactly one reason, every reason
has exactly one outcome.

The reason reference in the docs is generated from `REASONS`; nothing else in the code lists them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of a delivery: `applied`, `ignored` or `quarantined`. There is no fourth."""

    __hash__ = str.__hash__  # as of `Kind`: that of an enumeration is Python code

    APPLIED = "applied"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"


class Reason(StrEnum):
    """Why a delivery had its outcome."""

    __hash__ = str.__hash__

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    STALE = "stale"
    ABSORBED = "absorbed"
    NOT_A_CHANGE = "not_a_change"
    LATE = "late"
    CONFLICT = "conflict"
    MALFORMED = "malformed"
    NO_CONTENT = "no_content"
    WAITING = "waiting"
    SUSPECTED_RESET = "suspected_reset"
    UNKNOWN_SCOPE = "unknown_scope"
    UNROUTED = "unrouted"

    quarantined: bool
    """Does a delivery with this reason end in the quarantine? Set from `REASONS` below."""

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        """The reason that a store of before, or a script, calls by its former name."""
        return FORMER.get(str(value))


FORMER = {"incomplete": Reason.NO_CONTENT}
"""Names of before, which entries and scripts may still have: a row is called incomplete, too."""


def reason_named(text: str) -> str:
    """The name of today of a reason that a store keeps; any other text is left as it is."""
    reason = FORMER.get(text)
    return text if reason is None else reason.value


def former_name(text: str) -> str:
    """The name of before of a reason; that of today where it has none."""
    return next((name for name, reason in FORMER.items() if reason.value == text), text)


class Meaning(NamedTuple):
    """What a reason says: its outcome, what an event with it "...", when it is given, and what a
    person should do.

    `acceptable`: an operator's word may apply what is held for it (rules R11). `expected`: disorder
    and a short retention make these, and nothing is wrong. `holds_truncates`: a truncate may be
    held for it, and is then decided again when another is taken (rules R10, R13).
    """

    outcome: Outcome
    sentence: str
    when: str
    to_do: str
    acceptable: bool = False
    expected: bool = False
    holds_truncates: bool = False


NOTHING = "Nothing."
REASONS: dict[Reason, Meaning] = {
    Reason.APPLIED: Meaning(
        Outcome.APPLIED,
        "was applied",
        "The memory's view changed: a new row, a tombstone, a hole filled, a field cleared.",
        NOTHING,
    ),
    Reason.DUPLICATE: Meaning(
        Outcome.IGNORED,
        "was ignored: it is the same event again",
        "The same event again: the memory, or the quarantine, already holds it.",
        NOTHING,
    ),
    Reason.STALE: Meaning(
        Outcome.IGNORED,
        "was ignored: what is remembered is newer",
        "A row, a tombstone or a truncate that is remembered proves the event older.",
        NOTHING,
    ),
    Reason.ABSORBED: Meaning(
        Outcome.IGNORED,
        "was ignored: it deletes what is not there",
        "A delete at or below the floor of an empty slot: nothing is there to delete, and no "
        "row is stored.",
        NOTHING,
    ),
    Reason.NOT_A_CHANGE: Meaning(
        Outcome.IGNORED,
        "was ignored: it is not a change of a row",
        "A heartbeat, a schema, transaction or logical message, the null record after a "
        "delete that is done, or a table that the pipeline ignores.",
        NOTHING,
    ),
    Reason.LATE: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: it is older than what this table has forgotten, so its key may "
        "have been deleted since",
        "An upsert at or below the floor of an empty slot: its key may have been deleted, and "
        "the tombstone is forgotten.",
        "Look the key up at its source: accept the event if it lives there, drop it if not. A "
        "longer retention makes these fewer.",
        acceptable=True,
        expected=True,
    ),
    Reason.CONFLICT: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: nothing tells whether it is newer than what is remembered",
        "The clocks cannot tell which is newer, or two different contents claim one position.",
        "Compare the contents with the source and accept one (`anyorder quarantine settle ID "
        "--accept N`); anything newer ends the dispute by itself.",
        acceptable=True,
        holds_truncates=True,
    ),
    Reason.MALFORMED: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: it could not be decoded, or the store refuses its content",
        "The bytes cannot be decoded, or the store refuses the content (type, constraint).",
        "If the pipeline or the table was wrong, repair it, then `anyorder quarantine retry`. If "
        "the producer was, have the event sent right, and drop the entry.",
    ),
    Reason.NO_CONTENT: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: its value lies elsewhere",
        "The value lies elsewhere (`dataref`), or only keys were sent.",
        "Fetch the value, or drop the entry.",
    ),
    Reason.WAITING: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine, and will be tried again by itself",
        "Not decidable yet: the null record after a delete that has not come, a run whose "
        "snapshot has not been seen, or what the table refuses because of other rows (a parent "
        "that is not there, a unique value that another row holds, children of what goes, a "
        "trigger).",
        "Nothing at first: it is tried again by itself. If it stays, what it waits for never came: "
        "look at the source for what the detail names, or for the row itself where it names none.",
        acceptable=True,
        expected=True,
        holds_truncates=True,
    ),
    Reason.SUSPECTED_RESET: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: the history of its source, or of its key, seems to have started again",
        "Positions fell while the source's own time advanced: the history has probably "
        "started again. Or the versions of one key did: it was probably deleted and created again.",
        "Find out what happened at the source. Where the detail tells of one key: accept the event "
        "if it is of the key's later life, drop it if not. Else no single one can be accepted, and "
        "`anyorder quarantine dismiss SCOPE` decides all by position: if the source's history did "
        "not start again, dismiss; if it did, do first what `anyorder doctor` says of the scope.",
        acceptable=True,
        holds_truncates=True,
    ),
    Reason.UNKNOWN_SCOPE: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: it lacks the clock that could tell whether its key was deleted and "
        "forgotten",
        "Something was forgotten, the slot is empty, and the event lacks the clock that could "
        "tell.",
        "Declare the layout (partition count), or accept after looking at the source.",
        acceptable=True,
    ),
    Reason.UNROUTED: Meaning(
        Outcome.QUARANTINED,
        "is in quarantine: no table takes it",
        "No [[table]] of the pipeline takes it, its table belongs to another source table, none "
        "can have its name, or the one that is there cannot be used.",
        "Do what the detail says (a [[table]], ignore = true, an index, adopt); then "
        "`anyorder quarantine retry`.",
    ),
}


for _reason, _meaning in REASONS.items():
    _reason.quarantined = _meaning.outcome is Outcome.QUARANTINED


def outcome_of(reason: Reason) -> Outcome:
    """The outcome that a reason belongs to."""
    return REASONS[reason].outcome

"""Act 4: the Valentine's mail. A server that was away for nine months delivers what no memory holds
any more."""

from __future__ import annotations

import calendar as civil
from contextlib import closing
from typing import NamedTuple

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery
from anyorder._core.explain import explain
from anyorder.demo.blocks import Act, Block, Cell, Figure, Quote, Table, count, none, prose
from anyorder.demo.figures import Month, calendar
from anyorder.demo.generated import DAY, HOUR, Source
from anyorder.demo.guarded import Guarded
from anyorder.demo.naive import Expiring, in_memory
from anyorder.demo.score import Score
from anyorder.demo.words import MONTHS, change_in, day, ending

TITLE = "The Valentine's mail"
WRITTEN = float(civil.timegm((2019, 2, 14, 9, 0, 0)))
RETURNED = float(civil.timegm((2019, 11, 7, 8, 0, 0)))
RETENTION = 48 * HOUR
COLUMNS = ("id", "recipient", "words")
RECIPIENTS = ("Ada", "Ben", "Cleo", "Dan", "Eve", "Finn")  # of the letters 1, 2, ...
WITHDRAWN = (1, 2, 3, 4)  # Eve's letter is still to be sent
TODAY = 6  # the letter of the day on which the server returns


class Outbox(NamedTuple):
    """What happened: the letters that the server kept, the withdrawals that came another way, and
    one letter of today."""

    source: Source
    kept: list[Delivery]
    withdrawals: list[Delivery]
    today: Delivery


class Mailed(NamedTuple):
    """What became of the letters: how many tombstones were forgotten, what anyorder decided, and
    who sent which letter."""

    forgotten: int
    decisions: list[Decision]
    mailer: list[int]
    ours: list[int]
    accepted: list[int]


def act(seed: int) -> Act:
    """Nothing here is left to chance, so the seed changes nothing."""
    del seed
    outbox = _outbox()
    mailed = _mailed(outbox)
    scores = {
        "a mailer with a TTL": _score(mailed.mailer, outbox),
        "anyorder": _score([*mailed.ours, *mailed.accepted], outbox),
    }
    usual = (
        f"{count(scores['a mailer with a TTL'].resurrected, 'withdrawn letter')} "
        f"sent, {round((RETURNED - WRITTEN) / DAY)} days late"
    )
    asked = count(sum(decision.quarantined for decision in mailed.decisions), "question")
    return Act(
        4,
        TITLE,
        _blocks(outbox, mailed),
        usual,
        f"{none(scores['anyorder'].resurrected)} sent, {asked} asked",
        scores,
    )


def _outbox() -> Outbox:
    source = Source("letters")
    kept = [
        source.put(WRITTEN + 60 * key, {"id": key, "recipient": name, "words": "Be mine"})
        for key, name in enumerate(RECIPIENTS[: TODAY - 1], 1)
    ]
    withdrawals = [source.delete(WRITTEN + HOUR + 60 * key, key) for key in WITHDRAWN]
    today = source.put(
        RETURNED + HOUR,
        {"id": TODAY, "recipient": RECIPIENTS[TODAY - 1], "words": "Happy birthday"},
    )
    return Outbox(source, kept, withdrawals, today)


def _mailed(outbox: Outbox) -> Mailed:
    """Both mailers through the nine months. A letter is sent when its row is written; in the end a
    person settles what is held."""
    with (
        closing(Expiring(in_memory(), COLUMNS, "letters")) as mailer,
        closing(Guarded("letters", RETENTION)) as ours,
    ):
        for withdrawal in outbox.withdrawals:
            mailer.take(withdrawal, _arrival(withdrawal))
            ours.take([withdrawal], _arrival(withdrawal))
        forgetting = _arrival(outbox.withdrawals[-1]) + RETENTION
        mailer.expire(forgetting - RETENTION)
        mailed = Mailed(ours.reap(forgetting), [], [], [], [])
        for delivery, now in [
            *((kept, RETURNED) for kept in outbox.kept),
            (outbox.today, _arrival(outbox.today)),
        ]:
            (decision,) = ours.take([delivery], now)
            mailed.decisions.append(decision)
            mailed.mailer.extend([_letter(decision)] if mailer.take(delivery, now) else [])
            mailed.ours.extend([_letter(decision)] if decision else [])
        mailed.accepted.extend(_settled(outbox, ours))
        return mailed


def _arrival(delivery: Delivery) -> float:
    """Two seconds after the commit."""
    return float((change_in(delivery) or {})["ts_ms"]) / 1000 + 2


def _letter(decision: Decision) -> int:
    return int((decision.event.key or {})["id"])


def _settled(outbox: Outbox, ours: Guarded) -> set[int]:
    """A person looks at the source: what is still there is accepted, the rest is dropped. The
    letters whose rows are then written."""
    quarantine, before = ours.table.quarantine, set(ours.rows())
    for entry in quarantine.entries():
        wanted = isinstance(entry.key, dict) and entry.key["id"] in outbox.source.rows
        quarantine.accept(entry.id) if wanted else quarantine.drop(entry.id)
    return set(ours.rows()) - before


def _score(sent: list[int], outbox: Outbox) -> Score:
    """Sent although withdrawn counts as resurrected; not sent although wanted as missing."""
    wanted = outbox.source.rows.keys()
    return Score(0, len(set(sent) - wanted), len(wanted - set(sent)))


def _blocks(outbox: Outbox, mailed: Mailed) -> list[Block]:
    hours, days = round(RETENTION / HOUR), round((RETURNED - WRITTEN) / DAY)
    return [
        prose(f"""On {day(WRITTEN)}, {count(len(outbox.kept), "letter")} are written. The server
            that should carry them fails, and keeps them in its queue. Within two hours
            {len(outbox.withdrawals)} are withdrawn; the withdrawals travel another way, and
            arrive. Two mailers remember them for {hours} hours, as configured. Then
            {count(mailed.forgotten, "tombstone")} are forgotten."""),
        prose(f"""On {day(RETURNED)}, {days} days later, somebody switches the server on again. An
            hour after that comes a letter of today. (On these two days it happened, with text
            messages.)"""),
        _figure(outbox),
        Table(
            (
                "letter to",
                "at the source",
                "a mailer with a TTL",
                f"anyorder, retention {hours}h",
                "a person settles",
            ),
            [_row(decision, outbox, mailed) for decision in mailed.decisions],
        ),
        prose("""Of all that it forgets, anyorder keeps the floor: how far the forgetting has gone.
            It cannot know whether a letter below the floor is still wanted, but it knows that it
            cannot. So nothing is sent, and a person is asked:"""),
        Quote([explain(mailed.decisions[0])], "anyorder"),
        prose("""Eve's letter was wanted, and was held as well. That is what a short memory costs:
            a question, not a wrong letter. By default, tombstones are kept for ever."""),
    ]


def _row(decision: Decision, outbox: Outbox, mailed: Mailed) -> list[str | Cell]:
    letter = _letter(decision)
    wanted = letter in outbox.source.rows
    sent = Cell("sent", "good" if wanted else "bad")
    unsent = Cell("not sent", "bad" if wanted else "good")
    by_mailer = sent if letter in mailed.mailer else unsent
    by_us = sent if letter in mailed.ours else ending(decision)
    settled = "accepted, sent" if letter in mailed.accepted else "dropped"
    return [
        RECIPIENTS[letter - 1],
        "still to be sent" if wanted else "withdrawn",
        by_mailer,
        by_us,
        settled if decision.quarantined else "",
    ]


def _short(seconds: float) -> str:
    """`14 Feb`."""
    number, month, _ = day(seconds).split()
    return f"{number} {month[:3]}"


def _figure(outbox: Outbox) -> Figure:
    days = (RETURNED - WRITTEN) / DAY
    months = [
        Month(
            (float(civil.timegm((2019, month, 1, 0, 0, 0))) - WRITTEN) / DAY, MONTHS[month - 1][:3]
        )
        for month in range(3, 11)
    ]
    ends = (_short(WRITTEN), _short(RETURNED))
    letters = []
    for key, name in enumerate(RECIPIENTS[: TODAY - 1], 1):
        withdrawn = next(
            (
                _arrival(delivery)
                for delivery in outbox.withdrawals
                if (change_in(delivery) or {})["before"]["id"] == key
            ),
            None,
        )
        letters.append((name, -1.0 if withdrawn is None else (withdrawn - WRITTEN) / DAY, days))
    return Figure(
        calendar(
            months,
            days,
            RETENTION / DAY,
            letters,
            ends,
            "Nine months between the letters and their arrival",
        ),
        "A green disc: the letter is written; a square: it is withdrawn; an amber "
        "disc: it arrives. "
        "The memory is short; where it ends, the floor begins.",
    )

"""`anyorder quarantine dismiss SCOPE`: the suspicion of a reset was wrong."""

from __future__ import annotations

from collections import Counter

from anyorder._core.outcome import Reason
from anyorder.cli.acts.answers import answer, is_agreed
from anyorder.cli.acts.asked import Asked
from anyorder.cli.terminal import say
from anyorder.guard.quarantine import Foreseen


def dismiss(asked: Asked) -> int:
    """`dismiss SCOPE`. It says first what will become of what is held, and asks."""
    options = asked.options
    scope, specs = options.which or "", asked.catalogue().specs()
    foreseen = asked.quarantine.foreseen(scope, specs)
    told = {
        "scope": scope,
        "again": foreseen.again,
        "stale": foreseen.settled[Reason.STALE],
        "settled": {reason.value: number for reason, number in foreseen.settled.items()},
    }
    if options.dry_run:
        would = f"would dismiss {scope}: {_sentence(foreseen)}"
        answer(options, told, would, needs_a_hand=True)
        return 0
    if not is_agreed(options, f"dismiss {scope}? {_sentence(foreseen)}"):
        say("nothing was dismissed")
        return 1
    closed = asked.quarantine.dismiss(scope, specs)
    answer(options, {**told, "closed": closed}, f"{closed} entries closed")
    return 0


def _sentence(foreseen: Foreseen) -> str:
    """`120 entries are decided again; 37 of them become stale (never written), 80 applied.`"""
    settled = Counter(foreseen.settled)
    stale = settled.pop(Reason.STALE, 0)
    noun = "1 entry is" if foreseen.again == 1 else f"{foreseen.again} entries are"
    others = [f"{number} {reason.value}" for reason, number in settled.most_common()]
    become = ", ".join([f"{stale} of them become stale (never written)", *others])
    return f"{noun} decided again; {become}."

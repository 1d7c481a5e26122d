"""What a store promises and what it cannot, as the kit found it."""

from __future__ import annotations

from typing import NamedTuple

from anyorder.guard.contract import Promises


class Finding(NamedTuple):
    """One check that held: its name, what holds, how much was tried, and how long it took."""

    check: str
    holds: str
    tried: str
    seconds: float


class StoreReport:
    """The kit's answer. Prints as two tables: what the store says of itself, and what was tried, or
    left out because of what it says."""

    def __init__(self, promises: Promises, findings: list[Finding], left_out: list[str]) -> None:
        self.promises = promises
        self.findings = findings
        self.left_out = left_out

    def __str__(self) -> str:
        return f"{self.said()}\n\n{self.tried()}"

    def said(self) -> str:
        """The store's promises, one a line."""
        promises = self.promises
        lines = [
            ("store", promises.name),
            ("guard", promises.guard),
            ("memory", promises.memory),
            ("forgets", "yes, floor first" if promises.forgets else "no: tombstones stay for ever"),
            (
                "one transaction",
                "yes"
                if promises.one_transaction
                else "no: each key is one atomic step, a batch is not",
            ),
            ("exact outcome", "yes" if promises.exact_outcome else "no"),
            ("cannot", promises.note or "nothing beyond the rules"),
        ]
        return "\n".join(f"{name:16} {text}" for name, text in lines)

    def tried(self) -> str:
        """What held, one check a line, and what was left out."""
        held = [
            f"{found.check:16} {found.seconds:6.1f} s  {found.holds}\n{'':26}({found.tried})"
            for found in self.findings
        ]
        return "\n".join(
            held
            + [
                f"{check:16} left out: the store promises that it never forgets"
                for check in self.left_out
            ]
        )

    def __repr__(self) -> str:
        return f"<StoreReport {self.promises.name}: {len(self.findings)} checks held>"

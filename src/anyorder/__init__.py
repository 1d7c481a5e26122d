"""State that is right whatever order events arrive in, and that can say why.

`anyorder.table(url, name)` makes a guarded table: `apply` records to it, ask `why` a row is so. The
names below are all there are; everything else is private or a documented submodule
(`anyorder.contract`, `anyorder.testing`). They are imported when first used (PEP 562), so that a
command line which only prints its help stays quick.
"""

from __future__ import annotations

from importlib import import_module

# type checkers take it as true; importing typing would take longer than all the rest
TYPE_CHECKING = False
if TYPE_CHECKING:
    from anyorder._core.batch import Decision as Decision
    from anyorder._core.event import Delivery as Delivery
    from anyorder._core.event import Event as Event
    from anyorder._core.explain import explain as explain
    from anyorder._core.outcome import Outcome as Outcome
    from anyorder._core.outcome import Reason as Reason
    from anyorder.errors import AnyorderError as AnyorderError
    from anyorder.guard.report import Report as Report
    from anyorder.sources.records import decode as decode
    from anyorder.tables import Table as Table
    from anyorder.tables import table as table
    from anyorder.why.story import Story as Story

_HOMES = {
    "AnyorderError": "errors",
    "Decision": "_core.batch",
    "Delivery": "_core.event",
    "Event": "_core.event",
    "Outcome": "_core.outcome",
    "Reason": "_core.outcome",
    "Report": "guard.report",
    "Story": "why.story",
    "Table": "tables",
    "decode": "sources.records",
    "explain": "_core.explain",
    "table": "tables",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'anyorder' has no attribute {name!r}")
    value = getattr(import_module(f"anyorder.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

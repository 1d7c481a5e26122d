"""State that is right whatever order events arrive in, and that can say why.

`anyorder.table(url, name)` makes a guarded table: `apply` records to it, ask `why` a row is so. The names below are all
there are; everything else is private or a documented submodule (`anyorder.testing`).
"""

from __future__ import annotations

from anyorder._core.batch import Decision
from anyorder._core.event import Delivery, Event
from anyorder._core.explain import explain
from anyorder._core.outcome import Outcome, Reason
from anyorder.envelopes import decode
from anyorder.errors import AnyorderError
from anyorder.report import Report
from anyorder.stores.story import Story
from anyorder.table import Table, table

__all__ = ["AnyorderError", "Decision", "Delivery", "Event", "Outcome", "Reason", "Report", "Story", "Table", "decode", "explain", "table"]

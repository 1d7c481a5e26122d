"""Two writers and a reaper on one file never fork a key's history."""

from __future__ import annotations

import pytest

from tests.runtime.chain import trial


@pytest.mark.parametrize("retention", ["forever", "0s"])
def test_two_writer_processes_and_a_reaper_leave_every_chain_whole(retention: str) -> None:
    figures = trial(6000, 300, batch=20, retention=retention)

    assert int(str(figures["writes"])) > 100, figures

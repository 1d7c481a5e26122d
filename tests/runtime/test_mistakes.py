"""A mistake in a pipeline never eats the input: what it held is there, byte for byte, and comes to
the same when the pipeline is right. A sample of the recorded streams; `make mistakes` is all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.once import once
from tests.recordings import Telling, needs_recordings
from tests.runtime.mistakes import (
    MISTAKES,
    RIGHT,
    Books,
    alarms,
    at_once,
    command,
    mended,
    write,
)

pytestmark = needs_recordings
SAMPLE = [
    Telling("key_swap_deferred", "records"),
    Telling("schema_change", "records_schema"),
    Telling("truncate", "records"),
    Telling("types", "records_strings"),
    Telling("users_small", "records"),
]


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("telling", SAMPLE, ids=str)
def test_a_corrected_pipeline_retries_to_the_books_of_one_that_was_right_at_once(
    telling: Telling, mistake: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wanted: Books = once(tmp_path_factory, str(telling), lambda here: at_once(telling, here))

    found = mended(telling, MISTAKES[mistake], tmp_path)

    assert found.books == wanted
    assert mistake == "one [[table]] is missing" or found.held > 0


@pytest.mark.parametrize("telling", SAMPLE, ids=str)
def test_a_right_pipeline_raises_no_alarm(telling: Telling) -> None:
    """Not at its beginning, and not wherever a file might begin."""
    assert alarms(telling) == 0


@pytest.mark.parametrize("mistake", [name for name, one in MISTAKES.items() if one.told])
def test_a_preflight_tells_before_anything_is_written(
    mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(MISTAKES[mistake], Telling("users_small", "records"))

    assert command("run") == (2, "")
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.toml"]


def test_a_key_that_the_events_do_not_have_may_be_another_afterwards(tmp_path: Path) -> None:
    telling = Telling("users_small", "records")
    mistake = RIGHT._replace(tables='[[table]]\nmatch = "*"\nkey = "nothing"\n')

    for name in ("mistaken", "right"):
        (tmp_path / name).mkdir()
    found = mended(telling, mistake, tmp_path / "mistaken")

    assert found.books == at_once(telling, tmp_path / "right")
    assert found.books.held == []

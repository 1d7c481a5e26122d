"""How far a run has come: the share of a file, and how long the rest will take."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from anyorder.cli import progress as module
from anyorder.cli.progress import Progress, spelled
from anyorder.guard.report import Report
from anyorder.sources.jsonl import JSONLinesSource
from tests.cli.home import AS_USERS_HAVE_IT, Home
from tests.streams import record

LINES = [json.dumps({"value": json.dumps({"id": number})}) + "\n" for number in range(4000)]


def shares(path: Path, frontier: str | None = None) -> list[float]:
    """The share after each batch."""
    source = JSONLinesSource(str(path))
    found = []
    for _ in source.batches(frontier, 500):
        share = source.share()
        assert share is not None
        found.append(share)
    return found


@pytest.mark.parametrize("name", ["day.jsonl", "day.jsonl.gz", "day.jsonl.xz", "utf16.jsonl"])
def test_the_share_of_a_file_grows_from_batch_to_batch_to_all_of_it(
    name: str, tmp_path: Path
) -> None:
    text = "".join(LINES)
    encoded = text.encode("utf-16" if name.startswith("utf16") else "utf-8")
    pack = {".gz": gzip.compress, ".xz": lzma.compress}.get(Path(name).suffix, bytes)
    (tmp_path / name).write_bytes(pack(encoded))

    found = shares(tmp_path / name)

    assert len(found) == 8
    assert found == sorted(found)
    assert found[-1] == 1.0
    if name == "day.jsonl":
        assert found[0] == pytest.approx(1 / 8, rel=0.05)


def test_a_run_that_goes_on_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text("".join(LINES[:2000]), encoding="utf-8")
    (*_, last) = JSONLinesSource(str(path)).batches(None, 500)
    path.write_text("".join(LINES), encoding="utf-8")

    found = shares(path, last[-1].mark)

    assert len(found) == 4
    assert found[0] > 0.5


def test_of_what_is_no_file_nobody_knows_how_much_there_is(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen([sys.executable, "-c", f"open({str(path)!r}, 'w').write('{{}}\\n')"]):
        source = JSONLinesSource(str(path))
        for _ in source.batches(None, 10):
            assert source.share() is None
    assert JSONLinesSource("-").share() is None


def test_a_source_that_is_closed_has_no_share(tmp_path: Path) -> None:
    (tmp_path / "day.jsonl").write_text(LINES[0], encoding="utf-8")
    source = JSONLinesSource(str(tmp_path / "day.jsonl"))
    list(source.batches(None, 10))

    assert source.share() is None


def lines(monkeypatch: pytest.MonkeyPatch, told: list[tuple[float, float | None]]) -> list[str]:
    """The lines that are written at these moments, of these shares."""
    written: list[str] = []
    monkeypatch.setattr(module, "overwrite", lambda text, _: written.append(text))
    progress = Progress()
    for moment, share in told:
        monkeypatch.setattr(module.time, "monotonic", lambda moment=moment: moment)
        progress(Report(), share)
    return written


def test_the_time_left_is_as_it_went_since_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which was not at the beginning of the file."""
    told: list[tuple[float, float | None]] = [(100, 0.5), (110, 0.6), (140, 0.9), (150, 1.0)]

    found = lines(monkeypatch, told)

    begins = [re.match("([^;]*); 0 read: ", line) for line in found]
    assert [one[1] if one else None for one in begins] == [
        "50%",
        "60%, 40 s left",
        "90%, 10 s left",
        "100%",
    ]


def test_without_a_share_there_is_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = lines(monkeypatch, [(100, None)])

    assert line.startswith("0 read: ")
    assert "left" not in line


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_a_time_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert spelled(seconds) == text


def test_a_terminal_is_told_the_share_and_a_pipe_is_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.pipeline()
    home.deliver([record(number, "c", number, after={"id": number}) for number in range(1, 9)])
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "anyorder", "run"]
    subprocess.run(
        command, cwd=tmp_path, env=AS_USERS_HAVE_IT, stderr=theirs, stdout=theirs, check=True
    )
    told = os.read(ours, 10_000).decode()
    piped = subprocess.run(
        [*command, "--from-start"],
        check=True,
        cwd=tmp_path,
        env=AS_USERS_HAVE_IT,
        capture_output=True,
    )
    os.close(ours)
    os.close(theirs)

    assert "100%; 8 read: 8 applied" in told
    assert piped.stderr == b""

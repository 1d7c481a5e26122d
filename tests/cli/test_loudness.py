"""`-q` says only what is wrong or needs a hand, `-v` tells what happens, and no verb goes without
them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anyorder.cli.main import VERBS, main, parser_of
from anyorder.cli.terminal import LOG
from tests.cli.home import Home
from tests.streams import record


class Desk(Home):
    """The command in this process."""

    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(path)
        self._capsys = capsys

    def says(self, *words: str, code: int = 0) -> tuple[str, str]:
        """What it says on its two outputs."""
        assert main(list(words)) == code
        told = self._capsys.readouterr()
        return told.out, told.err


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    found = Desk(tmp_path, capsys)
    found.pipeline(retention="0s")
    found.deliver([record(1, "c", 10, after={"id": 1}), record(2, "c", 20, after={"id": 2})])
    yield found
    # as loud as it was
    for handler in list(LOG.handlers):
        LOG.removeHandler(handler)
    LOG.setLevel(logging.NOTSET)
    LOG.propagate = True


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_takes_both(verb: str) -> None:
    options = parser_of(verb)._option_string_actions

    assert {"-q", "--quiet", "-v", "--verbose", "-V", "--version"} <= options.keys()


@pytest.mark.parametrize("word", ["-V", "--version"])
def test_the_version_has_a_short_word(word: str, desk: Desk) -> None:
    out, _ = desk.says(word)

    assert out.startswith("anyorder 0.")


def test_a_verb_says_the_version_too_and_does_nothing(desk: Desk) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["run", "-V"])

    assert not (desk.path / "app.db").exists()


def test_a_quiet_run_that_needs_nobody_says_nothing(desk: Desk) -> None:
    assert desk.says("run", "-q") == ("", "")
    assert desk.says("run", "-q") == ("", "")
    assert desk.says("doctor", "-q") == ("", "")
    assert desk.says("reap", "-q") == ("", "")
    assert desk.says("quarantine", "list", "-q") == ("", "")
    assert desk.says("schema", "apply", "-q") == ("", "")


def test_a_quiet_run_says_what_needs_a_hand(desk: Desk) -> None:
    desk.deliver([{**record(1, "c", 10), "value": "{"}])

    out, err = desk.says("run", "-q", code=1)
    assert (out, "1 entry is open in the quarantine" in err) == ("", True)
    assert "malformed" in desk.says("quarantine", "list", "-q", code=1)[0]
    assert "still open" in desk.says("quarantine", "retry", "-q", code=1)[0]
    assert desk.says("quarantine", "settle", "1", "--drop", "-q") == ("", "")


def test_a_quiet_run_answers_a_script(desk: Desk) -> None:
    out, err = desk.says("run", "-q", "--json")

    assert (json.loads(out)["applied"], err) == (2, "")


def test_a_quiet_run_leaves_warnings_out_and_says_what_is_wrong(desk: Desk) -> None:
    with (desk.path / "day.jsonl").open("ab") as file:
        file.write(b'{"half')
    assert desk.says("run", "-q") == ("", "")
    (desk.path / "day.jsonl").unlink()

    assert "cannot read day.jsonl" in desk.says("run", "-q", code=2)[1]


def test_a_verbose_run_tells_each_step_on_standard_error(desk: Desk) -> None:
    desk.deliver([record(1, "c", 10, after={"id": 1}), record(1, "d", 20)])

    out, err = desk.says("run", "-v")

    assert out.startswith("2 applied")
    assert "day.jsonl is read from its beginning" in err
    assert "2 read: applied 2; done up to 2:" in err
    assert "table users: 1 tombstones forgotten" in err
    assert "day.jsonl is read from 2:" in desk.says("run", "-v")[1]


def test_the_next_command_is_as_loud_as_it_says_itself(desk: Desk) -> None:
    desk.says("run", "-v")

    assert desk.says("run", "--from-start")[1] == ""
    assert desk.says("run", "--from-start", "-q") == ("", "")
    assert "ignored" in desk.says("run", "--from-start")[0]


def test_both_together_are_misuse(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "-q", "-v"])
    assert "say one of the two" in capsys.readouterr().err


def test_a_word_for_many_tells_how_far_it_is(desk: Desk) -> None:
    desk.deliver([{**record(key, "c", 10), "value": "{"} for key in (1, 2)])
    desk.says("run", code=1)

    _, err = desk.says("quarantine", "settle", "--reason", "malformed", "--drop", "--yes", "-v")
    assert "2 of 2 entries are dropped" in err


def test_what_is_told_of_a_url_is_no_secret(desk: Desk) -> None:
    """As in every line of the log."""
    desk.says("run", "-v")
    (handler,) = LOG.handlers
    secret = logging.LogRecord("anyorder", 20, "", 0, "from %s", ("http://a:b@h/x?k=v",), None)

    assert "a:b" not in handler.format(secret)

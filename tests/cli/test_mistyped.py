"""Who mistypes a verb, an option, or a word of the pipeline file is told what may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from anyorder.cli.main import main
from anyorder.mistyped import meant

PIPELINE = """
[source]
kind = "jsonl"
path = "day.jsonl"
envelope = "json"
options = { key = "/id", position = "/version", position_kind = "version", table = "t" }
[store]
url = "sqlite:///app.db"
[runtime]
batch = 10
[[table]]
match = "*"
name = "t"
adopt = "refuse"
"""


@pytest.mark.parametrize(
    ("words", "likely"),
    [
        (["rnu"], "run"),
        (["quarantin"], "quarantine"),
        (["run", "--form-start"], "--from-start"),
        (["run", "--chek"], "--check"),
        (["run", "--adopt", "refus"], "refuse"),
        (["quarantine", "setle"], "settle"),
        (["quarantine", "list", "--state", "opn"], "open"),
        (["quarantine", "list", "--reason", "conflct"], "conflict"),
        (["schema", "aply"], "apply"),
    ],
)
def test_a_mistyped_word_of_the_command_is_answered_by_the_one_that_is_like_it(
    words: list[str], likely: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(str(ended.code))

    assert code == 2
    assert f'did you mean "{likely}"?' in capsys.readouterr().err


@pytest.mark.parametrize("words", [["xyzzy"], ["run", "--xyzzy"], ["run", "--adopt", "xyzzy"]])
def test_nothing_is_guessed_of_a_word_that_is_like_none(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(str(ended.code))

    told = capsys.readouterr().err
    assert code == 2
    assert "did you mean" not in told
    assert "xyzzy" in told


@pytest.mark.parametrize(
    ("right", "wrong", "likely"),
    [
        ("[runtime]", "[runtim]", "runtime"),
        ("batch = ", "bach = ", "batch"),
        ("match = ", "mach = ", "match"),
        ("path = ", "paht = ", "path"),
        ("envelope = ", "evelope = ", "envelope"),
        ('kind = "jsonl"', 'kind = "json"', "jsonl"),
        ('"json"', '"jsn"', "json"),
        ("position =", "positon =", "position"),
        ('"version"', '"vesion"', "version"),
        ("sqlite:", "sqlit:", "sqlite"),
        ('"refuse"', '"refused"', "refuse"),
        ('kind = "jsonl"', 'format = "line"', "lines"),
    ],
)
def test_a_mistyped_word_of_the_pipeline_file_is_answered_so_too(
    right: str,
    wrong: str,
    likely: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert right in PIPELINE
    monkeypatch.chdir(tmp_path)
    text = PIPELINE.replace(right, wrong, 1)
    (tmp_path / "pipeline.toml").write_text(text, encoding="utf-8")

    assert main(["doctor"]) == 2
    assert f'did you mean "{likely}"?' in capsys.readouterr().err


def test_the_word_is_spelled_as_it_is_known_whatever_the_case() -> None:
    assert meant("ANYORDER", ["AnyOrder"]) == '; did you mean "AnyOrder"?'
    assert meant(7, ["a", "b"]) == ""
    assert meant("a", []) == ""

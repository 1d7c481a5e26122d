"""`anyorder completion SHELL`: what a real shell offers for what is typed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from anyorder.cli.main import VERBS, main, parser_of

BASH = """
source {script}
COMP_WORDS=({words})
COMP_CWORD={last}
_anyorder
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ :; }}
compadd() {{ shift; print -l -- "$@" }}
_files() {{ print -l -- * }}
source {script}
words=({words})
CURRENT={last}
_anyorder
"""
FISH = "source {script}; complete -C {line}"
TYPED = [
    ("qua", {"quarantine"}, {"run"}),
    ("quarantine ", {"list", "settle", "dismiss"}, {"run", "--accept"}),
    ("quarantine settle --", {"--accept", "--drop", "--dry-run", "--quiet"}, {"--state"}),
    ("quarantine list --", {"--state", "--reason", "--pipeline"}, {"--accept", "--yes"}),
    ("quarantine list --reason ", {"no_content", "late"}, {"applied", "incomplete"}),
    ("run --adopt ", {"refuse", "older-than-everything"}, {"--adopt"}),
    ("run --", {"--check", "--from-start", "--verbose"}, {"--accept"}),
    ("run ", {"some pipeline.toml"}, {"list"}),
    ("why --pipeline ", {"some pipeline.toml"}, {"list"}),
    ("completion ", {"bash", "zsh", "fish"}, {"run"}),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some pipeline.toml").touch()
    return tmp_path


def script(shell: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    assert main(["completion", shell]) == 0
    found = folder / f"completion.{shell}"
    found.write_text(capsys.readouterr().out, encoding="utf-8")
    return found


def said(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def offered(shell: str, path: Path, typed: str) -> set[str]:
    """What a shell offers behind `anyorder` and these words."""
    words = ["anyorder", *typed.split(" ")]
    quoted = " ".join(f"'{word}'" for word in words)
    # bash counts from 0, zsh from 1
    if shell == "bash":
        text = BASH.format(script=path, words=quoted, last=len(words) - 1)
        found = said("bash", "--norc", "-c", text)
    elif shell == "zsh":
        found = said("zsh", "-f", "-c", ZSH.format(script=path, words=quoted, last=len(words)))
    else:
        line = f"'anyorder {typed}'"
        found = said("fish", "--no-config", "-c", FISH.format(script=path, line=line))
    words_alone = [line.split("\t")[0] for line in found.splitlines()]
    return {word.replace("\\ ", " ") for word in words_alone}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_offers_what_may_be_typed_there_and_nothing_else(
    shell: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = script(shell, here, capsys)

    for typed, there, absent in TYPED:
        found = offered(shell, path, typed)
        assert there <= found, typed
        # zsh itself narrows what it is told to what begins so, and is not asked here.
        if shell != "zsh" or typed[-1] in " -":
            assert not absent & found, typed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_verb_and_every_long_option_is_in_the_script(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["completion", shell])
    text = capsys.readouterr().out

    for verb in VERBS:
        assert verb in text
        for name in parser_of(verb)._option_string_actions:
            spelled = f"-l {name[2:]}" if shell == "fish" and name.startswith("--") else name
            assert spelled in text or len(name) == 2


def test_a_shell_that_is_not_known_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["completion", "bsh"])
    assert 'did you mean "bash"?' in capsys.readouterr().err

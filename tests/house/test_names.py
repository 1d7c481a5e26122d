"""Public names, exceptions, reasons and verbs: few, documented, each in the docs and in a test."""

from __future__ import annotations

import inspect
import subprocess
import sys
import time
from pathlib import Path

import pytest

import anyorder
from anyorder import errors
from anyorder._core.outcome import REASONS, Outcome, Reason
from anyorder.cli.main import VERBS, parser_of
from tests.house.modules import ROOT

DOCS = ROOT / "docs"
EXCEPTIONS = [
    c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, errors.AnyorderError)
]


def words_of(folder: Path, pattern: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob(pattern))


def test_there_are_about_a_dozen_public_names_and_each_is_documented() -> None:
    assert len(anyorder.__all__) <= 15
    assert all(inspect.getdoc(getattr(anyorder, name)) for name in anyorder.__all__)
    reference = words_of(DOCS / "reference", "*.md")
    assert [name for name in anyorder.__all__ if name not in reference] == []


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda c: c.__name__)
def test_an_exception_says_by_itself_what_to_do(exception: type[errors.AnyorderError]) -> None:
    message = str(exception())

    assert len(message.split()) >= 8
    assert message == str(exception("")) != str(exception("own words"))


def test_every_reason_has_one_outcome_and_is_documented() -> None:
    assert set(REASONS) == set(Reason)
    assert {meaning.outcome for meaning in REASONS.values()} == set(Outcome)
    reference = (DOCS / "reference" / "reasons.md").read_text(encoding="utf-8")
    assert [reason.value for reason in Reason if f"`{reason.value}`" not in reference] == []


def test_every_reason_is_given_in_some_test() -> None:
    tests = words_of(ROOT / "tests", "test_*.py")

    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in tests] == []


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_and_is_in_the_cli_reference(verb: str) -> None:
    assert parser_of(verb).format_help().count("\n") > 3
    assert f"anyorder {verb}" in (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")


def seconds_of(*words: str) -> float:
    """The quickest of five: a noisy machine only ever adds time."""
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return min(times)


def test_help_imports_no_verb_no_store_and_no_msgspec() -> None:
    """It is what a person types most, and waits for."""
    code = "import sys; from anyorder.cli.main import main; main(['--help']); print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    imported = set(shown.splitlines()[-1].split())

    assert "anyorder.cli.main" in imported
    assert not imported & {f"anyorder.cli.{verb.module}" for verb in VERBS.values()}
    assert not imported & {"anyorder.stores", "msgspec"}


def test_importing_the_package_imports_msgspec_and_the_standard_library_only() -> None:
    code = (
        "import sys; old = set(sys.modules); import anyorder; "
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - old}))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()

    assert set(shown) - {"anyorder", "msgspec"} <= set(sys.stdlib_module_names) | {"_virtualenv"}

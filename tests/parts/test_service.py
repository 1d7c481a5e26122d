"""A real part is required or absent, never silently skipped; it listens on loopback only and ends
by its pid."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.parts.service import Service, free_port, listening, missing


def test_a_missing_part_is_skipped_with_the_sentence_that_gets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody has to search how to install it."""
    monkeypatch.setenv("ANYORDER_REQUIRE", "recordings")
    with pytest.raises(pytest.skip.Exception, match="mvn package"):
        missing("dynamodb", "mvn package")


def test_a_required_part_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Continuous integration names the parts it has; a part that vanished there is red, not a
    skip."""
    monkeypatch.setenv("ANYORDER_REQUIRE", "recordings, dynamodb")
    with pytest.raises(pytest.fail.Exception, match="mvn package"):
        missing("dynamodb", "mvn package")


def test_a_service_starts_on_a_free_port_and_ends_by_its_pid(tmp_path: Path) -> None:
    """Nothing is left behind, and nobody else's process is touched."""
    port = free_port()
    service = Service(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)],
        tmp_path / "log",
        lambda: port,
    )
    assert listening(port)
    assert service.endpoint == f"http://127.0.0.1:{port}"
    service.stop()
    assert service.process.returncode is not None
    assert not listening(port)


def test_a_service_that_does_not_start_says_why(tmp_path: Path) -> None:
    """The tail of its log is in the error."""
    with pytest.raises(RuntimeError, match="no luck"):
        Service([sys.executable, "-c", "print('no luck')"], tmp_path / "log", free_port)

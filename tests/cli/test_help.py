"""Who asks for help waits for nothing but the words."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = """
import sys
from anyorder.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print(*sys.modules, file=sys.stderr)
"""
DRIVERS = {"sqlite3", "boto3", "botocore", "psycopg", "confluent_kafka"}
ROOMS = tuple(f"anyorder.{room}" for room in ("stores", "sources", "runtime", "guard", "_core"))


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"]], ids=" ".join)
def test_who_asks_for_help_loads_no_store_and_no_driver(words: list[str]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, *words], check=True, capture_output=True, text=True
    )

    loaded = set(shown.stderr.split())
    assert "anyorder" in shown.stdout
    assert loaded & DRIVERS == set()
    assert [name for name in loaded if name.startswith(ROOMS)] == []

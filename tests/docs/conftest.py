"""The parts that a page has its reader start in another terminal, one of each a test session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def parts_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `make parts-aws` starts; the exports that it writes for the other terminal."""
    from tests.aws.parts import running

    with running(tmp_path_factory.mktemp("parts-aws")) as exports:
        yield exports

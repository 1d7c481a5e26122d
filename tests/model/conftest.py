"""`pytest tests/model` searches a part; `--whole` everything that the rules name, and says at the
end how much that was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Report = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--whole",
        action="store_true",
        help="search the models in the whole scope of the rules (minutes instead of seconds)",
    )


@pytest.fixture
def whole(request: pytest.FixtureRequest) -> bool:
    """Is the whole scope asked for?"""
    return bool(request.config.getoption("--whole", default=False))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Call with counts to have them printed at the end: `report(histories=1364, states=78257)`."""

    def keep(**counts: object) -> None:
        request.node.user_properties.append(
            ("searched", ", ".join(f"{name} {count}" for name, count in counts.items()))
        )

    return keep


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not config.getoption("--whole", default=False):
        return
    found = [
        f"{report.nodeid.rpartition('/')[2]}: {text}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, text in report.user_properties
        if name == "searched"
    ]
    if found:
        terminalreporter.section("searched")
        for line in sorted(found):
            terminalreporter.write_line(line)

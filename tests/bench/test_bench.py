"""The bench runs, and prints the ratio before anything else, and beside every rate what it is worth
nothing without: that no row is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bench.__main__ import measure as measure_one
from bench.work import Work

from bench import against, by_hand, measure
from tests.house.modules import ROOT

RATE = re.compile(r" \d[\d,]*/s +\d[\d,]*/s   \[\S+ \.\. \S+\]")


@pytest.fixture(autouse=True)
def one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(against, "RUNS", 1)
    monkeypatch.setattr(measure.rates, "__defaults__", (1, lambda: None))


def test_the_rates_of_one_tree(capsys: pytest.CaptureFixture[str]) -> None:
    measure_one(300, 40)
    _, what, ratio, by_hand, header, *rates = capsys.readouterr().out.splitlines()

    assert what.startswith("3")
    assert re.fullmatch(r"guarded / unguarded: \d\.\d\d in CPU, \d\.\d\d by the clock", ratio)
    assert by_hand.startswith("guarded / by hand, guarded by a version: ")
    assert "a CPU second" in header
    assert [bool(RATE.search(rate)) for rate in rates] == [True] * 8
    assert [rate.split()[-1] for rate in rates[1:5] if rate.endswith("/0")] == ["0/0/0"] * 3


def test_two_trees_take_turns(capsys: pytest.CaptureFixture[str]) -> None:
    against.compare(ROOT, 300, 40)
    _, _, decide, pipeline, of_json, _, *rates = capsys.readouterr().out.splitlines()

    assert decide.startswith("decide, this tree / the other: ")
    assert pipeline.startswith("pipeline, this tree / the other: ")
    assert of_json.startswith("pipeline of json, this tree / the other: ")
    assert [rate.split()[-1] for rate in rates] == ["0/0/0"] * 6


def test_a_tree_that_is_none_is_refused() -> None:
    with pytest.raises(SystemExit, match="is no tree of anyorder"):
        against.compare(ROOT / "docs", 300, 40)


def test_processor_time_and_the_clock_are_counted_apart_and_the_median_is_shown() -> None:
    runs = [measure.Done(100, measure.Spent(cpu, 2 * cpu)) for cpu in (1.0, 4.0, 2.0)]
    rate = measure.rate_of("x", runs)

    assert rate == ("x", 50.0, 25.0, 25.0, 100.0, "")
    assert measure.ratio("x", rate, rate._replace(cpu=100.0)) == "x: 0.50 in CPU, 1.00 by the clock"


def test_by_hand_an_unguarded_consumer_ends_wrong_and_a_guarded_one_brings_back_the_dead(
    tmp_path: Path,
) -> None:
    work = Work(3000, 300, str(tmp_path))

    blind = [int(number) for number in by_hand.unguarded(work).rows.split("/")]
    wrong, resurrected, missing = map(int, by_hand.guarded(work).rows.split("/"))

    assert min(blind) > 0
    assert (wrong, missing) == (0, 0)
    assert resurrected > 0
    assert work.pipeline().rows == work.pipeline_of_json().rows == "0/0/0"

"""A sample of the fuzzing; `python tests/envelopes/fuzz.py --count 1000000` is the whole."""

from __future__ import annotations

from anyorder._core.event import Kind
from tests.envelopes import fuzz

COUNT = 20_000


def test_mutated_payloads_never_raise_and_another_reader_reads_what_is_accepted_alike() -> None:
    figures = fuzz.run(COUNT, seed=1)

    assert figures.wrong == []
    assert figures.kinds.total() == COUNT
    assert (
        min(
            figures.kinds[kind]
            for kind in (Kind.PUT, Kind.DELETE, Kind.MALFORMED, Kind.NO_CONTENT, Kind.HINT)
        )
        > COUNT / 100
    )


def test_mutated_record_lines_are_read_or_refused_and_no_exception_leaves_detect() -> None:
    figures = fuzz.run_lines(COUNT // 4, seed=1)

    assert figures.wrong == []
    assert min(figures.kinds[name] for name in ("record", "other JSON", "malformed")) > COUNT / 100


def test_the_same_seed_makes_the_same_mutations() -> None:
    assert fuzz.run(500, seed=7).kinds == fuzz.run(500, seed=7).kinds != fuzz.run(500, seed=8).kinds

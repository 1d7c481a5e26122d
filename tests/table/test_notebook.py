"""What a notebook shows of a report and of a story: nothing of a delivery is markup in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import anyorder

MARKUP = '<script>alert("1")</script>&\''


def test_a_report_is_a_table_of_its_books() -> None:
    with closing(anyorder.table("memory://", "t", key="/id", position="/version")) as table:
        report = table.apply(
            [{"id": 1, "version": 2}, {"id": 1, "version": 1}, {"id": 2}, {"id": 3, "version": 1}]
        )

    shown = report._repr_html_()
    assert "<tr><td>applied</td><td></td><td>2</td></tr>" in shown
    assert "<tr><td>ignored</td><td>stale</td><td>1</td></tr>" in shown
    assert "<tr><td>quarantined</td><td>malformed</td><td>1</td></tr>" in shown
    assert "<tr><td>read</td><td></td><td>4</td></tr>" in shown


def test_markup_in_a_key_a_value_and_a_column_is_text(tmp_path: Path) -> None:
    with closing(
        anyorder.table(f"sqlite:///{tmp_path}/a.db", "t", key="/id", position="/version")
    ) as table:
        table.apply([{"id": MARKUP, "version": 1, MARKUP: "a"}])
        table.apply([{"id": MARKUP, "version": 1, MARKUP: MARKUP}])
        story = table.why(MARKUP)

    shown = story._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "conflict" in shown
    assert shown.count("<p>") == len(story.sentences)


def test_a_key_without_entries_is_sentences_only() -> None:
    with closing(anyorder.table("memory://", "t", key="/id", position="/version")) as table:
        table.apply([{"id": 1, "version": 1}])

        assert "<table>" not in table.why(1)._repr_html_()

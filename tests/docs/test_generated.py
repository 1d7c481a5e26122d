"""What a page says about the code's own tables is what they say today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.generate import KEYS, PARTS, SECTIONS, regenerated
from tests.docs.pages import GENERATED, ROOT, name_of, pages, read

WITH_PARTS = [page for page in pages() if GENERATED.search(read(page))]


@pytest.mark.parametrize("page", WITH_PARTS, ids=name_of)
def test_a_generated_part_is_fresh(page: Path) -> None:
    assert read(page) == regenerated(read(page)), "run `make docs`"


def test_every_generated_part_is_on_exactly_one_page() -> None:
    names = [found["name"] for page in pages() for found in GENERATED.finditer(read(page))]

    assert sorted(names) == sorted(PARTS)


def test_every_key_of_a_pipeline_has_a_meaning_and_no_other() -> None:
    there = {
        (name, field) for name, section in SECTIONS.items() for field in section.__struct_fields__
    }

    assert there == set(KEYS)


def test_a_stale_page_is_noticed() -> None:
    page = ROOT / "docs" / "reference" / "reasons.md"

    assert regenerated(read(page).replace("`stale`", "`old`")) == read(page)

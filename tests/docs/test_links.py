"""No page points to what is not there, or tells where it was written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, name_of, pages, prose, read

PRIVATE = re.compile(
    r"/work/|/tmp/|/home/|/root/|\.\./shared|mission-notes|reference/(?:field|peers|perf|rules|positions)\.md"
)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_link_inside_the_repository_resolves(page: Path) -> None:
    broken = []
    for target in links(page):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_no_page_names_a_private_path(page: Path) -> None:
    assert PRIVATE.findall(read(page)) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        found = [
            (page.parent / target.partition("#")[0]).resolve()
            for target in links(page)
            if not target.startswith(("http", "#"))
        ]
        waiting += [file for file in found if file.suffix == ".md"]

    assert [name_of(page) for page in pages() if page not in reached] == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_has_one_title(page: Path) -> None:
    assert len(re.findall(r"^# ", prose(page), re.MULTILINE)) == 1


def test_every_rule_that_the_source_cites_is_on_the_page_of_rules() -> None:
    rules = set(
        re.findall(r"^## (R\d+) ", read(ROOT / "docs" / "explanation" / "rules.md"), re.MULTILINE)
    )
    cited = {
        rule
        for path in (ROOT / "src").rglob("*.py")
        for line in re.findall(r"rules[^.\n]*", read(path))
        for rule in re.findall(r"\bR\d+\b", line)
    }

    assert len(cited) >= 10
    assert cited - rules == set()

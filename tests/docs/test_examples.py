"""Every example of the documentation runs, and prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, name_of, pages, read
from tests.docs.runner import PARTS, RUN, SHOWN, SHOWN_ONLY, Page, Stale, commands

WITH_EXAMPLES = [page for page in pages() if any(block.language in RUN for block in blocks(page))]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_what_a_page_shows_is_what_happens(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A page that needs parts which are not here is skipped; or an error, where they are
    required."""
    needs = any(block.language == "sh" and PARTS in block.text for block in blocks(page))
    running = Page(page, tmp_path, request.getfixturevalue("parts_aws") if needs else None)

    running.run()

    assert running.ran > 0


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_has_no_block_that_nobody_checks(page: Path) -> None:
    unknown = {block.language for block in blocks(page)} - RUN - SHOWN

    assert unknown == set()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_what_is_shown_without_being_run_is_installing_and_making_only(page: Path) -> None:
    lines = [
        line
        for block in blocks(page)
        if block.language == "sh"
        for line in block.text.splitlines()
        if line and not line.startswith("#")
    ]

    assert [line for line in lines if line.split()[0] not in SHOWN_ONLY] == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    makefile = read(ROOT / "Makefile")
    lines = [
        line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()
    ]
    targets = {line.split()[1] for line in lines if line.startswith("make ")}

    assert [target for target in targets if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_the_text_before_a_file_names_it(page: Path) -> None:
    text = read(page)
    before = [
        (
            block.file,
            "".join(text.splitlines(keepends=True)[max(0, block.line - 4) : block.line - 1]),
        )
        for block in blocks(page)
        if block.file
    ]

    assert [file for file, words in before if f"`{file}`" not in words] == []


def page_of(folder: Path, text: str) -> Page:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return Page(page, folder)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\nraise_nothing()\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console\n$ false\n```\n",
        "```console\n$ echo one two\none ... three\n```\n",
    ],
)
def test_a_page_that_lies_is_caught(text: str, tmp_path: Path) -> None:
    with pytest.raises(Stale):
        page_of(tmp_path, text).run()


def test_a_page_may_leave_out_what_differs_each_time(tmp_path: Path) -> None:
    text = (
        "```python\nx = 7\n```\n```python\nprint('took', x, "
        "'ms')\nprint(2)\nprint(3)\n```\n```text\ntook ... ms\n...\n3\n```\n"
    )
    text += (
        "`a.txt`:\n```text a.txt\nhello\n```\n```console\n$ cat a.txt\nhello\n$ "
        "false\n$ echo $?\n1\n```\n"
    )
    running = page_of(tmp_path, text)

    running.run()

    assert running.ran == 5


def test_a_command_may_go_on_over_several_lines() -> None:
    assert commands("$ cat <<END\n> a\n> END\na\n") == [("cat <<END\na\nEND", "a\n")]

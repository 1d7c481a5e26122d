"""The Python of the pages is typed: whoever copies it into a strict project has no error."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import Block
from tests.docs.samples import aligned, problems, write

LINES = "a = 1\n"


def test_every_sample_passes_a_strict_type_checker_and_one_that_is_not_typed_is_found(
    tmp_path: Path,
) -> None:
    modules = write(tmp_path)
    untyped = aligned([Block("python", "", "def f(x):\n    pass\n", 3)])
    (tmp_path / "untyped.py").write_text(untyped, encoding="utf-8")

    assert {"readme", "docs_how_to_adopt_a_table"} < modules.keys()
    assert problems(tmp_path, modules | {"untyped": "docs/untyped.md"}) == [
        "docs/untyped.md:4: Function is missing a type annotation  [no-untyped-def]"
    ]


def test_a_block_keeps_its_lines() -> None:
    text = aligned([Block("python", "", LINES, 2), Block("python", "", LINES, 7)])

    assert [at for at, line in enumerate(text.splitlines(), 1) if line] == [3, 8]

"""The Python of the pages as modules that a type checker can read: each line keeps its number."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks, name_of, pages

ERROR = re.compile(r"(?P<module>\w+)\.py:(?P<line>\d+): error: (?P<text>.*)")


def module_of(page: Path) -> str:
    """The module that a page's unnamed blocks make up."""
    return re.sub(r"\W", "_", name_of(page).removesuffix(".md")).lower()


def write(folder: Path) -> dict[str, str]:
    """One module a page, and one for each block that names its file; module -> page."""
    found: dict[str, str] = {}
    for page in pages():
        python = [block for block in blocks(page) if block.language == "python"]
        unnamed = [block for block in python if not block.file]
        modules = {block.file.removesuffix(".py"): [block] for block in python if block.file}
        if unnamed:
            modules[module_of(page)] = unnamed
        for name, parts in modules.items():
            assert name not in found, f"two pages have a module {name}"
            (folder / f"{name}.py").write_text(aligned(parts), encoding="utf-8")
            found[name] = name_of(page)
    return found


def aligned(parts: list[Block]) -> str:
    """The blocks, each at the lines that it has in its page."""
    text = ""
    for block in parts:
        text += "\n" * (block.line - text.count("\n")) + block.text
    return text


def problems(folder: Path, pages_of: dict[str, str]) -> list[str]:
    """What `mypy --strict` says of the modules in a folder, by page and line. What it learnt of the
    package is kept where `make check` keeps it."""
    paths = [ROOT / "src", *sorted(path.parent for path in (ROOT / "examples").rglob("our_*.py"))]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-pretty", str(folder)],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode in (0, 1), checked.stdout + checked.stderr
    found = [ERROR.search(line) for line in checked.stdout.splitlines() if ": error: " in line]
    return [
        f"{pages_of.get(error['module'], error['module'])}:{error['line']}: {error['text']}"
        for error in found
        if error is not None
    ]

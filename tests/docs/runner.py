"""Runs a page: its files are written, its Python and its commands executed, in order, and what they
print is compared.

The conventions, which a page's reader never notices:

* ```` ```toml pipeline.toml ```` (any language and a file name) is written to that file; the text
  before it must name the file.
* ```` ```python ```` is executed; all blocks of a page are one program. A ```` ```text ```` block
  right after it is what it prints.
* ```` ```console ```` holds `$ command` lines, each followed by what it prints. A command that
  fails must be followed by `$ echo $?`.
* `...` stands for any characters in a line; alone on a line, for any lines.
* ```` ```sh ```` is for what needs a network or takes minutes: only the commands of SHOWN_ONLY.
* A Python file of `examples/` that the page links to lies there already.
* A page that says `make parts-aws` there is run while these parts are, in the environment that they
  export.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks, links

RUN = frozenset({"python", "console"})
SHOWN = frozenset({"text", "sh", "json", "toml", "sql", "mermaid", "makefile"})
SHOWN_ONLY = frozenset({"git", "pip", "python3", "make", "cd", "uvx", "."})
PARTS = "make parts-aws"
SECONDS = 60  # that one command may take
MARK = "\x1eend of"
PROGRAM = """
import contextlib, io, json, sys, traceback
names = {"__name__": "__main__"}
for line in sys.stdin:
    asked, printed, failed = json.loads(line), io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(asked["code"], asked["page"], "exec"), names)
        except Exception:
            failed = traceback.format_exc()
    print(json.dumps([printed.getvalue(), failed]), flush=True)
"""
"""A page's own Python process: one line of JSON in for a block, one out with what it printed and
how it failed."""


class Stale(AssertionError):
    """A page says something else than what happens."""


class Page:
    """One page in one directory. `exports`: added to its environment. `run()` raises Stale where
    the page and the program disagree."""

    def __init__(self, page: Path, folder: Path, exports: Mapping[str, str] | None = None) -> None:
        self.page = page
        self.folder = folder
        self.environment = {**environment(folder), **(exports or {})}
        self.ran = 0

    def run(self) -> None:
        words = [sys.executable, "-c", PROGRAM]
        with subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as program:
            try:
                self._steps(program)
            finally:
                program.communicate(timeout=SECONDS)

    def _steps(self, program: subprocess.Popen[str]) -> None:
        for example in examples(self.page):
            shutil.copy(example, self.folder)
        found = blocks(self.page)
        for block, after in zip(found, [*found[1:], None], strict=True):
            if block.file:
                (self.folder / block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "python":
                self._python(
                    program,
                    block,
                    after if after is not None and after.language == "text" else None,
                )
            elif block.language == "console":
                self._console(block)

    def _python(self, program: subprocess.Popen[str], block: Block, shown: Block | None) -> None:
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(
            json.dumps({"code": "\n" * block.line + block.text, "page": str(self.page)}) + "\n"
        )
        program.stdin.flush()
        printed, failed = json.loads(program.stdout.readline())
        self.ran += 1
        if failed:
            raise Stale(f"{self.page}:{block.line}: this Python fails\n{failed}")
        if shown is not None:
            self._compare(shown.text, printed, block, "this Python")

    def _console(self, block: Block) -> None:
        steps = commands(block.text)
        codes, printed = self._shell([command for command, _ in steps])
        for place, (command, shown) in enumerate(steps):
            self._compare(shown, printed[place], block, f"`{command}`")
            explained = place + 1 < len(steps) and steps[place + 1][0] == "echo $?"
            if codes[place] and not explained:
                raise Stale(
                    f"{self.page}:{block.line}: `{command}` ends with {codes[place]}, and the "
                    f"page does not say so\n{printed[place]}"
                )
        self.ran += len(steps)

    def _shell(self, words: list[str]) -> tuple[list[int], list[str]]:
        """Exit code and output of each command, in one shell."""
        script = "code=0\n"
        for command in words:
            script += (
                f"(exit $code)\n{command}\ncode=$?\nprintf '%s %s\\n' {shlex.quote(MARK)} $code\n"
            )
        ended = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        pieces = re.split(rf"{MARK} (\d+)\n", ended.stdout)
        if len(pieces) != 2 * len(words) + 1:
            raise Stale(f"{self.page}: the shell stopped early\n{ended.stdout}")
        return [int(code) for code in pieces[1::2]], pieces[0:-1:2]

    def _compare(self, shown: str, printed: str, block: Block, what: str) -> None:
        found = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
        if not pattern_of(shown.strip("\n")).fullmatch(found):
            raise Stale(
                f"{self.page}:{block.line}: {what} prints\n{found}--- the page says\n{shown}"
            )


def examples(page: Path) -> list[Path]:
    """The Python files of `examples/` that a page links to."""
    targets = [(page.parent / target).resolve() for target in links(page)]
    return [path for path in targets if path.suffix == ".py" and ROOT / "examples" in path.parents]


def commands(text: str) -> list[tuple[str, str]]:
    """(command, what it prints) of a console block; a command may go on over lines that begin with
    `>`."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif (line == ">" or line.startswith("> ")) and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        elif found:
            found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
        else:
            raise Stale(f"a console block must begin with `$ `, not {line!r}")
    return found


def pattern_of(shown: str) -> re.Pattern[str]:
    """What a page shows, `...` being anything; every line ends in a line feed."""
    lines = (
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*?") + r"\n"
        for line in shown.splitlines()
    )
    return re.compile("".join(lines))


def environment(folder: Path) -> dict[str, str]:
    """The environment of a newcomer whose `anyorder` and `python` are the ones under test."""
    tools = folder / ".tools"
    tools.mkdir()
    for name, words in (("anyorder", "-m anyorder "), ("python", "")):
        (tools / name).write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words}"$@"\n', encoding="utf-8"
        )
        (tools / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANYORDER_")}
    path = os.pathsep.join((str(ROOT / "src"), *filter(None, [kept.get("PYTHONPATH")])))
    plain = {"NO_COLOR": "1", "COLUMNS": "100", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    return {**kept, **plain, "PATH": f"{tools}{os.pathsep}{kept['PATH']}", "PYTHONPATH": path}

"""The page, and `anyorder demo` as a person or a script runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from xml.etree import ElementTree

import msgspec
import pytest

import anyorder
from anyorder.demo.acts import ACTS, SEED
from anyorder.demo.blocks import Act, Figure, Quote, Table, Text
from anyorder.demo.page import page

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def demo(folder: Path, *words: str, code: int = 0, hash_seed: int = 0) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(
        [sys.executable, "-m", "anyorder", "demo", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def without_timing(output: str) -> str:
    *lines, last = output.splitlines()
    assert re.fullmatch(r"\d+\.\d s", last)
    return "\n".join(lines)


@pytest.fixture(scope="module")
def acts() -> Sequence[Act]:
    return [act(SEED) for act in ACTS.values()]


@pytest.fixture(scope="module")
def tree(acts: Sequence[Act]) -> ElementTree.Element:
    return ElementTree.fromstring(page(acts, SEED).removeprefix("<!DOCTYPE html>"))


def test_the_page_is_well_formed_and_has_every_act_with_its_drawings_and_tables(
    tree: ElementTree.Element, acts: Sequence[Act]
) -> None:
    for act in acts:
        (section,) = [
            found
            for found in tree.iter(f"{XHTML}section")
            if found.get("id") == f"act-{act.number}"
        ]
        assert act.title in "".join(section.itertext())
        assert len(list(section.iter(f"{SVG}svg"))) == sum(
            isinstance(block, Figure) for block in act.blocks
        )
        assert len(list(section.iter(f"{XHTML}table"))) == sum(
            isinstance(block, Table) for block in act.blocks
        )


def test_the_page_loads_nothing_and_runs_nothing(
    tree: ElementTree.Element, acts: Sequence[Act]
) -> None:
    names = {element.tag.partition("}")[2] for element in tree.iter()}
    attributes = {name for element in tree.iter() for name in element.attrib}
    links = [element.get("href") for element in tree.iter() if "href" in element.attrib]
    text = page(acts, SEED)

    assert not names & {"script", "link", "img", "iframe", "object", "embed", "image", "use"}
    assert not {
        name for name in attributes if name.startswith("on") or name in ("src", "srcset", "style")
    }
    assert links == [f"#act-{number}" for number in ACTS]
    assert set(re.findall(r"https?://[^\"'\s]+", text)) == {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2000/svg",
    }
    assert "url(" not in text
    assert "@import" not in text


def test_words_are_shown_as_they_are() -> None:
    words = 'a < b & "c" > d\'s'
    act = Act(
        1,
        words,
        [
            Text(f"{words} `x<y`"),
            Table((words,), [[words]]),
            Quote([words], words),
            Figure("<svg/>", words),
        ],
        words,
        words,
        {},
    )
    shown = "".join(
        ElementTree.fromstring(page([act], SEED).removeprefix("<!DOCTYPE html>")).itertext()
    )

    assert shown.count(words) == 10
    assert "x<y" in shown


def test_every_class_that_is_drawn_has_a_style(tree: ElementTree.Element) -> None:
    style = "".join(next(tree.iter(f"{XHTML}style")).itertext())
    used = {name for element in tree.iter() for name in element.get("class", "").split()}

    assert used
    assert [name for name in sorted(used) if f".{name}" not in style] == []


def test_every_drawing_stays_inside_its_frame(tree: ElementTree.Element) -> None:
    for drawing in tree.iter(f"{SVG}svg"):
        _, _, width, height = map(float, drawing.get("viewBox", "").split())
        for element in drawing.iter(f"{SVG}text"):
            x, y = float(element.get("x", "nan")), float(element.get("y", "nan"))
            long = 7.0 * len("".join(element.itertext()))  # of a wide face at 14 units
            left = (
                x
                - {"start": 0.0, "middle": long / 2, "end": long}[
                    element.get("text-anchor", "start")
                ]
            )
            assert 0 <= y <= height
            assert left >= -1, "".join(element.itertext())
            assert left + long <= width + 1, "".join(element.itertext())


def test_the_demo_is_quick_and_the_same_twice_byte_for_byte(tmp_path: Path) -> None:
    before = getrusage(RUSAGE_CHILDREN)
    first = demo(tmp_path, "--html", "one.html", hash_seed=1)
    after = getrusage(RUSAGE_CHILDREN)
    # of processor time: the machine may be busy
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    second = demo(tmp_path, "--html", "two.html", hash_seed=2)

    assert 0 < seconds < 30
    assert without_timing(first).replace("one.html", "two.html") == without_timing(second)
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_what_is_piped_is_plain_and_at_most_100_columns_wide(tmp_path: Path) -> None:
    output = demo(tmp_path)

    assert "\x1b" not in output
    assert max(map(len, output.splitlines())) <= 100
    assert (tmp_path / "anyorder-demo.html").exists()


@pytest.mark.parametrize("number", sorted(ACTS))
def test_one_act_can_be_played_alone(tmp_path: Path, number: int) -> None:
    output = demo(tmp_path, "--act", str(number), "--no-html")

    assert [line[0] for line in output.splitlines() if re.match(r"\d  \S", line)] == [str(number)]
    assert list(tmp_path.iterdir()) == []


def test_another_seed_gives_other_numbers(tmp_path: Path) -> None:
    one, two = (
        without_timing(demo(tmp_path, "--act", "2", "--no-html", "--seed", seed))
        for seed in ("1", "2")
    )

    assert one.replace("seed 1.", "seed 2.") != two


def test_misuse_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    nowhere = demo(tmp_path, "--act", "1", "--html", "nowhere/page.html", code=2)

    assert nowhere.startswith("anyorder demo: cannot write nowhere/page.html")
    assert nowhere.count("\n") == 1
    assert "invalid choice" in demo(tmp_path, "--act", "6", code=2)


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_gets_colours_unless_somebody_says_no(
    tmp_path: Path, variables: dict[str, str], coloured: bool
) -> None:
    ours, theirs = os.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-m", "anyorder", "demo", "--act", "1", "--no-html"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=theirs, env=plain | variables) as running:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # Linux: the other end is closed
            pass
    os.close(ours)

    assert running.returncode == 0
    assert b"tombstone" in shown
    assert (b"\x1b[1m" in shown) is coloured


def test_a_terminal_that_cannot_spell_a_character_gets_another(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "anyorder", "demo", "--act", "1", "--no-html"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, check=True)

    assert done.stdout.isascii()


def test_the_demo_runs_with_msgspec_alone(tmp_path: Path) -> None:
    for package in (anyorder, msgspec):
        (tmp_path / package.__name__).symlink_to(Path(package.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [
        sys.executable,
        "-S",
        "-c",
        "import sys; from anyorder.cli.main import main; code = main(['demo', '--no-html']); print(*sys.modules); sys.exit(code)",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}

    assert done.returncode == 0, done.stderr
    assert {"anyorder", "msgspec"} <= loaded
    assert loaded - {"anyorder", "msgspec"} <= set(sys.stdlib_module_names) | {"__main__"}

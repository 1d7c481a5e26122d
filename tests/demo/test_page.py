"""The page, and `anyorder demo` as a person or a script runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from anyorder.cli.demo import DEFAULT_PAGE
from anyorder.cli.main import main
from anyorder.demo.acts import ACTS, SEED, TITLES, WAITING
from anyorder.demo.blocks import Act, Figure, Quote, Table, Text
from anyorder.demo.page import TUTORIAL, page
from tests.demo.conftest import Play
from tests.demo.performed import Shown, without_timing
from tests.house.modules import ROOT

XHTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"


def demo(folder: Path, *words: str, code: int = 0) -> str:
    """What a demo that ends soon prints."""
    done = subprocess.run(
        [sys.executable, "-m", "anyorder", "demo", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    play: Play,
) -> Callable[..., tuple[str, list[int]]]:
    """Call with the words after `anyorder demo`: what this process prints, and the acts that it
    plays."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[str, list[int]]:
        asked: list[int] = []

        def asks(number: int) -> Callable[[int], Act]:
            def act(seed: int) -> Act:
                asked.append(number)
                return play(number, seed).act

            return act

        for number in ACTS:
            monkeypatch.setitem(ACTS, number, asks(number))
        assert main(["demo", *words]) == 0
        return capsys.readouterr().out, asked

    return run


@pytest.fixture(scope="module")
def acts(play: Play) -> Sequence[Act]:
    return [play(number).act for number in sorted(ACTS)]


@pytest.fixture(scope="module")
def tree(acts: Sequence[Act]) -> ElementTree.Element:
    return ElementTree.fromstring(page(acts, SEED).removeprefix("<!DOCTYPE html>"))


def test_the_page_is_well_formed_and_has_every_act_with_its_drawings_and_tables(
    tree: ElementTree.Element, acts: Sequence[Act]
) -> None:
    for one in acts:
        (section,) = [
            found
            for found in tree.iter(f"{XHTML}section")
            if found.get("id") == f"act-{one.number}"
        ]
        assert one.title in "".join(section.itertext())
        assert len(list(section.iter(f"{SVG}svg"))) == sum(
            isinstance(block, Figure) for block in one.blocks
        )
        assert len(list(section.iter(f"{XHTML}table"))) == sum(
            isinstance(block, Table) for block in one.blocks
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
    assert links == [f"#act-{number}" for number in ACTS]  # in a clone also the tutorial, a file
    assert set(re.findall(r"https?://[^\"'\s]+", text)) == {
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2000/svg",
    }
    assert "url(" not in text
    assert "@import" not in text


def test_words_are_shown_as_they_are() -> None:
    words = 'a < b & "c" > d\'s'
    made = Act(
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
        ElementTree.fromstring(page([made], SEED).removeprefix("<!DOCTYPE html>")).itertext()
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


def test_the_demo_is_quick_and_the_same_twice_byte_for_byte(first: Shown, second: Shown) -> None:
    told, _, _ = second.output.rstrip("\n").rpartition("\n")

    assert 0 < first.seconds < 30  # of processor time: the machine may be busy
    assert without_timing(first.output) == without_timing(told)
    assert first.page.read_bytes() == second.page.read_bytes()


def test_what_is_piped_is_plain_and_at_most_80_columns_wide(first: Shown) -> None:
    assert "\x1b" not in first.output
    assert max(map(len, first.output.splitlines())) <= 80
    assert first.page.exists()


def test_the_page_links_to_the_tutorial_where_the_documentation_lies_beside_it(
    acts: Sequence[Act], tmp_path: Path, here: Callable[..., tuple[str, list[int]]]
) -> None:
    assert (ROOT / TUTORIAL).is_file()
    alone = page(acts, SEED)
    (tmp_path / TUTORIAL).parent.mkdir(parents=True)
    (tmp_path / TUTORIAL).touch()
    printed, _ = here("--act", "1")
    here("--act", "1", "--html", "docs/elsewhere.html")
    link = f'href="{TUTORIAL}"'

    assert f"<code>{TUTORIAL}</code>" in alone
    assert link not in alone
    assert link in (tmp_path / DEFAULT_PAGE).read_text()
    assert link not in (tmp_path / "docs" / "elsewhere.html").read_text()
    assert TUTORIAL in printed


def test_a_clone_in_which_the_demo_was_played_is_clean() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert DEFAULT_PAGE in ignored


def test_what_is_too_wide_for_a_small_screen_scrolls_without_a_mouse_and_says_so(
    tree: ElementTree.Element,
) -> None:
    drawings = list(tree.iter(f"{SVG}svg"))
    scrolling = [found for found in tree.iter() if found.get("class") == "scrolls"]
    reached = [drawing for found in scrolling for drawing in found.iter(f"{SVG}svg")]

    assert [found.get("tabindex") for found in scrolling] == ["0"] * len(scrolling)
    assert all("scrolls sideways" in found.get("aria-label", "") for found in scrolling)
    assert {drawing for drawing in drawings if float(drawing.get("width", "nan")) > 400} == {
        *reached
    }


def test_a_drawing_stands_before_the_table_of_what_it_draws(acts: Sequence[Act]) -> None:
    for one in acts:
        kinds = [type(block) for block in one.blocks]
        assert (Table, Figure) not in set(pairwise(kinds)), one.title


def test_an_act_has_its_heading_before_it_is_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], play: Play
) -> None:
    def asked(seed: int) -> Act:
        shown.append(capsys.readouterr().out)
        return play(5, seed).act

    shown: list[str] = []
    monkeypatch.setitem(ACTS, 5, asked)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    main(["demo", "--act", "5", "--no-html"])

    assert TITLES[5] in shown[0]
    assert WAITING[5] in shown[0]
    assert TITLES[5] == play(5).act.title
    assert TITLES[5] not in capsys.readouterr().out


def test_every_act_is_called_what_its_heading_says(acts: Sequence[Act]) -> None:
    assert {one.number: one.title for one in acts} == TITLES


@pytest.mark.parametrize("number", sorted(ACTS))
def test_one_act_can_be_played_alone(
    tmp_path: Path, number: int, here: Callable[..., tuple[str, list[int]]]
) -> None:
    output, asked = here("--act", str(number), "--no-html")

    assert [line[0] for line in output.splitlines() if re.match(r"\d  \S", line)] == [str(number)]
    assert asked == [number]
    assert list(tmp_path.iterdir()) == []


def test_another_seed_gives_other_numbers(here: Callable[..., tuple[str, list[int]]]) -> None:
    one, two = (
        without_timing(here("--act", "2", "--no-html", "--seed", seed)[0]) for seed in ("1", "2")
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


def test_the_demo_runs_with_msgspec_alone(second: Shown) -> None:
    loaded = {name.partition(".")[0] for name in second.output.splitlines()[-1].split()}

    assert {"anyorder", "msgspec"} <= loaded
    assert loaded - {"anyorder", "msgspec"} <= set(sys.stdlib_module_names) | {"__main__"}

"""Stores and sources are found by what a person writes: ours by a short word, anybody's own by
`module:factory`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from anyorder import contract
from anyorder.errors import ConfigurationError
from anyorder.guard import contract as of_stores
from anyorder.runtime.pipeline import load_pipeline
from anyorder.sources import contract as of_sources
from anyorder.sources import open_source
from anyorder.stores import DOORS, ddl_of, open_store

MODULE = """
from anyorder.contract import Delivery, Received
from anyorder.stores.memory.store import MemoryStore

asked = []

def made(place, decode):
    asked.append((place, decode))
    return MemoryStore(decode)

def nothing(place, decode):
    return None

def takes_nothing():
    return None

class Lines:
    acknowledges = False

    def __init__(self, text, times=1):
        self.name = self.place = text
        self.times = times

    def batches(self, frontier, size):
        yield [Received(Delivery(value=self.name.encode()), str(n)) for n in range(self.times)]

    def done(self, batch):
        pass

    def close(self):
        pass
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory that holds a module of the user's own; Python does not look there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    monkeypatch.delitem(sys.modules, "doors_of_mine", raising=False)
    (tmp_path / "doors_of_mine.py").write_text(MODULE, encoding="utf-8")
    return tmp_path


def test_a_store_of_one_s_own_is_made_with_its_place_and_the_decoder(here: Path) -> None:
    def decode(delivery: object) -> object:
        return delivery

    places = ["", "://", "://shop?mode=ro", ":///var/lib/shop", "://redis://127.0.0.1/0#x"]
    for place in places:
        open_store(f"doors_of_mine:made{place}", decode)  # type: ignore[arg-type]

    asked = sys.modules["doors_of_mine"].asked
    assert asked == [(place.removeprefix("://"), decode) for place in places]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("no_such_module:made", "there is no module no_such_module; is it installed"),
        ("doors_of_mine.inner:made", "there is no module doors_of_mine.inner"),
        ("doors_of_mine:mad", "the module doors_of_mine has no function mad"),
        ("doors_of_mine:asked", "the module doors_of_mine has no function asked"),
        ("doors_of_mine:takes_nothing", "doors_of_mine:takes_nothing cannot be called so"),
        ("doors_of_mine:nothing://x", "made no store: a NoneType has no promises"),
        ("doors_of_mine:made/x", "no store for"),
        ("postgres://x", "no store for 'postgres'; there are: sqlite:///app.db"),
        ("app.db", "no store for 'app.db'"),
        ("sqlite:app.db", "not a SQLite URL"),
        ("sqlite://app.db", "not a SQLite URL"),
        ("sqlite:///app.db?synchronous=off", "not a SQLite URL"),
        ("sqlite:///app.db?speed=9", "not a SQLite URL"),
        ("sqlite:///app.db?place=x", "not a SQLite URL"),
        ("dynamodb://?region=x", "not a DynamoDB URL"),
        ("dynamodb://t?threads=many", "not a DynamoDB URL"),
        ("http://[x", "not a URL"),
    ],
)
def test_a_url_that_opens_nothing_is_one_sentence(here: Path, url: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        open_store(url)

    assert sentence in str(refused.value)
    assert list(here.glob("*.db")) == []


def test_a_module_that_lacks_one_of_its_own_is_not_said_to_be_missing(here: Path) -> None:
    (here / "lacking_of_mine.py").write_text("import no_such_driver\n", encoding="utf-8")

    with pytest.raises(ModuleNotFoundError, match="no_such_driver"):
        open_store("lacking_of_mine:made")


def test_every_door_says_what_its_store_promises_and_its_ddl_or_none() -> None:
    said = {scheme: bool(ddl_of(f"{scheme}://", ["users"])) for scheme in ("sqlite", "memory")}
    said |= {"dynamodb": bool(ddl_of("dynamodb://users", [])), "own": bool(ddl_of("x:y"))}

    assert said == {"sqlite": True, "memory": False, "dynamodb": False, "own": False}
    assert all(door.struct().promises.name for door in DOORS.values())


def test_a_source_of_one_s_own_is_made_with_what_is_said_by_name(here: Path) -> None:
    source = open_source("doors_of_mine:Lines", {"text": "a", "times": 2})

    assert [len(batch) for batch in source.batches(None, 10)] == [2]
    with pytest.raises(ConfigurationError, match="cannot be called so"):
        open_source("doors_of_mine:Lines", {"path": "a"})
    with pytest.raises(ConfigurationError, match="cannot be called so"):
        open_source("doors_of_mine:Lines", {"self": 1})


def test_what_is_no_source_is_refused_before_anything_is_read(here: Path) -> None:
    (here / "no_source_of_mine.py").write_text("def made():\n    return 1\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="made no source: a int has no batches"):
        open_source("no_source_of_mine:made", {})


HAS = "it has: path, format, separator, null, topic"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            'pth = "x"',
            f"a source of kind jsonl has no pth; {HAS} - at `$.source`",
        ),
        (
            'queue = "x"',
            f"a source of kind jsonl has no queue; {HAS} - at `$.source`",
        ),
        ("path = 5", "Expected `str`, got `int` - at `$.source.path`"),
        ('kind = "sqs"\ndrain = 3', "Expected `bool`, got `int` - at `$.source.drain`"),
        ("kind = 3", "Expected `str`, got `int` - at `$.source.kind`"),
        ('kind = "kafka"', 'no source of kind \'kafka\'; there are: "jsonl", "sqs"'),
    ],
)
def test_what_a_source_does_not_know_is_refused_with_its_place_in_the_file(
    here: Path, said: str, sentence: str
) -> None:
    (here / "pipeline.toml").write_text(f'[source]\n{said}\n[store]\nurl = "sqlite://"\n')

    with pytest.raises(ConfigurationError) as refused:
        load_pipeline("pipeline.toml")

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("slip", "sentence"),
    [
        ('[table]\nname = "users"', "write it in two brackets: [[table]]"),
        ("[[table]]\nname = users", "Invalid value (at line 6, column 8); a text stands in quotes"),
    ],
)
def test_a_slip_in_the_file_says_what_to_write_instead(
    here: Path, slip: str, sentence: str
) -> None:
    text = f'[source]\npath = "x"\n[store]\nurl = "sqlite://"\n{slip}\n'
    (here / "pipeline.toml").write_text(text)

    with pytest.raises(ConfigurationError) as refused:
        load_pipeline("pipeline.toml")

    assert sentence in str(refused.value)


def test_an_installed_command_finds_a_module_in_the_current_directory(here: Path) -> None:
    """`-P`: like an installed command, Python does not look into the current directory by
    itself."""
    document = '{\\"id\\": 1, \\"version\\": 1}'
    (here / "pipeline.toml").write_text(
        f'''
[source]
kind = "doors_of_mine:Lines"
text = "{document}"
times = 2
envelope = "json"
options = {{ key = "/id", position = "/version", table = "users" }}
[store]
url = "doors_of_mine:made"
[[table]]
name = "users"
'''
    )
    words = [sys.executable, "-P", "-m", "anyorder", "run"]
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=False)

    assert done.stdout.startswith("1 applied, 1 ignored (duplicate)"), done.stderr


def test_everything_that_a_store_or_a_source_is_told_in_is_public() -> None:
    told = {
        name
        for module in (of_stores, of_sources)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "").startswith("anyorder.") and name[0] != "_"
    }

    assert told - set(contract.__all__) == set()

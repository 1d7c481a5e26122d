"""A URL is shown without user, password and query, wherever; and it means what RFC 3986 says."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder.doors import own_door
from anyorder.errors import ConfigurationError, SourceError
from anyorder.runtime.pipeline import load_pipeline
from anyorder.runtime.sections import PipelineFile
from anyorder.sources.sqs import SQSSettings, SQSSource
from anyorder.stores import open_store
from anyorder.stores.dynamodb.address import DynamoDBAddress
from anyorder.urls import shown, without_secrets

SECRET = "hunter2"
USER = "bob"
HOST = st.text("abcdefgh.", min_size=1)
USERS = st.text("abc.%+&;", min_size=1)
WORD = st.text(st.characters(exclude_characters=" \t\r\n\"'<>`", exclude_categories=["Cs", "Z"]))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("pg://bob:hunter2@db:5432/app", "pg://...@db:5432/app"),
        ("pg://bob@db/app", "pg://...@db/app"),
        ("pg://bob:hun@ter2@db/app", "pg://...@db/app"),
        ("pg://bob:hunter2?x@db/app", "pg://..."),
        ("pg://bob:hun@ter2#x@db/app?a=b", "pg://..."),
        ("pg://bob:hunt/er2@db/app", "pg://...@db/app"),
        ("pg://db/app?user=bob&password=hunter2", "pg://db/app?..."),
        ("dynamodb://users?endpoint=http://bob:hunter2@h", "dynamodb://users?..."),
        ("pg://db:1/app?to=a@b&password=hunter2", "pg://..."),
        ("pg://db/app#hunter2", "pg://db/app?..."),
        ("sqlite:////home/me@work/app.db", "sqlite:////home/me@work/app.db"),
        ("sqlite:///app.db", "sqlite:///app.db"),
        ("users", "users"),
        ("users?hunter2", "users?..."),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_who_asks_and_what_he_asks(url: str, told: str) -> None:
    assert shown(url) == told


@given(user=USERS, secret=WORD, host=HOST)
def test_no_password_is_shown_whatever_signs_it_has(user: str, secret: str, host: str) -> None:
    url = f"pg://{user}:<{secret}>@{host}/app"

    assert shown(url) in (f"pg://...@{host}/app", "pg://...")


def test_the_urls_in_a_text_are_shown_so_and_its_other_words_stay() -> None:
    text = 'no answer from "http://bob:hunter2@h:1/x?key=hunter2", nor pg://h/db; is it up?'

    assert (
        without_secrets(text) == 'no answer from "http://...@h:1/x?...", nor pg://h/db; is it up?'
    )


@pytest.mark.parametrize(
    "url",
    [
        "pg://bob:hunter2@h/db",
        "sqlite://bob:hunter2@h/db",
        "sqlite:///app.db?password=hunter2",
        "sqlite:///app.db?hunter2",
        "sqlite:///app.db#hunter2",
        "sqlite:///app.db?a=%zz&password=hunter2",
        "dynamodb://bob:hunter2@users?region=x",
        "dynamodb://users?threads=many&password=hunter2",
        "dynamodb://users?region=eu-central-1&endpoint=bob:hunter2@h",
        "pg://[bob:hunter2@h/db",
        "pg://bob:hunter2@\u2100/db",
    ],
)
def test_no_error_of_a_store_tells_a_secret_of_its_url(url: str) -> None:
    with pytest.raises(ConfigurationError) as found:
        open_store(url)

    error: BaseException | None = found.value
    while error is not None:
        assert SECRET not in str(error)
        assert USER not in str(error)
        error = None if error.__suppress_context__ else error.__context__


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///?synchronous=full"])
def test_a_sqlite_url_without_a_path_is_no_database_in_memory(url: str) -> None:
    """It is what a variable comes to that is not set, and would forget everything at the end."""
    with pytest.raises(ConfigurationError, match=r"write sqlite:///app\.db"):
        open_store(url)
    open_store("sqlite://").close()


def test_no_settings_tell_a_secret_when_they_are_printed() -> None:
    url = f"http://{USER}:{SECRET}@h/q?key={SECRET}"
    table = f"shop://{USER}:{SECRET}@h"
    settings = [
        SQSSettings(queue=url, endpoint=url),
        DynamoDBAddress(place="users", endpoint=url),
        PipelineFile.__struct_fields__,
        own_door(f"module:factory://{table}"),
    ]

    assert SECRET not in repr(settings)
    assert USER not in repr(settings)
    assert "http://...@h/q?..." in repr(settings)


def test_no_source_tells_a_secret_of_its_queue() -> None:
    queue = f"http://{USER}:{SECRET}@127.0.0.1:9/q?key={SECRET}"
    with pytest.raises(SourceError) as found:
        SQSSource(queue, client=Silent())

    assert SECRET not in str(found.value)
    assert USER not in str(found.value)
    assert found.value.__suppress_context__


class Silent:
    """A queue's client that nobody answers."""

    def get_queue_attributes(self, **_: object) -> None:
        from botocore.exceptions import EndpointConnectionError

        raise EndpointConnectionError(endpoint_url=f"http://{USER}:{SECRET}@127.0.0.1:9/")


PIPELINE = """
[source]
kind = "sqs"
queue = "$QUEUE"
endpoint = "$QUEUE"
region = "eu-central-1"
[store]
url = "$STORE"
"""


@pytest.mark.parametrize("verb", ["run", "why", "doctor", "schema", "quarantine"])
@pytest.mark.parametrize(
    "store", ["pg://bob:hunter2@h/db", "sqlite:///a?hunter2", "sqlite:///app.db"]
)
def test_no_verb_tells_a_secret_of_the_environment(tmp_path: Path, verb: str, store: str) -> None:
    (tmp_path / "pipeline.toml").write_text(PIPELINE)
    words = {"why": ["users", "1"], "quarantine": ["list"]}.get(verb, [])
    done = subprocess.run(
        [sys.executable, "-m", "anyorder", verb, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={
            "STORE": store,
            "QUEUE": "http://bob:hunter2@127.0.0.1:9/q",
            "ANYORDER_TRACEBACK": "1",
        },
    )

    # a shell or the file itself may have spelled the name, the environment's value is the secret
    assert SECRET not in done.stdout + done.stderr
    assert USER not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("spelled", "file"),
    [
        ("a%23b.db", "a#b.db"),
        ("a%3Fb.db", "a?b.db"),
        ("a%25b.db", "a%b.db"),
        ("50%2525.db", "50%25.db"),
        ("a%20b.db", "a b.db"),
        ("a b.db", "a b.db"),
        ("%C3%A4.db?synchronous=full", "ä.db"),
        ("ä+&=;.db", "ä+&=;.db"),
    ],
)
def test_a_file_of_any_name_can_be_spelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelled: str, file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(f"sqlite:///{spelled}").close()

    assert [one.name for one in tmp_path.iterdir() if not one.name.endswith(("-wal", "-shm"))] == [
        file
    ]


@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1))
def test_a_name_that_was_quoted_is_the_name(name: str) -> None:
    from anyorder.stores import missing

    path = "/nowhere/" + name.replace(".", "x")

    assert missing(f"sqlite:///{quote(path)}") == path


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///a#b.db", "%23"),
        ("sqlite:///a.db#", "%23"),
        ("sqlite:///a?b.db", "%3F"),
        ("sqlite:///a?", "%3F"),
        ("sqlite:///a?synchronous=full&b", "%3F"),
        ("sqlite:///50%.db", "%25"),
        ("sqlite:///a%2.db", "%25"),
        ("sqlite:///a%zz.db", "%25"),
        ("sqlite:///a\nb.db", "control"),
        ("sqlite:///a%00b.db", "control"),
        ("sqlite:///a.db ", "blank"),
        ("sqlite:///a%FF.db", "UTF-8"),
    ],
)
def test_what_means_something_else_in_a_url_is_refused_with_a_sentence_and_makes_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigurationError, match=re.escape(told)):
        open_store(url)
    assert list(tmp_path.iterdir()) == []


def test_the_run_ends_with_the_place_of_its_queue_and_no_more(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.toml"
    file.write_text('[source]\npath = "day.jsonl"\n[store]\nurl = "sqlite:///a$b.db"\n')

    with pytest.raises(ConfigurationError, match=r"\[store\] url: the environment sets no b"):
        load_pipeline(str(file))
    with pytest.raises(sqlite3.OperationalError):
        sqlite3.connect(f"file:{tmp_path}/a.db?mode=ro", uri=True)

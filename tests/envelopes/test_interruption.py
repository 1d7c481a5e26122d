"""What somebody raises while a record is read, in a signal handler or from another thread, is no
word about the record."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Iterator
from ctypes import c_long, py_object, pythonapi
from threading import Thread, get_ident

import msgspec
import pytest

from anyorder import decode
from anyorder._core.event import Delivery, Event, Kind
from anyorder.envelopes import open_envelope
from anyorder.envelopes.envelope import BUG, Reader
from anyorder.errors import Malformed

LARGE = b'{"a":[' + b'{"id":1,"b":"cccccccc"},' * 150_000 + b"1]}"
SECONDS = 0.02


class TimeLimit(Exception):
    """What a worker's handler raises."""


def end(*_: object) -> None:
    raise TimeLimit


def end_as_of_python(*_: object) -> None:
    """As many handlers do."""
    raise ValueError("time is up")


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    """No garbage is collected meanwhile: what is raised in a callback of that, and Hypothesis has
    one, is lost, whoever reads."""
    before = signal.getsignal(signal.SIGALRM)
    gc.disable()
    yield
    gc.enable()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def read_for_ever() -> None:
    """Decode one record after another, each of them good."""
    envelope = open_envelope("debezium")
    until = time.monotonic() + 20
    while time.monotonic() < until:
        event = envelope.decode(Delivery("t", 0, 1, key=b'{"id":1}', value=LARGE))
        assert not event.note.startswith(BUG), event.note


@pytest.mark.parametrize(("handler", "raised"), [(end, TimeLimit), (end_as_of_python, ValueError)])
def test_what_a_signal_handler_raises_goes_to_who_has_set_it(
    handler: object, raised: type[Exception]
) -> None:
    for _ in range(5):
        signal.signal(signal.SIGALRM, handler)  # type: ignore[arg-type]
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        with pytest.raises(raised):
            read_for_ever()


def test_what_another_thread_sends_goes_to_who_waits_for_it() -> None:
    def send(thread: int) -> None:
        time.sleep(SECONDS)
        pythonapi.PyThreadState_SetAsyncExc(c_long(thread), py_object(TimeLimit))

    sender = Thread(target=send, args=[get_ident()])
    sender.start()
    with pytest.raises(TimeLimit):
        read_for_ever()
    sender.join()


class Broken(Reader):
    """A reader of a user's own, with a mistake."""

    name = "broken"

    def read(self, delivery: Delivery) -> Event:
        return msgspec.json.decode(delivery.value or b"", type=int).nothing


class Interrupted(Reader):
    """One whose reading is interrupted where its key is looked for."""

    name = "interrupted"

    def read(self, delivery: Delivery) -> Event:
        raise Malformed("not one of ours")

    def key_of(self, delivery: Delivery) -> None:
        exec("raise error", {"__name__": "somebody.elses", "error": ValueError()})


def test_a_mistake_of_a_reader_is_kept_with_its_record_and_stops_nothing() -> None:
    event = Broken().decode(Delivery(value=b"1"))

    assert event.kind is Kind.MALFORMED
    assert event.note.startswith(f"{BUG} (AttributeError")


def test_what_interrupts_the_search_for_a_key_is_raised_too() -> None:
    with pytest.raises(ValueError, match=r"^$"):
        Interrupted().decode(Delivery(value=b"1"))


def test_a_mistake_in_the_search_for_a_key_costs_the_key_only() -> None:
    """The reason is told already."""
    (event,) = decode([{"value": '{"id":', "key": b"1"}], "debezium")

    assert (event.kind, event.key) == (Kind.MALFORMED, {"id": 1})

"""The user's own JSON, by JSON pointers."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from anyorder._core.event import Event, Kind
from anyorder._core.position import Order
from anyorder.envelopes import open_envelope
from anyorder.envelopes.pointers import MISSING, Pointer
from anyorder.errors import ConfigurationError
from tests.envelopes.samples import decode

DOCUMENT = {
    "order": {"id": "o-1", "total": 12.5},
    "version": 7,
    "cancelled": False,
    "updated_at": "2026-09-10T08:15:30Z",
    "type": "order.changed",
}
OPTIONS: dict[str, Any] = {
    "key": "/order/id",
    "position": "/version",
    "deleted": "/cancelled",
    "time": "/updated_at",
}


def of(document: object = None, options: dict[str, Any] | None = None, **changed: Any) -> Event:
    value = {**DOCUMENT, **changed} if document is None else document
    return decode(value, None, "json", {**OPTIONS, **(options or {})}, topic="orders")


def order(new: Event, old: Event) -> Order:
    assert new.position is not None
    assert old.position is not None
    return new.position.compare(old.position, {})


def test_a_document_is_put_under_its_key_at_its_position() -> None:
    found = of()

    assert (found.kind, found.table, found.key, found.fields, found.time) == (
        Kind.PUT,
        "orders",
        {"id": "o-1"},
        DOCUMENT,
        1789028130000000,
    )
    assert (found.position.scope, found.position.value, found.position.per_entity) == (
        'json:orders/{"id":"o-1"}',
        (7,),
        True,
    )


def test_a_position_of_the_whole_stream_has_one_scope() -> None:
    found = of(options={"position_scope": "stream", "table": "mine"})

    assert (found.table, found.position.scope, found.position.per_entity) == (
        "mine",
        "json:mine",
        False,
    )


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("version", 999, 1000),
        ("version", "999", "1000"),
        (
            "version",
            "1405400000000002063282832",
            "49590338271490256608559692538361571095921575989136588898",
        ),
        ("kubernetes", "999", "1000"),
        ("hex", "00ff", "0100"),
        ("timestamp", "2026-09-10T08:15:30.5+02:00", "2026-09-10T08:15:30Z"),
        ("lexicographic", "a9", "b"),
        ("integer32-wrap", 2147483647, -2147483648),
    ],
)
def test_every_kind_of_position_orders_by_what_it_spells(
    kind: str, old: object, new: object
) -> None:
    options = {"position_kind": kind}

    assert order(of(options=options, version=new), of(options=options, version=old)) is Order.NEWER


@pytest.mark.parametrize(
    ("kind", "value"),
    [("version", v) for v in (None, True, 1.5, -1, "", "1.0", "x", [], {}, "１２")]
    + [("kubernetes", v) for v in (7, "007", "", None)]
    + [("hex", v) for v in (None, 7, "xyz", "")]
    + [("timestamp", v) for v in (None, "yesterday", "2026-09-10T08:15:30", 1.5, 1789028130)],
)
def test_a_position_that_is_none_is_malformed_and_keeps_its_key(kind: str, value: object) -> None:
    found = of(options={"position_kind": kind}, version=value)

    assert (found.kind, found.table, found.key) == (Kind.MALFORMED, "orders", {"id": "o-1"})


MOMENT = "2026-12-31T23:59:59.999999999Z"
NANOSECONDS = 1798761599999999999


@pytest.mark.parametrize(
    ("unit", "before", "after"),
    [
        ("s", 1798761599, 1798761600),
        ("ms", 1798761599999, 1798761600000),
        ("us", 1798761599999999, 1798761600000000),
        ("ns", 1798761599999999998, 1798761600000000000),
    ],
)
def test_times_of_integers_and_of_texts_are_compared_as_the_moments_that_they_are(
    unit: str, before: int, after: int
) -> None:
    options = {"position_kind": "timestamp", "unit": unit}
    told = of(options=options, version=MOMENT)

    assert told.position.value == (NANOSECONDS,)
    assert order(of(options=options, version=after), told) is Order.NEWER
    assert order(told, of(options=options, version=before)) is Order.NEWER


@given(st.integers(-(10**12), 10**12), st.sampled_from([("s", 9), ("ms", 6), ("us", 3), ("ns", 0)]))
def test_an_integer_of_a_unit_is_that_moment_exactly(number: int, unit: tuple[str, int]) -> None:
    name, digits = unit
    assume(name != "s" or -62_135_596_800 <= number < 253_402_300_800)
    found = of(options={"position_kind": "timestamp", "unit": name}, version=number)

    assert found.position.value == (int(f"{number}{'0' * digits}"),)


@pytest.mark.parametrize(
    ("unit", "last", "first"),
    [
        ("s", 253402300799, -62135596800),
        ("ms", 253402300799999, -62135596800000),
        ("us", 253402300799999999, -62135596800000000),
        ("ns", 253402300799999999999, -62135596800000000000),
    ],
)
def test_a_time_beyond_the_years_that_there_are_is_malformed_and_the_note_names_the_unit(
    unit: str, last: int, first: int
) -> None:
    """Milliseconds that are taken for seconds: their order would count until somebody says so."""
    options = {"position_kind": "timestamp", "unit": unit}
    kinds = [of(options=options, version=one).kind for one in (first, last)]
    beyond = [of(options=options, version=one) for one in (first - 1, last + 1, 10**200)]

    assert kinds == [Kind.PUT, Kind.PUT]
    assert [one.kind for one in beyond] == [Kind.MALFORMED] * 3
    assert f"{last + 1} {unit} since 1970 are no time of the years 1 to 9999" in beyond[1].note


def test_when_a_change_was_told_to_happen_is_evidence_whatever_it_counts_to() -> None:
    found = of(options={"time": "/at"}, version=1, at=1798761599999999)

    assert (found.kind, found.time) == (Kind.PUT, 1798761599999999000)


def test_an_integer_without_a_unit_is_malformed_and_the_note_says_what_to_say() -> None:
    found = of(options={"position_kind": "timestamp"}, version=1798761600000)

    assert (found.kind, found.key) == (Kind.MALFORMED, {"id": "o-1"})
    assert 'unit = "s", "ms", "us" or "ns"' in found.note
    assert "1798761600000" in found.note


@pytest.mark.parametrize("scope", ["entity", "stream"])
def test_times_under_another_unit_or_of_before_there_were_any_do_not_compare(scope: str) -> None:
    told = [
        of(
            options={"position_kind": "timestamp", "position_scope": scope, **unit},
            version=MOMENT,
        )
        for unit in ({}, {"unit": "s"}, {"unit": "ms"})
    ]
    plain = of(options={"position_scope": scope}).position.scope
    before = msgspec.structs.replace(told[0].position, scope=plain)

    positions = [before, *(event.position for event in told)]
    for one, other in itertools.permutations(positions, 2):
        assert one.compare(other, {}) is Order.UNDECIDED


@pytest.mark.parametrize(
    "options",
    [
        {"unit": "ms"},
        {"position_kind": "kubernetes", "unit": "ms"},
        {"position_kind": "timestamp", "unit": "minutes"},
        {"position_kind": "timestamp", "unit": 1000},
        {"position_kind": "timestamp", "unit": ""},
    ],
)
def test_a_unit_is_one_of_four_words_and_of_times_only(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="unit"):
        of(options=options)


@pytest.mark.parametrize(("time", "found"), [(1798761600000, 1798761600000000), (MOMENT, None)])
def test_the_time_that_is_evidence_stays_in_milliseconds_whatever_the_unit(
    time: object, found: int | None
) -> None:
    options = {"position_kind": "timestamp", "unit": "s"}
    told = of(options=options, version=5, updated_at=time)

    assert told.time == (found or NANOSECONDS // 1000)


def test_a_missing_position_is_malformed_and_the_note_says_where_it_was_looked_for() -> None:
    found = of({"order": {"id": 1}})

    assert found.kind is Kind.MALFORMED
    assert "/version" in found.note


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        (True, Kind.DELETE),
        (False, Kind.PUT),
        (None, Kind.PUT),
        ("yes", Kind.MALFORMED),
        (1, Kind.MALFORMED),
    ],
)
def test_a_flag_deletes_only_if_it_is_true(flag: object, kind: Kind) -> None:
    assert of(cancelled=flag).kind is kind


def test_a_flag_that_is_not_there_does_not_delete() -> None:
    assert of({"order": {"id": 1}, "version": 1}).kind is Kind.PUT


@pytest.mark.parametrize(
    ("deleted", "kind"),
    [
        ("/type=order.changed", Kind.DELETE),
        ("/type=x", Kind.PUT),
        ("/version=7", Kind.DELETE),
        ("/cancelled=true", Kind.PUT),
        ("/type=", Kind.PUT),
    ],
)
def test_a_text_may_say_that_it_deletes(deleted: str, kind: Kind) -> None:
    assert of(options={"deleted": deleted}).kind is kind


def test_the_row_may_be_a_part_of_the_document_and_partial() -> None:
    found = of(options={"fields": "/order", "partial": True})

    assert (found.fields, found.partial, found.names("total"), found.names("other")) == (
        {"id": "o-1", "total": 12.5},
        True,
        True,
        False,
    )


@pytest.mark.parametrize("fields", ["/version", "/nowhere", "/type"])
def test_a_row_that_is_no_object_is_malformed(fields: str) -> None:
    assert of(options={"fields": fields}).kind is Kind.MALFORMED


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("/order/id", {"id": "o-1"}),
        (["/order/id", "/version"], {"id": "o-1", "version": 7}),
        ({"code": "/order/id"}, {"code": "o-1"}),
        (["/list/1/~1~0"], {"/~": 5}),
    ],
)
def test_the_key_is_one_pointer_a_list_or_named_columns(
    key: object, expected: dict[str, Any]
) -> None:
    assert of(options={"key": key}, list=[{}, {"/~": 5}]).key == expected


@pytest.mark.parametrize("part", [None, {}, [], "absent"])
def test_a_key_that_is_missing_null_or_no_single_value_is_malformed(part: object) -> None:
    found = of(order={} if part == "absent" else {"id": part})

    assert (found.kind, found.key) == (Kind.MALFORMED, None)
    assert "/order/id" in found.note


def test_a_null_value_has_no_position_and_the_note_says_what_to_do() -> None:
    found = decode(None, b"o-1", "json", OPTIONS)

    assert found.kind is Kind.MALFORMED
    assert "/version" in found.note
    assert "raw" in found.note


@pytest.mark.parametrize("value", [b"", b"[1]", b"7", b'{"version":1,"version":2}', b"\xff"])
def test_what_is_no_strict_document_is_malformed(value: bytes) -> None:
    assert of(value).kind is Kind.MALFORMED


@pytest.mark.parametrize("time", [5.5, True, "noon", []])
def test_a_time_that_is_none_is_malformed(time: object) -> None:
    assert of(updated_at=time).kind is Kind.MALFORMED


def test_a_time_may_be_milliseconds_or_missing_and_by_default_it_is_the_records() -> None:
    assert of(updated_at=1789028130123).time == 1789028130123000
    assert of({"order": {"id": 1}, "version": 1}).time is None
    assert of(options={"time": None}).time == 1789028130123000


@pytest.mark.parametrize(
    "options",
    [
        {"key": None},
        {"key": "order/id"},
        {"key": []},
        {"key": {}},
        {"key": 5},
        {"key": ["/a/id", "/b/id"]},
        {"key": "/a~2"},
        {"position": None},
        {"position": "version"},
        {"position_kind": "number"},
        {"position_scope": "all"},
        {"deleted": "cancelled"},
        {"deleted": 5},
        {"time": 5},
        {"fields": "x"},
        {"partial": "yes"},
        {"table": 5},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="option"):
        open_envelope("json", **{**OPTIONS, **options})


def test_pointers_follow_rfc_6901() -> None:
    document = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, 'k"l': 6, "~1": 5}
    told = {
        "": document,
        "/foo": ["bar", "baz"],
        "/foo/0": "bar",
        "/": 0,
        "/a~1b": 1,
        "/m~0n": 8,
        "/ ": 7,
        '/k"l': 6,
        "/~01": 5,
    }

    assert {text: Pointer(text, "x").find(document) for text in told} == told
    assert {
        Pointer(text, "x").find(document)
        for text in ("/foo/2", "/foo/-", "/foo/01", "/foo/bar", "/nowhere", "/a~1b/c", "/foo/-1")
    } == {MISSING}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (1700000000000, ("integer", 1700000000000)),
        ("1700000000000", ("integer", 1700000000000)),
        ("2026-09-10T08:15:30Z", ("time", 1789028130 * 10**9)),
        ("2026-09-10T10:15:30+02:00", ("time", 1789028130 * 10**9)),
        ("0d6a1e0e-6a53-4a53-8f6a-6f1d2b0a9c11", ("uid", "0d6a1e0e-6a53-4a53-8f6a-6f1d2b0a9c11")),
    ],
)
@pytest.mark.parametrize("gone", [False, True])
def test_an_incarnation_says_which_life_of_its_key_an_event_is_of(
    told: object, expected: tuple[str, object], gone: bool
) -> None:
    found = of(options={"incarnation": "/created_at"}, created_at=told, cancelled=gone)

    assert found.kind is (Kind.DELETE if gone else Kind.PUT)
    assert (found.position.life_kind, found.position.life) == expected


@pytest.mark.parametrize("told", [None, True, 1.5, "", [], {}, "2026-02-30T00:00:00Z"])
def test_an_incarnation_that_is_none_is_malformed(told: object) -> None:
    found = of(options={"incarnation": "/created_at"}, created_at=told)

    assert (found.kind, found.key) == (Kind.MALFORMED, {"id": "o-1"})


def test_a_delete_without_its_incarnation_is_malformed_and_the_note_says_what_is_missing() -> None:
    found = of(options={"incarnation": "/created_at"}, cancelled=True)

    assert found.kind is Kind.MALFORMED
    assert "/created_at" in found.note
    assert "deletes must tell it" in found.note


def test_a_position_of_one_sequence_has_no_lives() -> None:
    with pytest.raises(ConfigurationError, match="incarnation"):
        open_envelope("json", **OPTIONS, incarnation="/created_at", position_scope="stream")


def test_when_a_document_was_sent_is_no_time_of_its_change() -> None:
    found = decode(DOCUMENT, None, "json", {**OPTIONS, "time": None}, topic="orders")

    assert found.time is not None
    assert found.position.time is None


@pytest.mark.parametrize(("found", "told"), [(None, "finds null,"), ([1], "finds [1],")])
def test_a_note_spells_what_is_there_as_its_document_does(found: object, told: str) -> None:
    assert told in of(order={"id": found}).note
    assert told in of(options={"fields": "/row"}, row=found).note


def test_a_key_that_is_not_said_is_asked_for_and_no_word_of_python_is_said() -> None:
    with pytest.raises(ConfigurationError) as raised:
        open_envelope("json", position="/version")

    assert str(raised.value).endswith('key = "/order/id"')


# ---- ranks

RANKS = ["queued", "sent", "delivered"]
BY_RANK = {"position": "/status", "ranks": RANKS}


def test_the_place_of_a_status_in_the_list_is_its_position() -> None:
    queued, sent, delivered = (of(options=BY_RANK, status=status) for status in RANKS)

    assert order(sent, queued) is Order.NEWER
    assert order(sent, delivered) is Order.OLDER
    assert order(sent, of(options=BY_RANK, status="sent", version=8)) is Order.SAME


@pytest.mark.parametrize("status", ["lost", "Sent", "", 1, True, None, ["sent"], {"sent": 1}])
def test_a_status_that_is_not_in_the_list_is_malformed_and_the_note_names_those_that_are(
    status: object,
) -> None:
    found = of(options=BY_RANK, status=status)

    assert found.kind is Kind.MALFORMED
    assert found.key == {"id": "o-1"}
    assert f"{status!r} has no rank" in found.note
    assert found.note.endswith("the ranks are: queued, sent, delivered")


LISTS = (
    RANKS,
    ["queued", "sent"],
    ["queued", "sent", "delivered", "returned"],
    ["queued", "sent", "returned", "delivered"],
    ["new", "queued", "sent", "delivered"],
    ["sent", "queued", "delivered"],
    ["queued, sent", "delivered"],
    ["queued", 'sent","delivered'],
    ['queued"', "sent"],
)


@pytest.mark.parametrize("before", LISTS)
@pytest.mark.parametrize("after", LISTS)
def test_a_rank_of_another_list_compares_where_both_lists_begin_alike_up_to_it(
    before: list[str], after: list[str]
) -> None:
    """Then both say the same of the two; of all others nobody guesses."""
    for one, other in itertools.product(before, after):
        old = of(options={**BY_RANK, "ranks": before}, status=one)
        new = of(options={**BY_RANK, "ranks": after}, status=other)
        mine, theirs = after.index(other) + 1, before.index(one) + 1
        shared = min(mine, theirs)
        if after[:shared] != before[:shared]:
            assert order(new, old) is Order.UNDECIDED
        elif mine == theirs:
            assert order(new, old) is Order.SAME
            assert new.position.identity() == old.position.identity()
        else:
            assert order(new, old) is (Order.NEWER if mine > theirs else Order.OLDER)


def test_a_list_in_another_order_makes_conflicts_and_one_that_has_grown_none() -> None:
    """What was sent is not taken for delivered; what a new list says of a status that is behind all
    of before is taken as it says."""
    before = of(options=BY_RANK, status="sent")
    turned = {**BY_RANK, "ranks": ["sent", "queued", "delivered"]}
    grown = {**BY_RANK, "ranks": [*RANKS, "returned"]}

    assert order(of(options=turned, status="queued"), before) is Order.UNDECIDED
    assert order(of(options=turned, status="delivered"), before) is Order.UNDECIDED
    assert order(of(options=grown, status="returned"), before) is Order.NEWER
    assert before.position.text() == "rank sent"


@pytest.mark.parametrize(
    "options",
    [
        {"ranks": []},
        {"ranks": ["sent"]},
        {"ranks": ["sent", "sent"]},
        {"ranks": ["sent", ""]},
        {"ranks": ["sent", 1]},
        {"ranks": "sent"},
        {"ranks": {"sent": 1, "queued": 2}},
        {"ranks": RANKS, "position_kind": "hex"},
        {"ranks": RANKS, "unit": "ms"},
        {"ranks": RANKS, "position_scope": "stream"},
    ],
)
def test_ranks_are_two_texts_or_more_each_once_and_nothing_else_spells_the_position(
    options: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError, match="ranks"):
        of(options={"position": "/status", **options}, status="sent")


def test_a_life_that_begins_again_is_told_by_its_incarnation() -> None:
    options = {**BY_RANK, "incarnation": "/born"}
    before = of(options=options, status="delivered", born="2026-01-01T00:00:00Z")
    again = of(options=options, status="queued", born="2026-02-01T00:00:00Z")

    assert order(again, before) is Order.NEWER

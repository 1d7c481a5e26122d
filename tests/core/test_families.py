"""How each kind of clock orders: the vectors of every format, and the laws of an order."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anyorder._core.families import (
    LifePosition,
    LogPosition,
    OffsetPosition,
    OwnCommitPosition,
    Position,
    ScalarPosition,
    binlog,
    hexadecimal,
    kubernetes,
    timestamp,
    version,
)
from anyorder._core.families.floor_entry import (
    FloorEntry,
    LogEntry,
    LostEntry,
    OffsetEntry,
    ScalarEntry,
    TopicEntry,
    parse,
    raised,
)
from anyorder._core.families.postgres_log import HINT
from anyorder._core.floor import NOTHING_FORGOTTEN, Floor
from anyorder._core.position import Above, Growing, Order
from anyorder.errors import Malformed, NotReapable

NONE: dict[str, tuple[str, ...]] = {}


def change(lsn: int, op: str = "u", **more: object) -> LogPosition:
    return LogPosition(
        "pg:a",
        lsn,
        op,
        **{"seq0": lsn - 1, "transaction": lsn, "partition": "t/0", "offset": lsn, **more},
    )  # type: ignore[arg-type]


def test_an_insert_that_waited_for_the_delete_before_it_is_newer_in_spite_of_its_lower_lsn() -> (
    None
):
    gone, back = change(22192264, "d", seq0=1), change(22192096, "c", seq0=22192376)

    assert back.compare(gone, NONE) is Order.NEWER
    assert gone.compare(back, NONE) is Order.OLDER


def test_a_change_that_committed_after_a_snapshot_is_newer_in_spite_of_its_lower_lsn() -> None:
    read, later = (
        change(22251696, "r", seq0=None, offset=4),
        change(22251320, "u", seq0=22251000, offset=9),
    )

    assert later.compare(read, NONE) is Order.NEWER


def test_a_read_and_a_change_of_another_partition_that_proves_nothing_are_undecided() -> None:
    read, other = change(100, "r", seq0=None), change(90, "u", partition="t/1")

    assert other.compare(read, NONE) is Order.UNDECIDED
    assert read.compare(other, NONE) is Order.UNDECIDED


def test_an_incremental_read_is_newer_than_a_change_that_had_not_seen_it_in_any_partition() -> None:
    read, before = (
        change(100, "i", seq0=None),
        change(90, "u", seq0=80, partition="t/1", offset=999),
    )

    assert before.compare(read, NONE) is Order.OLDER
    assert change(90, "u", seq0=120, partition="t/1").compare(read, NONE) is Order.NEWER


def test_a_read_and_a_change_without_any_transport_are_undecided() -> None:
    read, bare = (
        change(100, "r", seq0=None, partition="", offset=-1),
        change(90, "u", partition="", offset=-1),
    )

    assert bare.compare(read, NONE) is Order.UNDECIDED


def test_a_create_without_its_proof_is_undecided_unless_offsets_agree() -> None:
    high, low = change(90, "d", offset=5), change(50, "c", seq0=None, offset=9)

    assert low.compare(high, NONE) is Order.UNDECIDED
    assert change(50, "c", seq0=None, offset=3).compare(high, NONE) is Order.OLDER


def test_two_creates_are_undecided_if_one_lacks_its_proof_and_nothing_has_an_offset() -> None:
    nowhere = {"partition": "", "offset": -1}
    first = change(1000, "c", seq0=4000, **nowhere)
    second = change(3000, "c", seq0=None, **nowhere)

    assert second.compare(first, NONE) is Order.UNDECIDED
    assert change(3000, "c", seq0=None).compare(change(1000, "c", seq0=4000), NONE) is (
        Order.UNDECIDED
    )
    assert second.joined(change(3000, "c", seq0=5000), True).compare(first, NONE) is Order.NEWER


def test_a_commit_that_was_seen_proves_newer_than_the_change_whose_own_it_is() -> None:
    low, high = change(10, "c", seq0=40), change(20, "c", seq0=40)

    assert low.compare(high, NONE) is Order.OLDER
    assert low.compare(telling_its_own_commit(high), NONE) is Order.NEWER
    assert telling_its_own_commit(low).compare(high, NONE) is Order.OLDER


def test_the_greater_seq0_of_two_copies_keeps_its_meaning() -> None:
    seen = change(10, "c", seq0=30)
    own = telling_its_own_commit(change(10, "c", seq0=40, offset=12))

    for kept in (seen.joined(own, True), own.joined(seen, True)):
        assert (kept.seq0, kept.own_commit, kept.offset) == (40, True, 12)
    assert not seen.joined(own, False).own_commit


def test_a_position_is_spelled_as_ever_and_one_that_tells_its_own_commit_by_another_tag() -> None:
    known = '["pg","pg:a",10,"c",30,10,"t/0",12,"01a",99]'
    position = LogPosition("pg:a", 10, "c", 30, 10, "t/0", 12, "01a", 99)
    own = telling_its_own_commit(position)

    assert msgspec.json.encode(position).decode() == known
    assert msgspec.json.decode(known, type=Position) == position
    assert msgspec.json.encode(own).decode() == known.replace('"pg"', '"pg_own"')
    assert msgspec.json.decode(msgspec.json.encode(own), type=Position) == own
    assert own != position


def telling_its_own_commit(position: LogPosition) -> OwnCommitPosition:
    return OwnCommitPosition(*msgspec.structs.astuple(position))


def test_one_transaction_is_ordered_by_its_log_alone() -> None:
    first, second = (
        change(10, "c", transaction=7, seq0=99),
        change(20, "d", transaction=7, seq0=None),
    )

    assert second.compare(first, NONE) is Order.NEWER


def test_a_later_snapshot_run_begins_an_epoch_that_beats_every_lsn() -> None:
    old, new = change(900, run="01a"), change(100, run="01c")

    assert new.compare(old, {"pg:a": ("01b",)}) is Order.NEWER
    assert old.compare(new, {"pg:a": ("01b",)}) is Order.OLDER


def test_a_later_run_s_change_below_an_earlier_run_s_waits_for_a_snapshot_or_its_own_run() -> None:
    old, new = change(900, run="01a"), change(100, run="01c")

    assert new.compare(old, NONE) is Order.WAITING
    assert new.compare(old, {"pg:a": ("01d",)}) is Order.WAITING
    assert new.compare(old.joined(change(900, run="01c"), same=True), NONE) is Order.OLDER


def test_two_runs_that_tell_of_one_commit_are_one_log() -> None:
    one, again = (change(900, run=run, transaction=7, time=5) for run in ("01a", "01c"))

    assert again.compare(one, NONE) is Order.SAME
    assert change(800, run="01c", transaction=7, time=5).compare(one, NONE) is Order.OLDER


def test_a_position_without_a_run_cannot_be_placed_among_epochs() -> None:
    assert change(1, run="").compare(change(2, run="01a"), {"pg:a": ("01a",)}) is Order.UNDECIDED


def test_the_joined_offset_and_the_better_proof_are_kept_of_two_copies() -> None:
    kept = change(10, seq0=None, offset=3).joined(change(10, seq0=8, offset=7), same=True)

    assert (kept.offset, kept.seq0) == (7, 8)
    assert change(10, offset=3).joined(change(9, offset=7, partition="t/1"), same=False).offset == 3


def test_the_floor_lets_a_key_change_pass_its_own_position_but_no_read_and_no_delete() -> None:
    floor = change(100, "d").raising(NOTHING_FORGOTTEN)

    assert [change(100, op, offset=500).above(floor, NONE) for op in "cudr"] == [
        Above.YES,
        Above.YES,
        Above.NO,
        Above.NO,
    ]


def test_a_read_must_pass_the_floor_of_its_own_partition_too() -> None:
    floor = change(4, "d", offset=50).raising(NOTHING_FORGOTTEN)

    assert change(5, "r", offset=40).above(floor, NONE) is Above.NO
    assert change(5, "r", offset=60).above(floor, NONE) is Above.YES


def test_an_event_without_the_clock_of_what_was_forgotten_is_unknown() -> None:
    floor = change(4, "d").raising(NOTHING_FORGOTTEN)

    assert OffsetPosition("kafka:t", 0, 9).above(floor, NONE) is Above.UNKNOWN
    assert LogPosition("pg:b", 9, "u").above(floor, NONE) is Above.UNKNOWN


def test_offsets_compare_inside_one_partition_of_one_epoch_only() -> None:
    here = OffsetPosition("kafka:t", 3, 90_000)

    assert OffsetPosition("kafka:t", 3, 90_001).compare(here, NONE) is Order.NEWER
    assert OffsetPosition("kafka:t", 11, 12).compare(here, NONE) is Order.UNDECIDED
    assert OffsetPosition("kafka:t", 11, 12, epoch=1).compare(here, NONE) is Order.NEWER
    assert OffsetPosition("kafka:other", 3, 1).compare(here, NONE) is Order.UNDECIDED


def test_raw_kafka_needs_a_declared_partition_count_once_something_was_forgotten() -> None:
    floor = OffsetPosition("kafka:t", 0, 5).raising(NOTHING_FORGOTTEN)

    assert OffsetPosition("kafka:t", 0, 9).above(floor, NONE) is Above.UNKNOWN
    declared = Floor(floor.entries, partitions=2)
    assert OffsetPosition("kafka:t", 0, 9).above(declared, NONE) is Above.YES
    assert OffsetPosition("kafka:t", 0, 5).above(declared, NONE) is Above.NO
    assert OffsetPosition("kafka:t", 2, 9).above(declared, NONE) is Above.UNKNOWN


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (version.parse("999"), version.parse("1000")),
        (version.parse("405400000000002063282832"), version.parse("1405400000000002063282832")),
        (version.parse(2**63), version.parse(str(2**63 + 1))),
        (binlog.parse("mysql-bin.999999", 5)[1], binlog.parse("mysql-bin.1000000", 4)[1]),
        (binlog.parse("mysql-bin.000003", 484, 1)[1], binlog.parse("mysql-bin.000003", 484, 2)[1]),
        (kubernetes.parse("999"), kubernetes.parse("1000")),
        (hexadecimal.parse(None), hexadecimal.parse("00000027:00000758:0003")),
        (hexadecimal.parse("00000027:00000758:0003"), hexadecimal.parse("00000027:00000759:0001")),
        (timestamp.parse("2026-09-10T08:15:30+02:00"), timestamp.parse("2026-09-10T08:15:30Z")),
        (
            timestamp.parse("2026-02-28T23:59:59.999999999Z"),
            timestamp.parse("2026-03-01T00:00:00Z"),
        ),
    ],
)
def test_numbers_decide_and_never_their_text(
    older: tuple[int, ...], newer: tuple[int, ...]
) -> None:
    assert (
        ScalarPosition("k", "s", newer).compare(ScalarPosition("k", "s", older), NONE)
        is Order.NEWER
    )


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        *(
            (version.parse, v)
            for v in (1.0, True, -1, "", "-1", "1e3", " 1", "١", "9" * 1001, None)
        ),
        *((kubernetes.parse, v) for v in ("007", 7, "abc", "")),
        *((hexadecimal.parse, v) for v in ("xyz", "", 5, "1" * 200, "0x12", "+1")),
        *(
            (timestamp.parse, v)
            for v in (
                "2026-09-10",
                "2026-09-10T08:15:30",
                "2026-13-10T08:15:30Z",
                "2026-02-30T00:00:00Z",
                True,
                None,
                "yesterday",
                1798761600000,
            )
        ),
    ],
)
def test_what_is_not_a_position_is_malformed_and_never_guessed(
    parse: object, value: object
) -> None:
    with pytest.raises(Malformed):
        parse(value)  # type: ignore[operator]


def test_coordinates_of_two_servers_are_unrelated_and_an_unknown_server_is_not_another() -> None:
    at = ScalarPosition("binlog", "mysql:a/bin", (3, 484, 1), lineage="1")

    assert (
        ScalarPosition("binlog", "mysql:a/bin", (9, 1, 1), lineage="2").compare(at, NONE)
        is Order.UNDECIDED
    )
    assert ScalarPosition("binlog", "mysql:a/bin", (9, 1, 1)).compare(at, NONE) is Order.NEWER


def test_a_snapshot_loses_a_tie_against_a_change() -> None:
    change_, read = ScalarPosition("k", "s", (5,)), ScalarPosition("k", "s", (5,), as_of=True)

    assert read.compare(change_, NONE) is Order.OLDER
    assert change_.compare(read, NONE) is Order.NEWER


def test_versions_that_count_per_key_are_never_reaped() -> None:
    with pytest.raises(NotReapable):
        ScalarPosition("version", "s/1", (5,), per_entity=True).raising(NOTHING_FORGOTTEN)


@given(st.integers(-62_000_000_000, 250_000_000_000))
def test_times_are_read_as_the_calendar_has_them(seconds: int) -> None:
    import datetime

    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(
        seconds=seconds
    )

    assert timestamp.parse(moment.isoformat().replace("+00:00", "Z")) == (seconds * 10**9,)


OPS = st.sampled_from("cudri")
LOGS = st.builds(
    lambda kind, *told: kind(*told),
    st.sampled_from([LogPosition, OwnCommitPosition]),
    st.just("pg:a"),
    st.integers(1, 6),
    OPS,
    st.none() | st.integers(0, 7),
    st.integers(1, 3),
    st.sampled_from(["t/0", "t/1"]),
    st.integers(0, 6),
    st.sampled_from(["01a", "01b", "01c"]),
    st.integers(0, 3_000_000),
)


@given(LOGS, LOGS, st.sampled_from([{}, {"pg:a": ("01b",)}]))
def test_two_positions_see_each_other_the_same_way(
    a: LogPosition, b: LogPosition, lineage: dict[str, tuple[str, ...]]
) -> None:
    assert a.compare(b, lineage) is b.compare(a, lineage).opposite


NAMES = st.text("abc.-_:/", max_size=8)
ENTRIES = (
    st.builds(LogEntry, st.just("pg:") | NAMES, st.sampled_from(["", "01a"]), st.integers(0))
    | st.builds(OffsetEntry, NAMES, st.integers(-1))
    | st.builds(TopicEntry, NAMES, st.integers(0, 9), st.integers(-1, 99), st.integers(0))
    | st.builds(
        ScalarEntry,
        NAMES,
        st.sampled_from(["version", "binlog"]),
        st.sampled_from(["", "5"]),
        st.tuples(st.integers(), st.integers()),
    )
    | st.just(LostEntry())
)


@given(ENTRIES)
def test_a_floor_entry_is_read_as_it_was_spelled(entry: FloorEntry) -> None:
    assert parse(*entry.stored) == entry


def test_floor_entries_are_spelled_as_ever() -> None:
    entries = [
        (LogEntry("pg:a", "01a", 7), ("pg:a|01a", 7)),
        (OffsetEntry("t/0", 7), ("offset:t/0", 7)),
        (TopicEntry("kafka:t", 1, 3, 7), ("kafka:t#1/3", 7)),
        (ScalarEntry("mysql:a/bin", "binlog", "5", (3, 4)), ("binlog:mysql:a/bin|5", (3, 4))),
        (LostEntry(), ("lost", 0)),
    ]

    for entry, stored in entries:
        assert entry.stored == stored
        assert parse(*stored) == entry


@given(LOGS, st.permutations(["01a", "", "01c"]), st.integers(0, 7))
def test_a_floor_answers_alike_in_whatever_order_its_tombstones_were_forgotten(
    position: LogPosition, runs: list[str], lsn: int
) -> None:
    def above(order: list[str]) -> Above:
        floor = raised(NOTHING_FORGOTTEN, *(LogEntry("pg:a", run, lsn) for run in order))
        return position.above(floor, {"pg:a": ("01b",)})

    assert above(runs) is above(sorted(runs))


@pytest.mark.parametrize(
    "position",
    [OffsetPosition("kafka:t", 0, 9), ScalarPosition("version", "s", (9,))],
    ids=["offset", "scalar"],
)
def test_clocks_without_runs_and_hints_have_neither(position: Position) -> None:
    assert position.told_by() is None
    assert position.is_of_latest_epoch({"s": ("01a",)})
    assert not position.is_settled(position, NOTHING_FORGOTTEN)
    assert not position.is_settled(None, position.raising(NOTHING_FORGOTTEN))


def test_a_log_position_is_of_the_latest_epoch_if_its_run_is_no_older_than_the_last_snapshot() -> (
    None
):
    lineage = {"pg:a": ("01b",)}

    assert [change(1, run=run).is_of_latest_epoch(lineage) for run in ("01a", "01b", "01c")] == [
        False,
        True,
        True,
    ]
    assert change(1, run="01a").told_by() == ("pg:a", "01a")
    assert change(1).told_by() is None


@pytest.mark.parametrize(
    ("kind", "far", "near"),
    [
        ("binlog", ((3, 4_294_962_881, 0), (3, 3601, 0)), ((3, 2**31 + 4, 0), (3, 4, 0))),
        ("integer32-wrap", ((2**32 - 1,), (1,)), ((2**31 + 1,), (1,))),
    ],
)
def test_what_lies_more_than_half_a_round_of_32_bits_apart_is_undecided(
    kind: str, far: tuple[tuple[int, ...], ...], near: tuple[tuple[int, ...], ...]
) -> None:
    high, low = (ScalarPosition(kind, "s", value) for value in far)
    assert high.compare(low, NONE) is low.compare(high, NONE) is Order.UNDECIDED
    assert high.above(low.raising(NOTHING_FORGOTTEN), NONE) is Above.UNKNOWN

    later, earlier = (ScalarPosition(kind, "s", value) for value in near)
    assert later.compare(earlier, NONE) is Order.NEWER
    assert later.above(earlier.raising(NOTHING_FORGOTTEN), NONE) is Above.YES


def test_a_later_binlog_is_later_wherever_in_it() -> None:
    last, first = (ScalarPosition("binlog", "s", v) for v in ((3, 4_294_962_881, 0), (4, 4, 0)))

    assert first.compare(last, NONE) is Order.NEWER


def scalar(value: tuple[int, ...] = (7,), time: int | None = 9, **told: object) -> ScalarPosition:
    made: dict[str, object] = {"kind": "version", "scope": "json:t", **told}
    return ScalarPosition(value=value, time=time, **made)  # type: ignore[arg-type]


def test_a_clock_of_one_sequence_should_only_grow() -> None:
    binlog_ = scalar((3, 484, 1), kind="binlog", scope="mysql:a/bin", lineage="5")
    sql_server = scalar((8, 9, 2), kind="sqlserver", scope="sqlserver:a/db")
    oracle = scalar((8, 3), kind="oracle", scope="oracle:a/db", group="tx")

    assert binlog_.growing() == Growing("binlog:mysql:a/bin|5", (3, 484, 1), False)
    assert sql_server.growing() == Growing("sqlserver:sqlserver:a/db|", (8, 9, 2), True)
    assert oracle.growing() == Growing("oracle:oracle:a/db|", (8,), False)
    assert scalar(kind="kubernetes").growing() == Growing("kubernetes:json:t|", (7,), False)


@pytest.mark.parametrize(
    "position",
    [
        scalar(per_entity=True),
        scalar(time=None),
        scalar(as_of=True),
        scalar(kind="timestamp"),
        scalar(scope="cloudevents:a"),
    ],
    ids=["per key", "no time", "read", "time", "promised"],
)
def test_what_says_nothing_of_other_keys_or_has_no_time_is_not_watched(
    position: ScalarPosition,
) -> None:
    assert position.growing() is None


def test_what_is_not_judged_by_itself_still_has_its_clock() -> None:
    """A read, and what tells no time: of a clock that is suspected they are held (rules R13)."""
    place = {"kind": "binlog", "scope": "mysql:a/bin", "lineage": "5"}

    assert scalar((3, 484, 1), **place, as_of=True).clock() == "binlog:mysql:a/bin|5"
    assert scalar((3, 484, 1), None, **place).clock() == "binlog:mysql:a/bin|5"
    assert scalar(per_entity=True).clock() == ""
    assert LogPosition("", -1, HINT).clock() == ""


def lived(life: int | str, value: int, kind: str = "integer") -> LifePosition:
    return LifePosition("version", "json:t/1", (value,), per_entity=True, life_kind=kind, life=life)


def test_lives_come_before_versions_and_ids_have_no_order() -> None:
    assert lived(2, 1).compare(lived(1, 9), NONE) is Order.NEWER
    assert lived(1, 9).compare(lived(2, 1), NONE) is Order.OLDER
    assert lived(2, 1).compare(lived(2, 9), NONE) is Order.OLDER
    assert lived(2, 1).compare(lived(2, 1), NONE) is Order.SAME
    assert lived("a", 1, "uid").compare(lived("b", 9, "uid"), NONE) is Order.UNDECIDED
    assert lived("a", 1, "uid").compare(lived("a", 9, "uid"), NONE) is Order.OLDER
    assert lived(2, 1, "time").compare(lived(1, 9), NONE) is Order.UNDECIDED


def test_where_one_of_two_tells_no_life_a_smaller_version_may_begin_a_later_one() -> None:
    bare = ScalarPosition("version", "json:t/1", (5,), per_entity=True)

    assert lived(2, 6).compare(bare, NONE) is Order.NEWER
    assert bare.compare(lived(2, 6), NONE) is Order.OLDER
    assert lived(2, 5).compare(bare, NONE) is Order.SAME
    assert lived(2, 1).compare(bare, NONE) is bare.compare(lived(2, 1), NONE) is Order.UNDECIDED


def test_a_position_without_a_life_is_spelled_as_ever() -> None:
    known = '["scalar","version","s",[5],"","",true,false,9]'
    position = ScalarPosition("version", "s", (5,), per_entity=True, time=9)
    told = LifePosition("version", "s", (5,), per_entity=True, time=9, life_kind="uid", life="a")

    assert msgspec.json.encode(position).decode() == known
    assert msgspec.json.decode(msgspec.json.encode(told), type=Position) == told


@given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
def test_no_version_is_overtaken_unread_by_one_that_is_not_certainly_newer(
    life: int, value: int, other_life: int, other: int
) -> None:
    for mine, stored in itertools.product(
        (lived(life, value), scalar((value,), None, scope="json:t/1", per_entity=True)),
        (lived(other_life, other), scalar((other,), None, scope="json:t/1", per_entity=True)),
    ):
        above, below = mine.threshold(incoming=True), stored.threshold(incoming=False)
        assert above is not None
        assert below is not None
        if above.scope < below.value < above.value:
            assert mine.compare(stored, NONE) is Order.NEWER


def test_a_read_and_a_change_at_one_place_are_of_two_positions() -> None:
    read, change = scalar(as_of=True), scalar()

    assert read.compare(change, NONE) is Order.OLDER
    assert read.identity() != change.identity()


@pytest.mark.parametrize("ops", list(itertools.product("cudri", repeat=2)), ids="".join)
def test_what_ties_is_of_one_position(ops: tuple[str, str]) -> None:
    """Else a dispute would have two entries, and a word for one of them not count for the other."""
    one, other = (LogPosition("pg:a", 7, op, 6, 1, "t/0", 5, "", 3) for op in ops)

    is_tie = one.compare(other, NONE) is Order.SAME

    assert is_tie is (one.identity() == other.identity())

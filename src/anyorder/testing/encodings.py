"""Checks of what a store makes of unusual positions, keys and values: exact, or refused; never
nearly."""

from __future__ import annotations

import itertools

from anyorder._core.outcome import Reason
from anyorder.errors import AnyorderError
from anyorder.testing.bench import NEVER, RETENTION_ZERO, Bench, is_held
from anyorder.testing.change import Change, put
from anyorder.testing.place import MakeStore

VERSIONS = (
    0,
    9,
    10,
    255,
    256,
    2**53,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**37,
    10**38 - 1,
    10**38,
    2**133,
    2**186,
    2**186 + 1,
    10**300,
)
KEYS: tuple[object, ...] = (
    42,
    "42",
    "a",
    "A",
    "a ",
    "é",
    "e\u0301",
    "ß",
    "ss",
    "q\"uo'te",
    "nul\x00",
    "🙂",
    "%s",
    "x" * 900,
    2**62,
    -1,
    "-1",
    "1.0",
)
NUMBERS = (
    0,
    -1,
    2**53 + 1,
    2**63 - 1,
    2**63,
    10**22,
    10**30,
    10**37 + 1,
    10**38 - 1,
    10**38 + 1,
    10**60 + 7,
)


def check_positions(make_store: MakeStore) -> str:
    """Positions of any size keep their order, across every pair of sizes, or are refused."""
    pairs = list(itertools.permutations(VERSIONS, 2))
    with Bench("positions", make_store, NEVER) as bench:
        for step in range(2):
            try:
                bench.deliver([put(key, pair[step]) for key, pair in enumerate(pairs)])
            except AnyorderError as refusal:
                return f"refused: {refusal}"
        bench.judge()
    with Bench("positions", make_store, RETENTION_ZERO) as bench:
        for version in VERSIONS:
            bench.deliver([Change(1, version)])
            bench.reap()
            bench.deliver([put(1, version)])
        bench.judge()
    return f"{len(pairs)} pairs of versions up to 10^300, remembered and forgotten"


def check_keys(make_store: MakeStore) -> str:
    """Two keys are two rows: text and number, upper and lower case, composed and decomposed, blanks
    at the end; or it is refused."""
    taken = []
    for kind in (int, str):
        with Bench("keys", make_store, NEVER) as bench:
            keys = [key for key in KEYS if isinstance(key, kind)]
            found = bench.deliver([put(key, number) for number, key in enumerate(keys, 1)])
            for key, reason in zip(keys, found, strict=True):
                if reason is not Reason.APPLIED and not is_held(reason):
                    raise bench.failed(f"key {key!r} is new, but ended as {reason}", key)
            bench.judge()
            taken += [key for key, reason in zip(keys, found, strict=True) if not is_held(reason)]
    with Bench("keys", make_store, NEVER) as bench:
        bench.deliver([put(42, 1), put("42", 2)])
        bench.judge()
    return f"{len(taken)} of {len(KEYS)} keys taken, the others refused"


def check_values(make_store: MakeStore) -> str:
    """Numbers keep every digit, as numbers or as text; what the store cannot hold is refused."""
    with Bench("values", make_store, NEVER) as bench:
        values: tuple[object, ...] = (
            *NUMBERS,
            "",
            "text",
            "nul\x00",
            True,
            None,
            0.1,
            1e300,
            "🙂" * 100,
        )
        found = bench.deliver(
            [Change(key, 1, {"x": value, "y": None}) for key, value in enumerate(values)]
        )
        rows = bench.rows()
        for key, value in enumerate(values):
            if is_held(found[key]):
                continue
            shown = rows.get(key, {}).get("x", "no row")
            if shown != value and str(shown) != str(value):
                raise bench.failed(f"the value {value!r} is shown as {shown!r}", key)
    return (
        f"{sum(not is_held(reason) for reason in found)} of {len(values)} values "
        "taken exactly, the others refused"
    )

"""python -m bench.side EVENTS KEYS: one tree's side of a comparison. For each line on standard
input, `decide`, `pipeline` or `pipeline of json`, that is done once, and one line of JSON tells
what it took. The first line says which product is measured."""

from __future__ import annotations

import sys
import tempfile

import msgspec

import anyorder
from bench.work import Work


def main() -> int:
    events, keys = map(int, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        work = Work(events, keys, folder)
        acts = {
            "decide": work.decide,
            "pipeline": work.pipeline,
            "pipeline of json": work.pipeline_of_json,
        }
        print(anyorder.__file__, flush=True)
        for line in sys.stdin:
            print(msgspec.json.encode(acts[line.strip()]()).decode(), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

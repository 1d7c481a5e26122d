"""Makes `dumps/` anew, by the real tools from a real broker:

    python -m tests.cli.make_dumps 127.0.0.1:9092 path/to/kafka/bin/kafka-console-consumer.sh

The broker must let a topic be made by who writes to it, and have none called app.public.users;
`kcat` must be on the path. Each command is kept in `dumps.json`, by the file of what it printed.
Kafka 4 calls --property a thing of the past, before the records; `console-formatter.txt` is of the
option of today.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

DUMPS = Path(__file__).parent / "dumps"
TOPIC = "app.public.users"
RECORDS = ("c", 1, 'Ann "x"\té'), ("c", 2, "Bob"), ("u", 2, "Rob"), ("d", 1, None)
KCAT: dict[str, list[str]] = {
    "kcat-empty.txt": [],
    "kcat-json.jsonl": ["-J"],
    "kcat-null.txt": ["-K", "|", "-Z"],
    "kcat-pipe.txt": ["-K", "|"],
    "kcat-tab.txt": ["-K", "\t"],
    "kcat-values.txt": ["-Z"],
}
TIME, PARTITION, OFFSET = "print.timestamp", "print.partition", "print.offset"
CONSOLE = {
    "console-all.txt": [TIME, PARTITION, OFFSET, "print.key"],
    "console-delivery.txt": [PARTITION, OFFSET, "print.delivery", "print.epoch", "print.key"],
    "console-formatter.txt": [PARTITION, OFFSET, "print.key"],
    "console-headers.txt": [TIME, PARTITION, OFFSET, "print.headers", "print.key"],
    "console-key.txt": ["print.key"],
    "console-offset.txt": [PARTITION, OFFSET],
    "console-pipe.txt": [TIME, "print.key", "key.separator=|"],
    "console-time.txt": [TIME],
    "console-values.txt": [],
}


def value(number: int, op: str, key: int, name: str | None) -> str:
    """A change as Debezium tells it."""
    row = {"id": key, "name": name}
    lsn = 1000 + 10 * number
    source = {
        "connector": "postgresql",
        "name": "app",
        "db": "app",
        "schema": "public",
        "table": "users",
        "lsn": lsn,
        "txId": key,
        "sequence": json.dumps([None, str(lsn)]),
        "ts_ms": 1700000000000,
        "ts_us": 1700000000000000,
        "snapshot": "false",
        "version": "3.0.0.Final",
        "xmin": None,
    }
    before, after = (row, None) if op == "d" else (None, row)
    told = {"before": before, "after": after, "op": op, "source": source, "ts_ms": 1700000000000}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def produce(broker: str, key: int, text: str, *options: str) -> None:
    """One record; kcat's -Z makes a null of an empty value."""
    words = ["kcat", "-P", "-b", broker, "-t", TOPIC, "-K", "|", "-Z", *options]
    subprocess.run(words, input=f'{{"id":{key}}}|{text}\n', text=True, check=True)


def shown(words: list[str], broker: str, consumer: str) -> str:
    """A command without the places of one machine."""
    said = shlex.join(words).replace(broker, "broker:9092")
    return said.replace(consumer, Path(consumer).name)


def main(broker: str, consumer: str) -> None:
    """Write the topic, then every dump of it."""
    for number, (op, key, name) in enumerate(RECORDS):
        headers = [] if number else ["-H", "a=b", "-H", "c=d e"]
        produce(broker, key, value(number, op, key, name), *headers)
    produce(broker, 1, "")
    commands = {}
    for file, options in KCAT.items():
        commands[file] = ["kcat", "-C", "-b", broker, "-t", TOPIC, "-e", "-q", *options]
    for file, names in CONSOLE.items():
        option = "--formatter-property" if "formatter" in file else "--property"
        words = [consumer, "--bootstrap-server", broker, "--topic", TOPIC, "--from-beginning"]
        words += ["--max-messages", str(len(RECORDS) + 1), "--timeout-ms", "20000"]
        for name in names:
            words += [option, name if "=" in name else f"{name}=true"]
        commands[file] = words
    for file, words in commands.items():
        done = subprocess.run(words, capture_output=True, check=True)
        (DUMPS / file).write_bytes(done.stdout)
    told = {file: shown(words, broker, consumer) for file, words in commands.items()}
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (DUMPS.parent / "dumps.json").write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

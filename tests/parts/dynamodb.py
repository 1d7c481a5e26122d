"""DynamoDB Local (Amazon's own, in memory) and moto behind a lock: two servers that speak DynamoDB,
on loopback."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from tests.parts.service import PARTS, Service, free_port, missing

HERE = Path(__file__).parent
REGION = "eu-central-1"
LIBRARIES = PARTS / "dynamodb-libs"
FETCH = (
    f"mvn -q -B -f {HERE / 'dynamodb.pom.xml'} package -Dparts.dir={PARTS}  (50 "
    "MB, Amazon's own licence: for testing only)"
)


def start_dynamodb_local(state: Path) -> Service:
    """Amazon's DynamoDB Local; skipped or failed where its jars or a JDK are missing."""
    if not any(LIBRARIES.glob("DynamoDBLocal-*.jar")):
        missing("dynamodb", FETCH)
    if shutil.which("javac") is None:
        missing("dynamodb", "it needs a JDK (17 or later), not only a JRE")
    port_file = state / "port"
    options = [
        "-Xms32m",
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.library.path={LIBRARIES}",
    ]
    command = [
        "java",
        *options,
        f"-Dport.file={port_file}",
        "-cp",
        f"{LIBRARIES}/*",
        str(HERE / "DynamoLoopback.java"),
        "-inMemory",
        "-sharedDb",
    ]
    os.environ["DDB_LOCAL_TELEMETRY"] = "0"

    def port() -> int | None:
        text = port_file.read_text() if port_file.exists() else ""
        return int(text) if text.endswith("\n") else None

    return Service(command, state / "dynamodb.log", port)


def start_moto(state: Path) -> Service:
    """moto's server with every request under one lock: by itself it evaluates a condition and
    writes without any."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        missing("moto", "pip install moto flask flask-cors jsonpath-ng")
    port = free_port()
    return Service(
        [sys.executable, str(HERE / "locked_moto.py"), str(port)], state / "moto.log", lambda: port
    )


def credentials() -> None:
    """What a local server accepts, by the SDK's own chain."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "local")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "local")
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


def make_local_client(endpoint: str) -> Any:
    """A client of a local server, as the store makes one."""
    from anyorder.stores.dynamodb.requests import make_client

    credentials()
    return make_client(REGION, endpoint, 16)

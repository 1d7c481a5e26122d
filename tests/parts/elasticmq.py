"""ElasticMQ, a server that speaks SQS, on loopback. Of what AWS does it lacks duplicates; queues
filled by batches come out of order."""

from __future__ import annotations

from pathlib import Path

from tests.parts.dynamodb import REGION
from tests.parts.service import PARTS, Service, free_port, missing

HERE = Path(__file__).parent
LIBRARIES = PARTS / "elasticmq-libs"
FETCH = (
    f"mvn -q -B -f {HERE / 'elasticmq.pom.xml'} package -Dparts.dir={PARTS}  (43 MB; needs Java 17)"
)
CONFIG = """
include classpath("application.conf")
node-address {{ protocol = http, host = 127.0.0.1, port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-hostname = "127.0.0.1", bind-port = {port}, sqs-limits = strict }}
rest-stats {{ enabled = false, bind-hostname = "127.0.0.1", bind-port = 0 }}
generate-node-address = false
queues-storage {{ enabled = false, path = "{state}/queues.conf" }}
messages-storage {{ enabled = false }}
aws {{ region = {region}, accountId = 000000000000 }}
"""


def start_elasticmq(state: Path) -> Service:
    """Skipped or failed where its jars are missing."""
    if not any(LIBRARIES.glob("elasticmq-server_3-*.jar")):
        missing("elasticmq", FETCH)
    port = free_port()
    config = state / "elasticmq.conf"
    config.write_text(CONFIG.format(port=port, state=state, region=REGION), encoding="utf-8")
    options = [
        "-Xms32m",
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Dconfig.file={config}",
    ]
    return Service(
        ["java", *options, "-cp", f"{LIBRARIES}/*", "org.elasticmq.server.Main"],
        state / "elasticmq.log",
        lambda: port,
    )

"""The parts of the AWS chain on this machine, for whoever follows the tutorial: started, told, and
ended at Ctrl-C.   (make parts-aws)

moto's server is EventBridge and SQS, Amazon's DynamoDB Local is the database; both listen on
127.0.0.1 and keep nothing. What another terminal needs is written to the file that is named on the
command line, as lines for its shell, for as long as they run.
"""

from __future__ import annotations

import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.parts.dynamodb import REGION, start_dynamodb_local, start_moto


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The parts while they run: the environment in which boto3 and `anyorder` find them and no
    others. `folder` takes their logs."""
    with ExitStack() as stack:
        moto = start_moto(folder)
        stack.callback(moto.stop)
        dynamodb = start_dynamodb_local(folder)
        stack.callback(dynamodb.stop)
        yield {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": moto.endpoint,
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
        }


def main(file: Path) -> int:
    """Until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        suppress(KeyboardInterrupt),
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as exports,
    ):
        try:
            file.write_text(
                "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items()),
                encoding="utf-8",
            )
            print("EventBridge and SQS (moto):", exports["AWS_ENDPOINT_URL"])
            print("DynamoDB (DynamoDB Local): ", exports["AWS_ENDPOINT_URL_DYNAMODB"])
            print(f"In another terminal:        . {shlex.quote(str(file))}", flush=True)
            print("Ctrl-C ends them, and forgets everything.", flush=True)
            signal.pause()
        finally:
            file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))

"""Lambda functions as a user writes them, for the runtime client to load: a table from the
environment, made once outside the handler."""

from __future__ import annotations

import os

import anyorder
from anyorder.aws import lambda_handler

table = anyorder.table(
    os.environ["ANYORDER_URL"],
    os.environ.get("ANYORDER_TABLE", "users"),
    envelope=os.environ.get("ANYORDER_ENVELOPE"),
)
handler = lambda_handler(table)

"""The function of template.yaml and main.tf: change events of one table, from EventBridge through
SQS, kept right in DynamoDB."""

from __future__ import annotations

import os

import anyorder
from anyorder.aws import lambda_handler

users = anyorder.table(
    os.environ["ANYORDER_URL"],
    os.environ["ANYORDER_TABLE"],
    key="id",
    envelope="eventbridge",
    retention="forever",
)
handler = lambda_handler(users)

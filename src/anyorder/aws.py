"""The public name of what runs on AWS: `lambda_handler`, a guarded table as an AWS Lambda
function."""

from __future__ import annotations

from anyorder.guests.aws_lambda import LambdaHandler, lambda_handler

__all__ = ["LambdaHandler", "lambda_handler"]

"""The source that a pipeline names."""

from __future__ import annotations

from typing import Any

from anyorder.errors import ConfigurationError
from anyorder.sources.contract import Source


def open_source(kind: str, options: dict[str, Any]) -> Source:
    """`jsonl` with `path`; `sqs` with `queue`, `region`, `endpoint`, `visibility`, `drain`.

    Raises ConfigurationError for other kinds and unknown options, MissingExtra where a driver is
    not installed.
    """
    match kind:
        case "jsonl":
            from anyorder.sources.jsonl import JSONLinesSource

            return JSONLinesSource(**_only(kind, options, {"path": "-"}))
        case "sqs":
            from anyorder.sources.sqs import SQSSource

            return SQSSource(
                **_only(
                    kind,
                    options,
                    {
                        "queue": "",
                        "region": None,
                        "endpoint": None,
                        "visibility": None,
                        "drain": False,
                    },
                )
            )
        case _:
            raise ConfigurationError(f'no source of kind {kind!r}; there are: "jsonl", "sqs"')


def _only(kind: str, options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    if unknown := options.keys() - known.keys():
        raise ConfigurationError(
            f"a source of kind {kind} has no {', '.join(sorted(unknown))}; it has: {', '.join(known)}"
        )
    return {**known, **options}

"""Kubernetes resourceVersion: digits without a leading zero, comparable inside one resource type of
one cluster (KEP-5504)."""

from __future__ import annotations

from anyorder._core.families.version import parse as parse_version
from anyorder.errors import Malformed


def parse(value: object) -> tuple[int, ...]:
    """`"110207"` as (110207,). Raises Malformed for what KEP-5504 calls not comparable: it must
    never be guessed."""
    # By KEP-5504 what begins with a zero is not comparable, "0" among it.
    if not isinstance(value, str) or value.startswith("0"):
        raise Malformed(f"not a comparable resourceVersion (KEP-5504): {value!r:.80}")
    return parse_version(value)

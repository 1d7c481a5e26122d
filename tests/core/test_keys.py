"""The entity of a key, and the key of an entity."""

from __future__ import annotations

from decimal import Decimal

import pytest

from anyorder._core.event import canonical, key_of


@pytest.mark.parametrize(
    "value", [1, -(10**4298), 2**64, Decimal("0.5"), Decimal("9" * 5000), Decimal("1E+4400"), "9"]
)
def test_an_entity_that_was_written_is_read_whatever_its_number(value: object) -> None:
    """Entries of before are held under keys that are none."""
    key = {"id": value}

    assert key_of(canonical(key)) == key
    assert canonical(key_of(canonical(key))) == canonical(key)

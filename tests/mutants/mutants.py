"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import core, families, guard, stores, waiting

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *stores.MUTANTS,
    *waiting.MUTANTS,
]

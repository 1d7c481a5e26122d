"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import core, families, guard, stores, tables

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *stores.MUTANTS,
    *tables.MUTANTS,
]

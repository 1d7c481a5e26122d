"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import core, families, guard, runtime, stores, tables

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *stores.MUTANTS,
    *runtime.MUTANTS,
    *tables.MUTANTS,
]

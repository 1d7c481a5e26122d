"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import core, families, guard, rows, runtime, stores, tables

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *stores.MUTANTS,
    *rows.MUTANTS,
    *runtime.MUTANTS,
    *tables.MUTANTS,
]

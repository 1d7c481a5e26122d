"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import core, families, guard, own_sql, rows, runtime, seam, stores, tables

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *own_sql.MUTANTS,
    *stores.MUTANTS,
    *rows.MUTANTS,
    *runtime.MUTANTS,
    *seam.MUTANTS,
    *tables.MUTANTS,
]

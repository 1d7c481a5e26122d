"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import (
    bulk,
    core,
    families,
    guard,
    keys,
    own_sql,
    rows,
    runtime,
    seam,
    stores,
    tables,
    waiting,
)

MUTANTS = [
    *bulk.MUTANTS,
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *keys.MUTANTS,
    *own_sql.MUTANTS,
    *rows.MUTANTS,
    *runtime.MUTANTS,
    *seam.MUTANTS,
    *stores.MUTANTS,
    *tables.MUTANTS,
    *waiting.MUTANTS,
]

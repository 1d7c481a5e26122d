"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import (
    core,
    families,
    guard,
    keys,
    lives,
    own_sql,
    rows,
    runtime,
    seam,
    stores,
    tables,
    waiting,
)

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *keys.MUTANTS,
    *lives.MUTANTS,
    *own_sql.MUTANTS,
    *rows.MUTANTS,
    *runtime.MUTANTS,
    *seam.MUTANTS,
    *stores.MUTANTS,
    *tables.MUTANTS,
    *waiting.MUTANTS,
]

"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import (
    bulk,
    contents,
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
    word,
)

MUTANTS = [
    *bulk.MUTANTS,
    *contents.MUTANTS,
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
    *word.MUTANTS,
]

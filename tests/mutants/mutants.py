"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import (
    adoption,
    bulk,
    contents,
    core,
    dumps,
    families,
    guard,
    keys,
    lives,
    mistakes,
    own_sql,
    people,
    rows,
    runtime,
    seam,
    spelling,
    stores,
    tables,
    waiting,
    word,
)

MUTANTS = [
    *adoption.MUTANTS,
    *bulk.MUTANTS,
    *contents.MUTANTS,
    *core.MUTANTS,
    *dumps.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *keys.MUTANTS,
    *mistakes.MUTANTS,
    *lives.MUTANTS,
    *own_sql.MUTANTS,
    *people.MUTANTS,
    *rows.MUTANTS,
    *runtime.MUTANTS,
    *seam.MUTANTS,
    *spelling.MUTANTS,
    *stores.MUTANTS,
    *tables.MUTANTS,
    *waiting.MUTANTS,
    *word.MUTANTS,
]

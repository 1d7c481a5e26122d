"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import (
    bulk,
    contents,
    core,
    dumps,
    families,
    guard,
    keys,
    lives,
    manners,
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
    *bulk.MUTANTS,
    *contents.MUTANTS,
    *core.MUTANTS,
    *dumps.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *keys.MUTANTS,
    *manners.MUTANTS,
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

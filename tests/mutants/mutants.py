"""Each decision rule broken once."""

from __future__ import annotations

from tests.mutants import core, families, guard, keys, runtime, stores

MUTANTS = [
    *core.MUTANTS,
    *families.MUTANTS,
    *guard.MUTANTS,
    *keys.MUTANTS,
    *stores.MUTANTS,
    *runtime.MUTANTS,
]

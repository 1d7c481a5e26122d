"""Which source tables a target is kept from (rules R1): rows of two never meet under one key by
accident, or a delete or truncate in one of them empties the other."""

from __future__ import annotations

import re

import msgspec

from anyorder.guard.contract import Recorded, TableSpec

replace = msgspec.structs.replace


def admits(owned: Recorded, spec: TableSpec, source: str) -> bool:
    """May changes of this source table go to a target? `owned`: as recorded; `spec`: as declared
    for them."""
    # Nobody's yet, or its own already.
    if not owned.source or source in owned.sources:
        return True
    # The words of one [[table]] say nothing of another's: the owner must be of the same.
    if spec.merge and owned.merge:
        return True
    # They are one table, so a list that leaves out the owner gives away somebody else's.
    is_listed = source in spec.sources
    return is_listed and not set(spec.sources).isdisjoint(owned.sources)


def joined(owned: Recorded, source: str) -> Recorded:
    """The same with one more source table; the first one stays the first."""
    # In the order in which they came: the first is the one that books of before know.
    first, *others = dict.fromkeys((*owned.sources, source))
    return replace(owned, source=first, others=tuple(others))


def declared_as(owned: Recorded, spec: TableSpec) -> Recorded:
    """The same with what is declared of the target now."""
    # Not the key: that is what the memories go by, and they know it best.
    return replace(
        owned,
        retention=spec.retention,
        partitions=spec.partitions,
        adopt=spec.adopt,
        # Rows that lie together go on to do so, whatever is said later.
        merge=spec.merge or (owned.merge and owned.others != ()),
        # What was learned stays beside what is declared.
        kinds={**owned.kinds, **spec.kinds},
    )


def origin(owned: Recorded) -> str:
    """Whose a target is, for a person."""
    told = ", ".join(owned.sources)
    if len(owned.sources) == 1:
        return f"the source table {told}"
    return f"the source tables {told}"


def belongs(owned: Recorded, target: str, source: str) -> str:
    """The sentence for a delivery of another source table than the target's own."""
    return (
        f"the target {target} belongs to the source table {owned.source!r}, this is of {source!r}"
    )


def way_out(owned: Recorded, table: str, source: str) -> str:
    """The lines of a pipeline that give both source tables what is theirs. `table`: the source's
    own name for the second."""
    other = _other_name(owned, table, source)
    both = ", ".join(f'"{one}"' for one in (*owned.sources, source))
    return (
        f'give it a [[table]] before that one, with source = "{source}" and name = "{other}"; or, '
        f"if they are one table, give both one [[table]] with source = [{both}]; then anyorder "
        "quarantine retry"
    )


def _other_name(owned: Recorded, table: str, source: str) -> str:
    schema, _, plain = table.rpartition(".")
    owner, _, _ = owned.table.rpartition(".")
    # Of two databases, or without a schema, the two would have one name again.
    if schema in ("", owner):
        return re.sub(r"\W+", "_", source)
    return re.sub(r"\W+", "_", f"{schema}_{plain}")

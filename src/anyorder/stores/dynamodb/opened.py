"""The tables of one batch as our books tell of them: declared at first sight, and the limits under
which their keys are decided."""

from __future__ import annotations

from collections.abc import Sequence

from anyorder._core.floor import Floor
from anyorder._core.fold import Limits
from anyorder._core.memory import Stamp
from anyorder._core.position import Lineage, Order
from anyorder.errors import ConfigurationError, StoreBusy
from anyorder.guard.contract import TableSpec, Write
from anyorder.stores.dynamodb.books import Meta
from anyorder.stores.dynamodb.floors import SHORTEST, bucket_of
from anyorder.stores.dynamodb.parts import Parts


class OpenedTables:
    """Of one batch. `dry`: nothing is declared, guarded or noted."""

    def __init__(self, parts: Parts, now: float, *, dry: bool) -> None:
        self._parts = parts
        self._books = parts.books
        self._now = now
        self._dry = dry
        self._metas: dict[str, Meta] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self._lineage: Lineage | None = None

    def open(self, spec: TableSpec) -> tuple[Meta, Lineage]:
        """A table as it is now, declared if it was not; guarded if it is to forget."""
        meta, lineage = self._books.load(spec.name)
        if meta is None or (spec.retention is not None and meta.guarded is None):
            meta = self._declare(spec, meta)
        if self._parts.native_ttl and spec.retention is not None and not self._dry:
            meta = self._expire(spec, meta, spec.retention)
        self._metas[spec.name], self._lineage = meta, lineage
        return meta, lineage

    def _declare(self, spec: TableSpec, meta: Meta | None) -> Meta:
        if self._dry:
            return meta or Meta(spec.name, spec.key)
        if meta is None:
            self._parts.tables.refuse_rows(spec)
            if spec.retention is not None:
                self._parts.floors.add(spec.name)
            self._books.add_table(spec.name, spec.key, guarded=spec.retention is not None)
        elif meta.guarded is None:
            self._guard(spec.name)
        found, _ = self._books.load(spec.name)
        assert found is not None
        if spec.retention is not None and found.guarded is None:
            # another writer, who never forgets, declared it first
            return self._declare(spec, found)
        return found

    def _guard(self, name: str) -> None:
        """From now on creates check the floor; what was decided before may still be under way (see
        `DynamoDBStore.reap`)."""
        self._parts.floors.add(name)
        self._books.guard(name, self._now)

    def _expire(self, spec: TableSpec, meta: Meta, retention: float) -> Meta:
        """DynamoDB's TTL deletes tombstones after some of these retentions. Before a shorter one
        holds, they are noted as it will need."""
        if retention < SHORTEST:
            raise ConfigurationError(
                f"table {spec.name}: forget=ttl needs a retention of an hour or more, not "
                f"{retention:g} s; or leave forget=ttl out"
            )
        if meta.expires is not None and meta.expires <= retention:
            return meta
        if meta.expires is not None:
            self._parts.floors.note(meta, self._now, retention)
        self._books.expire(spec.name, retention)
        return meta._replace(expires=retention)

    def meta(self, spec: TableSpec) -> Meta:
        """The table's line as the batch knows it; a reader need not have opened it."""
        if spec.name not in self._metas:
            meta, self._lineage = self._books.load(spec.name)
            self._metas[spec.name] = meta or Meta(spec.name, spec.key)
        return self._metas[spec.name]

    def forget(self, table: str) -> None:
        """Read the table's line again when it is asked for next."""
        self._metas.pop(table, None)

    def lineage(self) -> Lineage:
        """The known snapshot runs of every log."""
        if self._lineage is None:
            self._lineage = self._books.lineage()
        return self._lineage

    def add_run(self, scope: str, run: str) -> None:
        """Remember a snapshot run."""
        if not self._dry:
            self._books.add_run(scope, run)
            self._lineage = None

    def limits(self, spec: TableSpec, entities: Sequence[str]) -> dict[str, Limits]:
        """Each key's own limits: the floor of its bucket. None are kept while nothing was ever
        forgotten."""
        meta = self.meta(spec)
        if meta.guarded is None:
            return {}
        buckets = {entity: bucket_of(entity) for entity in entities}
        floors = self._parts.floors.of(meta, set(buckets.values()), self._now, dry=self._dry)
        lineage = self._lineage or {}
        known = {
            bucket: Limits(Floor(found.floor.entries, spec.partitions), found.truncated, lineage)
            for bucket, found in floors.items()
        }
        for entity, bucket in buckets.items():
            self._versions[spec.name, entity] = floors[bucket].version
        return {entity: known[bucket] for entity, bucket in buckets.items()}

    def version(self, table: str, entity: str) -> int:
        """Of the floor that a key was decided under; 0, which none has, where it was under none."""
        return self._versions.get((table, entity), 0)

    def learn_columns(self, spec: TableSpec, writes: Sequence[Write]) -> None:
        """Remember the columns that these writes name."""
        meta = self.meta(spec)
        named: set[str] = set()
        for write in writes:
            if write.after is not None:
                named |= {*write.key, *write.values}
        if named - set(meta.columns):
            key = meta.key or tuple(writes[0].key)
            self._books.add_columns(spec.name, key, named)
            columns = tuple({*meta.columns, *named})
            self._metas[spec.name] = meta._replace(columns=columns, key=key)

    # ---- truncates

    def truncate(self, spec: TableSpec, truncated: Stamp) -> None:
        """The greatest truncate, then in every floor: a new version, so that creates decided before
        it are decided again.

        One that does not compare with the one known takes its place only by an operator's word,
        decided on that very one.
        """
        known = self.meta(spec).truncated
        # ends: each turn means that another writer stored a truncate between our look and our write
        while not self._take_truncate(spec, truncated, known):
            pass

    def _take_truncate(self, spec: TableSpec, truncated: Stamp, known: Stamp | None) -> bool:
        """False if another writer was quicker."""
        meta, lineage = self._books.load(spec.name)
        assert meta is not None
        if meta.guarded is None:
            self._guard(spec.name)
            self._metas[spec.name] = self.meta(spec)._replace(guarded=self._now)
        order = Order.NEWER
        if meta.truncated is not None:
            order = truncated.compare(meta.truncated, lineage)
        greatest = meta.truncated
        if order not in (Order.OLDER, Order.SAME):
            if order is not Order.NEWER and meta.truncated != known:
                raise StoreBusy(
                    f"table {spec.name} was truncated by another writer meanwhile, and the two do "
                    "not compare; deliver this batch again"
                )
            if not self._books.save_truncated(meta, truncated):
                return False
            greatest = truncated
        if order is not Order.OLDER:
            self._parts.floors.truncate(spec.name, truncated, known, lineage)
        self._metas[spec.name] = self.meta(spec)._replace(truncated=greatest)
        return True

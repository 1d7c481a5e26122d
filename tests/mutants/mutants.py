"""Each decision rule broken once: a piece of the source, and what a tempting mistake would make of it."""

from __future__ import annotations

from typing import NamedTuple

CORE = "src/anyorder/_core/"
LOG = CORE + "families/postgres_log.py"
FOLD, DECIDE, BATCH, RESET = (CORE + name for name in ("fold.py", "decide.py", "batch.py", "reset.py"))
KAFKA, SCALAR = CORE + "families/kafka.py", CORE + "families/scalar.py"
STORES = "src/anyorder/stores/"
GUARD, INTAKE = "src/anyorder/guard/batch.py", "src/anyorder/guard/intake.py"
SQLITE, SQL = (STORES + name for name in ("sqlite/store.py", "sqlite/sqlite.sql"))


class Mutant(NamedTuple):
    """`rule` of the decision rules, the mistake in words, and the text that is replaced in a file."""

    rule: str
    mistake: str
    file: str
    old: str
    new: str


MUTANTS = [
    Mutant("R1", "the same event again is applied again", FOLD, "if stamp.rank == held.rank and stamp.fingerprint == held.fingerprint:", "if False:"),
    Mutant("R1", "what the quarantine holds already is held again", GUARD, "again = (d.quarantined and id(d.event) in repeated for d in decisions)", "again = (False for d in decisions)"),
    Mutant("R1", "held entries are never decided again", BATCH, "while moved and (", "while False and ("),
    Mutant("R1", "the books are not checked", INTAKE, "        raise BooksUnbalanced\n", "        pass\n"),
    Mutant("R2", "forgetting does not raise the floor", SQLITE, "transaction.save_limits(spec, limits)", "pass"),
    Mutant("R2", "a transaction that reads first takes the lock later", SQLITE, '"BEGIN IMMEDIATE"', '"BEGIN"'),
    Mutant("R3", "an event without the family's clock may fill", LOG, "if not known or waiting:", "if waiting:"),
    Mutant("R3", "a floor of a later epoch counts only by its LSN", LOG, "if theirs > mine or (theirs == mine and (", "if (theirs == mine and ("),
    Mutant("R3", "partitions beyond the declared count may fill", KAFKA, "or floor.partitions is None or max(self.partition, *(int(part) for _, part in places)) >= floor.partitions", ""),
    Mutant("R3", "the floor is not looked at", FOLD, "if above is not Above.YES:\n        reason", "if False:\n        reason"),
    Mutant("R3", "versions that count per key may be forgotten", SCALAR, "if self.per_entity or any(", "if any("),
    Mutant("R4", "log position alone", LOG, 'if low.op != "c" or (', "if True or ("),
    Mutant("R4", "the transaction id is not looked at", LOG, "(low.transaction == high.transaction and low.transaction is not None)", "False"),
    Mutant("R4", "a missing proof never matters", LOG, "return Order.NEWER if low.partition == high.partition and low.offset < high.offset else Order.UNDECIDED", "return Order.NEWER"),
    Mutant("R4", "two creates are ordered by the first half alone", LOG, ' or (high.op == "c" and high.seq0 is not None and low.seq0 <= high.seq0)', ""),
    Mutant("R4", "the better proof of two copies is lost", LOG, "if same and other.seq0 is not None and (seq0 is None or other.seq0 > seq0):", "if False:"),
    Mutant("R4", "a create may pass the floor by its proof", LOG, "return self.lsn > _number(limit) or (", 'return (self.op == "c" and (self.seq0 or 0) > _number(limit)) or self.lsn > _number(limit) or ('),
    Mutant("R4", "the put of a key change is stopped by its own delete's floor", LOG, ' or (self.lsn == limit and self.op in "cu")', ""),
    Mutant("R5", "a change's commit after the snapshot proves nothing", LOG, "if change.lsn >= read.lsn or (change.seq0 is not None and change.seq0 >= read.lsn):", "if change.lsn >= read.lsn:"),
    Mutant("R5", "an incremental read is compared by offset only", LOG, 'if read.op == "i" and change.seq0 is not None:', "if False:"),
    Mutant("R5", "a change below the snapshot is always older", LOG, "return Order.NEWER if change.offset > read.offset else Order.OLDER", "return Order.OLDER"),
    Mutant("R5", "offsets of two partitions compare", LOG, "if change.partition == read.partition != \"\":", "if True:"),
    Mutant("R5", "the offset is not joined", LOG, "offset = other.offset if other.offset > self.offset and other.partition == self.partition else self.offset", "offset = self.offset"),
    Mutant("R5", "a read passes the floor by its log position alone", LOG, 'if self.op in "ri" and self.offset <=', "if False and self.offset <="),
    Mutant("R6", "a hint settles itself", DECIDE, "done = not memory.live or seen", "done = True"),
    Mutant("R6", "a hint waits for ever after a tombstone was forgotten", DECIDE, "done = isinstance(forgotten, int) and forgotten >= hint.offset - 1", "done = False"),
    Mutant("R7", "offsets of two partitions are joined", LOG, "if other.offset > self.offset and other.partition == self.partition else", "if other.offset > self.offset else"),
    Mutant("R7", "offsets of two partitions order records", KAFKA, "if self.partition != other.partition:\n            return Order.UNDECIDED", "if False:\n            return Order.UNDECIDED"),
    Mutant("R8", "no birth floor", FOLD, "base: Base | None = Born(limits.floor) if limits.floor else None", "base: Base | None = None"),
    Mutant("R8", "a delete older than the row clears nothing", FOLD, "if not stamp.rank or (event.creates and not event.whole):\n            after", "if False:\n            after"),
    Mutant("R8", "what an older delete cleared is not remembered", FOLD, "base = _dead_up_to(base, stamp, limits) if HOLE in after.values() else base", "pass"),
    Mutant("R8", "an older put never fills", FOLD, "named = {c for c, held in cells.items() if stamp.rank and event.names(c) and (held is None or c in older)}", "named = set()"),
    Mutant("R8", "a late delete is stored as a tombstone", FOLD, "    if above is not Above.YES:\n", "    if above is not Above.YES and stamp.rank:\n"),
    Mutant("R8", "the holes of a create inherit", FOLD, "Dead(stamp) if event.creates else base, values", "base, values"),
    Mutant("R9", "losers are released although their winner was refused", GUARD, "share = shares[answer.entity] = _one_by_one(transaction, spec, events, known.get(answer.entity, NOTHING), limits, token)", "share = shares[answer.entity]"),
    Mutant("R9", "our own ambiguous commit counts as a duplicate", GUARD, "share.before.token == token", "False"),
    Mutant("R9", "what was refused alone is not decided again when its key moves", GUARD, "moved = remembered.memory is not start", "moved = False"),
    Mutant("R10", "held truncates are never decided again", GUARD, "while waiting and limits is not before:", "while False:"),
    Mutant("R10", "a truncate is not remembered", DECIDE, "return replace(limits, truncated=stamp), Reason.APPLIED", "return limits, Reason.APPLIED"),
    Mutant("R10", "a newer row keeps what it had from before the truncate", DECIDE, "return apply(memory, event, limits).memory if order is Order.OLDER and memory.live else memory", "return memory"),
    Mutant("R11", "an accepted row is an ordinary row", DECIDE, "row = replace(row, declared=birth, base=_born(row, birth, limits))", "pass"),
    Mutant("R11", "a delete below a declared row's birth is stored", DECIDE, "return applied if applied.memory is not None and applied.memory.live else Applied(None, Reason.ABSORBED, birth)", "return applied"),
    Mutant("R12", "the first of a tie stays", FOLD, "order = Order.NEWER if stamp.tag > held.tag else Order.OLDER\n        if not memory.live", "order = Order.OLDER\n        if not memory.live"),
    Mutant("R12", "a tie is not marked", FOLD, "            found.add(column)", "            pass"),
    Mutant("R13", "only the highest position is kept", RESET, "(*checkpoints, (position, latest))[-CHECKPOINTS:]", "((position, latest),)"),
    Mutant("R13", "each event is judged alone", RESET, "    if growth.suspected:\n        return growth\n", ""),
    Mutant("R13", "what a suspected clock told is decided again by itself", GUARD, "    if not suspected:\n        return known\n", "    return known\n"),
    Mutant("R14", "runs are not grouped by snapshots", LOG, "if mine != theirs:", "if False:"),
    Mutant("R14", "a later run's change below an earlier one's is believed to be stale", LOG, "return order if one_commit and later.time is not None else Order.WAITING", "return order"),
    Mutant("R14", "a change that a later run told again still counts as the earlier run's", LOG, "if same and other.run > run:", "if False:"),
    Mutant("R14", "a snapshot run is not remembered", INTAKE, "transaction.add_run(scope, run)", "pass"),
    Mutant("compare()", "lineages of two servers compare", SCALAR, "(self.lineage and other.lineage and self.lineage != other.lineage)", "False"),
    Mutant("compare()", "digit strings are compared as text", CORE + "families/version.py", "return (int(value),)", "return tuple(map(ord, value))"),
    Mutant("decide()", "nothing is quarantined twice, nothing is settled: dropped entries reopen", SQL, "state = CASE WHEN state = 'settled' THEN 'open' ELSE state END", "state = 'open'"),
]

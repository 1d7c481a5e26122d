"""Mistakes in how positions of one source's clock are compared."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

KAFKA = "_core/families/kafka.py"
LOG = "_core/families/postgres_log.py"
ORDER = "_core/families/log_order.py"
SCALAR = "_core/families/scalar.py"
VERSION = "_core/families/version.py"

MUTANTS = [
    Mutant(
        "R12",
        "a put and a delete of one place are of two positions",
        Change(LOG, "LogPosition.identity", "self.op in CHANGES", "False"),
        killed_by="tests/core/test_families.py::test_what_ties_is_of_one_position",
    ),
    Mutant(
        "R3",
        "an event without the family's clock may fill",
        Change(LOG, "LogPosition.above", "answers != {Above.YES}", "Above.UNKNOWN in answers"),
        killed_by="tests/core/test_families.py"
        "::test_an_event_without_the_clock_of_what_was_forgotten_is_unknown",
    ),
    Mutant(
        "R3",
        "a floor of a later epoch counts only by its LSN",
        Change(LOG, "LogPosition._above_entry", "above_if(mine > theirs)", "Above.YES"),
        killed_by="tests/model/test_runs.py::test_another_history_ends_right_or_loud[reaping]",
    ),
    Mutant(
        "R3",
        "partitions beyond the declared count may fill",
        Change(
            KAFKA, "OffsetPosition.above", "self._may_have_moved(topics, floor.partitions)", "False"
        ),
        killed_by="tests/core/test_families.py"
        "::test_raw_kafka_needs_a_declared_partition_count_once_something_was_forgotten",
    ),
    Mutant(
        "R3",
        "versions that count per key may be forgotten",
        Change(SCALAR, "ScalarPosition.raising", "self.per_entity", "False"),
        killed_by="tests/core/test_families.py::test_versions_that_count_per_key_are_never_reaped",
    ),
    Mutant(
        "R4",
        "log position alone",
        Change(ORDER, "_high_is_newer", 'low.op != "c"', "True"),
        killed_by="tests/core/test_families.py"
        "::test_an_insert_that_waited_for_the_delete_before_it_is_newer_in_spite_of_its_lower_lsn",
    ),
    Mutant(
        "R4",
        "the transaction id is not looked at",
        Change(ORDER, "_high_is_newer", "low.transaction is not None", "False"),
        killed_by="tests/core/test_families.py::test_one_transaction_is_ordered_by_its_log_alone",
    ),
    Mutant(
        "R4",
        "a missing proof never matters",
        Change(
            ORDER,
            "_high_is_newer",
            "order_if(_is_later(high, low), NEWER)",
            "NEWER",
        ),
        killed_by="tests/core/test_families.py"
        "::test_a_create_without_its_proof_is_undecided_unless_offsets_agree",
    ),
    Mutant(
        "R4",
        "records without offsets are ordered by them",
        Change(ORDER, "_is_later", "one.offset > other.offset", "one.offset >= other.offset"),
        killed_by="tests/core/test_families.py"
        "::test_two_creates_are_undecided_if_one_lacks_its_proof_and_nothing_has_an_offset",
    ),
    Mutant(
        "R4",
        "the two meanings of the first half are taken for each other",
        Change(ORDER, "_is_proved_newer", "high.own_commit and not low.own_commit", "False"),
        killed_by="tests/core/test_families.py"
        "::test_a_commit_that_was_seen_proves_newer_than_the_change_whose_own_it_is",
    ),
    Mutant(
        "R4",
        "two creates are ordered by the first half alone",
        Change(ORDER, "_is_proved_newer", 'seen <= high.lsn or high.op != "c"', "True"),
        killed_by="tests/model/test_connector.py"
        "::test_every_life_ends_in_the_source_state_or_loud[A]",
    ),
    Mutant(
        "R4",
        "the better proof of two copies is lost",
        Change(
            LOG,
            "LogPosition.joined",
            "number(other.seq0) > number(self.seq0)",
            "False",
        ),
        killed_by="tests/core/test_families.py"
        "::test_the_joined_offset_and_the_better_proof_are_kept_of_two_copies",
    ),
    Mutant(
        "R4",
        "a create may pass the floor by its proof",
        Change(
            LOG,
            "LogPosition.passes",
            "self.lsn > limit",
            '(self.op == "c" and (self.seq0 or 0) > limit) or self.lsn > limit',
        ),
        killed_by="tests/model/test_connector.py"
        "::test_every_life_ends_in_the_source_state_or_loud[H]",
    ),
    Mutant(
        "R4",
        "the put of a key change is stopped by its own delete's floor",
        Change(LOG, "LogPosition.passes", 'self.lsn == limit and self.op in "cu"', "False"),
        killed_by="tests/core/test_families.py"
        "::test_the_floor_lets_a_key_change_pass_its_own_position_but_no_read_and_no_delete",
    ),
    Mutant(
        "R5",
        "a change's commit after the snapshot proves nothing",
        Change(
            ORDER,
            "compare_change_to_read",
            "max(change.lsn, number(change.seq0))",
            "change.lsn",
        ),
        killed_by="tests/core/test_families.py"
        "::test_an_incremental_read_is_newer_than_a_change_that_had_not_seen_it_in_any_partition",
    ),
    Mutant(
        "R5",
        "an incremental read is compared by offset only",
        Change(
            ORDER, "compare_change_to_read", 'read.op == "i" and change.seq0 is not None', "False"
        ),
        killed_by="tests/core/test_families.py"
        "::test_an_incremental_read_is_newer_than_a_change_that_had_not_seen_it_in_any_partition",
    ),
    Mutant(
        "R5",
        "a change below the snapshot is always older",
        Change(
            ORDER,
            "compare_change_to_read",
            "newer_if(change.offset > read.offset)",
            "OLDER",
        ),
        killed_by="tests/core/test_families.py"
        "::test_a_change_that_committed_after_a_snapshot_is_newer_in_spite_of_its_lower_lsn",
    ),
    Mutant(
        "R5",
        "offsets of two partitions compare",
        Change(
            ORDER,
            "compare_change_to_read",
            "change.partition != read.partition or not read.partition",
            "False",
        ),
        killed_by="tests/core/test_families.py"
        "::test_a_read_and_a_change_of_another_partition_that_proves_nothing_are_undecided",
    ),
    Mutant(
        "R5",
        "the offset is not joined",
        Change(LOG, "LogPosition.joined", "max(offset, other.offset)", "offset"),
        killed_by="tests/core/test_families.py"
        "::test_the_joined_offset_and_the_better_proof_are_kept_of_two_copies",
    ),
    Mutant(
        "R5",
        "a read passes the floor by its log position alone",
        Change(LOG, "LogPosition.above", 'self.op in "ri"', "False"),
        killed_by="tests/core/test_families.py"
        "::test_a_read_must_pass_the_floor_of_its_own_partition_too",
    ),
    Mutant(
        "R7",
        "offsets of two partitions are joined",
        Change(LOG, "LogPosition.joined", "other.partition == self.partition", "True"),
        killed_by="tests/core/test_families.py"
        "::test_the_joined_offset_and_the_better_proof_are_kept_of_two_copies",
    ),
    Mutant(
        "R7",
        "offsets of two partitions order records",
        Change(KAFKA, "OffsetPosition.compare", "self.partition != other.partition", "False"),
        killed_by="tests/core/test_families.py"
        "::test_offsets_compare_inside_one_partition_of_one_epoch_only",
    ),
    Mutant(
        "R14",
        "runs are not grouped by snapshots",
        Change(LOG, "LogPosition._compare_runs", "mine != theirs", "False"),
        killed_by="tests/core/test_families.py"
        "::test_a_later_snapshot_run_begins_an_epoch_that_beats_every_lsn",
    ),
    Mutant(
        "R14",
        "a later run's change below an earlier one's is believed to be stale",
        Change(
            ORDER,
            "_later_to_earlier",
            "(later.transaction, later.time) != (earlier.transaction, earlier.time)",
            "False",
        ),
        Change(ORDER, "_later_to_earlier", "later.time is not None", "True"),
        killed_by="tests/core/test_families.py"
        "::test_a_later_run_s_change_below_an_earlier_run_s_waits_for_a_snapshot_or_its_own_run",
    ),
    Mutant(
        "R14",
        "a change that a later run told again still counts as the earlier run's",
        Change(LOG, "LogPosition.joined", "max(run, other.run)", "run"),
        killed_by="tests/core/test_families.py"
        "::test_a_later_run_s_change_below_an_earlier_run_s_waits_for_a_snapshot_or_its_own_run",
    ),
    Mutant(
        "compare()",
        "lineages of two servers compare",
        Change(
            SCALAR,
            "ScalarPosition._is_of_other_lineage",
            "_differ(self.lineage, other.lineage)",
            "False",
        ),
        killed_by="tests/core/test_families.py"
        "::test_coordinates_of_two_servers_are_unrelated_and_an_unknown_server_is_not_another",
    ),
    Mutant(
        "compare()",
        "digit strings are compared as text",
        Change(VERSION, "parse", "(int(value),)", "tuple(map(ord, value))"),
        killed_by="tests/core/test_families.py::test_numbers_decide_and_never_their_text",
    ),
]

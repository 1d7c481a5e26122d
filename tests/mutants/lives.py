"""Mistakes in how a key's lives, and a clock that starts again, are told apart."""

from __future__ import annotations

from tests.mutants.mutation import Change, Mutant

BATCH = "_core/batch.py"
COLUMNS = "_core/columns.py"
LIFE = "_core/families/life.py"
LIVES = "_core/lives.py"
MEMORY = "_core/memory.py"
OVERTAKING = "stores/dynamodb/overtaking.py"
PAST = "_core/past.py"
RESTARTING = "_core/families/restarting.py"
SCALAR = "_core/families/scalar.py"
SQLITE = "stores/sqlite/store.py"
WORD = "_core/word.py"
WORDS = "guard/word.py"
WRAPPING = "_core/families/wrapping.py"
IN_LIVES = "tests/core/test_lives.py"
IN_FAMILIES = "tests/core/test_families.py"
UNREAD = (
    "tests/stores/test_dynamodb_items.py"
    "::test_what_is_judged_by_more_than_its_version_is_neither_overtaken_nor_overtakes_unread"
)

MUTANTS = [
    Mutant(
        "R13",
        "a version that falls while time goes on is only stale",
        Change(RESTARTING, "told", "return Told.FALLEN", "return Told.NOTHING"),
        killed_by=f"{IN_LIVES}::test_version_and_time_that_contradict_each_other_are_suspected",
    ),
    Mutant(
        "R13",
        "a version from before what is stored is newer if it is greater",
        Change(RESTARTING, "told", "return Told.RISEN", "return Told.NOTHING"),
        killed_by=f"{IN_LIVES}::test_version_and_time_that_contradict_each_other_are_suspected",
    ),
    Mutant(
        "R13",
        "a row of several events is asked by its own alone",
        Change(LIVES, "_met", "(memory.stamp, *_others(memory))", "(memory.stamp,)"),
        killed_by=f"{IN_LIVES}::test_no_value_of_a_dead_life_stays_in_a_row_of_partial_events",
    ),
    Mutant(
        "R13",
        "the delete before a row of several events is not asked",
        Change(LIVES, "_others", "others.append(memory.ended)", ""),
        killed_by=f"{IN_LIVES}"
        "::test_what_is_told_after_a_delete_and_below_it_is_suspected_by_a_row_of_partial_events",
    ),
    Mutant(
        "R13",
        "what a dead life told stays beside a life that was let in",
        Change(LIVES, "_without", "CLEAR if cell in dead else KEEP", "KEEP"),
        killed_by=f"{IN_LIVES}::test_no_value_of_a_dead_life_stays_in_a_row_of_partial_events",
    ),
    Mutant(
        "R13",
        "the margin itself is a contradiction",
        Change(RESTARTING, "told", "apart > margin", "apart >= margin"),
        killed_by=f"{IN_LIVES}::test_version_and_time_that_contradict_each_other_are_suspected",
    ),
    Mutant(
        "R13",
        "a second delete leaves the tombstone's time",
        Change(LIVES, "judge", "with_time_of(stored.position, position)", "stored.position"),
        killed_by=f"{IN_LIVES}::test_a_key_that_is_deleted_twice_is_deleted_and_later",
    ),
    Mutant(
        "R13",
        "a straggler beyond the bound is suspected",
        Change(RESTARTING, "_before", "Told.STRAGGLER", "Told.UNBOUND"),
        killed_by=f"{IN_LIVES}::test_a_life_that_was_let_in_remembers_what_it_began_over",
    ),
    Mutant(
        "R13",
        "the bound goes when the life goes on",
        Change(LIVES, "bounded", "after = replace(after, bound=before.bound)", ""),
        killed_by=f"{IN_LIVES}::test_a_life_that_was_let_in_remembers_what_it_began_over",
    ),
    Mutant(
        "R13",
        "a third life is bound by the second alone",
        Change(RESTARTING, "bound_over", "max(bound.value, before.value)", "before.value"),
        killed_by=f"{IN_LIVES}::test_a_third_life_is_bound_by_both_before_it",
    ),
    Mutant(
        "R13",
        "what is no later begins a life too",
        Change(
            RESTARTING,
            "bound_over",
            "time_of(position) <= time_of(stored) + margin",
            "False",
        ),
        killed_by=f"{IN_LIVES}::test_what_is_no_later_takes_the_row_and_ends_no_life",
    ),
    Mutant(
        "R13",
        "the bound is not stored",
        Change(MEMORY, "pack", "told += (memory.bound,)", ""),
        killed_by=f"{IN_LIVES}::test_a_life_that_was_let_in_remembers_what_it_began_over",
    ),
    Mutant(
        "R13",
        "one content of two lives is one event",
        Change(BATCH, "identity_of", "is_restartable(event.position)", "False"),
        killed_by=f"{IN_LIVES}"
        "::test_the_same_content_at_the_same_version_of_two_lives_are_two_events",
    ),
    Mutant(
        "R13",
        "a word for one key's new life declares its row",
        Change(WORD, "accept", "decided.reason is Reason.SUSPECTED_RESET", "False"),
        killed_by=f"{IN_LIVES}::test_a_life_that_was_let_in_remembers_what_it_began_over",
    ),
    Mutant(
        "R13",
        "a row that is spelled anew forgets the lives before",
        Change(
            COLUMNS,
            "respelled",
            "replace(row, cells=spelled.cells, base=spelled.base, disputed=spelled.disputed)",
            "spelled",
        ),
        killed_by=f"{IN_LIVES}::test_a_life_that_was_let_in_remembers_what_it_began_over",
    ),
    Mutant(
        "R11",
        "the word that lets a life in marks nothing",
        Change(
            WORD,
            "accept",
            "_chosen(event, lives.accept(memory, event, limits), limits.lineage)",
            "lives.accept(memory, event, limits)",
        ),
        killed_by=f"{IN_LIVES}::test_what_a_word_let_in_as_a_life_is_what_it_chose",
    ),
    Mutant(
        "R13",
        "the floor is raised over the last life alone",
        Change(SQLITE, "SQLiteStore.reap", "unpack(text).greatest", "unpack(text).stamp"),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass[sqlite, its own table-lives]",
    ),
    Mutant(
        "R13",
        "a life that was let in is overtaken unread",
        Change(OVERTAKING, "stored_threshold", "memory.bound is not None", "False"),
        killed_by=UNREAD,
    ),
    Mutant(
        "R13",
        "a version overtakes unread, whatever its time",
        Change(SCALAR, "ScalarPosition.threshold", "incoming and self.is_restartable", "False"),
        killed_by=UNREAD,
    ),
    Mutant(
        "R13",
        "lives are compared by their versions alone",
        Change(LIFE, "LifePosition.compare", "order is not SAME", "False"),
        killed_by=f"{IN_FAMILIES}::test_lives_come_before_versions_and_ids_have_no_order",
    ),
    Mutant(
        "R13",
        "an id of a life has an order",
        Change(
            LIFE,
            "LifePosition.compare_life",
            "self.life_kind != other.life_kind or isinstance(mine, str) or isinstance(theirs, str)",
            "False",
        ),
        killed_by=f"{IN_FAMILIES}::test_lives_come_before_versions_and_ids_have_no_order",
    ),
    Mutant(
        "R13",
        "a life inherits from the one before",
        Change(PAST, "before_life", "begun is None", "True"),
        killed_by=f"{IN_LIVES}"
        "::test_lives_told_by_the_events_are_one_after_the_other_in_every_order",
    ),
    Mutant(
        "R13",
        "a version without a life decides over one with it",
        Change(
            SCALAR,
            "ScalarPosition.compare",
            "self.tells_life is not other.tells_life and _is_smaller_told(self, other)",
            "False",
        ),
        killed_by=f"{IN_FAMILIES}"
        "::test_where_one_of_two_tells_no_life_a_smaller_version_may_begin_a_later_one",
    ),
    Mutant(
        "R13",
        "a clock of one sequence is not watched",
        Change(SCALAR, "ScalarPosition.growing", "not self.is_of_one_sequence", "True"),
        killed_by=f"{IN_FAMILIES}::test_a_clock_of_one_sequence_should_only_grow",
    ),
    Mutant(
        "R13",
        "a read, whenever it was read, is a sign of a reset",
        Change(SCALAR, "ScalarPosition.growing", "self.as_of", "False"),
        killed_by=f"{IN_FAMILIES}"
        "::test_what_says_nothing_of_other_keys_or_has_no_time_is_not_watched",
    ),
    Mutant(
        "R13",
        "a place that may have wrapped is lower",
        Change(WRAPPING, "is_wrapped", "abs(one[place] - other[place]) > HALF", "False"),
        killed_by=f"{IN_FAMILIES}"
        "::test_what_lies_more_than_half_a_round_of_32_bits_apart_is_undecided",
    ),
    Mutant(
        "R13",
        "the word for a new life is said to be needless",
        Change(
            WORDS,
            "Words._decided",
            "needs_word(before, one.event, limits)",
            "False",
        ),
        killed_by="tests/stores/test_kit.py::test_right_stores_pass[memory-lives]",
    ),
]

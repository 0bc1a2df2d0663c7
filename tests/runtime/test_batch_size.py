"""How many records a batch takes at most."""

from zhiyin.runtime.batch_size import BatchSize


def test_full_batches_make_the_next_ones_larger_up_to_the_limit() -> None:
    size = BatchSize(2_000)
    for _ in range(5):
        size.took(size.limit, 1_000, 0.2)
    assert size.limit == 2_000


def test_a_batch_that_was_not_full_changes_nothing() -> None:
    size = BatchSize(2_000)
    before = size.limit
    size.took(before - 1, 1_000, 0.2)
    assert size.limit == before


def test_a_batch_that_writes_much_or_takes_long_halves_the_next_one() -> None:
    size = BatchSize(2_000)
    size.took(size.limit, 100 * 2**20, 0.2)
    assert size.limit == 250
    size.took(size.limit, 1_000, 60.0)
    assert size.limit == 125


def test_the_limit_neither_vanishes_nor_exceeds_what_is_set() -> None:
    heavy, small = BatchSize(2_000), BatchSize(10)
    for _ in range(20):
        heavy.took(heavy.limit, 100 * 2**20, 0.2)
        small.took(small.limit, 100 * 2**20, 0.2)
    assert heavy.limit == 50
    assert small.limit == 10

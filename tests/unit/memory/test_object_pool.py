"""ObjectPool: reset before reuse, one holder at a time, bounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from deuterium._memory.object_pool import ObjectPool, ObjectReleased, Poolable

PoolOf = Callable[..., ObjectPool]


class Marked(Poolable):
    """State that must not outlive its holder, and a count of resets."""

    def __init__(self) -> None:
        super().__init__()
        self.state: str | None = None
        self.resets = 0

    def reset(self) -> None:
        self.state = None
        self.resets += 1


class Stubborn(Poolable):
    def reset(self) -> None:
        raise ZeroDivisionError


@pytest.fixture(params=[True, False], ids=["any thread's", "one thread's"])
def pool_of(request: pytest.FixtureRequest) -> PoolOf:
    return partial(ObjectPool, shared=request.param)


def acquire(pool: ObjectPool) -> Marked:
    item = pool.acquire()
    assert isinstance(item, Marked)
    return item


def test_acquire_after_release_gives_the_same_object_reset(pool_of: PoolOf) -> None:
    pool = pool_of(Marked)
    item = acquire(pool)
    item.state = "mine"
    pool.release(item)
    assert (item.state, item.resets) == (None, 1)
    assert acquire(pool) is item
    stats = pool.stats()
    assert (stats.created, stats.reused, stats.outstanding, stats.free) == (1, 1, 1, 0)


def test_release_at_the_bound_keeps_and_beyond_it_drops(pool_of: PoolOf) -> None:
    pool = pool_of(Marked, bound=2)
    items = [acquire(pool) for _ in range(3)]
    for item in items:
        pool.release(item)
    stats = pool.stats()
    assert (stats.created, stats.dropped, stats.free, stats.outstanding) == (3, 1, 2, 0)
    assert items[2].resets == 1


def test_release_twice_raises_and_nobody_gets_it_twice(pool_of: PoolOf) -> None:
    pool = pool_of(Marked)
    item = acquire(pool)
    pool.release(item)
    with pytest.raises(ObjectReleased):
        pool.release(item)
    assert acquire(pool) is not acquire(pool)


def test_release_dropped_object_twice_raises(pool_of: PoolOf) -> None:
    pool = pool_of(Marked, bound=0)
    item = acquire(pool)
    pool.release(item)
    with pytest.raises(ObjectReleased):
        pool.release(item)


def test_release_to_another_pool_raises(pool_of: PoolOf) -> None:
    item = acquire(pool_of(Marked))
    with pytest.raises(ObjectReleased):
        pool_of(Marked).release(item)


def test_release_never_acquired_raises(pool_of: PoolOf) -> None:
    with pytest.raises(ObjectReleased):
        pool_of(Marked).release(Marked())


def test_release_failing_reset_drops_the_object_and_raises(pool_of: PoolOf) -> None:
    pool = pool_of(Stubborn)
    item = pool.acquire()
    with pytest.raises(ZeroDivisionError):
        pool.release(item)
    stats = pool.stats()
    assert (stats.dropped, stats.free, stats.outstanding) == (1, 0, 0)
    with pytest.raises(ObjectReleased):
        pool.release(item)


def test_acquire_failing_factory_raises_and_counts_nothing(pool_of: PoolOf) -> None:
    def fail() -> Poolable:
        raise ZeroDivisionError

    pool = pool_of(fail)
    with pytest.raises(ZeroDivisionError):
        pool.acquire()
    assert (pool.stats().created, pool.stats().outstanding) == (0, 0)


def test_pool_off_makes_new_objects_and_still_resets_and_checks(pool_of: PoolOf) -> None:
    pool = pool_of(Marked, enabled=False)
    item = acquire(pool)
    item.state = "mine"
    pool.release(item)
    assert item.state is None
    with pytest.raises(ObjectReleased):
        pool.release(item)
    assert acquire(pool) is not item
    assert pool.stats().free == 0


def test_pool_bound_zero_is_legal_and_negative_raises(pool_of: PoolOf) -> None:
    assert pool_of(Marked, bound=0).stats().free == 0
    with pytest.raises(ValueError, match="-1"):
        pool_of(Marked, bound=-1)

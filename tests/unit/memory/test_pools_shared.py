"""The pools under many tasks and threads at once: nothing held twice, nothing lost, books that balance."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator

import pytest

from deuterium._memory.buffer_pool import BufferPool, PooledBuffer
from deuterium._memory.object_pool import ObjectPool, Poolable
from deuterium._memory.string_pool import StringPool

THREADS = 64
TASKS = 120
ROUNDS = 60


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(work: Callable[[int], None], count: int = THREADS) -> None:
    """Run ``work(number)`` in ``count`` threads that start together; raise what any of them raised."""
    start = threading.Barrier(count)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def sign(buffer: PooledBuffer, mark: bytes) -> None:
    buffer.data[:8] = mark
    buffer.data[4000:4008] = mark


def assert_signed(buffer: PooledBuffer, mark: bytes) -> None:
    assert buffer.data[:8] == mark
    assert buffer.data[4000:4008] == mark


class Owned(Poolable):
    def __init__(self) -> None:
        super().__init__()
        self.owner: object | None = None
        self.state: list[int] = []

    def reset(self) -> None:
        self.state.clear()


def test_buffers_64_threads_are_never_held_twice() -> None:
    pool = BufferPool(bounds=(THREADS, 0, 0, 0), poison=True)

    def work(number: int) -> None:
        for turn in range(ROUNDS):
            mark = (number * ROUNDS + turn + 1).to_bytes(8, "big")
            buffer = pool.acquire(100)
            sign(buffer, mark)
            buffer.retain()
            buffer.release()
            assert_signed(buffer, mark)
            buffer.release()

    in_threads(work)
    stats = pool.stats()
    assert stats.created <= THREADS
    assert stats.created + stats.reused == THREADS * ROUNDS
    assert (stats.outstanding, stats.free, stats.dropped) == (0, stats.created, 0)


def test_buffers_120_tasks_are_never_held_twice() -> None:
    pool = BufferPool(bounds=(TASKS, 0, 0, 0), poison=True)

    async def work(number: int) -> None:
        for turn in range(ROUNDS):
            mark = (number * ROUNDS + turn + 1).to_bytes(8, "big")
            buffer = pool.acquire(100)
            sign(buffer, mark)
            await asyncio.sleep(0)
            assert_signed(buffer, mark)
            buffer.release()

    async def main() -> None:
        await asyncio.gather(*(work(number) for number in range(TASKS)))

    asyncio.run(main())
    stats = pool.stats()
    assert stats.created <= TASKS
    assert (stats.outstanding, stats.free) == (0, stats.created)


@pytest.mark.parametrize("seed", range(4))
def test_buffers_delayed_releases_keep_live_memory_within_bound_plus_holders(seed: int) -> None:
    bound, held_each = 8, 5
    pool = BufferPool(bounds=(bound, 0, 0, 0), poison=True)

    def work(number: int) -> None:
        dice = random.Random(seed * 1000 + number)
        held: deque[tuple[PooledBuffer, bytes]] = deque()
        for turn in range(ROUNDS):
            mark = (number * ROUNDS + turn + 1).to_bytes(8, "big")
            buffer = pool.acquire(dice.randrange(4097))
            sign(buffer, mark)
            held.append((buffer, mark))
            while held and (len(held) >= held_each or dice.random() < 0.4):
                held.rotate(dice.randrange(len(held)))
                buffer, mark = held.popleft()
                assert_signed(buffer, mark)
                buffer.release()
            stats = pool.stats()
            assert stats.created - stats.dropped <= bound + THREADS * held_each
            assert stats.free <= bound
        for buffer, mark in held:
            assert_signed(buffer, mark)
            buffer.release()

    in_threads(work)
    stats = pool.stats()
    assert stats.outstanding == 0
    assert stats.created == stats.free + stats.dropped


def test_one_buffer_64_threads_retaining_and_releasing_keeps_the_count() -> None:
    pool = BufferPool()
    buffer = pool.acquire(1)

    def work(number: int) -> None:
        for _ in range(200):
            buffer.retain()
            buffer.retain()
            buffer.release()
            buffer.release()

    in_threads(work)
    assert buffer.references == 1
    buffer.release()
    assert pool.stats().free == 1


def test_one_buffer_64_last_holders_return_it_once() -> None:
    pool = BufferPool()
    for turn in range(20):
        buffer = pool.acquire(1)
        for _ in range(THREADS - 1):
            buffer.retain()
        in_threads(lambda number, buffer=buffer: buffer.release())  # type: ignore[misc]
        assert (pool.stats().free, pool.stats().outstanding, pool.stats().reused) == (1, 0, turn)


def test_views_kept_by_other_threads_never_change() -> None:
    pool = BufferPool(bounds=(4, 0, 0, 0), poison=True)

    def work(number: int) -> None:
        kept: deque[tuple[memoryview, bytes]] = deque(maxlen=3)
        for turn in range(ROUNDS):
            mark = (number * ROUNDS + turn + 1).to_bytes(8, "big")
            buffer = pool.acquire(1)
            sign(buffer, mark)
            if turn % 3 == 0:
                kept.append((buffer.lend(4000, 4008), mark))
            buffer.release()
            for view, octets in kept:
                assert view == octets

    in_threads(work)
    stats = pool.stats()
    assert stats.free + stats.lingering <= 4
    assert stats.created == stats.free + stats.lingering + stats.dropped + stats.dropped_in_use


def test_objects_64_threads_are_never_held_twice_and_always_reset() -> None:
    pool = ObjectPool(Owned, bound=THREADS)

    def work(number: int) -> None:
        for turn in range(ROUNDS):
            item = pool.acquire()
            assert isinstance(item, Owned)
            assert item.owner is None
            assert item.state == []
            me = object()
            item.owner = me
            item.state.append(turn)
            assert item.owner is me
            item.owner = None
            pool.release(item)

    in_threads(work)
    stats = pool.stats()
    assert stats.created <= THREADS
    assert (stats.outstanding, stats.free, stats.dropped) == (0, stats.created, 0)


def test_objects_120_tasks_are_never_held_twice_and_always_reset() -> None:
    pool = ObjectPool(Owned, bound=10)

    async def work() -> None:
        for turn in range(ROUNDS):
            item = pool.acquire()
            assert isinstance(item, Owned)
            assert item.owner is None
            assert item.state == []
            item.owner = asyncio.current_task()
            item.state.append(turn)
            await asyncio.sleep(0)
            assert item.owner is asyncio.current_task()
            item.owner = None
            pool.release(item)
            stats = pool.stats()
            assert stats.created - stats.dropped <= 10 + TASKS

    async def main() -> None:
        await asyncio.gather(*(work() for _ in range(TASKS)))

    asyncio.run(main())
    assert pool.stats().outstanding == 0


def test_objects_released_twice_by_racing_threads_raise_in_all_but_one() -> None:
    pool = ObjectPool(Owned)
    for _ in range(20):
        item = pool.acquire()
        refused: list[int] = []

        def work(number: int, item: Poolable = item, refused: list[int] = refused) -> None:
            try:
                pool.release(item)
            except RuntimeError:
                refused.append(number)

        in_threads(work, 8)
        assert len(refused) == 7
        assert (pool.stats().free, pool.stats().outstanding) == (1, 0)


def test_strings_64_threads_share_one_object_each() -> None:
    pool = StringPool()
    seen: list[dict[str, int]] = [{} for _ in range(THREADS)]

    def work(number: int) -> None:
        for turn in range(ROUNDS):
            name = f"x-field-{turn % 20}"
            seen[number][name] = id(pool.name(name))

    in_threads(work)
    assert all(ids == seen[0] for ids in seen)
    assert pool.stats().size == 20


def test_strings_64_threads_flooding_stay_within_the_bound() -> None:
    pool = StringPool(bound=16)

    def work(number: int) -> None:
        for turn in range(ROUNDS):
            for name in ("content-type", f"x-{number}-{turn}", "server"):
                assert pool.name(name) == name
            assert pool.stats().size <= 16

    in_threads(work)


def test_pools_used_by_a_finalizer_inside_their_own_work_do_not_hang() -> None:
    buffers = BufferPool(bounds=(4, 0, 0, 0))
    objects = ObjectPool(Owned, bound=4)
    strings = StringPool(bound=4)
    finalized = 0

    class Garbage:
        """A cycle, so that only the collector, at a moment of its choice, runs the finalizer."""

        def __init__(self) -> None:
            self.itself = self
            self.buffer = buffers.acquire(1)

        def __del__(self) -> None:
            nonlocal finalized
            finalized += 1
            self.buffer.release()
            objects.release(objects.acquire())
            strings.name(f"x-{finalized}")

    before = gc.get_threshold()
    gc.set_threshold(3)
    try:
        for turn in range(500):
            Garbage()
            buffers.acquire(1).release()
            objects.release(objects.acquire())
            strings.name(f"y-{turn}")
    finally:
        gc.set_threshold(*before)
    gc.collect()
    assert finalized == 500
    stats = buffers.stats()
    assert stats.outstanding == 0
    assert stats.created == stats.free + stats.dropped
    assert stats.free <= 4
    assert objects.stats().outstanding == 0
    assert strings.stats().size <= 4

"""BufferPool and PooledBuffer: size classes, counts, views and what a dead handle may not do."""

from __future__ import annotations

import gc

import pytest

from deuterium._memory.buffer_pool import SIZE_CLASSES, BufferPool, BufferReleased

KIB = 1024


@pytest.mark.parametrize(
    ("size", "capacity"),
    [
        (0, 4 * KIB),
        (1, 4 * KIB),
        (4 * KIB, 4 * KIB),
        (4 * KIB + 1, 16 * KIB),
        (16 * KIB, 16 * KIB),
        (16 * KIB + 1, 64 * KIB),
        (64 * KIB, 64 * KIB),
        (64 * KIB + 1, 256 * KIB),
        (256 * KIB, 256 * KIB),
        (256 * KIB + 1, 256 * KIB + 1),
    ],
)
def test_acquire_size_gives_smallest_class_that_holds_it(size: int, capacity: int) -> None:
    buffer = BufferPool().acquire(size)
    assert buffer.capacity == capacity == len(buffer.data)
    assert buffer.references == 1


def test_acquire_negative_size_raises() -> None:
    with pytest.raises(ValueError, match="-1"):
        BufferPool().acquire(-1)


@pytest.mark.parametrize("bounds", [(1, 1, 1), (1, 1, 1, -1), (1, 1, 1, 1, 1)])
def test_pool_illegal_bounds_raises(bounds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="bounds"):
        BufferPool(bounds=bounds)  # type: ignore[arg-type]


def test_release_last_holder_returns_the_memory() -> None:
    pool = BufferPool()
    first = pool.acquire(100)
    memory = first.data
    first.release()
    second = pool.acquire(200)
    assert second.data is memory
    assert second is not first
    stats = pool.stats()
    assert (stats.created, stats.reused, stats.outstanding, stats.free) == (1, 1, 1, 0)
    assert stats.bytes_created == 4 * KIB


def test_release_of_each_class_returns_to_that_class() -> None:
    pool = BufferPool()
    buffers = [pool.acquire(size) for size in SIZE_CLASSES]
    memories = [buffer.data for buffer in buffers]
    for buffer in buffers:
        buffer.release()
    assert pool.stats().bytes_free == sum(SIZE_CLASSES)
    assert [pool.acquire(size).data for size in SIZE_CLASSES] == memories
    assert pool.stats().reused == len(SIZE_CLASSES)


def test_release_with_holders_left_keeps_the_memory() -> None:
    pool = BufferPool()
    buffer = pool.acquire(1)
    buffer.retain()
    buffer.release()
    assert (buffer.references, pool.stats().free) == (1, 0)
    buffer.release()
    assert (buffer.references, pool.stats().free) == (0, 1)


def test_release_to_full_class_drops() -> None:
    pool = BufferPool(bounds=(2, 0, 0, 0))
    for buffer in [pool.acquire(1) for _ in range(3)] + [pool.acquire(5 * KIB)]:
        buffer.release()
    stats = pool.stats()
    assert (stats.free, stats.dropped, stats.outstanding) == (2, 2, 0)


def test_release_oversize_buffer_drops() -> None:
    pool = BufferPool()
    pool.acquire(1024 * KIB).release()
    stats = pool.stats()
    assert (stats.free, stats.dropped, stats.dropped_in_use) == (0, 1, 0)
    assert stats.bytes_created == 1024 * KIB


def test_pool_off_answers_alike_and_keeps_nothing() -> None:
    pool = BufferPool(enabled=False)
    buffer = pool.acquire(5 * KIB)
    assert buffer.capacity == 16 * KIB
    buffer.retain()
    buffer.release()
    buffer.release()
    with pytest.raises(BufferReleased):
        buffer.release()
    stats = pool.stats()
    assert (stats.created, stats.dropped, stats.free, stats.outstanding) == (1, 1, 0, 0)


def test_release_twice_raises_even_after_the_memory_has_a_new_holder() -> None:
    pool = BufferPool()
    stale = pool.acquire(1)
    stale.release()
    with pytest.raises(BufferReleased):
        stale.release()
    fresh = pool.acquire(1)
    with pytest.raises(BufferReleased):
        stale.release()
    assert fresh.references == 1
    assert (pool.stats().outstanding, pool.stats().free) == (1, 0)


def test_dead_handle_every_use_raises() -> None:
    buffer = BufferPool().acquire(1)
    buffer.release()
    with pytest.raises(BufferReleased):
        buffer.retain()
    with pytest.raises(BufferReleased):
        buffer.lend(0, 1)
    with pytest.raises(BufferReleased):
        buffer.view()
    assert buffer.data is None
    assert buffer.references == 0


def test_lend_is_read_only_and_shows_the_memory() -> None:
    buffer = BufferPool().acquire(1)
    buffer.data[:9] = b"deuterium"
    lent = buffer.lend(0, 4)
    assert (bytes(lent), lent.readonly) == (b"deut", True)
    assert len(buffer.lend(0, buffer.capacity)) == buffer.capacity
    assert len(buffer.lend(buffer.capacity, buffer.capacity)) == 0


@pytest.mark.parametrize(("start", "end"), [(-1, 1), (2, 1), (0, 4 * KIB + 1)])
def test_lend_outside_the_capacity_raises(start: int, end: int) -> None:
    with pytest.raises(IndexError):
        BufferPool().acquire(1).lend(start, end)


def test_kept_view_never_sees_another_holders_octets() -> None:
    pool = BufferPool(poison=True)
    buffer = pool.acquire(1)
    buffer.data[:9] = b"deuterium"
    kept = buffer.lend(0, 9)
    buffer.release()
    stats = pool.stats()
    assert (stats.lingering, stats.dropped, stats.free, stats.outstanding) == (1, 0, 0, 0)
    other = pool.acquire(1)
    other.data[:9] = b"overwrite"
    assert bytes(kept) == b"deuterium"
    assert (pool.stats().created, pool.stats().lingering) == (2, 1)


def test_lingering_memory_is_used_again_once_its_view_is_gone() -> None:
    pool = BufferPool(poison=True)
    buffer = pool.acquire(1)
    memory = buffer.data
    kept = buffer.lend(0, 9)
    buffer.release()
    kept.release()
    again = pool.acquire(1)
    assert again.data is memory
    assert memory == b"\xdb" * 4 * KIB
    stats = pool.stats()
    assert (stats.created, stats.reused, stats.lingering, stats.outstanding) == (1, 1, 0, 1)


def test_lingering_memory_counts_towards_the_bound_and_yields_to_free_memory() -> None:
    pool = BufferPool(bounds=(2, 0, 0, 0))
    buffers = [pool.acquire(1) for _ in range(5)]
    views = [buffer.lend(0, 1) for buffer in buffers[:3]]
    for buffer in buffers[:3]:
        buffer.release()
    stats = pool.stats()
    assert (stats.lingering, stats.dropped_in_use, stats.free) == (2, 1, 0)
    buffers[3].release()
    stats = pool.stats()
    assert (stats.lingering, stats.dropped_in_use, stats.free) == (1, 2, 1)
    buffers[4].release()
    stats = pool.stats()
    assert (stats.lingering, stats.dropped_in_use, stats.free, stats.dropped) == (0, 3, 2, 0)
    assert [bytes(view) for view in views] == [b"\0"] * 3


def test_lingering_memory_kept_for_ever_does_not_hide_what_is_behind_it() -> None:
    pool = BufferPool(bounds=(4, 0, 0, 0))
    buffers = [pool.acquire(1) for _ in range(2)]
    kept, passing = (buffer.lend(0, 1) for buffer in buffers)
    memory = buffers[1].data
    for buffer in buffers:
        buffer.release()
    passing.release()
    first, second = pool.acquire(1), pool.acquire(1)
    assert second.data is memory
    assert first.data is not memory
    assert kept.obj is not first.data
    assert (pool.stats().created, pool.stats().lingering) == (3, 1)


@pytest.mark.parametrize("how", ["lend", "view", "memoryview"])
@pytest.mark.parametrize("enabled", [True, False])
def test_kept_view_however_made_keeps_the_memory_from_the_next_holder(how: str, enabled: bool) -> None:
    pool = BufferPool(enabled=enabled)
    buffer = pool.acquire(1)
    make = {
        "lend": lambda: buffer.lend(0, 0),
        "view": buffer.view,
        "memoryview": lambda: memoryview(buffer.data),
    }
    kept = make[how]()
    buffer.release()
    assert (pool.stats().lingering, pool.stats().dropped_in_use) == ((1, 0) if enabled else (0, 1))
    assert pool.acquire(1).data is not kept.obj


def test_released_and_collected_views_let_the_memory_return() -> None:
    pool = BufferPool()
    buffer = pool.acquire(1)
    with buffer.view() as view:
        view[:3] = b"abc"
    lent = buffer.lend(0, 3)
    slice_of_it = lent[1:]
    assert bytes(slice_of_it) == b"bc"
    lent.release()
    del lent, slice_of_it
    gc.collect()
    buffer.release()
    assert (pool.stats().lingering, pool.stats().free) == (0, 1)


def test_release_keeps_length_and_last_octet() -> None:
    pool = BufferPool()
    buffer = pool.acquire(1)
    memory = buffer.data
    memory[-1] = 0x7F
    buffer.release()
    assert (len(memory), memory[-1]) == (4 * KIB, 0x7F)


@pytest.mark.parametrize("change", [-1, 1])
def test_release_of_resized_memory_drops_it(change: int) -> None:
    pool = BufferPool()
    buffer = pool.acquire(1)
    if change > 0:
        buffer.data.append(0)
    else:
        buffer.data.pop()
    buffer.release()
    assert (pool.stats().free, pool.stats().dropped) == (0, 1)


def test_poison_overwrites_returned_memory_only() -> None:
    pool = BufferPool(poison=True)
    buffer = pool.acquire(1)
    memory = buffer.data
    memory[:6] = b"secret"
    buffer.retain()
    buffer.release()
    assert memory[:6] == b"secret"
    buffer.release()
    assert memory == b"\xdb" * 4 * KIB


def test_abandoned_handle_stays_counted_as_outstanding() -> None:
    pool = BufferPool()
    pool.acquire(1)
    gc.collect()
    assert (pool.stats().outstanding, pool.stats().free) == (1, 0)


def test_trim_lets_go_of_half_of_what_nobody_needed() -> None:
    pool = BufferPool()
    for buffer in [pool.acquire(65536) for _ in range(16)]:
        buffer.release()
    pool.trim()  # all 16 were needed since the pool was made
    assert pool.stats().free == 16
    for buffer in [pool.acquire(65536) for _ in range(6)]:
        buffer.release()
    free = []
    for _ in range(5):
        pool.trim()
        free.append(pool.stats().free)
        pool.acquire(65536).release()  # and one is needed again and again
    assert free == [11, 6, 3, 2, 1]
    assert pool.stats().dropped == 15


def test_trimmed_pool_ends_empty() -> None:
    pool = BufferPool()
    kept = []
    for size in SIZE_CLASSES:
        viewed, free = pool.acquire(size), pool.acquire(size)
        kept.append(viewed.view())
        viewed.release()
        free.release()
    for _ in range(4):
        pool.trim()
    stats = pool.stats()
    assert (stats.free, stats.lingering, stats.dropped, stats.dropped_in_use) == (0, 0, 4, 4)
    assert stats.bytes_held == 0
    assert [len(view) for view in kept] == list(SIZE_CLASSES)
    pool.acquire(1).release()
    assert pool.stats().free == 1


def test_clear_lets_go_of_what_nobody_holds() -> None:
    pool = BufferPool()
    held, viewed, free = pool.acquire(1), pool.acquire(65536), pool.acquire(65536)
    kept = viewed.view()
    viewed.release()
    free.release()
    pool.clear()
    stats = pool.stats()
    assert (stats.free, stats.bytes_free, stats.lingering, stats.outstanding) == (0, 0, 0, 1)
    assert (stats.dropped, stats.dropped_in_use) == (1, 1)
    assert len(kept) == 65536
    held.release()
    assert pool.stats().free == 1
    again = pool.acquire(1)
    assert pool.stats().reused == 1
    again.release()

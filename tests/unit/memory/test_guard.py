"""Guard: exclusion, shown where it can be lost.

A thread switch or a finalizer between two given lines is rare, so these tests make them, from trace
and profile functions that see the pools' own source. Compiled source is not seen by them; there the same
work runs at full speed, and nothing can come between the parts of a guarded step.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from types import FrameType

from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.object_pool import ObjectPool, Poolable

SOURCES = ("buffer_pool.py", "object_pool.py")
INSIDE = {("c_return", "acquire"), ("c_call", "release")}  # the first and the last moment of a guarded step


def is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.endswith(SOURCES)


def test_steps_with_a_thread_switch_at_every_line_stay_whole() -> None:
    threads, rounds = 6, 12
    buffers = BufferPool(bounds=(2, 0, 0, 0), poison=True)
    objects = ObjectPool(Poolable, bound=2)
    shared = buffers.acquire(1)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        dice = random.Random(number)

        def trace(frame: FrameType, event: str, argument: object) -> object:
            if not is_ours(frame):
                return None
            if dice.random() < 0.5:
                time.sleep(1e-6)
            return trace

        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            for turn in range(rounds):
                mark = (number * rounds + turn + 1).to_bytes(8, "big")
                shared.retain()
                buffer = buffers.acquire(1)
                item = objects.acquire()
                buffer.data[:8] = mark
                time.sleep(1e-6)
                assert buffer.data[:8] == mark
                buffer.release()
                objects.release(item)
                shared.release()
        except BaseException as failure:
            failures.append(failure)
        finally:
            sys.settrace(None)

    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert failures == []
    assert shared.references == 1
    assert buffers.stats().outstanding == 1
    assert buffers.stats().created + buffers.stats().reused == threads * rounds + 1
    assert objects.stats().outstanding == 0
    assert objects.stats().created + objects.stats().reused == threads * rounds
    assert objects.stats().created == objects.stats().free + objects.stats().dropped


def test_steps_with_a_finalizer_just_inside_them_neither_hang_nor_break() -> None:
    """CPython runs finalizers and signal handlers when a call begins or returns: just inside a step too."""
    buffers = BufferPool(bounds=(2, 0, 0, 0))
    objects = ObjectPool(Poolable, bound=2)

    def finalizer() -> None:
        buffers.acquire(1).release()
        objects.release(objects.acquire())

    def profile(frame: FrameType, event: str, function: object) -> None:
        if is_ours(frame) and (event, getattr(function, "__name__", "")) in INSIDE:
            sys.setprofile(None)
            finalizer()
            sys.setprofile(profile)

    done = threading.Event()

    def work() -> None:
        sys.setprofile(profile)
        try:
            for _ in range(20):
                first = buffers.acquire(1)
                item = objects.acquire()
                first.data[:5] = b"first"
                second = buffers.acquire(1)
                assert second.data is not first.data
                second.release()
                objects.release(item)
                assert first.data[:5] == b"first"
                first.release()
        finally:
            sys.setprofile(None)
        done.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(30)
    assert done.is_set()
    for stats in (buffers.stats(), objects.stats()):
        assert stats.outstanding == 0
        assert stats.free <= 2
        assert stats.created == stats.free + stats.dropped

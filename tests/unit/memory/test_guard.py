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

import pytest

from deuterium._memory import guard
from deuterium._memory.buffer_pool import BufferPool
from deuterium._memory.object_pool import ObjectPool, Poolable

COMPILED = not guard.__file__.endswith((".py", ".pyc"))
SOURCES = ("buffer_pool.py", "object_pool.py", "interpreted_guard.py")
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


@pytest.mark.skipif(COMPILED, reason="compiled, a guard is no lock of Python's: nothing comes between its verbs")
def test_guard_left_behind_by_an_interruption_is_replaced_once_its_owner_is_elsewhere() -> None:
    objects = ObjectPool(Poolable, bound=2)
    leave, left, done = threading.Event(), threading.Event(), threading.Event()

    def interrupt() -> None:
        objects._guard.acquire()
        left.set()
        leave.wait(30)  # the thread lives on, and the guard is still its own

    def work() -> None:
        for _ in range(3):
            objects.release(objects.acquire())
        done.set()

    threads = [threading.Thread(target=target, daemon=True) for target in (interrupt, work, work, work)]
    threads[0].start()
    assert left.wait(10)
    for thread in threads[1:]:
        thread.start()
    for thread in threads[1:]:
        thread.join(10)
    assert done.is_set()
    leave.set()
    stats = objects.stats()
    assert (stats.outstanding, stats.created + stats.reused) == (0, 9)


@pytest.mark.skipif(COMPILED, reason="compiled, a guard is no lock of Python's: no step can be stretched")
def test_guard_is_not_taken_from_a_thread_that_takes_its_time_within_a_step() -> None:
    objects = ObjectPool(Poolable, bound=2)
    inside, done = threading.Event(), threading.Event()

    def trace(frame: FrameType, event: str, argument: object) -> object:
        if not frame.f_code.co_filename.endswith("object_pool.py"):
            return None
        if event == "line" and not inside.is_set() and "count" in frame.f_locals:
            inside.set()
            time.sleep(1.0)
            assert not done.is_set()
        return trace

    failures: list[BaseException] = []

    def linger() -> None:
        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            objects.acquire()
        except BaseException as failure:
            failures.append(failure)
        finally:
            sys.settrace(None)

    def work() -> None:
        objects.acquire()
        done.set()

    first = threading.Thread(target=linger, daemon=True)
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=work, daemon=True)
    second.start()
    first.join(10)
    second.join(10)
    assert done.is_set()
    assert failures == []
    assert objects.stats().created == 2

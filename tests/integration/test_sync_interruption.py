"""A thread that is interrupted while it waits: the threads that share its connection go on."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import deuterium
from deuterium import Client
from deuterium._net import blocking_driver
from servers import Fleet

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")

INTERPRETED = blocking_driver.__file__.endswith((".py", ".pyc"))
LOCKS_STAY_HELD = pytest.mark.skipif(
    INTERPRETED and sys.version_info[:2] == (3, 14), reason="python/cpython#148874: an interrupted `with lock` keeps it"
)


class Interrupted(BaseException):
    """What the signal handler raises."""


@contextmanager
def interrupted_after(delay_s: float) -> Iterator[None]:
    """Interrupts the main thread."""

    def handler(number: int, frame: Any) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, delay_s)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def app(fleet: Fleet) -> Iterator[Client]:
    server = fleet.get("hypercorn", tls=True)
    with Client(verify=str(server.ca_file), base_url=server.base_url, http1=False) as client:
        client.get("/json")
        yield client


def start(work: Any, count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("leads", [True, False], ids=["reader", "follower"])
def test_interrupted_thread_leaves_the_others_their_answers(app: Client, leads: bool) -> None:
    answers: list[int] = []

    def work() -> None:
        if leads:
            time.sleep(0.15)
        answers.append(app.get("/slow/0.8").status_code)

    began = time.monotonic()
    threads = start(work, 6)
    if not leads:
        time.sleep(0.15)
    with pytest.raises(Interrupted), interrupted_after(0.3):
        app.get("/slow/20")
    join(threads)
    assert answers == [200] * 6
    assert time.monotonic() - began < 4
    assert app.get("/json").status_code == 200


@LOCKS_STAY_HELD
def test_interruptions_at_random_moments_disturb_nobody_else(app: Client) -> None:
    """What the interrupted thread read half-way ends the connection; others may be told so, but nobody hangs."""
    stop = threading.Event()
    done = [0]

    def work() -> None:
        while not stop.is_set():
            try:
                assert app.get("/json").status_code == 200
                done[0] += 1
            except deuterium.TransportError:
                pass

    threads = start(work, 8)
    interruptions = 0
    for turn in range(60):
        try:
            with interrupted_after(0.001 + turn % 20 * 0.0007):
                armed_at = time.monotonic()
                while True:
                    app.get("/json")
                    if time.monotonic() > armed_at + 1.0:
                        # It came while a finalizer or a callback of the collector ran, and was not passed on.
                        signal.setitimer(signal.ITIMER_REAL, 0.001)
                        armed_at = time.monotonic()
        except Interrupted:
            interruptions += 1
    before = done[0]
    time.sleep(0.5)
    assert done[0] > before
    stop.set()
    join(threads)
    assert interruptions == 60
    assert app.get("/json").status_code == 200

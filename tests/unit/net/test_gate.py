"""Gates: where one thread sleeps until another lets it through."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from deuterium._net import gate as gates
from deuterium._net.gate import LockGate, gate_type, open_all

COMPILED = gates.__file__ is not None and not gates.__file__.endswith((".py", ".pyc"))
KINDS: list[Callable[[], Any]] = [LockGate]
if COMPILED:
    KINDS.append(gates.Gate)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest) -> Callable[[], Any]:
    kind: Callable[[], Any] = request.param
    return kind


def test_gate_that_nobody_opens_returns_false_when_the_time_is_up(make: Callable[[], Any]) -> None:
    began = time.monotonic()
    assert make().wait(0.05) is False
    assert 0.04 < time.monotonic() - began < 2


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
def test_gate_with_no_time_left_returns_at_once(make: Callable[[], Any], timeout_s: float) -> None:
    began = time.monotonic()
    assert make().wait(timeout_s) is False
    assert time.monotonic() - began < 1


def test_gate_opened_before_it_is_waited_for_lets_through_once(make: Callable[[], Any]) -> None:
    gate = make()
    gate.open()
    assert gate.wait(1) is True
    assert gate.wait(0.01) is False


def test_gate_opened_by_another_thread_lets_through(make: Callable[[], Any]) -> None:
    gate = make()
    threading.Timer(0.05, gate.open).start()
    assert gate.wait(float("inf")) is True


def test_gate_that_waits_opens_another_first(make: Callable[[], Any]) -> None:
    """Two threads pass one turn to and fro."""
    here, there = make(), make()
    turns = 100

    def answer() -> None:
        there.wait(5)
        for _ in range(turns):
            assert there.wait(5, here)

    other = threading.Thread(target=answer, daemon=True)
    other.start()
    for _ in range(turns):
        assert here.wait(5, there)
    there.open()
    other.join(5)
    assert not other.is_alive()


@pytest.mark.parametrize("count", [0, 1, 64, 65, 200])
def test_open_all_opens_every_gate(make: Callable[[], Any], count: int) -> None:
    several = [make() for _ in range(count)]
    open_all(several)
    assert all(gate.wait(0) for gate in several)


def test_open_all_takes_gates_of_both_kinds() -> None:
    several = [kind() for kind in KINDS for _ in range(3)]
    open_all(several)
    assert all(gate.wait(0) for gate in several)


def test_gate_type_is_native_only_where_it_is_compiled() -> None:
    assert gate_type() is (gates.Gate if COMPILED else LockGate)


def test_gate_type_follows_a_replaced_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under gevent, where a native gate would hold up every greenlet of its thread."""

    class Lock:
        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            return True

        def release(self) -> None:
            pass

    monkeypatch.setattr(gates, "Lock", Lock)
    assert gate_type() is LockGate


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_wait_raises_what_a_signal_handler_raises(make: Callable[[], Any]) -> None:
    def handler(number: int, frame: Any) -> None:
        raise KeyError("mine")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyError, match="mine"):
            make().wait(10)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

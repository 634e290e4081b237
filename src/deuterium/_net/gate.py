"""Where one thread sleeps until another lets it through.

A ``threading.Lock`` does it, but whoever releases it holds the GIL, and the thread that wakes can do nothing but wait
for that: two more switches for each wake-up. So compiled, a gate is CPython's own lock below ``threading.Lock``, and
gates are opened without the GIL, many at once. Where a library has replaced ``threading.Lock`` (gevent does, so that a
waiting greenlet does not hold up its thread), a gate is one of those.
"""

from __future__ import annotations

from threading import Lock
from typing import Any

COMPILED = not __file__.endswith((".py", ".pyc"))


class LockGate:
    """A gate made of ``threading.Lock``; shut when it is made."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def open(self) -> None:
        """Let the sleeper through. Once."""
        self._lock.release()

    def wait(self, timeout_s: float, opening: Any = None) -> bool:
        """Open the gate ``opening``; sleep until this one is opened, or the time is up (False)."""
        if opening is not None:
            opening.open()
        return self._lock.acquire(True, max(timeout_s, 0.0) if timeout_s < MAX_WAIT_S else -1)


MAX_WAIT_S = 1_000_000.0


class Gate:
    """A gate below ``threading.Lock``. The names that neither Python nor a reader finds here are C, in ``gate.pxd``."""

    __slots__ = ()

    def __cinit__(self) -> None:
        gate_create(self)  # type: ignore[name-defined]  # noqa: F821

    def __dealloc__(self) -> None:
        gate_destroy(self)  # type: ignore[name-defined]  # noqa: F821

    def open(self) -> None:
        """Let the sleeper through. Once."""
        gate_open(self)  # type: ignore[name-defined]  # noqa: F821

    def wait(self, timeout_s: float, opening: Any = None) -> bool:
        """Open the gate ``opening``; sleep until this one is opened, the time is up or a signal was handled (False).

        Raises what the signal's handler raises.
        """
        return gate_wait(self, opening, timeout_s)  # type: ignore[name-defined, no-any-return]  # noqa: F821


def open_all(gates: list[Any]) -> None:
    """Open every gate; native ones without the GIL."""
    if COMPILED:
        gates_open(gates)  # type: ignore[name-defined]  # noqa: F821
    else:
        for gate in gates:
            gate.open()


def gate_type() -> Any:
    """What makes gates here: ``Gate`` where threads are the system's."""
    native = type(Lock()).__module__ == "_thread"
    return Gate if COMPILED and native else LockGate

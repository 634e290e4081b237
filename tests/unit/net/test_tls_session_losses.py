"""Sessions on an interpreter that loses memory with each one that is read (python/cpython#116810)."""

from __future__ import annotations

from deuterium._net.tls_sessions import MAX_LOSSES, SessionCache


def test_session_cache_of_an_interpreter_that_loses_memory_stops_at_its_bound() -> None:
    sessions = SessionCache(loses=True)
    assert [sessions.wants() for _ in range(MAX_LOSSES + 1)] == [True] * MAX_LOSSES + [False]
    assert not sessions.wants()


def test_session_cache_of_an_interpreter_that_loses_none_has_no_bound() -> None:
    sessions = SessionCache(loses=False)
    assert all(sessions.wants() for _ in range(10 * MAX_LOSSES))

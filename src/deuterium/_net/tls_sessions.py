"""TLS sessions of origins, kept to shorten the next handshake (RFC 8446 section 2.2, RFC 5077)."""

from __future__ import annotations

import ssl

MAX_SESSIONS = 256  # each holds the peer's certificates, a few KiB


class SessionCache:
    """One session for each key and context; it is used once, because a ticket used twice links two connections
    (RFC 8446 appendix C.4). The key says all that was verified: who resumes verifies nothing anew.
    """

    __slots__ = ("_bound", "_sessions")

    def __init__(self, bound: int = MAX_SESSIONS) -> None:
        self._bound = bound
        self._sessions: dict[str, tuple[ssl.SSLContext, ssl.SSLSession]] = {}  # the one given longest ago first

    def __len__(self) -> int:
        return len(self._sessions)

    def take(self, key: str, context: ssl.SSLContext) -> ssl.SSLSession | None:
        """The session for a handshake with ``context``, which no one else gets."""
        found = self._sessions.pop(key, None)
        return found[1] if found is not None and found[0] is context else None

    def give(self, key: str, context: ssl.SSLContext, session: ssl.SSLSession | None) -> None:
        """Keep what a connection of ``context`` was given; a session that cannot be resumed is not kept."""
        if session is None or not (session.has_ticket or session.id):
            return
        self._sessions.pop(key, None)
        self._sessions[key] = (context, session)
        if len(self._sessions) > self._bound:
            self._sessions.pop(next(iter(self._sessions)), None)

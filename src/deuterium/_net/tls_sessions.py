"""TLS sessions of origins, kept to shorten the next handshake (RFC 8446 section 2.2, RFC 5077)."""

from __future__ import annotations

import ssl
import sys

MAX_SESSIONS = 256  # each holds the peer's certificates, a few KiB

# Where reading SSLObject.session loses a copy of the session for good (python/cpython#116810: 6.6 KiB with a chain of
# one), 1.7 MiB are what a client may lose; after that many it resumes no more.
MAX_LOSSES = 256
LOSES = sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1)


class SessionCache:
    """One session for each key and context; it is used once, because a ticket used twice links two connections
    (RFC 8446 appendix C.4). The key says all that was verified: who resumes verifies nothing anew.
    """

    __slots__ = ("_bound", "_left", "_sessions")

    def __init__(self, bound: int = MAX_SESSIONS, loses: bool = LOSES) -> None:
        self._bound = bound
        self._left = MAX_LOSSES if loses else -1  # sessions that may still be read; -1: as many as there are
        self._sessions: dict[str, tuple[ssl.SSLContext, ssl.SSLSession]] = {}  # the one given longest ago first

    def __len__(self) -> int:
        return len(self._sessions)

    def wants(self) -> bool:
        """Whether to read the session of a connection, which counts as read."""
        if self._left > 0:
            self._left -= 1
            return True
        return self._left < 0

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

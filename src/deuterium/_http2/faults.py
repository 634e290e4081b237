"""A connection error on its way from the rule that found it to the GOAWAY that reports it."""

from __future__ import annotations

from ..errors import RemoteProtocolError


class ConnectionFault(RemoteProtocolError):
    """RFC 9113 section 5.4.1: the connection cannot go on. ``code`` is sent to the peer."""

    def __init__(self, code: int, rule: str) -> None:
        super().__init__(rule, scope="connection", code=code)

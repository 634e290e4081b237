"""What can be told of the connection a response came over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._http.exchange import Exchange


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """Protocol, addresses, TLS and times of one exchange.

    ``peer``: the address that was connected to, as the socket module writes it. ``request_number``: 1 for the first
    request on its connection. ``tls``: None in the clear; otherwise ``version``, ``cipher``, ``alpn``,
    ``session_reused``, ``certificate`` (as ``ssl.SSLSocket.getpeercert`` gives it, empty when it was not verified) and
    ``certificate_der``. The times are seconds on the clock of ``time.monotonic``; 0.0 for what has not happened yet.
    """

    http_version: str
    stream_id: int
    request_number: int
    peer: Any
    tls: dict[str, Any] | None
    sent_at: float
    answered_at: float
    finished_at: float

    @property
    def reused(self) -> bool:
        """The connection had carried a request before this one."""
        return self.request_number > 1


def facts_of(exchange: Exchange) -> ConnectionFacts:
    """The facts of an exchange that was answered."""
    version: str = exchange.engine.http_version
    number = exchange.stream_id
    if version == "HTTP/2":
        number = (number + 1) // 2  # RFC 9113 section 5.1.1: a client's streams are 1, 3, 5 ...
    carrier = exchange.carrier
    pipe = getattr(carrier, "tls", None)
    tls = None
    if pipe is not None:
        tls = pipe.facts()
        tls["certificate_der"] = pipe.object.getpeercert(binary_form=True)
    return ConnectionFacts(
        http_version=version,
        stream_id=exchange.stream_id,
        request_number=number,
        peer=getattr(carrier, "peer", None),
        tls=tls,
        sent_at=exchange.sent_at,
        answered_at=exchange.answered_at,
        finished_at=exchange.finished_at,
    )

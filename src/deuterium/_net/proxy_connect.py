"""Opening a tunnel by CONNECT over HTTP/1.1, without I/O (RFC 9110 section 9.3.6)."""

from __future__ import annotations

from typing import Any

from .._http.exchange import Exchange, LentPiece
from .._http.phases import PIECES
from .._http1.connection import Connection
from ..errors import ProxyError
from .proxy import Proxy, tunnel_authority
from .receive_buffer import ReceiveBuffer


def tunnel_exchange(proxy: Proxy, host: str, port: int) -> Exchange:
    """The request for a tunnel to ``host``; the credentials are the proxy's own."""
    exchange = Exchange("CONNECT", "", tunnel_authority(host, port), "", proxy.fields, has_content=True)
    exchange.delivery = PIECES
    return exchange


def check_tunnel(proxy: Proxy, exchange: Exchange) -> None:
    """Raises ProxyError unless the proxy agreed; the exchange is answered or has failed."""
    if exchange.headers_received and 200 <= exchange.status < 300:
        return
    if exchange.headers_received:
        reason = f" {exchange.reason}" if exchange.reason else ""
        raise ProxyError(
            f"{proxy} answered {exchange.status}{reason} instead of opening a tunnel to {exchange.authority}",
            status_code=exchange.status,
            request_processed=False,
        )
    raise ProxyError(
        f"{proxy} failed to open a tunnel to {exchange.authority}: {exchange.error}", request_processed=False
    ) from exchange.error


class HttpConnect:
    """The octets of one CONNECT and of its answer: send ``start()``, ``receive`` what comes until ``done``.

    ``rest``: what came after the answer; it belongs to the tunnel.
    """

    __slots__ = ("_engine", "_exchange", "_inbound", "_proxy", "done", "rest")

    def __init__(self, proxy: Proxy, host: str, port: int, buffers: Any) -> None:
        self._proxy = proxy
        self._exchange = tunnel_exchange(proxy, host, port)
        self._engine = Connection()
        self._inbound = ReceiveBuffer(buffers)
        self.done = False
        self.rest = b""

    def start(self) -> bytes:
        """What to send first."""
        self._engine.send_request(self._exchange, 0.0)
        return b"".join(self._engine.take(0.0))

    def receive(self, octets: bytes) -> bytes:
        """Take in what the proxy sent; what to send next. Raises ProxyError."""
        inbound = self._inbound
        engine = self._engine
        exchange = self._exchange
        try:
            while octets and not exchange.headers_received and not engine.closed:
                space = inbound.space(len(octets))
                size = min(len(space), len(octets))
                space[:size] = octets[:size]
                octets = octets[size:]
                inbound.commit(size)
                buffer: Any = inbound.buffer
                inbound.consume(engine.receive(buffer, inbound.start, inbound.end, 0.0))
            if exchange.headers_received or engine.closed:
                check_tunnel(self._proxy, exchange)
                self.done = True
                self.rest = _collect(exchange) + octets
        except BaseException:
            self.close()
            raise
        if self.done:
            self.close()
        return b""

    def cut(self) -> ProxyError:
        """What it means that the proxy closed the connection now."""
        return ProxyError(f"{self._proxy} closed the connection instead of opening a tunnel", request_processed=False)

    def close(self) -> None:
        """Give the memory back."""
        _collect(self._exchange)
        self._inbound.release()


def _collect(exchange: Exchange) -> bytes:
    """The tunnel's octets that came with the answer."""
    pieces = []
    while exchange.chunks:
        piece = exchange.chunks.popleft()
        if isinstance(piece, LentPiece):
            pieces.append(bytes(piece.view))
            piece.release()
        else:
            pieces.append(piece)
    return b"".join(pieces)

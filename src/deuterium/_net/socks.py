"""Opening a tunnel by SOCKS5, without I/O (RFC 1928, RFC 1929), over the sans-I/O core of python-socks."""

from __future__ import annotations

from typing import Any

from ..errors import ProxyError
from .proxy import Proxy

# RFC 1928 section 6: the octets of an address by its type; of a name, the first says how many follow.
ADDRESS_OCTETS = {1: 4, 4: 16}
NAME = 3
SUCCEEDED = b"\x05\x00"


class SocksConnect:
    """One conversation with a SOCKS5 proxy, with the verbs of HttpConnect."""

    __slots__ = ("_connection", "_data", "_host", "_port", "_protocol", "_proxy", "_stage", "done", "rest")

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        from python_socks._protocols import socks5

        self._protocol: Any = socks5
        self._connection: Any = socks5.Connection()
        self._proxy = proxy
        self._host = host
        self._port = port
        self._data = b""
        self._stage = self._receive_method
        self.done = False
        self.rest = b""

    def start(self) -> bytes:
        """What to send first: the methods of authentication."""
        request = self._protocol.AuthMethodsRequest(self._proxy.username or None, self._proxy.password or None)
        return bytes(self._connection.send(request))

    def receive(self, octets: bytes) -> bytes:
        """Take in what the proxy sent; what to send next. Raises ProxyError."""
        self._data += octets
        reply = b""
        while not self.done and not reply:
            size = self._size()
            if len(self._data) < size:
                break
            frame, self._data = self._data[:size], self._data[size:]
            try:
                answer = self._connection.receive(frame)
            except self._protocol.ReplyError as error:
                raise ProxyError(
                    f"{self._proxy} opened no connection to {self._host} port {self._port}: {error}",
                    request_processed=False,
                ) from error
            reply = self._stage(answer)
        if self.done:
            self.rest, self._data = self._data, b""
        return reply

    def cut(self) -> ProxyError:
        """What it means that the proxy closed the connection now."""
        return ProxyError(f"{self._proxy} closed the connection instead of opening another", request_processed=False)

    def close(self) -> None:
        """Nothing is held."""

    def _size(self) -> int:
        """How long the next reply is, as far as can be told."""
        if self._stage != self._receive_connected:
            return 2
        data = self._data
        if len(data) >= 2 and data[:2] != SUCCEEDED:
            return len(data)  # a refusal: proxies cut the rest short
        if len(data) < 5:
            return 5
        if data[3] == NAME:
            return 4 + 1 + data[4] + 2
        return 4 + ADDRESS_OCTETS.get(data[3], 0) + 2

    def _receive_method(self, answer: Any) -> bytes:
        if answer.method != self._protocol.AuthMethod.USERNAME_PASSWORD:
            return self._connect(answer)
        self._stage = self._connect
        request = self._protocol.AuthRequest(self._proxy.username, self._proxy.password)
        return bytes(self._connection.send(request))

    def _connect(self, answer: Any) -> bytes:
        self._stage = self._receive_connected
        return bytes(self._connection.send(self._protocol.ConnectRequest(self._host, self._port)))

    def _receive_connected(self, answer: Any) -> bytes:
        self.done = True
        return b""

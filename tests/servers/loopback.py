"""A small HTTP/1.1 server of the test process itself, for what real servers do not tell: who connected, and how.

Every request is answered with JSON: the connection's number, the peer's address, and under TLS what was negotiated.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

ACCEPT_S = 0.05  # how long closing may take
CONVERSATION_S = 10.0


class Loopback:
    """One thread accepts, one serves each connection.

    ``cut``: announce more content than is sent, or none of its length, and leave without close_notify. ``seen`` holds
    the octets of every request; ``failures`` what handshakes failed with, as the server saw it.
    """

    def __init__(
        self,
        context: ssl.SSLContext | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        uds: str | None = None,
        cut: bool = False,
    ) -> None:
        self.context = context
        self.cut = cut
        self.seen: list[bytes] = []
        self.failures: list[Exception] = []
        self.connections = 0
        self._stopping = False
        self._open: set[socket.socket] = set()
        if uds is not None:
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(uds)
        else:
            self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
        self._listener.listen(64)
        self._listener.settimeout(ACCEPT_S)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def url(self, host: str = "localhost") -> str:
        """Where it is, under one of the names it goes by."""
        return f"{'http' if self.context is None else 'https'}://{host}:{self.port}/"

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        self._thread.join()
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, peer = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, peer, self.connections), daemon=True).start()

    def _serve(self, connection: socket.socket, peer: Any, number: int) -> None:
        connection.settimeout(CONVERSATION_S)
        self._open.add(connection)
        try:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                self._open.add(connection)
            self._converse(connection, peer, number)
        except OSError as error:  # ssl.SSLError is one
            self.failures.append(error)
        finally:
            self._open.discard(connection)
            connection.close()

    def _converse(self, connection: socket.socket, peer: Any, number: int) -> None:
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                piece = connection.recv(64 * 1024)
                if not piece:
                    return
                rest += piece
            head, _, rest = rest.partition(b"\r\n\r\n")
            self.seen.append(head)
            if self.cut:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
                if isinstance(connection, ssl.SSLSocket):
                    # The transport ends, TLS does not say so.
                    socket.socket(fileno=connection.detach()).close()
                return
            content = json.dumps(self._facts(connection, peer, number)).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(content), content))

    def _facts(self, connection: socket.socket, peer: Any, number: int) -> dict[str, Any]:
        facts: dict[str, Any] = {"connection": number, "peer": peer}
        if isinstance(connection, ssl.SSLSocket):
            certificate = connection.getpeercert() or {}
            facts |= {
                "version": connection.version(),
                "reused": connection.session_reused,
                "client": str(certificate.get("subject", "")),
            }
        return facts

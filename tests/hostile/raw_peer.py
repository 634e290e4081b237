"""A server that says exactly the octets a script tells it to, over TLS or in the clear, and keeps what it is told.

It speaks no protocol by itself: legal or not, every octet is the script's. It lives in threads of its own, and TLS runs
over memory, so that reading and writing go on when the other direction has failed.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from rfc import wire

PATIENCE_S = 4.0  # how long one read or write may block
RECEIVE_BUFFER = 64 * 1024  # the kernel's; small, so that a script that does not read is felt soon
READ = 64 * 1024

Script = Callable[["Line"], None]


class LineClosed(Exception):
    """The client ended the connection: the script is over, and that may be what it wanted."""


class Line:
    """One connection. ``heard``: all octets the client said, decrypted; ``number`` counts connections from 1."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext | None, number: int) -> None:
        self.sock = sock
        self.number = number
        self.heard = bytearray()
        self.protocol = ""
        self.over = False  # the client's direction ended
        self.left = False  # the script ended the connection
        self.answered = 1  # requests the script has seen to
        self._parsed = 0
        self.frames: list[tuple[int, int, int, bytes]] = []
        self._arrived = ssl.MemoryBIO()
        self._leaving = ssl.MemoryBIO()
        self.tls = None if context is None else context.wrap_bio(self._arrived, self._leaving, server_side=True)
        sock.settimeout(PATIENCE_S)

    # -- saying ------------------------------------------------------------------------------------------------------

    def says(self, *octets: bytes) -> None:
        """Send octets; under TLS encrypted."""
        data = b"".join(octets)
        if self.tls is None:
            self.sends(data)
        elif data:
            self.tls.write(data)
            self.sends(self._leaving.read())

    def sends(self, octets: bytes) -> None:
        """Send octets of the transport as they are."""
        try:
            self.sock.sendall(octets)
        except OSError as error:
            raise LineClosed from error

    def floods(self, unit: bytes, times: int, listening: bool = True, batch: int = 500) -> None:
        """Say the unit many times; ``listening``: read in between, as a peer does that wants to go on."""
        if listening:
            self._hear_in_background()
        while times > 0:
            self.says(unit * min(batch, times))
            times -= batch

    def drips(self, octets: bytes, pause_s: float, size: int = 1) -> None:
        """Say octets slowly."""
        for start in range(0, len(octets), size):
            self.says(octets[start : start + size])
            time.sleep(pause_s)

    def leaves(self) -> None:
        """End the connection in good order: close_notify, then the transport's end."""
        if self.tls is not None:
            with suppress(ssl.SSLError):
                self.tls.unwrap()
            with suppress(LineClosed):
                self.sends(self._leaving.read())
        self.ends()

    def ends(self) -> None:
        """End the transport without a word of TLS."""
        self.left = True
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def breaks(self) -> None:
        """Reset the transport."""
        self.left = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()
        raise LineClosed

    # -- hearing -----------------------------------------------------------------------------------------------------

    def opens(self) -> None:
        """The TLS handshake."""
        while self.tls is not None:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.sends(self._leaving.read())
                self._receive()
                if self.over:
                    raise LineClosed from None
            except ssl.SSLError as error:
                with suppress(LineClosed):
                    self.sends(self._leaving.read())
                raise LineClosed from error
            else:
                self.sends(self._leaving.read())
                self.protocol = self.tls.selected_alpn_protocol() or ""
                return

    def hears(self) -> None:
        """Read what there is, at least an octet, or see the end."""
        before = len(self.heard)
        self._decrypt()  # what came with the last of the handshake
        while len(self.heard) == before and not self.over:
            self._receive()
            self._decrypt()

    def listens(self) -> None:
        """Read to the client's end."""
        while not self.over:
            self.hears()

    def hears_preface(self) -> None:
        """Wait for the client connection preface (RFC 9113 section 3.4)."""
        while len(self.heard) < len(wire.PREFACE):
            self.hears_more()

    def hears_request(self, stream_id: int) -> None:
        """Wait for HEADERS on this stream."""
        while not any(kind == wire.HEADERS and stream == stream_id for kind, _, stream, _ in self.parsed()):
            self.hears_more()

    def hears_head(self, count: int = 1) -> None:
        """Wait for the header section of an HTTP/1.1 request."""
        while self.heard.count(b"\r\n\r\n") < count:
            self.hears_more()

    def parsed(self) -> list[tuple[int, int, int, bytes]]:
        """The frames so far: kind, flags, stream, payload."""
        position = self._parsed or len(wire.PREFACE)
        while len(self.heard) - position >= 9:
            length = int.from_bytes(self.heard[position : position + 3], "big")
            if len(self.heard) - position - 9 < length:
                break
            payload = bytes(self.heard[position + 9 : position + 9 + length])
            stream = int.from_bytes(self.heard[position + 5 : position + 9], "big")
            self.frames.append((self.heard[position + 3], self.heard[position + 4], stream, payload))
            position += 9 + length
        self._parsed = position
        return self.frames

    def told(self, kind: int) -> Iterator[tuple[int, int]]:
        """Stream and error code of each RST_STREAM, 0 and the code of a GOAWAY, that the client sent."""
        for sent, _, stream, payload in self.parsed():
            if sent == kind:
                yield stream, int.from_bytes(payload[-4:] if kind == wire.RST_STREAM else payload[4:8], "big")

    def hears_more(self) -> None:
        """``hears``, where the client's end is the script's."""
        self.hears()
        if self.over:
            raise LineClosed

    def _receive(self) -> None:
        try:
            data = self.sock.recv(READ)
        except OSError:
            data = b""
        if not data:
            self.over = True
        elif self.tls is None:
            self.heard += data
        else:
            self._arrived.write(data)

    def _decrypt(self) -> None:
        while self.tls is not None:
            try:
                data = self.tls.read(READ)
            except ssl.SSLError:  # want read, or the end of it
                return
            if not data:  # close_notify
                self.over = True
                return
            self.heard += data

    def _hear_in_background(self) -> None:
        """Take what the client says off the socket, so that it can go on writing; decrypt it."""
        self.sock.setblocking(False)
        try:
            while not self.over:
                data = self.sock.recv(READ)
                if not data:
                    self.over = True
                elif self.tls is None:
                    self.heard += data
                else:
                    self._arrived.write(data)
        except OSError:
            pass
        finally:
            self.sock.settimeout(PATIENCE_S)
        self._decrypt()


class RawPeer:
    """Accepts, and runs ``script`` on each connection in a thread."""

    def __init__(self, context: ssl.SSLContext | None, script: Script) -> None:
        self.context = context
        self.script = script
        self.lines: list[Line] = []
        self.failures: list[Exception] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(64)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'http' if self.context is None else 'https'}://localhost:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads.append(threading.Thread(target=self._accept, daemon=True))
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)
        self._listener.close()
        for line in self.lines:
            line.sock.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            line = Line(sock, self.context, len(self.lines) + 1)
            self.lines.append(line)
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: Line) -> None:
        try:
            self.script(line)
        except LineClosed:
            pass
        except Exception as error:  # the script's own: a test fails on it
            self.failures.append(error)
        finally:
            with suppress(OSError):
                line.listens()  # what it was told last
            line.sock.close()

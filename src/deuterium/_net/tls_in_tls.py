"""One TLS connection inside another, seen as one pipe: a tunnel through an HTTPS proxy."""

from __future__ import annotations

import ssl
from typing import Any

from .tls import TlsPipe
from .tls_input import TlsInput

READ = 16 * 1024


class TlsInTls:
    """The verbs of a TlsPipe: ``outer`` ends at the proxy, ``inner``, if any, at the origin."""

    __slots__ = ("inner", "input", "outer", "read", "unread")

    def __init__(self, outer: TlsPipe, inner: TlsPipe) -> None:
        self.outer = outer
        self.inner = inner
        self.input = TlsInput(self.feed, follows=False)
        self.read = inner.read
        self.unread = inner.unread

    @property
    def protocol(self) -> str:
        """What ALPN chose with the origin."""
        return self.inner.protocol

    def feed(self, octets: Any) -> None:
        """Take in octets of the transport."""
        self._hand_on(octets)
        self._count()

    def _count(self) -> None:
        """What is whole is read through this object, and counted down here."""
        self.input.whole += self.inner.input.whole
        self.inner.input.whole = 0

    def _hand_on(self, octets: Any) -> None:
        if octets:
            self.outer.feed(octets)
        while True:
            try:
                piece = self.outer.read(READ)
            except ssl.SSLWantReadError:
                return
            if not piece:
                self.inner.feed_eof()
                return
            self.inner.feed(piece)
            if not self.outer.buffered():
                return

    def handshake(self) -> bool:
        """Go on with the handshake with the origin."""
        return self.inner.handshake()

    def write(self, octets: Any) -> None:
        """Queue octets for the origin."""
        self.inner.write(octets)

    def pending(self) -> bytes:
        """Octets that must be written to the transport."""
        octets = self.inner.pending()
        if octets:
            self.outer.write(octets)
        return self.outer.pending()

    def buffered(self) -> bool:
        """More may be read without anything being fed in."""
        return self.inner.buffered()

    def keep_session(self) -> None:
        """Give both sessions to the cache."""
        self.outer.keep_session()
        self.inner.keep_session()

    def close(self) -> None:
        """Say close_notify to the origin; the tunnel ends with the transport."""
        self.inner.close()

    def feed_eof(self) -> None:
        """The transport ended."""
        self.inner.feed_eof()
        self._count()

    def facts(self) -> dict[str, Any]:
        """Of the connection to the origin."""
        return self.inner.facts()

"""TLS: contexts, shared per configuration, and a pipe between octets on the wire and octets of HTTP."""

from __future__ import annotations

import os
import ssl
import sys
from functools import lru_cache
from typing import Any

from ..errors import ConnectError

Certificate = str | tuple[str, str] | tuple[str, str, str]

ALPN_H2 = "h2"
ALPN_HTTP11 = "http/1.1"


def create_context(
    verify: ssl.SSLContext | str | bool = True,
    cert: Certificate | None = None,
    alpn: tuple[str, ...] = (ALPN_H2, ALPN_HTTP11),
) -> ssl.SSLContext:
    """A client context: TLS 1.2 or later, names checked against subjectAltName only (RFC 9110 section 4.3.4).

    ``verify``: True for the system's trust store, a path to a CA file or directory, False to trust anyone, or a
    context of the caller's, which is taken as it is but for its ALPN list. ``cert``: a path, or (certificate,
    key[, password]). ``alpn``: the protocols offered, best first (RFC 7301).
    The same configuration gives the same context: it is costly to make and holds the session cache.
    """
    if isinstance(verify, ssl.SSLContext):
        verify.set_alpn_protocols(list(alpn))
        return verify
    return _context(verify, cert, alpn, os.environ.get("SSLKEYLOGFILE", ""))


@lru_cache(maxsize=64)
def _context(verify: str | bool, cert: Certificate | None, alpn: tuple[str, ...], keylog: str) -> ssl.SSLContext:
    context: ssl.SSLContext
    if verify is True and sys.platform in ("darwin", "win32"):
        try:
            import truststore
        except ImportError:
            context = ssl.create_default_context()
        else:
            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    elif isinstance(verify, str):
        if not os.path.exists(verify):
            raise ConnectError(f"no CA file or directory at {verify!r}", initiator="user", request_processed=False)
        directory = os.path.isdir(verify)
        context = ssl.create_default_context(
            cafile=None if directory else verify, capath=verify if directory else None
        )
    else:
        context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        # RFC 9110 section 4.3.4: the common name says nothing about the host.
        context.hostname_checks_common_name = False
    if cert is not None:
        parts = (cert,) if isinstance(cert, str) else cert
        context.load_cert_chain(*parts)
    if keylog:
        context.keylog_filename = keylog
    context.set_alpn_protocols(list(alpn))
    return context


class TlsPipe:
    """One TLS connection without a socket: what arrives is fed in, what must leave is taken out."""

    __slots__ = ("_incoming", "_outgoing", "feed", "handshaken", "object", "read", "write")

    def __init__(self, context: ssl.SSLContext, server_hostname: str | None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self.handshaken = False
        self.feed = self._incoming.write
        self.write = self.object.write
        self.read = self.object.read

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done. Raises ConnectError when it fails."""
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise ConnectError(
                f"the TLS handshake failed: {_reason(error)}", scope="connection", request_processed=False
            ) from error
        self.handshaken = True
        return True

    def pending(self) -> bytes:
        """Octets that must be written to the transport."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> None:
        """Say close_notify; the peer's is not waited for."""
        try:
            self.object.unwrap()
        except ssl.SSLError:
            pass

    def feed_eof(self) -> None:
        """The transport ended."""
        self._incoming.write_eof()

    @property
    def protocol(self) -> str:
        """What ALPN chose (RFC 7301); the empty string when the peer chose nothing."""
        return self.object.selected_alpn_protocol() or ""

    def facts(self) -> dict[str, Any]:
        """Version, cipher, ALPN and the peer's certificate."""
        cipher = self.object.cipher()
        return {
            "version": self.object.version(),
            "cipher": cipher[0] if cipher else None,
            "alpn": self.protocol,
            "session_reused": self.object.session_reused,
            "certificate": self.object.getpeercert(),
        }


def _reason(error: Exception) -> str:
    text = getattr(error, "verify_message", None) or getattr(error, "reason", None) or str(error)
    return str(text)

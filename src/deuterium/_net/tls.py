"""TLS: contexts, shared per configuration, and a pipe between octets on the wire and octets of HTTP."""

from __future__ import annotations

import os
import ssl
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Any

from ..errors import ConnectError, Initiator
from .pins import Pins
from .tls_input import TlsInput
from .tls_sessions import SessionCache

Certificate = str | tuple[str, str] | tuple[str, str, str]

ALPN_H2 = "h2"
ALPN_HTTP11 = "http/1.1"

# Set by default in Debian's CPython 3.11.2: whoever can cut a connection could then end content where they like.
IGNORE_BARE_END = getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)


def create_context(
    verify: ssl.SSLContext | str | bool = True,
    cert: Certificate | None = None,
    alpn: tuple[str, ...] = (ALPN_H2, ALPN_HTTP11),
    trust_env: bool = True,
) -> ssl.SSLContext:
    """A client context: TLS 1.2 or later, names checked against subjectAltName only (RFC 9110 section 4.3.4).

    ``verify``: True for the system's trust store, a path to a CA file or directory, False to trust anyone, or a
    context of the caller's, which is taken as it is but for its ALPN list and OP_IGNORE_UNEXPECTED_EOF, which it loses.
    ``cert``: a path, or (certificate, key[, password]). ``alpn``: the protocols offered, best first (RFC 7301).
    ``trust_env``: write the secrets of every connection to the file SSLKEYLOGFILE names, if it names one.
    The same configuration, files unchanged, gives the same context: it is costly to make.
    Raises ConnectError when a file cannot be used.
    """
    if isinstance(verify, ssl.SSLContext):
        verify.set_alpn_protocols(list(alpn))
        return verify
    files = [verify] if isinstance(verify, str) else []
    if cert is not None:
        files += [cert] if isinstance(cert, str) else cert[:2]
    keylog = os.environ.get("SSLKEYLOGFILE", "") if trust_env else ""
    try:
        stamps = tuple(os.stat(file).st_mtime_ns for file in files)
        return _context(verify, cert, alpn, keylog, stamps)
    except OSError as error:  # ssl.SSLError is one
        named = error.filename or ", ".join(files) or keylog
        raise ConnectError(
            f"cannot use {named}: {error.strerror or error}", initiator="user", request_processed=False
        ) from error


@lru_cache(maxsize=64)
def _context(
    verify: str | bool, cert: Certificate | None, alpn: tuple[str, ...], keylog: str, stamps: tuple[int, ...]
) -> ssl.SSLContext:
    context: ssl.SSLContext
    if verify is True and sys.platform in ("darwin", "win32"):
        try:
            import truststore
        except ImportError:
            context = ssl.create_default_context()
        else:
            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    elif isinstance(verify, str):
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
        file, key, password = (*((cert,) if isinstance(cert, str) else cert), None, None)[:3]
        # Without a password of its own OpenSSL would ask the terminal for one.
        context.load_cert_chain(file, key, password or _no_password)
    # create_default_context looks at the environment by itself.
    context.keylog_filename = keylog or None  # type: ignore[assignment]
    context.set_alpn_protocols(list(alpn))
    return context


def _no_password() -> str:
    return ""


class TlsPipe:
    """One TLS connection without a socket: what arrives is fed in, what must leave is taken out.

    ``server_hostname``: the name or IP address the certificate must be for, and what the peer is asked for (SNI,
    RFC 6066 section 3: never an IP address). ``pins``: what the certificate must be beside valid. ``sessions`` and
    ``key``: where a session is taken from and given to.
    """

    __slots__ = (
        "_context",
        "_incoming",
        "_key",
        "_outgoing",
        "_pins",
        "_sessions",
        "feed",
        "handshaken",
        "input",
        "object",
        "read",
        "unread",
        "write",
    )

    def __init__(
        self,
        context: ssl.SSLContext,
        server_hostname: str | None,
        *,
        pins: Pins | None = None,
        sessions: SessionCache | None = None,
        key: str = "",
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        if context.options & IGNORE_BARE_END:
            context.options &= ~IGNORE_BARE_END
        self._context = context
        self._pins = pins
        self._sessions = sessions
        self._key = key
        self.object = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=server_hostname.rstrip(".") if server_hostname else server_hostname,
            session=None if sessions is None else sessions.take(key, context),
        )
        self.handshaken = False
        self.input = TlsInput(self._incoming.write)
        self.feed = self.input.feed
        # Below SSLObject, whose methods only pass their arguments on: a frame of Python less for each record.
        below = getattr(self.object, "_sslobj", self.object)
        self.write = below.write
        self.read = below.read
        self.unread = below.pending  # octets of a record that was read in part

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done. Raises ConnectError when it fails or no pin fits."""
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise ConnectError(
                f"the TLS handshake failed: {_reason(error)}",
                scope="connection",
                initiator=_initiator(error),
                request_processed=False,
            ) from error
        if self._pins is not None and not self._pins.allow(self.object.getpeercert(binary_form=True)):
            raise ConnectError(
                "the peer's certificate is none of those pinned",
                scope="connection",
                initiator="library",
                request_processed=False,
            )
        self.handshaken = True
        return True

    def keep_session(self) -> None:
        """Give the session to the cache; a TLS 1.3 peer sends it after the handshake, with its first octets."""
        if self._sessions is not None and self.handshaken and self._sessions.wants():
            self._sessions.give(self._key, self._context, self.object.session)

    def pending(self) -> bytes:
        """Octets that must be written to the transport."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def buffered(self) -> bool:
        """More may be read without anything being fed in."""
        return self._incoming.pending > 0 or self.object.pending() > 0

    def close(self) -> None:
        """Say close_notify; the peer's is not waited for."""
        with suppress(ssl.SSLError):
            self.object.unwrap()

    def feed_eof(self) -> None:
        """The transport ended."""
        self._incoming.write_eof()
        self.input.whole += 1  # there is something to read: the end

    @property
    def protocol(self) -> str:
        """What ALPN chose (RFC 7301); the empty string when the peer chose nothing."""
        return self.object.selected_alpn_protocol() or ""

    def facts(self) -> dict[str, Any]:
        """Version, cipher, ALPN, whether the session was resumed, and the peer's certificate."""
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


def _initiator(error: ssl.SSLError) -> Initiator:
    """Who ended the handshake: the peer, by an alert or by leaving, or we, by refusing what it said."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
        return "remote"
    return "remote" if "ALERT" in (error.reason or "") else "library"

"""A proxy: where it is, what it speaks, and the credentials that go to it alone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import find_spec
from typing import Final

from yarl import URL

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
MAX_SOCKS_CREDENTIAL: Final = 255  # RFC 1929 section 2: one octet holds the length


class Proxy:
    """``scheme://[user:password@]host[:port]``.

    ``http`` and ``https`` are HTTP proxies, the second reached over TLS; ``socks5`` gets addresses this client
    resolved, ``socks5h`` the name itself. ``auth``: user and password, instead of those in the URL. ``headers``: more
    fields for the proxy. ``verify``: how its certificate is judged, None for the client's own way.

    >>> Proxy("http://user:secret@proxy.example:3128")
    <Proxy('http://proxy.example:3128')>

    Raises ValueError for a URL that names no proxy, ImportError for SOCKS without the package that speaks it.
    """

    __slots__ = ("fields", "host", "key", "password", "port", "scheme", "username", "verify")

    def __init__(
        self,
        url: str | URL,
        *,
        auth: tuple[str, str] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        verify: object = None,
    ) -> None:
        text = str(url)
        parsed = URL(text if "://" in text else f"http://{text}")
        if parsed.scheme not in DEFAULT_PORTS:
            raise ValueError(f"a proxy speaks {', '.join(DEFAULT_PORTS)}, not {parsed.scheme!r}")
        if not parsed.raw_host:
            raise ValueError("a proxy URL without a host")
        self.scheme = parsed.scheme
        self.host = parsed.raw_host
        self.port = parsed.explicit_port or DEFAULT_PORTS[self.scheme]
        self.username, self.password = auth or (parsed.user or "", parsed.password or "")
        self.verify = verify
        fields = [(name.lower(), value) for name, value in headers]
        credentials = f"{self.username}:{self.password}".encode()
        if self.is_socks:
            self._check_socks()
        elif self.username or self.password:
            fields.append(("proxy-authorization", "Basic " + b64encode(credentials).decode("ascii")))
        self.fields: tuple[tuple[str, str], ...] = tuple(fields)
        # What tells connections apart; it is shown, so the credentials are in it as a digest.
        self.key: str = f"{self} {sha256(repr((self.fields, credentials, verify)).encode()).hexdigest()[:16]}"

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS5 (RFC 1928)."""
        return self.scheme.startswith("socks")

    def _check_socks(self) -> None:
        if find_spec("python_socks") is None:
            raise ImportError("SOCKS proxies need python-socks: install deuterium[socks]")
        for credential in (self.username, self.password):
            if len(credential) > MAX_SOCKS_CREDENTIAL or not credential.isascii():
                raise ValueError("RFC 1929 2: user and password have at most 255 octets each, here of ASCII")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def __repr__(self) -> str:
        return f"<Proxy({str(self)!r})>"


def tunnel_authority(host: str, port: int) -> str:
    """What CONNECT asks for: host and port, always both (RFC 9110 section 9.3.6)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

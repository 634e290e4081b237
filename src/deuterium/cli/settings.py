"""What ``get`` and ``load`` have in common on the command line, and the client made from it."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from .._net.tls import ALPN_H2, ALPN_HTTP11, create_context
from ..client import AsyncClient
from ..config import RetryPolicy, Timeout
from ..errors import HTTPError
from .failures import READ_FILE, TLS, USAGE, Failure

READ_BYTES: Final = 64 * 1024
FORM: Final = "application/x-www-form-urlencoded"  # what curl says of -d


@dataclass(frozen=True, slots=True)
class Settings:
    """One request and how to connect for it."""

    url: str
    method: str | None
    headers: tuple[str, ...]
    data: tuple[str, ...]
    cacert: str | None
    cert: str | None
    key: str | None
    insecure: bool
    protocol: str | None  # "http1", "http2", or either
    timeout_s: float
    max_time_s: float

    def client(self, **more: Any) -> AsyncClient:
        """A new client, with ``more`` options of its own; Failure when a certificate file cannot be used.

        What may have been processed is not sent again: who runs a command sees what came of it and decides.
        """
        return AsyncClient(
            timeout=Timeout(self.timeout_s or None, total=self.max_time_s or None),
            retry=RetryPolicy(attempts=1),
            verify=self.context(),
            http1=self.protocol != "http2",
            http2=self.protocol != "http1",
            **more,
        )

    def context(self) -> ssl.SSLContext | bool:
        """The TLS context, made here so that a bad file is told apart from a bad peer."""
        if self.key and not self.cert:
            raise Failure("--key needs --cert", USAGE)
        if not self.url.lower().startswith("https:") and not (self.cacert or self.cert or self.insecure):
            return True  # loading the trust store takes tens of milliseconds
        alpn = {"http1": (ALPN_HTTP11,), "http2": (ALPN_H2,)}.get(self.protocol or "", (ALPN_H2, ALPN_HTTP11))
        cert: Any = (self.cert, self.key) if self.cert and self.key else self.cert
        try:
            return create_context(False if self.insecure else self.cacert or True, cert, alpn)
        except (ssl.SSLError, OSError, HTTPError) as error:
            names = ", ".join(name for name in (self.cacert, self.cert, self.key) if name)
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
            raise Failure(f"cannot use the certificate files {names}: {reason}", TLS) from error

    def verb(self) -> str:
        """The method: as given, or POST when there is data."""
        return self.method or ("POST" if self.data else "GET")

    def fields(self) -> list[tuple[str, str]]:
        """The header fields of ``-H``, and content-type when ``-d`` needs one."""
        pairs = []
        for line in self.headers:
            name, colon, value = line.partition(":")
            if not colon or not name.strip():
                raise Failure(f"-H {line!r}: write it as 'name: value'", USAGE)
            pairs.append((name.strip(), value.strip()))
        if self.data and not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.append(("content-type", FORM))
        return pairs

    def content(self) -> bytes | None:
        """All of ``-d``, several joined by ``&``; ``@file`` and ``@-`` (standard input) as they are."""
        if not self.data:
            return None
        return b"&".join(_read(item[1:]) if item.startswith("@") else item.encode() for item in self.data)

    def upload(self) -> tuple[Any, int | None]:
        """The content and its length; one large file is read as it is sent, and its length then known from the disk."""
        if len(self.data) == 1 and self.data[0].startswith("@") and self.data[0] != "@-":
            path = self.data[0][1:]
            try:
                size = os.stat(path).st_size if os.path.isfile(path) else None
                file = open(path, "rb")  # noqa: SIM115 - closed by the iterator
            except OSError as error:
                raise Failure(f"cannot read {path}: {error.strerror}", READ_FILE) from error
            return _pieces(file, path), size
        content = self.content()
        return content, None if content is None else len(content)


def _read(path: str) -> bytes:
    try:
        if path == "-":
            return sys.stdin.buffer.read()
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}", READ_FILE) from error


def _pieces(file: Any, path: str) -> Iterator[bytes]:
    with file:
        try:
            while piece := file.read(READ_BYTES):
                yield piece
        except OSError as error:
            raise Failure(f"cannot read {path}: {error.strerror}", READ_FILE) from error

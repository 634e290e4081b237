"""What a test knows about a running server, and what it may do to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .process import HOST, ServerProcess

Kind = Literal["static", "app"]
Feature = Literal[
    "echo",  # POST /echo returns the content it received
    "status",  # /status/204 and /status/304 answer with that status
    "conditional",  # If-None-Match or If-Modified-Since on a document gives 304
    "trailers",  # /trailers ends with a trailer section
    "early-hints",  # /early-hints sends a 103 first
    "http1",  # HTTP/1.1 is served on the same port
    "reload",  # reload() replaces the workers and lets open requests finish
]


@dataclass(slots=True)
class Server:
    """A real server on a loopback port, serving the documents of :mod:`servers.content`."""

    name: str
    scheme: Literal["http", "https"]
    kind: Kind
    supports: frozenset[str]
    ca_file: Path
    process: ServerProcess
    reloader: Callable[[ServerProcess], None] | None = None
    host: str = HOST

    @property
    def port(self) -> int:
        return self.process.port

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    def url(self, path: str) -> str:
        return self.base_url + path

    def ssl_context(self) -> ssl.SSLContext:
        """A client context that trusts this server's authority and offers HTTP/2."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context

    def reload(self) -> None:
        """Replace the workers by new ones; open requests finish on the old ones."""
        if self.reloader is None:
            raise NotImplementedError(f"{self.name} has no graceful reload")
        self.reloader(self.process)

    def stall(self) -> None:
        self.process.stall()

    def resume(self) -> None:
        self.process.resume()

    def kill(self) -> None:
        self.process.kill()

    def restart(self) -> None:
        self.process.restart()

    def logs(self) -> str:
        return self.process.logs()

    def __str__(self) -> str:
        return f"{self.name} at {self.base_url}"

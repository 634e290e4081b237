"""Servers started when first asked for and kept until the session ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final

from . import apache, caddy, granian, h2o, haproxy, hypercorn, nghttpd, nginx
from .server import Server
from .workspace import Workspace

Runner = Callable[..., AbstractContextManager[Server]]

RUNNERS: Final[dict[str, Runner]] = {
    "nghttpd": nghttpd.run,
    "nginx": nginx.run,
    "h2o": h2o.run,
    "caddy": caddy.run,
    "apache": apache.run,
    "haproxy": haproxy.run,
    "hypercorn": hypercorn.run,
    "granian": granian.run,
}
APP_SERVERS: Final = ("hypercorn", "granian")
ECHO_SERVERS: Final = ("nghttpd", "haproxy", "hypercorn", "granian")
SCHEMES: Final = ("https", "http")


class Fleet:
    """``get`` shares one server between tests; ``run`` starts one of its own for a test that will hurt it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._servers: dict[tuple[str, bool], Server] = {}
        self._stack = ExitStack()

    def get(self, name: str, *, tls: bool = True) -> Server:
        """The shared server of that name; raises :class:`servers.programs.MissingProgram`."""
        server = self._servers.get((name, tls))
        if server is None:
            server = self._stack.enter_context(RUNNERS[name](self.workspace, tls=tls))
            self._servers[name, tls] = server
        elif not server.process.running:
            # A test that crashed it has failed already; those that follow get a server all the same.
            server.restart()
        return server

    def run(self, name: str, *, tls: bool = True, **options: Any) -> AbstractContextManager[Server]:
        """A server of the caller's own, for a ``with`` block; the options are those of its module."""
        return RUNNERS[name](self.workspace, tls=tls, **options)

    def close(self) -> None:
        self._stack.close()

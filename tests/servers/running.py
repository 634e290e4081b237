"""Start a server for the length of a ``with`` block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from .process import ServerProcess
from .server import Kind, Server
from .workspace import Workspace


@contextmanager
def running(
    name: str,
    workspace: Workspace,
    process: ServerProcess,
    *,
    tls: bool,
    kind: Kind,
    supports: Iterable[str],
    reloader: Callable[[ServerProcess], None] | None = None,
) -> Iterator[Server]:
    """Start ``process``, yield it as a :class:`Server`, and stop it by its process id."""
    try:
        process.start()
        yield Server(
            name=name,
            scheme="https" if tls else "http",
            kind=kind,
            supports=frozenset(supports) | ({"reload"} if reloader else frozenset()),
            ca_file=workspace.ca_file,
            process=process,
            reloader=reloader,
        )
    finally:
        process.stop()

"""granian, an HTTP/2 server in Rust over hyper, serving the application of :mod:`servers.app`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from .process import HOST, ServerProcess
from .programs import python_module
from .running import running
from .server import Server
from .workspace import Workspace

TESTS = Path(__file__).resolve().parent.parent


@contextmanager
def run(workspace: Workspace, *, tls: bool = True, http: Literal["auto", "1", "2"] = "2") -> Iterator[Server]:
    """``http``: the version served; ``auto`` takes what the client offers."""
    program = python_module("granian")

    def command(port: int) -> list[str]:
        return [
            *program,
            "--interface",
            "asgi",
            "--host",
            HOST,
            "--port",
            str(port),
            "--http",
            http,
            "--loop",
            "asyncio",
            "--no-ws",
            *(_credentials(workspace) if tls else []),
            "servers.app:app",
        ]

    process = ServerProcess(command, workspace.server_folder("granian"), cwd=TESTS)
    supports = {"echo", "status"} | (set() if http == "2" else {"http1"})
    with running("granian", workspace, process, tls=tls, kind="app", supports=supports) as server:
        yield server


def _credentials(workspace: Workspace) -> list[str]:
    return ["--ssl-certificate", str(workspace.cert_file), "--ssl-keyfile", str(workspace.key_file)]

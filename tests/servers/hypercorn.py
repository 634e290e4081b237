"""hypercorn, an HTTP/2 server in Python over h2, serving the application of :mod:`servers.app`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import HOST, ServerProcess
from .programs import python_module
from .running import running
from .server import Server
from .workspace import Workspace

TESTS = Path(__file__).resolve().parent.parent


@contextmanager
def run(workspace: Workspace, *, tls: bool = True) -> Iterator[Server]:
    program = python_module("hypercorn")
    folder = workspace.server_folder("hypercorn")
    config = folder / "config.toml"
    # After the last request of a connection it forgets the streams that are still open: h2 lets it send nothing there.
    config.write_text(f"keep_alive_max_requests = {2**31 - 1}\n")

    def command(port: int) -> list[str]:
        return [
            *program,
            "--config",
            str(config),
            "--bind",
            f"{HOST}:{port}",
            "--workers",
            "0",
            "--graceful-timeout",
            "1",
            "--keep-alive",
            "60",
            "--websocket-ping-interval",
            "1",
            *(_credentials(workspace) if tls else []),
            "servers.app:app",
        ]

    process = ServerProcess(command, folder, cwd=TESTS)
    supports = {"echo", "status", "trailers", "early-hints", "http1"}
    with running("hypercorn", workspace, process, tls=tls, kind="app", supports=supports) as server:
        yield server


def _credentials(workspace: Workspace) -> list[str]:
    return ["--certfile", str(workspace.cert_file), "--keyfile", str(workspace.key_file)]

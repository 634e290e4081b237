"""haproxy in front of nghttpd: HTTP/2 on both sides."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from . import nghttpd
from .process import HOST, ServerProcess
from .programs import find_program
from .running import running
from .server import Server
from .workspace import Workspace

CONFIGURATION = """
global
    maxconn 1000
    stats socket {folder}/admin.sock mode 600
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
frontend front
    bind {host}:{port} {bind}
    http-request return status 204 if {{ path /status/204 }}
    http-request return status 404 content-type text/plain string "not here" if {{ path /status/404 }}
    http-request return status 500 content-type text/plain string "broken" if {{ path /status/500 }}
    default_backend back
backend back
    # One connection for each request: haproxy 2.6 stops reading a shared one while any of its streams is blocked.
    http-reuse never
    server one {host}:{backend_port} proto h2 max-reuse 0
"""


@contextmanager
def run(workspace: Workspace, *, tls: bool = True) -> Iterator[Server]:
    program = find_program("haproxy")
    folder = workspace.server_folder("haproxy")
    configuration = folder / "haproxy.cfg"
    with nghttpd.run(workspace, tls=False) as backend:

        def command(port: int) -> list[str]:
            bind = f"ssl crt {workspace.joined_file} alpn h2,http/1.1" if tls else "proto h2"
            configuration.write_text(
                CONFIGURATION.format(folder=folder, host=HOST, port=port, bind=bind, backend_port=backend.port)
            )
            return [program, "-W", "-db", "-f", str(configuration)]

        process = ServerProcess(command, folder, ready="Loading success")
        supports = {"echo", "status", "conditional"} | ({"http1"} if tls else set())
        with running(
            "haproxy",
            workspace,
            process,
            tls=tls,
            kind="static",
            supports=supports,
            reloader=lambda process: process.reload(signal.SIGUSR2),
        ) as server:
            yield server

"""nginx: HTTP/2 and HTTP/1.1 over TLS; HTTP/2 alone in the clear, as before nginx 1.25.1."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from .process import HOST, ServerFailed, ServerProcess
from .programs import find_program
from .running import running
from .server import Server
from .workspace import Workspace

RELOAD_LIMIT_S = 10.0
STARTER_LIVES_S = 0.5

CONFIGURATION = """
{user}
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
worker_shutdown_timeout 30s;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    # In the clear, headers and a file sent apart cost each response the 40 ms of a delayed acknowledgement.
    sendfile off;
    client_max_body_size 0;
    keepalive_requests {keepalive_requests};
    http2_max_concurrent_streams {max_concurrent_streams};
    server {{
        listen {host}:{port} {listen};
        {tls}
        root {root};
        {fields}
        location = /status/204 {{ return 204; }}
        location = /status/304 {{ return 304; }}
        location = /status/404 {{ return 404 "not here"; }}
        location = /status/500 {{ return 500 "broken"; }}
    }}
}}
"""


@contextmanager
def run(
    workspace: Workspace,
    *,
    tls: bool = True,
    keepalive_requests: int = 1_000_000,
    max_concurrent_streams: int = 128,
    workers: int = 1,
    fields: Sequence[str] = (),
    upgradable: bool = False,
) -> Iterator[Server]:
    """``keepalive_requests``: nginx sends GOAWAY after so many requests on one connection.

    ``fields``: what ``add_header`` adds to each response, such as ``x-request-id $request_id``. ``upgradable``: see
    :func:`upgrade`.
    """
    program = find_program("nginx")
    folder = workspace.server_folder("nginx")
    configuration = folder / "nginx.conf"

    def command(port: int) -> list[str]:
        text = CONFIGURATION.format(
            user="user root;" if os.geteuid() == 0 else "",
            folder=folder,
            workers=workers,
            keepalive_requests=keepalive_requests,
            max_concurrent_streams=max_concurrent_streams,
            host=HOST,
            port=port,
            listen="ssl http2" if tls else "http2",
            tls=_tls(workspace) if tls else "",
            root=workspace.document_root,
            fields=" ".join(f"add_header {field};" for field in fields),
        )
        configuration.write_text(text)
        words = [program, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]
        if upgradable:
            # nginx takes no SIGUSR2 while whoever started it lives: it would be in the middle of an upgrade itself.
            return ["/bin/sh", "-c", f'("$@" & sleep {STARTER_LIVES_S}); exec sleep 3600', "sh", *words]
        return words

    process = ServerProcess(command, folder)
    supports = {"status", "conditional"} | ({"http1"} if tls else set())
    with running(
        "nginx", workspace, process, tls=tls, kind="static", supports=supports, reloader=reload_workers
    ) as server:
        if upgradable:
            time.sleep(STARTER_LIVES_S)
            process.succeeded_by(int((folder / "nginx.pid").read_text()))
        yield server


def _tls(workspace: Workspace) -> str:
    return f"ssl_certificate {workspace.cert_file}; ssl_certificate_key {workspace.key_file};"


def set_keepalive_requests(server: Server, requests: int) -> None:
    """Change ``keepalive_requests`` and reload."""
    configuration = server.process.folder / "nginx.conf"
    lines = configuration.read_text().splitlines()
    configuration.write_text(
        "\n".join(
            f"keepalive_requests {requests};" if line.strip().startswith("keepalive_requests") else line
            for line in lines
        )
    )
    server.reload()


def reload_workers(process: ServerProcess) -> None:
    """SIGHUP, then wait until new workers run and every old one takes no further connection."""
    before = _workers(process.pid)
    process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + RELOAD_LIMIT_S
    while not _replaced(process.pid, before):
        if time.monotonic() > deadline:
            raise ServerFailed(f"nginx did not replace its workers\n{process.logs()}")
        time.sleep(0.01)


def upgrade(server: Server) -> None:
    """Restart gracefully, as a new version of nginx is put in place of an old one: SIGUSR2 to the old first process has
    it start the new one on the same sockets, SIGQUIT then lets it finish what it has open."""
    process = server.process
    old = process.pid
    pid_file = process.folder / "nginx.pid"
    process.send_signal(signal.SIGUSR2)
    deadline = time.monotonic() + RELOAD_LIMIT_S
    while True:
        with suppress(FileNotFoundError, ValueError):
            new = int(pid_file.read_text())
            if new != old and _workers(new):
                break
        if time.monotonic() > deadline:
            raise ServerFailed(f"nginx did not start its successor\n{process.logs()}")
        time.sleep(0.01)
    process.send_signal(signal.SIGQUIT)
    process.succeeded_by(new)


def _replaced(master: int, before: set[int]) -> bool:
    now = _workers(master)
    return bool(now - before) and all("shutting down" in _title(worker) for worker in now & before)


def _workers(master: int) -> set[int]:
    return {int(word) for word in Path(f"/proc/{master}/task/{master}/children").read_text().split()}


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "shutting down: gone"

"""Real proxies: tinyproxy (HTTP, CONNECT), nghttpx before it (CONNECT over TLS, HTTP/2 and HTTP/1.1), microsocks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .process import HOST, ServerProcess
from .programs import find_program
from .workspace import Workspace

USER = "alice"
PASSWORD = "sesame"

TINYPROXY = """
Listen {host}
Port {port}
Timeout 60
MaxClients 100
Allow {host}
LogFile "{folder}/tinyproxy.log"
LogLevel Connect
PidFile "{folder}/tinyproxy.pid"
"""


@contextmanager
def _running(process: ServerProcess) -> Iterator[ServerProcess]:
    try:
        process.start()
        yield process
    finally:
        process.stop()


@contextmanager
def tinyproxy(workspace: Workspace, *, credentials: bool = False) -> Iterator[ServerProcess]:
    """An HTTP proxy, for USER and PASSWORD alone if ``credentials``; its log names what it was asked for."""
    program = find_program("tinyproxy")
    folder = workspace.server_folder("tinyproxy")

    def command(port: int) -> list[str]:
        text = TINYPROXY.format(host=HOST, port=port, folder=folder)
        if credentials:
            text += f"BasicAuth {USER} {PASSWORD}\n"
        file = folder / "tinyproxy.conf"
        file.write_text(text)
        return [program, "-d", "-c", str(file)]

    with _running(ServerProcess(command, folder)) as process:
        yield process


@contextmanager
def nghttpx(workspace: Workspace, behind: ServerProcess) -> Iterator[ServerProcess]:
    """An HTTPS proxy that speaks HTTP/2 and HTTP/1.1 and hands every request to the proxy behind it."""
    program = find_program("nghttpx")
    folder = workspace.server_folder("nghttpx")

    def command(port: int) -> list[str]:
        return [
            program,
            "--conf=/dev/null",
            "--http2-proxy",
            f"--frontend={HOST},{port}",
            f"--backend={HOST},{behind.port}",
            "--workers=1",
            f"--accesslog-file={folder}/access.log",
            f"--errorlog-file={folder}/error.log",
            str(workspace.key_file),
            str(workspace.cert_file),
        ]

    with _running(ServerProcess(command, folder)) as process:
        yield process


@contextmanager
def microsocks(workspace: Workspace, *, credentials: bool = False) -> Iterator[ServerProcess]:
    """A SOCKS5 proxy."""
    program = find_program("microsocks")

    def command(port: int) -> list[str]:
        words = [program, "-i", HOST, "-p", str(port)]
        return [*words, "-u", USER, "-P", PASSWORD] if credentials else words

    with _running(ServerProcess(command, workspace.server_folder("microsocks"))) as process:
        yield process

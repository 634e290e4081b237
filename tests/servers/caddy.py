"""caddy, Go's HTTP/2: HTTP/2 and HTTP/1.1 on one port, over TLS or in the clear with prior knowledge."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from .process import HOST, ServerFailed, ServerProcess
from .programs import find_program
from .running import running
from .server import Server
from .workspace import Workspace

RELOAD_LIMIT_S = 10.0

CONFIGURATION = """
{{
    admin unix/{folder}/admin.sock
    auto_https off
    servers {{
        protocols h1 h2 h2c
    }}
}}
{scheme}://localhost:{port}, {scheme}://{host}:{port} {{
    bind {host}
    {tls}
    root * {root}
    respond /status/204 204
    respond /status/304 304
    respond /status/404 404
    respond /status/500 500
    file_server
}}
"""


@contextmanager
def run(workspace: Workspace, *, tls: bool = True) -> Iterator[Server]:
    program = find_program("caddy")
    folder = workspace.server_folder("caddy")
    configuration = folder / "Caddyfile"

    def command(port: int) -> list[str]:
        text = CONFIGURATION.format(
            scheme="https" if tls else "http",
            host=HOST,
            port=port,
            tls=f"tls {workspace.cert_file} {workspace.key_file}" if tls else "",
            root=workspace.document_root,
            folder=folder,
        )
        configuration.write_text(text)
        return [program, "run", "--adapter", "caddyfile", "--config", str(configuration)]

    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    process = ServerProcess(command, folder, env=home)
    with running(
        "caddy",
        workspace,
        process,
        tls=tls,
        kind="static",
        supports={"status", "conditional", "http1"},
        reloader=reload_configuration,
    ) as server:
        yield server


def reload_configuration(process: ServerProcess) -> None:
    """Have caddy load its configuration again, though it is the same; it returns when the new one serves."""
    socket = process.folder / "admin.sock"
    words = [find_program("caddy"), "reload", "--force", "--address", f"unix/{socket}", "--adapter", "caddyfile"]
    configuration = ["--config", str(process.folder / "Caddyfile")]
    done = subprocess.run(
        [*words, *configuration], check=False, capture_output=True, text=True, timeout=RELOAD_LIMIT_S
    )
    if done.returncode:
        raise ServerFailed(f"caddy did not reload\n{done.stderr}\n{process.logs()}")

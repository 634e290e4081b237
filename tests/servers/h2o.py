"""h2o: HTTP/2 and HTTP/1.1 on one port, over TLS or in the clear with prior knowledge."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .process import HOST, ServerProcess
from .programs import find_program
from .running import running
from .server import Server
from .workspace import Workspace


@contextmanager
def run(workspace: Workspace, *, tls: bool = True) -> Iterator[Server]:
    program = find_program("h2o")
    folder = workspace.server_folder("h2o")
    configuration = folder / "h2o.yaml"

    def command(port: int) -> list[str]:
        lines = [
            *(["user: root"] if os.geteuid() == 0 else []),
            "num-threads: 1",
            f"temp-buffer-path: {folder}",
            "listen:",
            f"  host: {HOST}",
            f"  port: {port}",
        ]
        if tls:
            lines += [
                "  ssl:",
                f"    certificate-file: {workspace.cert_file}",
                f"    key-file: {workspace.key_file}",
            ]
        lines += [
            "hosts:",
            "  default:",
            "    paths:",
            "      /:",
            f"        file.dir: {workspace.document_root}",
        ]
        configuration.write_text("\n".join(lines) + "\n")
        return [program, "-m", "worker", "-c", str(configuration)]

    process = ServerProcess(command, folder)
    with running("h2o", workspace, process, tls=tls, kind="static", supports={"conditional", "http1"}) as server:
        yield server

"""nghttpd, the server of nghttp2: HTTP/2 alone, over TLS or with prior knowledge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .process import HOST, ServerProcess
from .programs import find_program
from .running import running
from .server import Server
from .workspace import Workspace


@contextmanager
def run(workspace: Workspace, *, tls: bool = True, options: Sequence[str] = ()) -> Iterator[Server]:
    """``options``: further arguments, such as ``--max-concurrent-streams=1`` or ``--trailer=...``."""
    program = find_program("nghttpd")

    def command(port: int) -> list[str]:
        credentials = [str(workspace.key_file), str(workspace.cert_file)] if tls else []
        return [
            program,
            f"--address={HOST}",
            f"--htdocs={workspace.document_root}",
            "--echo-upload",
            *([] if tls else ["--no-tls"]),
            *options,
            str(port),
            *credentials,
        ]

    process = ServerProcess(command, workspace.server_folder("nghttpd"))
    supports = {"echo", "conditional"}
    with running("nghttpd", workspace, process, tls=tls, kind="static", supports=supports) as server:
        yield server

"""Apache with mod_http2: HTTP/2 and HTTP/1.1 on one port, over TLS or in the clear with prior knowledge."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .process import HOST, ServerProcess
from .programs import MissingProgram, find_program
from .running import running
from .server import Server
from .workspace import Workspace

MODULE_FOLDERS = (Path("/usr/lib/apache2/modules"), Path("/usr/lib64/httpd/modules"))
MODULES = ("mpm_event", "authz_core", "alias", "dir", "http2", "ssl")

CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
{user}
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error.log
LogLevel warn
Listen {host}:{port}
StartServers 1
ServerLimit 2
MinSpareThreads 1
MaxRequestWorkers 64
ThreadsPerChild 32
KeepAlive On
KeepAliveTimeout 60
MaxKeepAliveRequests 0
Protocols {protocol} http/1.1
H2Direct on
# A connection is cut after 8 streams that its client reset; requests are cancelled by the hundred here.
H2MaxStreamErrors 0
DocumentRoot {root}
<Directory {root}>
    Require all granted
</Directory>
Redirect 204 /status/204
Redirect 404 /status/404
Redirect 500 /status/500
{tls}
"""


@contextmanager
def run(workspace: Workspace, *, tls: bool = True) -> Iterator[Server]:
    program = find_program("apache2")
    modules = next((folder for folder in MODULE_FOLDERS if (folder / "mod_http2.so").exists()), None)
    if modules is None:
        raise MissingProgram("mod_http2", "apache2-bin")
    folder = workspace.server_folder("apache")
    configuration = folder / "apache.conf"

    def command(port: int) -> list[str]:
        loads = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in MODULES)
        text = CONFIGURATION.format(
            user="User nobody\nGroup nogroup" if os.geteuid() == 0 else "",
            folder=folder,
            host=HOST,
            port=port,
            protocol="h2" if tls else "h2c",
            root=workspace.document_root,
            tls=_tls(workspace) if tls else "",
        )
        configuration.write_text(loads + text)
        return [program, "-DFOREGROUND", "-f", str(configuration)]

    process = ServerProcess(command, folder, ready="resuming normal operations")
    with running(
        "apache",
        workspace,
        process,
        tls=tls,
        kind="static",
        supports={"status", "conditional", "http1"},
        reloader=lambda process: process.reload(signal.SIGUSR1),
    ) as server:
        yield server


def _tls(workspace: Workspace) -> str:
    return "\n".join(
        [
            "SSLEngine on",
            f"SSLCertificateFile {workspace.cert_file}",
            f"SSLCertificateKeyFile {workspace.key_file}",
        ]
    )

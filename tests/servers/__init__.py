"""Real HTTP/2 servers on loopback for tests and benchmarks.

>>> with Workspace() as workspace, nginx.run(workspace) as server:
...     fetch(server.url("/1k"), ca_file=server.ca_file)
"""

from __future__ import annotations

from .fleet import APP_SERVERS, ECHO_SERVERS, RUNNERS, SCHEMES, Fleet
from .process import ServerFailed, ServerProcess
from .programs import MissingProgram
from .server import Server
from .workspace import Workspace

__all__ = [
    "APP_SERVERS",
    "ECHO_SERVERS",
    "RUNNERS",
    "SCHEMES",
    "Fleet",
    "MissingProgram",
    "Server",
    "ServerFailed",
    "ServerProcess",
    "Workspace",
]

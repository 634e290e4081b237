"""A real HTTP/2 server (granian, over hyper) on loopback, with a certificate made for the occasion.

``demo_server.py FOLDER`` writes the authority to ``FOLDER/ca.pem`` and, once it serves, its address to ``FOLDER/url``.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import trustme
from granian import Granian
from granian.constants import HTTPModes, Interfaces

HOST = "127.0.0.1"
CONTENT = b"2H, or deuterium: hydrogen with a neutron. It weighs twice as much and burns as well.\n"


async def app(scope: Any, protocol: Any) -> None:
    """The same short text for every request."""
    protocol.response_bytes(200, [("content-type", "text/plain"), ("server", "granian")], CONTENT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """An authority in ``ca.pem``; the files of a certificate it issued and of that certificate's key."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", HOST)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate, key = folder / "cert.pem", folder / "key.pem"
    leaf.cert_chain_pems[0].write_to_path(str(certificate))
    leaf.private_key_pem.write_to_path(str(key))
    return certificate, key


def main(folder: Path) -> None:
    certificate, key = write_certificate(folder)
    port = free_port()
    server = Granian(
        "demo_server:app",
        address=HOST,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http2,
        websockets=False,
        log_enabled=False,
        ssl_cert=certificate,
        ssl_key=key,
        working_dir=Path(__file__).resolve().parent,
    )
    # The workers fork after this hook; a client that is earlier waits in the socket's backlog.
    server.on_startup(lambda: (folder / "url").write_text(f"https://{HOST}:{port}/"))
    server.serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

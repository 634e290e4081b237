"""Starts the real servers of a scenario on loopback, pinned to one core, and stops them by process id."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

MIB = 1 << 20
FILES = {"100": 100, "64k": 64 * 1024, "512m": 512 * MIB}
STREAMS = 20_000  # More than any scenario has in flight: the server's limit is not what is measured.
WINDOW_BITS = 24  # 16 MiB: an upload is bound by the two programs, not by the receive window.

NGINX = """\
daemon off;
master_process off;
pid {prefix}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000000;
  client_body_temp_path {prefix};
  proxy_temp_path {prefix};
  fastcgi_temp_path {prefix};
  uwsgi_temp_path {prefix};
  scgi_temp_path {prefix};
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    root {root};
  }}
}}
"""


class ServerMissing(Exception):
    """The server's program is not installed."""


@dataclass(frozen=True)
class Certificates:
    """A certificate authority and a chain for 127.0.0.1 and localhost."""

    ca: Path
    chain: Path
    key: Path

    @classmethod
    def issue(cls, directory: Path) -> Certificates:
        authority = trustme.CA()
        leaf = authority.issue_cert("127.0.0.1", "localhost")
        made = cls(directory / "ca.pem", directory / "chain.pem", directory / "key.pem")
        authority.cert_pem.write_to_path(str(made.ca))
        leaf.private_key_pem.write_to_path(str(made.key))
        made.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return made


@dataclass
class Server:
    """A running server: its base URLs (one, or one per origin) and its process."""

    name: str
    urls: list[str]
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Servers:
    """The document root and certificates that every server of one run shares."""

    def __init__(self, core: int | None, go_server: Path | None) -> None:
        shared = Path("/dev/shm")
        self.directory = Path(tempfile.mkdtemp(prefix="deuterium-bench-", dir=shared if shared.is_dir() else None))
        self.pin = ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") else []
        self.go_server = go_server
        self.certificates = Certificates.issue(self.directory)
        self.root = self.directory / "root"
        self.root.mkdir()
        for name, size in FILES.items():
            with open(self.root / name, "wb") as file:
                file.truncate(size)  # Sparse: zeros that take no memory.

    def close(self) -> None:
        shutil.rmtree(self.directory)

    @contextlib.contextmanager
    def running(self, kind: str, origins: int = 1) -> Iterator[Server]:
        """Starts `kind` (nghttpd-tls, nghttpd-h2c, nginx, go), waits for it, and stops it afterwards."""
        if kind == "go":
            server = self._go(origins)
        elif kind == "nginx":
            server = self._nginx()
        else:
            server = self._nghttpd(tls=kind == "nghttpd-tls")
        try:
            yield server
        finally:
            server.process.terminate()
            server.process.wait()
            if server.process.stdin:
                server.process.stdin.close()
            if server.process.stdout:
                server.process.stdout.close()

    def _nghttpd(self, tls: bool) -> Server:
        program = find("nghttpd", "nghttp2-server")
        port = free_port()
        command = [*self.pin, program, "-a", "127.0.0.1", "-d", str(self.root), "-m", str(STREAMS)]
        command += ["-w", str(WINDOW_BITS), "-W", str(WINDOW_BITS)]
        if tls:
            command += [str(port), str(self.certificates.key), str(self.certificates.chain)]
        else:
            command += ["--no-tls", str(port)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until_open(port, process, self.certificates.ca if tls else None)
        return Server("nghttpd", [f"{'https' if tls else 'http'}://127.0.0.1:{port}"], process)

    def _nginx(self) -> Server:
        """nginx over TLS: nghttpd has no HTTP/1.1 for the clients that speak nothing else."""
        program = find("nginx", "nginx")
        port = free_port()
        paths = {"prefix": self.directory, "root": self.root, "port": port}
        paths |= {"chain": self.certificates.chain, "key": self.certificates.key}
        config = self.directory / "nginx.conf"
        config.write_text(NGINX.format(**paths))
        command = [*self.pin, program, "-p", str(self.directory), "-e", "stderr", "-c", str(config)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        wait_until_open(port, process, self.certificates.ca)
        return Server("nginx", [f"https://127.0.0.1:{port}"], process)

    def _go(self, origins: int) -> Server:
        if self.go_server is None:
            raise ServerMissing("the trickling server needs go to be built")
        command = [*self.pin, str(self.go_server), "-origins", str(origins)]
        command += ["-cert", str(self.certificates.chain), "-key", str(self.certificates.key)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        ports = json.loads(process.stdout.readline())["ports"]
        return Server("go", [f"https://127.0.0.1:{port}" for port in ports], process)


def find(program: str, package: str) -> str:
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ServerMissing(f"{program} is not installed (Debian: {package})")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(port: int, process: subprocess.Popen[bytes], ca: Path | None, patience_s: float = 10) -> None:
    """Returns once a connection (with TLS, when `ca` is given) succeeds."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if ca is not None:
                    context = ssl.create_default_context(cafile=str(ca))
                    context.set_alpn_protocols(["h2"])
                    context.wrap_socket(connection, server_hostname="127.0.0.1").close()
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server on port {port} did not start") from None
            time.sleep(0.02)

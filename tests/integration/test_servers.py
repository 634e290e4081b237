"""The servers themselves, seen by a client that is not ours: curl and plain sockets."""

from __future__ import annotations

import hashlib
import socket
import ssl
import subprocess

import pytest

from servers import RUNNERS, Fleet, Server, Workspace
from servers import nginx as nginx_server
from servers.content import SIZES, sha256
from servers.programs import MissingProgram, find_program


def curl(server: Server, path: str, *options: str) -> bytes:
    """What curl receives over HTTP/2."""
    version = "--http2" if server.scheme == "https" else "--http2-prior-knowledge"
    command = [
        find_program("curl"),
        "-sS",
        version,
        "--cacert",
        str(server.ca_file),
        *options,
        server.url(path),
    ]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


def test_server_every_document_is_served_whole_over_http2(server: Server) -> None:
    for path in SIZES:
        content, _, version = curl(server, path, "-w", "\n%{http_version}").rpartition(b"\n")
        assert version == b"2"
        assert hashlib.sha256(content).hexdigest() == sha256(path)


@pytest.mark.parametrize("name", RUNNERS)
def test_server_tls_certificate_verifies_and_alpn_is_h2(fleet: Fleet, name: str) -> None:
    server = fleet.get(name)
    with (
        socket.create_connection((server.host, server.port), timeout=10) as plain,
        server.ssl_context().wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.selected_alpn_protocol() == "h2"


def test_server_stalled_is_silent_and_resumed_goes_on(fleet: Fleet) -> None:
    with fleet.run("nginx") as server:
        server.stall()
        with pytest.raises(subprocess.CalledProcessError) as failure:
            curl(server, "/100", "--max-time", "0.3")
        assert failure.value.returncode == 28  # curl: operation timed out
        server.resume()
        assert len(curl(server, "/100")) == 100


@pytest.mark.parametrize("name", RUNNERS)
def test_server_killed_refuses_and_restarted_serves_on_the_same_port(fleet: Fleet, name: str) -> None:
    with fleet.run(name) as server:
        port = server.port
        server.kill()
        with pytest.raises(ConnectionRefusedError), socket.create_connection((server.host, port)):
            pass
        server.restart()
        assert server.port == port
        assert len(curl(server, "/100")) == 100


@pytest.mark.parametrize("name", ["nginx", "apache", "haproxy"])
def test_server_reloaded_still_serves(fleet: Fleet, name: str) -> None:
    with fleet.run(name) as server:
        server.reload()
        assert len(curl(server, "/100")) == 100


def test_nginx_keepalive_requests_set_while_running_takes_effect(fleet: Fleet) -> None:
    def connections_for_four_requests(server: Server) -> int:
        urls = [server.url("/100")] * 3
        counts = curl(server, "/100", "-w", "\n%{num_connects}\n", "-o", "/dev/null", *_discarding(urls))
        return sum(int(count) for count in counts.split())

    with fleet.run("nginx") as server:
        assert connections_for_four_requests(server) == 1
        nginx_server.set_keepalive_requests(server, 2)
        assert connections_for_four_requests(server) > 1


def _discarding(urls: list[str]) -> list[str]:
    return [word for url in urls for word in ("-o", "/dev/null", url)]


def test_workspace_closed_leaves_no_file() -> None:
    with Workspace() as workspace:
        folder = workspace.folder
        context = ssl.create_default_context(cafile=str(workspace.ca_file))
        assert len(context.get_ca_certs()) == 1
    assert not folder.exists()


def test_missing_program_names_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servers.programs.SEARCH_PATH", "")
    with (
        Workspace() as workspace,
        pytest.raises(MissingProgram, match="nghttp2-server"),
        RUNNERS["nghttpd"](workspace),
    ):
        pass

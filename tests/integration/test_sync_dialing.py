"""How a Client opens connections: names, addresses, sockets, TLS and proxies, in threads."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from deuterium import Client, ConnectError, ConnectTimeout, ProxyError, Timeout, TransportOptions
from servers import Fleet, Server, ServerProcess, Workspace
from servers import content as documents
from servers.loopback import Loopback
from servers.proxies import PASSWORD, USER, microsocks, nghttpx, tinyproxy

CREDENTIALS = f"{USER}:{quote(PASSWORD)}@"


@pytest.fixture(scope="module")
def http_proxy(workspace: Workspace) -> Iterator[ServerProcess]:
    with tinyproxy(workspace, credentials=True) as process:
        yield process


@pytest.fixture(scope="module")
def tls_proxy(workspace: Workspace, http_proxy: ServerProcess) -> Iterator[ServerProcess]:
    with nghttpx(workspace, http_proxy) as process:
        yield process


@pytest.fixture(scope="module")
def socks_proxy(workspace: Workspace) -> Iterator[ServerProcess]:
    with microsocks(workspace, credentials=True) as process:
        yield process


@pytest.fixture
def origin(fleet: Fleet) -> Server:
    return fleet.get("nginx")


class Names:
    """A resolver that answers from a list, after a while, and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    def __call__(self, name: str, port: int) -> tuple[str, ...]:
        self.asked += 1
        time.sleep(0.05)
        return self.addresses


@contextmanager
def deaf(host: str, port: int) -> Iterator[None]:
    """Nobody answers there: the queue of a listener that never accepts is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex((host, port))
        time.sleep(0.05)
        yield


def fetch_whole(client: Client, server: Server, path: str) -> str:
    response = client.get(server.url(path))
    assert hashlib.sha256(response.content).hexdigest() == documents.sha256(path)
    return response.http_version


def in_threads(count: int, work: Callable[[], Any]) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert failures == []


# -- names and addresses ---------------------------------------------------------------------------------------------


def test_resolver_of_the_user_is_asked_once_for_concurrent_requests() -> None:
    names = Names("127.0.0.1")
    # A resolver that answers at once is the blocking client's; the type of the option says asyncio's.
    options: Any = {"resolver": names}
    with Loopback() as server, Client(**options) as client:
        in_threads(5, lambda: client.get(server.url("service.example")))
    assert names.asked == 1


def test_resolver_of_asyncio_is_refused() -> None:
    async def resolve(name: str, port: int) -> tuple[str, ...]:
        await asyncio.sleep(0)
        return ("127.0.0.1",)

    with Client(resolver=resolve) as client, pytest.raises(ConnectError, match="not a coroutine"):
        client.get("http://service.example/")


def test_dead_address_beside_a_live_one_costs_one_attempt_delay_and_is_then_tried_last() -> None:
    options: Any = {"resolver": Names("127.0.0.2", "127.0.0.1")}
    with (
        Loopback() as server,
        deaf("127.0.0.2", server.port),
        Client(transport=TransportOptions(**options, happy_eyeballs_s=0.3)) as client,
    ):
        began = time.monotonic()
        client.get(server.url("service.example"))
        assert 0.3 <= time.monotonic() - began < 2
        for carrier in [carrier for route in client._open().pool.routes.values() for carrier in route.carriers]:
            with client._open().pool.lock:
                carrier.close()
        began = time.monotonic()
        client.get(server.url("service.example"))
        assert time.monotonic() - began < 0.25


def test_refused_port_is_a_connect_error_that_names_it() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with Client() as client, pytest.raises(ConnectError, match=f"port {port}") as failure:
            client.get(f"http://127.0.0.1:{port}/")
    assert failure.value.request_processed is False


def test_unknown_name_is_a_connect_error() -> None:
    with Client() as client, pytest.raises(ConnectError, match="no address"):
        client.get("http://name.invalid/")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_silent_server_ends_in_a_timeout(scheme: str) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/"
        with Client(timeout=Timeout(0.3)) as client:
            began = time.monotonic()
            with pytest.raises(ConnectTimeout if scheme == "https" else Exception):
                client.get(url)
            assert time.monotonic() - began < 2


def test_unix_socket_is_used_whatever_the_url_says(tmp_path: Path) -> None:
    path = str(tmp_path / "server")
    with Loopback(uds=path), Client(uds=path) as client:
        assert client.get("http://service.example/").status_code == 200


def test_local_address_is_what_the_server_sees() -> None:
    with Loopback() as server, Client(local_address="127.0.0.9") as client:
        assert client.get(server.url("127.0.0.1")).json()["peer"][0] == "127.0.0.9"


# -- TLS -------------------------------------------------------------------------------------------------------------


def test_certificate_of_an_unknown_authority_is_a_connect_error(origin: Server) -> None:
    with Client() as client, pytest.raises(ConnectError, match="certificate"):
        client.get(origin.url("/1k"))


def test_certificate_that_is_not_pinned_is_refused(origin: Server) -> None:
    pin = sha256(b"another").hexdigest()
    with (
        Client(verify=str(origin.ca_file), pins={"127.0.0.1": [pin]}) as client,
        pytest.raises(ConnectError, match="pinned"),
    ):
        client.get(origin.url("/1k"))


def test_second_connection_resumes_the_tls_session(origin: Server) -> None:
    with Client(verify=str(origin.ca_file)) as client:
        for resumed in (False, True):
            assert client.get(origin.url("/1k")).status_code == 200
            pool = client._open().pool
            [carrier] = [carrier for route in pool.routes.values() for carrier in route.carriers]
            assert carrier.tls.facts()["session_reused"] is resumed
            with pool.lock:
                carrier.close()


# -- proxies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("http2", "version"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
@pytest.mark.parametrize("kind", ["http", "https", "socks5", "socks5h"])
def test_proxy_carries_tls_to_the_origin(
    kind: str,
    http2: bool,
    version: str,
    http_proxy: ServerProcess,
    tls_proxy: ServerProcess,
    socks_proxy: ServerProcess,
    origin: Server,
) -> None:
    process = {"http": http_proxy, "https": tls_proxy}.get(kind, socks_proxy)
    proxy = f"{kind}://{CREDENTIALS}127.0.0.1:{process.port}"
    with Client(proxy=proxy, verify=str(origin.ca_file), http2=http2) as client:
        assert fetch_whole(client, origin, "/64k") == version
        in_threads(8, lambda: fetch_whole(client, origin, "/1m"))


@pytest.mark.parametrize("kind", ["http", "https"])
def test_http_url_is_forwarded(kind: str, http_proxy: ServerProcess, tls_proxy: ServerProcess, fleet: Fleet) -> None:
    server = fleet.get("caddy", tls=False)
    process = http_proxy if kind == "http" else tls_proxy
    proxy = f"{kind}://{CREDENTIALS}127.0.0.1:{process.port}"
    with Client(proxy=proxy, verify=str(server.ca_file)) as client:
        assert fetch_whole(client, server, "/64k") == "HTTP/1.1"


def test_tunnel_carries_http2_without_tls(http_proxy: ServerProcess, fleet: Fleet) -> None:
    server = fleet.get("nghttpd", tls=False)
    with Client(proxy=f"http://{CREDENTIALS}127.0.0.1:{http_proxy.port}", http1=False) as client:
        assert fetch_whole(client, server, "/1m") == "HTTP/2"


def test_proxy_without_its_credentials_refuses(http_proxy: ServerProcess, origin: Server) -> None:
    with (
        Client(proxy=f"http://127.0.0.1:{http_proxy.port}", verify=str(origin.ca_file)) as client,
        pytest.raises(ProxyError) as failure,
    ):
        client.get(origin.url("/1k"))
    assert failure.value.request_processed is False


def test_socks_proxy_refuses_wrong_credentials(socks_proxy: ServerProcess, origin: Server) -> None:
    with (
        Client(proxy=f"socks5://bob:wrong@127.0.0.1:{socks_proxy.port}", verify=str(origin.ca_file)) as client,
        pytest.raises(ProxyError),
    ):
        client.get(origin.url("/1k"))

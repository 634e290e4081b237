"""One Client in a forked child: it opens its own connections, and the parent's go on untouched."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import deuterium
from deuterium import Client
from servers import Fleet, Server
from servers.content import sha256

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

LARGE = "/10m"
PATIENCE_S = 20


def client_for(server: Server, **options: Any) -> Client:
    return Client(verify=str(server.ca_file), base_url=server.base_url, http1=False, timeout=10, **options)


def carriers(client: Client) -> list[Any]:
    assert client._sender is not None
    return [carrier for route in client._sender.pool.routes.values() for carrier in route.carriers]


def in_child(work: Callable[[], None]) -> int:
    """Fork; the exit code of the child, which is 0 if ``work`` raised nothing. A child that hangs fails the test."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


def digest_of(pieces: Iterator[Any]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


@pytest.fixture(params=[True, False], ids=["https", "http"])
def server(request: pytest.FixtureRequest, fleet: Fleet) -> Server:
    return fleet.get("nghttpd", tls=request.param)


def test_child_opens_its_own_connection_and_leaves_the_parents(server: Server) -> None:
    with client_for(server) as client:
        assert client.get("/100").status_code == 200
        before = carriers(client)

        def work() -> None:
            assert before[0].sock.fileno() == -1
            assert client.get("/1k").status_code == 200
            assert carriers(client) != before
            client.close()

        for _ in range(3):
            assert in_child(work) == 0
        assert client.get("/100").status_code == 200
        assert carriers(client) == before


def test_child_that_only_closes_the_client_says_nothing_to_the_server(server: Server) -> None:
    with client_for(server) as client:
        client.get("/100")
        before = carriers(client)
        assert in_child(client.close) == 0
        assert client.get("/100").status_code == 200
        assert carriers(client) == before


def test_response_open_at_the_fork_ends_in_the_child_and_goes_on_in_the_parent(server: Server) -> None:
    """The child neither reads its octets nor resets its stream."""
    with client_for(server) as client, client.stream("GET", LARGE) as response:
        pieces = response.iter_bytes()
        first = next(pieces)

        def read_on() -> None:
            with pytest.raises(deuterium.ReadError, match="parent"):
                for _ in pieces:
                    pass
            response.close()

        def close() -> None:
            response.close()
            assert client.get("/100").status_code == 200

        assert in_child(read_on) == 0
        assert in_child(close) == 0
        digest = hashlib.sha256(first)
        for piece in pieces:
            digest.update(piece)
        assert digest.hexdigest() == sha256(LARGE)


def test_forks_while_threads_are_at_work_find_no_lock_held(server: Server) -> None:
    """Every lock of the client may be held by some thread at the moment of the fork."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work(number: int) -> None:
        path = LARGE if number == 0 else "/1k"
        try:
            while not stop.is_set():
                with client.stream("GET", path) as response:
                    assert digest_of(response.iter_bytes()) == sha256(path)
        except BaseException as error:
            failures.append(error)

    def child() -> None:
        for _ in range(5):
            assert digest_of(iter([client.get("/1k").content])) == sha256("/1k")
        client.close()

    with client_for(server) as client:
        client.get("/100")
        before = carriers(client)
        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(8)]
        for thread in threads:
            thread.start()
        codes = []
        for _ in range(15):
            codes.append(in_child(child))
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
        assert codes == [0] * 15
        assert not failures
        assert carriers(client) == before


def test_grandchild_opens_its_own_connection_too(server: Server) -> None:
    with client_for(server) as client:
        client.get("/100")

        def child() -> None:
            client.get("/100")
            assert in_child(lambda: None if client.get("/1k").status_code == 200 else os._exit(3)) == 0
            assert client.get("/100").status_code == 200

        assert in_child(child) == 0
        assert client.get("/100").status_code == 200


def test_pool_of_processes_made_by_fork_uses_the_parents_client(server: Server) -> None:
    """As multiprocessing does it, and web servers that fork before they serve."""
    import multiprocessing

    with client_for(server) as client:
        client.get("/100")
        with multiprocessing.get_context("fork").Pool(2, initializer=_share, initargs=(client,)) as pool:
            assert pool.map(_fetch, ["/100", "/1k", "/64k"] * 4) == [100, 1024, 65536] * 4
            # Let them go by themselves: a signal would meet the handler that stops the servers of a test run.
            pool.close()
            pool.join()
        assert client.get("/100").status_code == 200


_shared: list[Client] = []


def _share(client: Client) -> None:
    _shared.append(client)


def _fetch(path: str) -> int:
    return len(_shared[0].get(path).content)

"""Client against real servers, from one thread and from many."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import deuterium
from deuterium import Client, ReadTimeout, StreamConsumed, TotalTimeout
from servers import Fleet, Server
from servers.content import octets, sha256

LARGE = "/10m"
SMALL = "/100"
H2_AND_H1 = [
    ("nghttpd-http", "h2"),
    ("nghttpd-https", "h2"),
    ("nginx-https", "h2"),
    ("caddy-https", "h1"),
    ("caddy-http", "h1"),
]


def named(fleet: Fleet, name: str) -> Server:
    program, scheme = name.split("-")
    return fleet.get(program, tls=scheme == "https")


def client_for(server: Server, version: str = "h2", **options: Any) -> Client:
    """A client that speaks one version only."""
    chosen = {"http1": False} if version == "h2" else {"http2": False}
    return Client(verify=str(server.ca_file), base_url=server.base_url, **chosen, **options)


@pytest.fixture(params=H2_AND_H1, ids="-".join)
def line(request: pytest.FixtureRequest, fleet: Fleet) -> Iterator[tuple[Client, Server]]:
    """A client and a server, over each version, with and without TLS."""
    name, version = request.param
    server = named(fleet, name)
    with client_for(server, version) as client:
        yield client, server


@pytest.fixture
def app(fleet: Fleet) -> Iterator[Client]:
    """A client of the test application."""
    server = fleet.get("hypercorn", tls=True)
    with client_for(server) as client:
        yield client


def run_threads(count: int, work: Callable[[int], None]) -> None:
    """``work(number)`` in so many threads; the first exception of any is raised here."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def carriers(client: Client) -> list[Any]:
    assert client._sender is not None
    return [carrier for route in client._sender.pool.routes.values() for carrier in route.carriers]


def test_client_get_returns_status_and_content(line: tuple[Client, Server]) -> None:
    client, _ = line
    response = client.get(SMALL)
    assert (response.status_code, len(response.content)) == (200, 100)


def test_client_second_request_reuses_the_connection(line: tuple[Client, Server]) -> None:
    client, _ = line
    for _ in range(3):
        assert client.get("/1k").status_code == 200
    assert len(carriers(client)) == 1


def test_client_threads_over_http2_share_one_connection(fleet: Fleet) -> None:
    server = fleet.get("nghttpd", tls=True)
    with client_for(server) as client:

        def get_some(_: int) -> None:
            for _ in range(5):
                client.get(SMALL).raise_for_status()

        run_threads(16, get_some)
        assert len(carriers(client)) == 1


def test_client_threads_over_http1_keep_to_the_connection_limit(fleet: Fleet) -> None:
    server = fleet.get("nginx", tls=True)
    with client_for(server, "h1", limits=deuterium.Limits(max_connections=4)) as client:

        def get_some(_: int) -> None:
            for _ in range(5):
                client.get(SMALL).raise_for_status()

        run_threads(16, get_some)
        assert 1 <= len(carriers(client)) <= 4


def test_post_of_bytes_is_echoed(app: Client) -> None:
    content = octets(300_000)
    assert app.post("/echo", content=content).content == content


def test_post_of_an_iterator_is_sent_as_the_peer_takes_it(app: Client) -> None:
    pieces = [octets(100_000) for _ in range(30)]
    response = app.post("/echo", content=iter(pieces))
    assert response.headers["x-body-sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_threads_that_upload_large_content_do_not_mix_it(app: Client) -> None:
    def work(number: int) -> None:
        content = bytes([number]) * (1_000_000 + number)
        document = app.post("/digest", content=iter([content, content])).json()
        assert document == {"size": 2 * len(content), "sha256": hashlib.sha256(content * 2).hexdigest()}

    run_threads(8, work)


def test_stream_is_sent_while_its_response_is_read(app: Client) -> None:
    """``/pipe`` answers piece by piece; more goes each way than all the windows and buffers hold."""
    piece = octets(64 * 1024)
    count = 400
    digest = hashlib.sha256()
    with app.stream("POST", "/pipe", content=(piece for _ in range(count))) as response:
        for part in response.iter_bytes():
            digest.update(part)
    assert digest.hexdigest() == hashlib.sha256(piece * count).hexdigest()


def test_iterator_that_raises_ends_the_request_with_its_exception(app: Client) -> None:
    def content() -> Iterator[bytes]:
        yield b"begun"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        app.post("/echo", content=content())
    assert app.get("/json").json()["name"] == "deuterium"
    assert [carrier.engine.active() for carrier in carriers(app)] == [0]


def test_async_iterator_as_content_is_refused(app: Client) -> None:
    async def content() -> Any:
        yield b""

    with pytest.raises(TypeError, match="async"):
        app.post("/echo", content=content())


def test_stream_is_read_once(app: Client) -> None:
    with app.stream("GET", "/stream/3/10/1") as response:
        assert b"".join(response.iter_bytes()) == octets(10) * 3
        with pytest.raises(StreamConsumed):
            next(response.iter_bytes())


def test_read_timeout_ends_the_request_and_the_connection_goes_on(app: Client) -> None:
    app.get("/json")
    began = time.monotonic()
    with pytest.raises(ReadTimeout):
        app.get("/slow/5", timeout=deuterium.Timeout(5, read=0.3))
    assert time.monotonic() - began < 2
    assert app.get("/json").status_code == 200
    assert len(carriers(app)) == 1


def test_total_timeout_of_a_follower_ends_only_its_own_request(app: Client) -> None:
    app.get("/json")
    leader = threading.Thread(target=lambda: app.get("/slow/1"))
    leader.start()
    time.sleep(0.1)
    began = time.monotonic()
    with pytest.raises(TotalTimeout):
        app.get("/slow/4", timeout=deuterium.Timeout(5, total=0.3))
    assert 0.2 < time.monotonic() - began < 0.9
    leader.join(5)
    assert not leader.is_alive()


def test_leader_that_times_out_hands_the_reading_on(app: Client) -> None:
    app.get("/json")
    done: list[int] = []

    def lead() -> None:
        with pytest.raises(ReadTimeout):
            app.get("/slow/4", timeout=deuterium.Timeout(5, read=0.4))

    def follow() -> None:
        done.append(app.get("/slow/1").status_code)

    threads = [threading.Thread(target=lead), *(threading.Thread(target=follow) for _ in range(4))]
    for thread in threads:
        thread.start()
        time.sleep(0.03)
    for thread in threads:
        thread.join(10)
    assert done == [200] * 4


def test_stream_that_is_never_read_does_not_stall_other_threads(app: Client) -> None:
    with app.stream("GET", "/bytes/30000000") as unread:
        assert unread.status_code == 200
        for _ in range(20):
            assert len(app.get("/bytes/200000").content) == 200_000
    assert app.get("/json").status_code == 200


def test_stream_closed_early_resets_and_frees_its_buffers(app: Client) -> None:
    for _ in range(5):
        with app.stream("GET", "/bytes/5000000") as response:
            next(response.iter_buffers())
    assert app.get("/json").status_code == 200
    assert [carrier.engine.active() for carrier in carriers(app)] == [0]
    assert app.workshop.buffers.stats().outstanding == 0


def test_server_that_restarts_is_found_again(fleet: Fleet) -> None:
    with fleet.run("nghttpd", tls=True) as server, client_for(server) as client:
        assert client.get(SMALL).status_code == 200
        server.restart()
        time.sleep(0.1)
        assert client.get(SMALL).status_code == 200


def test_server_that_dies_ends_every_waiting_thread(fleet: Fleet) -> None:
    failures: list[Exception] = []
    once = deuterium.RetryPolicy(attempts=1)
    with fleet.run("hypercorn", tls=False) as server, client_for(server, retry=once) as client:
        client.get("/json")

        def work(_: int) -> None:
            try:
                client.get("/slow/20")
            except deuterium.TransportError as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        server.kill()
        for thread in threads:
            thread.join(10)
        assert len(failures) == 8
        assert len({id(error) for error in failures}) == 8


def test_close_in_one_thread_ends_the_requests_of_others(fleet: Fleet) -> None:
    client = client_for(fleet.get("hypercorn", tls=True))
    client.get("/json")
    outcome: list[str] = []

    def work() -> None:
        try:
            client.get("/slow/20")
        except (deuterium.TransportError, RuntimeError) as error:
            outcome.append(type(error).__name__)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.4)
    client.close()
    for thread in threads:
        thread.join(5)
    assert len(outcome) == 3
    with pytest.raises(RuntimeError, match="closed"):
        client.get("/json")


def test_module_functions_make_one_request(fleet: Fleet) -> None:
    server = fleet.get("nginx", tls=True)
    assert deuterium.get(server.url("/1k"), verify=str(server.ca_file)).http_version == "HTTP/2"
    assert deuterium.head(server.url("/1k"), verify=str(server.ca_file)).content == b""
    with deuterium.stream("GET", server.url("/1k"), verify=str(server.ca_file)) as response:
        assert len(response.read()) == 1024


def test_fetch_many_yields_every_response_over_one_http2_connection(fleet: Fleet) -> None:
    server = fleet.get("nghttpd", tls=True)
    with client_for(server) as client:
        paths = [SMALL if number % 50 else LARGE for number in range(300)]
        seen = [hashlib.sha256(response.content).hexdigest() for response in client.fetch_many(paths, concurrency=40)]
        assert sorted(seen) == sorted(sha256(path) for path in paths)
        assert len(carriers(client)) == 1


def test_fetch_many_over_http1_uses_a_connection_for_each_request_in_flight(fleet: Fleet) -> None:
    server = fleet.get("caddy", tls=True)
    with client_for(server, "h1") as client:
        responses = list(client.fetch_many(["/1k"] * 100, concurrency=8))
        assert [len(response.content) for response in responses] == [1024] * 100
        assert 1 < len(carriers(client)) <= 8


def test_fetch_many_in_several_threads_keeps_their_responses_apart(line: tuple[Client, Server]) -> None:
    client, _ = line

    def work(number: int) -> None:
        path = ("/100", "/1k", "/64k")[number % 3]
        responses = list(client.fetch_many([path] * 50, concurrency=5))
        assert [hashlib.sha256(response.content).hexdigest() for response in responses] == [sha256(path)] * 50

    run_threads(6, work)


def test_fetch_many_yields_or_raises_a_failure(app: Client) -> None:
    wanted = ["/json", "/slow/3", "/json"]
    app.timeout = deuterium.Timeout(5, read=0.3)
    results = list(app.fetch_many(wanted, return_exceptions=True))
    assert sorted(type(result).__name__ for result in results) == ["ReadTimeout", "Response", "Response"]
    with pytest.raises(ReadTimeout):
        list(app.fetch_many(wanted))
    assert [carrier.engine.active() for carrier in carriers(app)] == [0]


def test_fetch_many_runs_flows_beside_each_other(fleet: Fleet) -> None:
    """A hook makes every request more than a plain one."""
    seen: list[int] = []
    hooks = {"response": [lambda response: seen.append(response.status_code)]}
    with client_for(fleet.get("hypercorn", tls=True), event_hooks=hooks) as client:
        began = time.monotonic()
        responses = list(client.fetch_many(["/slow/0.5"] * 6))
        assert time.monotonic() - began < 2.5
        assert [response.status_code for response in responses] == seen == [200] * 6


def test_fetch_many_closed_early_resets_what_is_in_flight(app: Client) -> None:
    many = app.fetch_many(["/json", *["/slow/5"] * 10])
    assert next(many).status_code == 200
    many.close()
    assert list(many) == []
    assert [carrier.engine.active() for carrier in carriers(app)] == [0]

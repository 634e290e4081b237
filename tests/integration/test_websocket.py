"""WebSocket against real servers: over HTTP/2 and HTTP/1.1, under asyncio and in threads, and through proxies."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest

import tasks
from deuterium import (
    AsyncClient,
    Client,
    ReadTimeout,
    Timeout,
    UnsupportedProtocol,
    WebSocketClosed,
    WebSocketRefused,
)
from servers import Fleet, Workspace, websocket_proxies
from servers.content import octets
from servers.server import Server

pytestmark = pytest.mark.every_loop

# (TLS, options of the client, what is spoken)
WAYS = {
    "wss-h2": (True, {}, "HTTP/2"),
    "wss-h1": (True, {"http2": False}, "HTTP/1.1"),
    "ws-h1": (False, {}, "HTTP/1.1"),
    "ws-h2c": (False, {"http1": False}, "HTTP/2"),
}


class Way:
    """A server, a way to it, and what the way shall be."""

    def __init__(self, fleet: Fleet, name: str) -> None:
        tls, options, self.version = WAYS[name]
        self.server: Server = fleet.get("hypercorn", tls=tls)
        self.options: dict[str, Any] = {"verify": str(self.server.ca_file), **options}

    def url(self, path: str) -> str:
        return self.server.url(path).replace("http", "ws", 1)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, fleet: Fleet) -> Way:
    return Way(fleet, request.param)


def test_messages_come_back_async(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        async with AsyncClient(**way.options) as client:
            async with client.websocket(way.url("/echo"), subprotocols=["one", "two"], headers={"cookie": "a=1"}) as ws:
                assert (ws.response.http_version, ws.subprotocol) == (way.version, "one")
                assert ws.response.headers["x-cookie"] == "a=1"
                for message in ("text ✓", b"octets", "", b"", "x" * 300_000, octets(3_000_000)):
                    await ws.send(message)
                    assert await ws.receive() == message
                assert 0 < await ws.ping() < 5
                assert ws.close_code is None
            assert ws.close_code == 1000
            with pytest.raises(WebSocketClosed):
                await ws.send("late")

    arun(scenario())


def test_messages_come_back_sync(way: Way) -> None:
    with Client(**way.options) as client:
        with client.websocket(way.url("/echo"), subprotocols=["one", "two"], compression=False) as ws:
            assert (ws.response.http_version, ws.subprotocol) == (way.version, "one")
            for message in ("text ✓", b"octets", "", b"", "x" * 300_000, octets(3_000_000)):
                ws.send(message)
                assert ws.receive() == message
            assert 0 < ws.ping() < 5
            with pytest.raises(ReadTimeout):
                ws.receive(timeout=0.05)
            ws.send("still open")
            assert ws.receive(timeout=5) == "still open"
        assert ws.close_code == 1000
        assert client.get(way.server.url("/json")).is_success


def test_close_of_the_server_ends_the_iteration_or_is_raised(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        async with AsyncClient(**way.options) as client:
            async with client.websocket(way.url("/close/1000")) as ws:
                await ws.send("now")
                assert [message async for message in ws] == []
            assert ws.close_code == 1000
        # Another client: hypercorn drops a connection on which something comes for a stream it has closed.
        async with AsyncClient(**way.options) as client:
            async with client.websocket(way.url("/close/4001")) as ws:
                await ws.send("now")
                with pytest.raises(WebSocketClosed) as caught:
                    async for _ in ws:
                        pass
            assert (caught.value.code, caught.value.reason) == (4001, "asked to")

    arun(scenario())


def test_refusal_carries_the_response(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        async with AsyncClient(**way.options) as client:
            with pytest.raises(WebSocketRefused) as caught:
                async with client.websocket(way.url("/refuse")):
                    pass
            assert caught.value.response.status_code == 403  # type: ignore[attr-defined]

    arun(scenario())
    with Client(**way.options) as client, pytest.raises(WebSocketRefused), client.websocket(way.url("/refuse")):
        pass


def test_receiver_that_lags_holds_the_server_back(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        url = way.url("/pour/200/65536")
        async with AsyncClient(**way.options) as client, client.websocket(url, compression=False) as ws:
            await tasks.sleep(0.3)
            assert ws._session.queued < 512 * 1024 + 2 * 65536  # the bound, and what one read brings
            for number in range(200):
                assert len(await ws.receive()) == 65536 + number

    arun(scenario())


def test_message_of_the_longest_legal_length_and_one_more(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        url = way.url("/echo")
        async with AsyncClient(**way.options) as client, client.websocket(url, max_message=100_000) as ws:
            await ws.send(b"x" * 100_000)
            assert len(await ws.receive()) == 100_000
            await ws.send(b"x" * 100_001)
            with pytest.raises(WebSocketClosed) as caught:
                await ws.receive()
            assert (caught.value.code, caught.value.initiator) == (1009, "library")

    arun(scenario())


def test_pings_of_the_server_are_answered_while_nobody_receives(arun: Any, fleet: Fleet) -> None:
    async def scenario() -> None:
        way = Way(fleet, "wss-h2")  # hypercorn pings every second, and gives up without an answer
        async with AsyncClient(**way.options) as client, client.websocket(way.url("/echo")) as ws:
            await tasks.sleep(2.5)
            await ws.send("there")
            assert await ws.receive() == "there"

    arun(scenario())


def test_websockets_and_requests_share_one_http2_connection(arun: Any, fleet: Fleet) -> None:
    async def scenario() -> None:
        way = Way(fleet, "wss-h2")
        async with AsyncClient(**way.options) as client:

            async def talk(number: int) -> None:
                async with client.websocket(way.url("/echo")) as ws:
                    for turn in range(20):
                        await ws.send(f"{number} {turn}")
                        assert await ws.receive() == f"{number} {turn}"
                        if turn % 5 == 0:
                            assert (await client.get(way.server.url("/bytes/1000"))).content == octets(1000)

            await tasks.gather(*(talk(number) for number in range(20)))
            assert len(client.stats().connections) == 1

    arun(scenario())


def test_one_thread_receives_while_others_send(way: Way) -> None:
    with Client(**way.options) as client, client.websocket(way.url("/echo")) as ws:

        def send(number: int) -> None:
            for turn in range(50):
                ws.send(f"{number} {turn}")

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        received = {ws.receive(timeout=10) for _ in range(200)}
        for thread in threads:
            thread.join()
    assert received == {f"{number} {turn}" for number in range(4) for turn in range(50)}


def test_cancelled_receive_loses_no_message(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        async with AsyncClient(**way.options) as client, client.websocket(way.url("/echo")) as ws:
            with pytest.raises(ReadTimeout):
                await ws.receive(timeout=0.05)
            received = []
            for number in range(30):
                task = tasks.start(ws.receive())
                await tasks.sleep(0)
                task.cancel()
                with suppress(tasks.CancelledError):
                    received.append(await task)  # it may have had its message already
                await ws.send(str(number))
            while len(received) < 30:
                received.append(await ws.receive(timeout=5))
            assert received == [str(number) for number in range(30)]

    arun(scenario())


def test_silence_is_no_timeout(arun: Any, way: Way) -> None:
    async def scenario() -> None:
        limited = AsyncClient(timeout=Timeout(0.4, total=0.5), **way.options)
        async with limited as client, client.websocket(way.url("/echo")) as ws:
            await tasks.sleep(0.8)
            await ws.send("late")
            assert await ws.receive() == "late"

    arun(scenario())
    with Client(timeout=Timeout(0.4, total=0.5), **way.options) as client, client.websocket(way.url("/echo")) as ws:
        with pytest.raises(ReadTimeout):
            ws.receive(timeout=0.8)
        ws.send("late")
        assert ws.receive() == "late"


def test_exception_in_the_block_closes_with_1011(arun: Any, fleet: Fleet) -> None:
    async def scenario() -> None:
        way = Way(fleet, "wss-h2")
        async with AsyncClient(**way.options) as client:
            with pytest.raises(ZeroDivisionError):
                async with client.websocket(way.url("/echo")) as ws:
                    raise ZeroDivisionError
            assert ws.close_code == 1011

    arun(scenario())


@pytest.fixture(scope="module", params=["nginx", "haproxy", "caddy"])
def passing_on(request: pytest.FixtureRequest, workspace: Workspace) -> Any:
    with websocket_proxies.run(workspace, request.param) as process:
        yield request.param, process.port


def test_proxy_passes_it_on_over_http2_if_it_can_else_over_http1(
    arun: Any, passing_on: tuple[str, int], workspace: Workspace
) -> None:
    name, port = passing_on
    url = f"wss://127.0.0.1:{port}/echo"
    version = "HTTP/2" if name == "haproxy" else "HTTP/1.1"

    async def scenario() -> None:
        async with AsyncClient(verify=str(workspace.ca_file)) as client:
            assert (await client.get(url.replace("wss", "https").replace("echo", "json"))).http_version == "HTTP/2"
            for _ in range(2):
                async with client.websocket(url) as ws:
                    assert ws.response.http_version == version
                    await ws.send(octets(500_000))
                    assert await ws.receive() == octets(500_000)

    arun(scenario())
    with Client(verify=str(workspace.ca_file)) as client, client.websocket(url) as ws:
        ws.send("through")
        assert (ws.receive(), ws.response.http_version) == ("through", version)
    if version == "HTTP/1.1":
        only_http2 = Client(verify=str(workspace.ca_file), http1=False)
        with only_http2 as client, pytest.raises(UnsupportedProtocol), client.websocket(url):
            pass

"""The public names as a user's program has them: checked by mypy --strict and pyright, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from typing import assert_type

from yarl import URL

import deuterium
from deuterium.auth import AuthResponse, RequestT
from deuterium.testing import ASGITransport, MockTransport, PeerRequest, Response, ScriptedPeer, WSGITransport

TIMEOUT = deuterium.Timeout(5.0, connect=1.0, read=None, total=30.0)
LIMITS = deuterium.Limits(max_connections=10, keepalive_expiry=5.0)
RETRY = deuterium.RetryPolicy(attempts=2, statuses=frozenset({503}))


class Token(deuterium.Auth):
    """A scheme of the user's own."""

    def __init__(self, token: str) -> None:
        self.token = token

    def auth_flow(self, request: RequestT) -> Generator[RequestT, AuthResponse, None]:
        request.headers["authorization"] = f"Token {self.token}"
        response = yield request
        assert_type(response.status_code, int)


def pieces() -> Iterator[bytes]:
    yield b"a"


async def async_pieces() -> AsyncIterator[bytes]:
    yield b"a"


def told(response: deuterium.Response) -> None:
    response.raise_for_status()


async def async_told(request: deuterium.Request) -> None:
    request.headers["x-seen"] = "1"


def synchronous() -> None:
    with deuterium.Client(
        base_url="https://example.org",
        timeout=TIMEOUT,
        limits=LIMITS,
        retry=RETRY,
        breaker=deuterium.BreakerPolicy(),
        http2_options=deuterium.Http2Options(),
        auth=("user", "secret"),
        headers={"accept": "*/*"},
        cookies={"a": "b"},
        proxy=deuterium.Proxy("http://proxy.example:3128"),
        event_hooks={"response": [told]},
        follow_redirects=True,
    ) as client:
        response = client.get("/", params={"a": 1}, headers=[("x", "y")], timeout=None)
        assert_type(response, deuterium.Response)
        assert_type(response.status_code, int)
        assert_type(response.http_version, str)
        assert_type(response.headers, deuterium.Headers)
        assert_type(response.headers["x"], str)
        assert_type(response.headers.get("x"), str | None)
        assert_type(response.content, bytes)
        assert_type(response.text, str)
        assert_type(response.is_success, bool)
        assert_type(response.request, deuterium.Request)
        assert_type(response.history, list[deuterium.Response])
        client.post("/", content=pieces())
        client.post("/", json={"a": [1, None]})
        client.put("/", data={"a": "b"}, files={"f": b"c"})
        client.delete("/", auth=deuterium.BasicAuth("user", "secret"))
        client.patch("/", content="text", auth=Token("t"))
        client.head("/")
        client.options("/")
        with client.stream("GET", "/", auth=deuterium.DigestAuth("user", "secret")) as streamed:
            assert_type(streamed, deuterium.Response)
            for piece in streamed.iter_bytes():
                assert_type(piece, bytes)
            for line in streamed.iter_lines():
                assert_type(line, str)
            for view in streamed.iter_buffers():
                assert_type(view, memoryview)
        request = client.build_request("GET", URL("https://example.org"))
        assert_type(request, deuterium.Request)
        assert_type(client.send(request), deuterium.Response)
        for one in client.fetch_many(["https://example.org/"], concurrency=4):
            done: deuterium.Response = one
            assert_type(done.status_code, int)
        assert_type(client.stats(), deuterium.ClientStats)


async def asynchronous() -> None:
    async with deuterium.AsyncClient(timeout=TIMEOUT, event_hooks={"request": [async_told]}) as client:
        response = await client.get("/", follow_redirects=False)
        assert_type(response, deuterium.Response)
        await client.post("/", content=async_pieces())
        async with client.stream("GET", "/") as streamed:
            assert_type(streamed, deuterium.Response)
            async for piece in streamed.aiter_bytes():
                assert_type(piece, bytes)
            async for view in streamed.aiter_buffers():
                assert_type(view, memoryview)
        async for one in client.fetch_many(["https://example.org/"], concurrency=4):
            done: deuterium.Response = one
            assert_type(done.status_code, int)
        async with client.websocket("wss://example.org/") as socket:
            assert_type(socket, deuterium.AsyncWebSocket)
            await socket.send("hello")
            assert_type(await socket.receive(), str | bytes)


def failures() -> None:
    try:
        deuterium.get("https://example.org/")
    except deuterium.HTTPStatusError as error:
        response: deuterium.Response = error.response
        assert_type(response.status_code, int)
    except deuterium.RequestError as error:
        assert_type(error.request_processed, bool | None)
        assert_type(error.code, int | None)


def answers(request: PeerRequest) -> None:
    request.respond(200, headers={"a": "b"}, content=b"c")


def tests() -> None:
    with ScriptedPeer(answers) as peer, deuterium.Client() as client:
        assert_type(peer.url("/"), str)
        client.get(peer.url("/"))
    with deuterium.Client(transport=MockTransport(lambda request: Response(204))) as client:
        client.get("https://example.org/")


TRANSPORTS = (ASGITransport, WSGITransport)

"""ASGITransport: an application answers in this process, streaming both ways."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import deuterium
import tasks
from deuterium import AsyncClient, Client, ConnectError, StreamReset, Timeout
from deuterium.testing import ASGITransport
from servers import app as served
from unit.testing.faces import fetch, fetch_all

pytestmark = pytest.mark.every_loop

both = pytest.mark.parametrize("face", ["sync", "async", "trio"])
URL = "http://app.test:8000"


@both
def test_application_is_told_what_a_server_would_tell(face: str) -> None:
    scopes: list[dict[str, Any]] = []

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Upper", b"1")]})
        await send({"type": "http.response.body", "body": b"ok"})

    response = fetch(face, ASGITransport(app, root_path="/mount"), "GET", URL + "/a%20b?c=d", headers={"x-mine": "1"})
    assert response.headers["x-upper"] == "1"
    (scope,) = scopes
    assert (scope["method"], scope["scheme"], scope["path"], scope["raw_path"]) == ("GET", "http", "/a b", b"/a%20b")
    assert (scope["query_string"], scope["server"], scope["root_path"]) == (b"c=d", ("app.test", 8000), "/mount")
    assert (b"host", b"app.test:8000") in scope["headers"]
    assert (b"x-mine", b"1") in scope["headers"]


@both
@pytest.mark.parametrize("path", ["/json", "/bytes/1000000", "/status/204", "/trailers", "/early-hints"])
def test_application_of_the_servers_tests_answers_the_same_here(face: str, path: str) -> None:
    response = fetch(face, ASGITransport(served.app), "GET", URL + path)
    assert response.is_success
    if path == "/trailers":
        assert response.trailers["x-body-sha256"] == hashlib.sha256(response.content).hexdigest()
    if path == "/early-hints":
        assert len(response.early_hints) == 1


@both
def test_streamed_upload_arrives_whole(face: str) -> None:
    content = (b"y" * 999 for _ in range(3000))
    response = fetch(face, ASGITransport(served.app), "POST", URL + "/digest", content=content)
    assert response.json() == {"size": 2_997_000, "sha256": hashlib.sha256(b"y" * 2_997_000).hexdigest()}


def test_response_is_read_while_the_request_is_still_sent(arun: Any) -> None:
    async def run() -> None:
        async with AsyncClient(transport=ASGITransport(served.app)) as client:
            answered = tasks.Event()

            async def content() -> Any:
                yield b"ping"
                await answered.wait()
                yield b"pong"

            async with client.stream("POST", URL + "/pipe", content=content()) as response:
                pieces = response.aiter_raw()
                assert await anext(pieces) == b"ping"
                answered.set()
                assert await anext(pieces) == b"pong"

    arun(run())


def test_reader_that_stops_is_a_disconnect(arun: Any) -> None:
    async def run() -> None:
        events: list[str] = []
        produced = 0

        async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
            nonlocal produced
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await receive()
            listening = tasks.start(receive())
            while not listening.done():
                produced += 1
                await send({"type": "http.response.body", "body": b"z" * 16384, "more_body": True})
                await tasks.sleep(0)
            events.append(listening.result()["type"])

        async with AsyncClient(transport=ASGITransport(app)) as client:
            async with client.stream("GET", URL) as response:
                async for _ in response.aiter_raw():
                    break
                await tasks.sleep(0.02)
                assert produced < 40  # it waits for the reader: 256 KiB are 16 pieces
            await tasks.sleep(0.02)
        assert events == ["http.disconnect"]

    arun(run())


async def failing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["path"] == "/late":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ZeroDivisionError("a bug")


@both
@pytest.mark.parametrize("path", ["/early", "/late"])
def test_exception_of_the_application_is_raised(face: str, path: str) -> None:
    with pytest.raises(ZeroDivisionError, match="a bug"):
        fetch(face, ASGITransport(failing), "GET", URL + path)


@both
def test_exception_becomes_500_or_a_reset_when_asked(face: str) -> None:
    transport = ASGITransport(failing, raise_app_exceptions=False)
    assert fetch(face, transport, "GET", URL + "/early").status_code == 500
    with pytest.raises(StreamReset) as caught:
        fetch(face, transport, "GET", URL + "/late")
    assert caught.value.code == 2
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@both
def test_application_that_answers_nothing_is_an_error(face: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        return

    with pytest.raises(RuntimeError, match="before its response was complete"):
        fetch(face, ASGITransport(app), "GET", URL)


class WithLifespan:
    def __init__(self, reply: str = "complete") -> None:
        self.log: list[str] = []
        self.reply = reply

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            scope["state"]["database"] = "open"
            for phase in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{phase}"
                self.log.append(phase)
                await send({"type": f"lifespan.{phase}.{self.reply}"})
            return
        self.log.append(scope["state"].get("database", "none"))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@both
def test_lifespan_surrounds_the_requests_of_a_client(face: str) -> None:
    app = WithLifespan()
    fetch_all(face, ASGITransport(app, lifespan=True), [("GET", URL, {}), ("GET", "http://other.test", {})])
    assert app.log == ["startup", "open", "open", "shutdown"]


@both
def test_lifespan_is_left_alone_unless_asked_for(face: str) -> None:
    app = WithLifespan()
    fetch(face, ASGITransport(app), "GET", URL)
    assert app.log == ["none"]


@both
def test_failed_startup_fails_the_request(face: str) -> None:
    with pytest.raises(ConnectError, match="startup failed"):
        fetch(face, ASGITransport(WithLifespan("failed"), lifespan=True), "GET", URL)


def test_total_timeout_ends_a_slow_application() -> None:
    with Client(transport=ASGITransport(served.app)) as client:
        with pytest.raises(deuterium.TotalTimeout):
            client.get(URL + "/slow/5", timeout=Timeout(5, total=0.05))
        assert client.get(URL + "/json").is_success

"""What a user puts around requests: authentication that does I/O of its own, and middleware, in both clients."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import pytest

from deuterium import AsyncClient, Auth, Client, ConnectError
from integration.faces import FACES, Face, face_of
from servers.inprocess import answer, fields_of, serving


async def app(scope: Any, receive: Any, send: Any) -> None:
    """``/token`` gives a token; everything else wants it."""
    if scope["type"] != "http":
        return
    fields = fields_of(scope)
    if scope["path"] == "/token":
        await answer(send, b"secret")
    elif fields.get("authorization") == "Bearer secret":
        await answer(send, scope["path"].encode() + fields.get("x-layers", "").encode())
    else:
        await answer(send, b"who are you?", 401)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(app) as url:
        yield url


class TokenAuth(Auth):
    """Fetches its token by a client of its own, once it is asked for."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.closed = 0
        self.refusals: list[str] = []

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        try:
            response = yield request
            if response.status_code == 401:
                self.refusals.append(response.read().decode())
                with Client() as client:
                    token = client.get(self.base + "/token").text
                request.headers["authorization"] = f"Bearer {token}"
                yield request
        finally:
            self.closed += 1

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        try:
            response = yield request
            if response.status_code == 401:
                self.refusals.append((await response.aread()).decode())
                async with AsyncClient() as client:
                    token = (await client.get(self.base + "/token")).text
                request.headers["authorization"] = f"Bearer {token}"
                yield request
        finally:
            self.closed += 1


@pytest.mark.parametrize("name", FACES)
def test_auth_with_io_of_its_own_is_run_by_its_client(base: str, name: str) -> None:
    auth = TokenAuth(base)
    with face_of(name, base_url=base, auth=auth) as face:
        response = face.get("/a")
        assert (response.status_code, response.text) == (200, "/a")
        assert [earlier.status_code for earlier in response.history] == [401]
        assert face.stream_list("GET", "/b", "iter_bytes") == [b"/b"]
    assert auth.refusals == ["who are you?"] * 2
    assert auth.closed == 2


@pytest.mark.parametrize("name", FACES)
def test_auth_with_io_of_its_own_is_closed_when_the_request_fails(base: str, name: str) -> None:
    auth = TokenAuth(base)
    with face_of(name, auth=auth) as face, pytest.raises(ConnectError):
        face.get("http://127.0.0.1:1/")
    assert auth.closed == 1


class Layer:
    """Adds its name to a field on the way out, and to a list on the way back."""

    def __init__(self, name: str, back: list[str]) -> None:
        self.name = name
        self.back = back

    def sync_layer(self, request: Any, call_next: Any) -> Any:
        self._out(request)
        response = call_next(request)
        self.back.append(self.name)
        return response

    async def async_layer(self, request: Any, call_next: Any) -> Any:
        self._out(request)
        response = await call_next(request)
        self.back.append(self.name)
        return response

    def _out(self, request: Any) -> None:
        request.headers["authorization"] = "Bearer secret"
        request.headers["x-layers"] = request.headers.get("x-layers", "") + self.name

    def of(self, name: str) -> Any:
        return self.async_layer if not name.startswith("sync") else self.sync_layer


@pytest.mark.parametrize("name", FACES)
def test_middleware_stands_around_each_request_the_first_outermost(base: str, name: str) -> None:
    back: list[str] = []
    layers = [Layer("a", back).of(name), Layer("b", back).of(name)]
    with face_of(name, base_url=base, middleware=layers) as face:
        assert face.get("/x").text == "/xab"
        assert back == ["b", "a"]
        assert face.stream_list("GET", "/y", "iter_bytes") == [b"/yab"]
        assert face.client.middleware == tuple(layers)


@pytest.mark.parametrize("name", FACES)
def test_middleware_may_answer_itself_or_ask_again(base: str, name: str) -> None:
    answers: list[Any] = []

    def sync_cache(request: Any, call_next: Any) -> Any:
        if not answers:
            answers.append(call_next(request))
            request.headers["authorization"] = "Bearer secret"
            answers.append(call_next(request))
        return answers[-1]

    async def async_cache(request: Any, call_next: Any) -> Any:
        if not answers:
            answers.append(await call_next(request))
            request.headers["authorization"] = "Bearer secret"
            answers.append(await call_next(request))
        return answers[-1]

    cache = async_cache if not name.startswith("sync") else sync_cache
    with face_of(name, base_url=base, middleware=[cache]) as face:
        first, second = face.get("/x"), face.get("/x")
    assert [response.status_code for response in answers] == [401, 200]
    assert first is second is answers[1]


def test_middleware_of_the_async_client_stands_around_fetch_many(base: str) -> None:
    back: list[str] = []
    with face_of("async-h2", base_url=base, middleware=[Layer("a", back).async_layer]) as face:

        async def fetch() -> list[Any]:
            return [response async for response in face.client.fetch_many(["/1", "/2", "/3"])]

        found = face.run(fetch())
    assert sorted(response.text for response in found) == ["/1a", "/2a", "/3a"]
    assert back == ["a"] * 3


def test_middleware_and_fetch_many_of_the_threads_client_are_refused(base: str) -> None:
    client = Client(middleware=[lambda request, call_next: call_next(request)])
    with client, pytest.raises(RuntimeError, match="middleware"):
        client.fetch_many([base])


def test_face_without_middleware_keeps_the_plain_path() -> None:
    with face_of("async-h2") as face:
        assert isinstance(face, Face)
        assert face.client.is_simple()
        face.client.middleware = (lambda request, call_next: call_next(request),)
        assert not face.client.is_simple()

"""Request content of every form and size, echoed by every real server that can."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

import tasks
from integration.exchange import client_for, pieces
from servers import ECHO_SERVERS, SCHEMES, Fleet, Server
from servers.content import octets

pytestmark = pytest.mark.every_loop

# Around the default window (65,535) and frame size (16,384), where a count one off would show.
SIZES = (0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 1024 * 1024)
MANY = 10 * 1024 * 1024

FORMS: dict[str, Callable[[bytes], Any]] = {
    "bytes": lambda content: content,
    "small pieces": lambda content: pieces(content, 1000),
    "large pieces": lambda content: pieces(content, 100_000),
    "one piece": lambda content: pieces(content, len(content) or 1),
}


@pytest.fixture(params=[f"{name}-{scheme}" for name in ECHO_SERVERS for scheme in SCHEMES])
def echo_server(request: pytest.FixtureRequest, fleet: Fleet) -> Server:
    name, scheme = request.param.split("-")
    return fleet.get(name, tls=scheme == "https")


@pytest.mark.parametrize("form", FORMS)
def test_upload_of_every_size_comes_back_unchanged(echo_server: Server, arun: Any, form: str) -> None:
    async def upload() -> None:
        async with client_for(echo_server) as client:
            for size in SIZES:
                content = octets(size)
                response = await client.post(echo_server.url("/echo"), content=FORMS[form](content))
                assert response.status_code == 200
                assert response.content == content

    arun(upload())


@pytest.mark.parametrize("form", ["bytes", "large pieces"])
def test_upload_of_ten_megabytes_comes_back_unchanged(echo_server: Server, arun: Any, form: str) -> None:
    content = octets(MANY)

    async def upload() -> None:
        async with client_for(echo_server) as client:
            response = await client.post(echo_server.url("/echo"), content=FORMS[form](content))
        assert hashlib.sha256(response.content).digest() == hashlib.sha256(content).digest()

    arun(upload())


def test_upload_fifty_at_once_each_comes_back_unchanged(echo_server: Server, arun: Any) -> None:
    contents = [octets(20_000 + index) for index in range(50)]

    async def upload() -> None:
        async with client_for(echo_server) as client:
            url = echo_server.url("/echo")
            responses = await tasks.gather(*(client.post(url, content=content) for content in contents))
        assert [response.content for response in responses] == contents

    arun(upload())


def test_upload_whose_iterator_fails_raises_its_error_and_spares_the_next(echo_server: Server, arun: Any) -> None:
    async def broken() -> Any:
        yield b"x" * 1000
        raise ZeroDivisionError("the source ran dry")

    async def upload() -> None:
        async with client_for(echo_server) as client:
            with pytest.raises(ZeroDivisionError):
                await client.post(echo_server.url("/echo"), content=broken())
            response = await client.post(echo_server.url("/echo"), content=b"well")
            assert response.content == b"well"

    arun(upload())

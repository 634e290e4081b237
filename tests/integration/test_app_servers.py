"""What an application sees of our requests, and what it can send back."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import tasks
from deuterium._net.loops import running_loop
from integration.exchange import client_for, get_document
from servers import SCHEMES, Fleet, Server
from servers.content import octets

pytestmark = pytest.mark.every_loop


def test_request_headers_arrive_as_given(app_server: Server, arun: Any) -> None:
    sent = [("x-one", "1"), ("x-two", "a"), ("x-two", "b"), ("authorization", "Bearer secret"), ("cookie", "a=1")]

    async def fetch() -> None:
        async with client_for(app_server) as client:
            for _ in range(3):
                seen = (await client.get(app_server.url("/headers?q=1&q=2"), headers=sent)).json()
                assert (seen["method"], seen["path"], seen["query_string"]) == ("GET", "/headers", "q=1&q=2")
                assert seen["http_version"] == "2"
                for name, value in sent:
                    assert [name, value] in seen["headers"]

    arun(fetch())


def test_large_request_header_arrives_whole(app_server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(app_server) as client:
            value = "v" * 12_000
            seen = (await client.get(app_server.url("/headers"), headers={"x-large": value})).json()
            assert ["x-large", value] in seen["headers"]

    arun(fetch())


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "PATCH", "PUT"])
def test_method_arrives_as_given(app_server: Server, arun: Any, method: str) -> None:
    async def fetch() -> None:
        async with client_for(app_server) as client:
            seen = (await client.request(method, app_server.url("/headers"))).json()
            assert seen["method"] == method

    arun(fetch())


@pytest.mark.parametrize("status", [200, 201, 299, 400, 418, 599])
def test_status_with_content_is_reported_as_sent(app_server: Server, arun: Any, status: int) -> None:
    async def fetch() -> None:
        async with client_for(app_server) as client:
            response = await client.get(app_server.url(f"/status/{status}"))
            assert (response.status_code, response.text) == (status, f"status {status}")

    arun(fetch())


def test_stream_without_content_length_arrives_chunk_by_chunk(app_server: Server, arun: Any) -> None:
    async def fetch() -> None:
        content, arrivals = b"", []
        loop = running_loop()
        url = app_server.url("/stream/5/1000/100")
        async with client_for(app_server) as client, client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                arrivals.append(loop.time())
        assert content == octets(1000) * 5
        assert arrivals[-1] - arrivals[0] > 0.2  # held back until the end, all would arrive at once

    arun(fetch())


def test_slow_responses_at_once_take_as_long_as_one(app_server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(app_server) as client, tasks.timeout(5):
            responses = await tasks.gather(*(client.get(app_server.url("/slow/0.5")) for _ in range(50)))
        assert [response.content for response in responses] == [b"at last"] * 50

    arun(fetch())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_hypercorn_trailer_section_reaches_the_response(fleet: Fleet, arun: Any, scheme: str) -> None:
    server = fleet.get("hypercorn", tls=scheme == "https")

    async def fetch() -> None:
        async with client_for(server) as client:
            # hypercorn keeps its trailers to those who say that they take them (RFC 9110 section 6.5.1).
            response = await client.get(server.url("/trailers"), headers={"te": "trailers"})
            assert response.trailers["x-body-sha256"] == hashlib.sha256(response.content).hexdigest()

    arun(fetch())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_hypercorn_early_hints_come_before_the_response(fleet: Fleet, arun: Any, scheme: str) -> None:
    server = fleet.get("hypercorn", tls=scheme == "https")

    async def fetch() -> None:
        async with client_for(server) as client:
            response = await client.get(server.url("/early-hints"))
            assert (response.status_code, response.content) == (200, b"after the hint")
            await get_document(client, server, "/1k")

    arun(fetch())


def test_upload_of_unknown_length_is_digested_whole(app_server: Server, arun: Any) -> None:
    block = octets(64 * 1024)

    async def blocks() -> Any:
        for _ in range(320):
            yield block

    async def upload() -> None:
        async with client_for(app_server) as client:
            seen = (await client.post(app_server.url("/digest"), content=blocks())).json()
        assert seen == {"size": 320 * len(block), "sha256": hashlib.sha256(block * 320).hexdigest()}

    arun(upload())

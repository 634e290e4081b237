"""Responses of every real server, whole and in pieces, one at a time and many at once."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import tasks
from integration.exchange import client_for, get_document
from servers import RUNNERS, SCHEMES, Fleet, Server
from servers.content import SIZES, sha256

pytestmark = pytest.mark.every_loop

STATUS_SERVERS = [name for name in RUNNERS if name not in ("nghttpd", "h2o")]
CONDITIONAL_SERVERS = [name for name in RUNNERS if name not in ("hypercorn", "granian")]


def test_get_every_document_arrives_whole(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(server) as client:
            for path, size in SIZES.items():
                response = await get_document(client, server, path)
                assert response.headers["content-length"] == str(size)

    arun(fetch())


def test_get_two_hundred_at_once_all_arrive_whole(server: Server, arun: Any) -> None:
    paths = ["/100", "/1k", "/64k", "/empty"] * 50

    async def fetch() -> None:
        async with client_for(server) as client:
            responses = await tasks.gather(*(get_document(client, server, path) for path in paths))
        assert len(responses) == 200

    arun(fetch())


def test_get_large_documents_at_once_all_arrive_whole(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(server) as client:
            await tasks.gather(*(get_document(client, server, path) for path in ["/10m", "/1m", "/1m", "/10m"]))

    arun(fetch())


def test_stream_document_arrives_in_pieces_with_its_hash(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        digest, chunks = hashlib.sha256(), 0
        async with client_for(server) as client, client.stream("GET", server.url("/10m")) as response:
            assert response.status_code == 200
            async for chunk in response.aiter_bytes():
                digest.update(chunk)
                chunks += 1
        assert digest.hexdigest() == sha256("/10m")
        assert chunks > 10

    arun(fetch())


def test_stream_left_unread_does_not_hold_up_its_neighbours(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(server) as client:
            async with client.stream("GET", server.url("/10m")) as stalled:
                for _ in range(20):
                    await get_document(client, server, "/64k")
                content = await stalled.aread()
            assert hashlib.sha256(content).hexdigest() == sha256("/10m")

    arun(fetch())


def test_get_thousand_one_after_another_all_succeed(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(server) as client:
            for _ in range(1000):
                await get_document(client, server, "/100")

    arun(fetch())


def test_head_keeps_content_length_and_has_no_content(server: Server, arun: Any) -> None:
    async def fetch() -> None:
        async with client_for(server) as client:
            response = await client.head(server.url("/64k"))
            assert response.status_code == 200
            assert response.headers["content-length"] == "65536"
            assert response.content == b""
            await get_document(client, server, "/1k")

    arun(fetch())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", STATUS_SERVERS)
def test_status_204_404_500_are_reported_as_sent(fleet: Fleet, arun: Any, name: str, scheme: str) -> None:
    server = fleet.get(name, tls=scheme == "https")

    async def fetch() -> None:
        async with client_for(server) as client:
            empty = await client.get(server.url("/status/204"))
            assert (empty.status_code, empty.content) == (204, b"")
            for status in (404, 500):
                response = await client.get(server.url(f"/status/{status}"))
                assert response.status_code == status
            await get_document(client, server, "/1k")

    arun(fetch())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", CONDITIONAL_SERVERS)
def test_get_unmodified_since_is_304_without_content(fleet: Fleet, arun: Any, name: str, scheme: str) -> None:
    server = fleet.get(name, tls=scheme == "https")

    async def fetch() -> None:
        async with client_for(server) as client:
            first = await get_document(client, server, "/1k")
            since = {"if-modified-since": first.headers["last-modified"]}
            second = await client.get(server.url("/1k"), headers=since)
            assert (second.status_code, second.content) == (304, b"")
            await get_document(client, server, "/1k")

    arun(fetch())

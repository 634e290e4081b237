"""Real servers set to narrow limits, and servers that go away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

import deuterium
import tasks
from integration.exchange import client_for, get_document
from servers import Fleet
from servers.content import octets

pytestmark = pytest.mark.every_loop

NGHTTPD_OPTIONS: dict[str, Sequence[str]] = {
    "padding": ["--padding=255"],
    "no tables": ["--header-table-size=0", "--encoder-header-table-size=0"],
    "large tables": ["--header-table-size=65536", "--encoder-header-table-size=65536"],
    "smallest windows": ["--window-bits=1", "--connection-window-bits=16"],
    "large windows": ["--window-bits=30", "--connection-window-bits=30"],
    "no content-length": ["--no-content-length"],
    "early response": ["--early-response"],
    "without RFC 7540 priorities": ["--no-rfc7540-pri"],
}


@pytest.mark.parametrize("options", NGHTTPD_OPTIONS)
def test_nghttpd_with_options_serves_and_echoes_whole(fleet: Fleet, arun: Any, options: str) -> None:
    # A window of one octet turns every octet into a frame of its own.
    content = octets(200 if options == "smallest windows" else 100_000)

    async def scenario() -> None:
        async with client_for(server) as client:
            paths = ["/100", "/64k", "/1m", "/empty"] * 5
            await tasks.gather(*(get_document(client, server, path) for path in paths))
            uploads = await tasks.gather(*(client.post(server.url("/e"), content=content) for _ in range(5)))
            assert [response.content for response in uploads] == [content] * 5

    with fleet.run("nghttpd", options=NGHTTPD_OPTIONS[options]) as server:
        arun(scenario())


def test_nghttpd_trailer_section_reaches_the_response(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            response = await get_document(client, server, "/1k")
            assert response.trailers["x-checksum"] == "right"
            assert "x-checksum" not in response.headers

    with fleet.run("nghttpd", options=["--trailer=x-checksum: right"]) as server:
        arun(scenario())


@pytest.mark.parametrize("keepalive_requests", [1, 2, 10])
def test_nginx_goaway_after_few_requests_loses_none_of_a_sequence(
    fleet: Fleet, arun: Any, keepalive_requests: int
) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            for _ in range(50):
                await get_document(client, server, "/1k")

    with fleet.run("nginx", keepalive_requests=keepalive_requests) as server:
        arun(scenario())


def test_nginx_reloaded_between_requests_loses_none(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            for _ in range(5):
                await get_document(client, server, "/1k")
                await tasks.to_thread(server.reload)
                await get_document(client, server, "/1k")

    with fleet.run("nginx") as server:
        arun(scenario())


def test_server_stalled_ends_the_read_in_time(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            await get_document(client, server, "/1k")
            server.stall()
            started = time.monotonic()
            try:
                with pytest.raises(deuterium.ReadTimeout):
                    await client.get(server.url("/1k"), timeout=0.5)
            finally:
                server.resume()
            assert 0.4 < time.monotonic() - started < 2.0
            await get_document(client, server, "/1k")

    with fleet.run("nginx") as server:
        arun(scenario())


def test_server_killed_fails_every_open_request_once_and_soon(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            await get_document(client, server, "/100")
            server.stall()
            running = [tasks.start(client.get(server.url("/1k"))) for _ in range(20)]
            await tasks.sleep(0.1)
            server.kill()
            async with tasks.timeout(5):
                results = await tasks.gather(*running, return_exceptions=True)
            assert all(isinstance(result, deuterium.NetworkError) for result in results), results

    with fleet.run("nghttpd") as server:
        arun(scenario())


def test_server_killed_and_restarted_is_used_again(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        async with client_for(server) as client:
            await get_document(client, server, "/1k")
            server.kill()
            with pytest.raises(deuterium.TransportError):
                await client.get(server.url("/1k"))
            with pytest.raises(deuterium.ConnectError):
                await client.get(server.url("/1k"))
            server.restart()
            await get_document(client, server, "/1k")

    with fleet.run("nginx") as server:
        arun(scenario())


def test_certificate_of_unknown_authority_is_a_connect_error(fleet: Fleet, arun: Any) -> None:
    server = fleet.get("nghttpd")

    async def scenario() -> None:
        async with deuterium.AsyncClient() as client:
            with pytest.raises(deuterium.ConnectError):
                await client.get(server.url("/1k"))

    arun(scenario())

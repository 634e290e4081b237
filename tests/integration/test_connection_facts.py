"""What a response tells of its connection, over both versions and from real servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deuterium import AsyncClient
from servers import Fleet

pytestmark = pytest.mark.every_loop

Run = Callable[[Any], Any]


@pytest.mark.parametrize("version", ["HTTP/2", "HTTP/1.1"])
def test_connection_over_tls_tells_address_reuse_tls_and_times(fleet: Fleet, arun: Run, version: str) -> None:
    server = fleet.get("nginx")

    async def two() -> list[Any]:
        async with AsyncClient(verify=str(server.ca_file), http2=version == "HTTP/2") as client:
            return [(await client.get(server.url("/100"))).connection for _ in range(2)]

    first, second = arun(two())
    assert first.http_version == second.http_version == version
    assert (first.request_number, first.reused) == (1, False)
    assert (second.request_number, second.reused) == (2, True)
    assert first.peer == ("127.0.0.1", server.port)
    assert first.tls["version"] .startswith("TLSv1.")
    assert first.tls["alpn"] == ("h2" if version == "HTTP/2" else "http/1.1")
    assert ("DNS", "localhost") in first.tls["certificate"]["subjectAltName"]
    assert first.tls["certificate_der"].startswith(b"\x30")  # a DER sequence
    assert 0 < first.sent_at <= first.answered_at <= first.finished_at <= second.sent_at


def test_connection_in_the_clear_has_no_tls(fleet: Fleet, arun: Run) -> None:
    server = fleet.get("nghttpd", tls=False)

    async def one() -> Any:
        async with AsyncClient(http1=False) as client:
            return (await client.get(server.url("/100"))).connection

    assert arun(one()).tls is None


def test_connection_of_a_stream_whose_content_is_not_read_has_no_end_yet(fleet: Fleet, arun: Run) -> None:
    server = fleet.get("nghttpd", tls=False)

    async def one() -> Any:
        async with AsyncClient(http1=False) as client, client.stream("GET", server.url("/10m")) as response:
            return response.connection

    facts = arun(one())
    assert facts.answered_at > 0 and facts.finished_at == 0.0


def test_connection_closed_by_the_server_is_still_told(fleet: Fleet, arun: Run) -> None:
    with fleet.run("nginx", keepalive_requests=1) as server:

        async def one() -> Any:
            async with AsyncClient(verify=str(server.ca_file), http2=False) as client:
                response = await client.get(server.url("/100"))
            return response.connection

        facts = arun(one())
    assert facts.peer == ("127.0.0.1", server.port)
    assert facts.tls["version"] .startswith("TLSv1.")

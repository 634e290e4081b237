"""client.stats(): what a client tells of itself, against servers that know better."""

from __future__ import annotations

import json
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, BreakerPolicy, Client, ClientStats, Limits
from hostile.peer import Asked, Conversation, Peer
from integration.exchange import client_for
from servers import Fleet

pytestmark = pytest.mark.every_loop("trio as a guest")


class Holds(Peer):
    """Answers ``/held`` never."""

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if asked.path != "/held":
            super().on_request(conversation, asked)


def test_stats_of_a_client_that_did_nothing_are_empty() -> None:
    for client in (AsyncClient(), Client()):
        stats = client.stats()
        assert isinstance(stats, ClientStats)
        assert stats.connections == stats.origins == stats.breakers == ()
        assert stats.memory.buffers.outstanding == 0


@pytest.mark.parametrize("http2", [True, False], ids=["h2", "h1"])
def test_stats_tell_of_connections_over_tls(fleet: Fleet, arun: Any, http2: bool) -> None:
    server = fleet.get("nginx")

    async def scenario() -> None:
        async with client_for(server, http1=not http2, http2=http2, breaker=BreakerPolicy()) as client:
            for _ in range(5):
                await client.get(server.url("/64k"))
            await tasks.sleep(0)  # an idle connection gives its buffers back at the end of the turn
            stats = client.stats()
            (connection,) = stats.connections
            assert connection.origin == server.base_url
            assert connection.protocol == ("HTTP/2" if http2 else "HTTP/1.1")
            assert connection.peer == (server.host, server.port)
            assert connection.requests == 5
            assert connection.streams == 0
            assert connection.octets_received > 5 * 65536
            assert connection.octets_sent is not None
            assert 0 < connection.octets_sent < 65536
            assert connection.rtt_s is None or 0 < connection.rtt_s < 5
            assert 0 <= connection.idle_s <= connection.age_s < 30
            assert not connection.draining
            assert connection.score.answers == 5
            assert connection.score.latency_s > 0
            (origin,) = stats.origins
            assert (origin.connections, origin.dialing, origin.waiting) == (1, 0, 0)
            assert (origin.waits, origin.requests) == (1, 5)  # the first waited for its dial
            assert 0 < origin.waited_s < 10
            (breaker,) = stats.breakers
            assert (breaker.state, breaker.good) == ("closed", 5)
            assert stats.protocols.learned == 1
            assert stats.memory.buffers.outstanding == 0
            assert json.loads(json.dumps(stats.as_dict()))["connections"][0]["requests"] == 5

    arun(scenario())


def test_stats_count_streams_and_waiting_requests(arun: Any) -> None:
    async def scenario() -> None:
        limits = Limits(max_connections=1, max_streams_per_connection=3)
        async with Holds() as peer, AsyncClient(http1=False, limits=limits) as client:
            running = [tasks.start(client.get(peer.url("/held"))) for _ in range(5)]
            async with tasks.timeout(10):
                while not peer.alive or len(peer.current.streams) < 3:
                    await tasks.sleep(0.005)
            stats = client.stats()
            assert [each.streams for each in stats.connections] == [3]
            assert stats.connections[0].stream_limit == 3
            assert [each.waiting for each in stats.origins] == [2]
            assert stats.connections[0].score.outstanding == 3
            for task in running:
                task.cancel()
            await tasks.wait(running)
            assert [each.streams for each in client.stats().connections] == [0]

    arun(scenario())


def test_stats_of_the_client_in_threads(fleet: Fleet) -> None:
    server = fleet.get("nginx")
    with Client(verify=server.ssl_context()) as client:
        for _ in range(3):
            client.get(server.url("/64k"))
        (connection,) = client.stats().connections
        assert (connection.protocol, connection.requests, connection.streams) == ("HTTP/2", 3, 0)
        assert connection.peer == (server.host, server.port)
        assert connection.octets_received > 3 * 65536
        assert connection.octets_sent is None or connection.octets_sent > 0


def test_retry_budget_grows_with_requests_that_succeed_at_once(fleet: Fleet, arun: Any) -> None:
    """They take the plain path, which reports nothing; the connections' own counters tell of them each second."""
    server = fleet.get("nginx")

    async def scenario() -> None:
        async with client_for(server) as client:
            start = client.stats().retries.left
            for _ in range(100):
                await client.get(server.url("/100"))
            async with tasks.timeout(10):
                while client.stats().retries.left < start + 19.9:
                    await tasks.sleep(0.05)
            assert client.stats().retries.left == pytest.approx(start + 20)

    arun(scenario())

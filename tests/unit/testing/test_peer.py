"""ScriptedPeer: what a script says is what the client meets."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import trustme

import tasks
from deuterium import (
    AsyncClient,
    Client,
    GoAway,
    Http2Options,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RetryPolicy,
    StreamReset,
)
from deuterium.testing import PeerRequest, ScriptedPeer

pytestmark = pytest.mark.every_loop

ONCE = RetryPolicy(attempts=1, replays=0)
versions = pytest.mark.parametrize("http1", [True, False], ids=["HTTP/1.1", "HTTP/2"])


@pytest.fixture(scope="module")
def contexts() -> Iterator[tuple[ssl.SSLContext, ssl.SSLContext]]:
    """A server's and a client's."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    client.set_alpn_protocols(["h2", "http/1.1"])
    yield server, client


@versions
def test_peer_without_a_script_answers_the_target(http1: bool) -> None:
    with ScriptedPeer() as peer, Client(http1=http1) as client:
        response = client.get(peer.url("/a?b"))
    assert (response.content, response.http_version) == (b"/a?b", "HTTP/1.1" if http1 else "HTTP/2")
    (request,) = peer.requests
    assert (request.method, request.target, request.authority) == ("GET", "/a?b", f"127.0.0.1:{peer.port}")
    assert request.headers["accept"] == "*/*"


@versions
def test_script_reads_content_and_answers_with_trailers(http1: bool) -> None:
    async def script(request: PeerRequest) -> None:
        content = await request.read()
        request.inform(103, {"link": "</a>"})
        request.start(201, {"x-size": str(len(content))})
        for _ in range(3):
            request.send(b"part ")
            await tasks.sleep(0.01)
        request.finish({"x-sum": "1"})

    with ScriptedPeer(script) as peer, Client(http1=http1) as client:
        response = client.post(peer.url(), content=(b"x" * 1000 for _ in range(500)))
    assert (response.status_code, response.headers["x-size"], response.content) == (201, "500000", b"part part part ")
    assert response.trailers["x-sum"] == "1"
    assert len(response.early_hints) == 1


def test_content_keeps_to_the_windows_of_the_client() -> None:
    options = Http2Options(stream_window=70_000, connection_window=70_000)
    peer = ScriptedPeer(lambda request: request.respond(content=b"x" * 1_000_000))
    with peer, Client(http1=False, http2_options=options) as client:
        assert len(client.get(peer.url()).content) == 1_000_000


def test_refused_request_is_sent_again_and_reset_one_fails() -> None:
    def script(request: PeerRequest) -> None:
        if request.target == "/refuse" and len(peer.requests) < 3:
            request.refuse()
        elif request.target == "/reset":
            request.reset(2)
        else:
            request.respond(204)

    with ScriptedPeer(script) as peer, Client(http1=False) as client:
        assert client.post(peer.url("/refuse")).status_code == 204
        with pytest.raises(StreamReset) as caught:
            client.post(peer.url("/reset"))
    assert caught.value.code == 2
    assert [request.target for request in peer.requests] == ["/refuse"] * 3 + ["/reset"]


def test_goaway_below_the_request_moves_it_to_another_connection() -> None:
    def script(request: Any) -> None:
        if request.connection.number == 1:
            request.connection.goaway(0)
        else:
            request.respond(content=b"second")

    with ScriptedPeer(script) as peer, Client(http1=False) as client:
        assert client.post(peer.url(), content=b"x").content == b"second"
    assert [connection.number for connection in peer.connections] == [1, 2]
    with ScriptedPeer(script) as peer, Client(http1=False, retry=ONCE) as client, pytest.raises(GoAway):
        client.get(peer.url())


def test_async_block_and_client_with_delays(arun: Any) -> None:
    async def script(request: PeerRequest) -> None:
        await tasks.sleep(5 if request.target == "/slow" else 0)
        request.respond(content=b"quick")

    async def scenario() -> None:
        async with ScriptedPeer(script) as peer, AsyncClient(http1=False) as client:
            with pytest.raises(ReadTimeout):
                await client.get(peer.url("/slow"), timeout=0.1)
            assert (await client.get(peer.url("/"))).content == b"quick"
            assert len(peer.connections) == 1

    begin = time.monotonic()
    arun(scenario())
    assert time.monotonic() - begin < 3


def test_tls_with_the_given_context_speaks_what_alpn_chose(contexts: Any) -> None:
    server, trusting = contexts
    with ScriptedPeer(ssl_context=server) as peer:
        for http2, version in ((True, "HTTP/2"), (False, "HTTP/1.1")):
            with Client(verify=trusting, http2=http2) as client:
                response = client.get(peer.url("/x"))
                assert (response.content, response.http_version) == (b"/x", version)
    assert peer.connections[0].tls.version() == "TLSv1.3"


def test_settings_and_frames_are_the_scripts() -> None:
    peer = ScriptedPeer(settings={3: 1}, on_connect=lambda connection: connection.ping(b"12345678"))
    with peer, Client(http1=False) as client:
        client.get(peer.url())
        client.get(peer.url())
    kinds = [(frame.name, frame.payload) for frame in peer.connections[0].frames if frame.name == "PING"]
    assert kinds == [("PING", b"12345678")]


@versions
def test_connection_that_is_aborted_fails_the_request(http1: bool) -> None:
    peer = ScriptedPeer(lambda request: request.connection.abort())
    with peer, Client(http1=http1, retry=ONCE) as client, pytest.raises(ReadError):
        client.get(peer.url())


def test_illegal_octets_can_be_said() -> None:
    def script(request: PeerRequest) -> None:
        request.connection.send_octets(b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello")

    with ScriptedPeer(script) as peer, Client(retry=ONCE) as client, pytest.raises(RemoteProtocolError):
        client.get(peer.url())


def test_exception_of_the_script_is_raised_at_the_end() -> None:
    def script(request: PeerRequest) -> None:
        request.respond(204)
        raise AssertionError("not what was expected")

    peer = ScriptedPeer(script)
    with pytest.raises(AssertionError, match="not what was expected"), peer, Client() as client:
        assert client.get(peer.url()).status_code == 204


def test_stopped_peer_listens_on_the_same_port_again() -> None:
    peer = ScriptedPeer()
    with peer:
        port = peer.port
    with peer, Client() as client:
        assert peer.port == port
        assert client.get(peer.url("/again")).content == b"/again"

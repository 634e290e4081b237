"""``mounts``: origins that are reached in a way of their own, by one client with one pool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from deuterium import AsyncClient, Client, LocalProtocolError, Request, TransportOptions
from deuterium._net.blocking_dialer import BlockingDialer
from deuterium._net.dialer import AsyncDialer
from deuterium.testing import ASGITransport, MockTransport, PeerRequest, Response, ScriptedPeer

from .faces import FACES, Face, face_of

faces = pytest.mark.parametrize("name", FACES)
over_http1 = pytest.mark.parametrize("name", ["async-h1", "sync-h1"])  # such a proxy gets the whole URL


def mock(text: str) -> MockTransport:
    def handler(request: Request) -> Response:
        return Response(200, text=f"{text} {request.url.path}")

    return MockTransport(handler)


def resolve(name: str, port: int) -> Iterable[str]:
    return ["127.0.0.1"]


async def aresolve(name: str, port: int) -> Iterable[str]:
    return resolve(name, port)


def answer_all(request: PeerRequest) -> None:
    request.respond(200, content=f"{request.authority} {request.target}".encode())


def texts(face: Face, urls: list[str]) -> list[str]:
    return [face.get(url).text for url in urls]


@faces
def test_most_specific_pattern_says_how_an_origin_is_reached(name: str) -> None:
    with ScriptedPeer() as peer:
        mounts = {
            "all://*.internal": mock("below"),
            "https://api.internal": mock("api"),
            "all://api.internal:8443": mock("port"),
        }
        with face_of(name, mounts=mounts) as face:
            urls = [
                "https://www.internal/1",
                "https://api.internal/2",
                "http://api.internal/3",
                "https://api.internal:8443/4",
                peer.url("/5"),
                "https://api.internal/6",
            ]
            assert texts(face, urls) == ["below /1", "api /2", "below /3", "port /4", "/5", "api /6"]
            assert len(face.client._sender.pool.routes) == 5
    assert len(peer.connections) == 1


@faces
def test_options_of_a_mount_open_its_sockets(name: str) -> None:
    with ScriptedPeer(answer_all) as peer:
        resolver: Any = aresolve if not name.startswith("sync") else resolve
        mounts = {"all://*.internal": TransportOptions(resolver=resolver)}
        with face_of(name, mounts=mounts) as face:
            found = texts(face, [peer.url("/a", host="x.internal"), peer.url("/b")])
    assert found == [f"x.internal:{peer.port} /a", f"127.0.0.1:{peer.port} /b"]


@over_http1
def test_proxy_of_a_mount_is_for_its_origins_alone(name: str) -> None:
    with (
        ScriptedPeer() as peer,
        ScriptedPeer() as proxy,
        face_of(name, mounts={"all://far.example": proxy.url()}) as face,
    ):
        found = texts(face, ["http://far.example/a", peer.url("/b")])
    assert found == ["http://far.example/a", "/b"]
    assert [len(proxy.requests), len(peer.requests)] == [1, 1]


@over_http1
def test_none_is_straight_to_the_origin(name: str) -> None:
    with (
        ScriptedPeer() as peer,
        ScriptedPeer() as proxy,
        face_of(name, proxy=proxy.url(), mounts={f"http://127.0.0.1:{peer.port}": None}) as face,
    ):
        found = texts(face, ["http://far.example/a", peer.url("/b")])
    assert found == ["http://far.example/a", "/b"]


@faces
def test_none_is_the_transport_of_the_client(name: str) -> None:
    mounts = {"all://other.example": mock("other"), "all://*.other.example": None}
    with face_of(name, transport=mock("own"), mounts=mounts) as face:
        found = texts(face, [f"https://{host}/" for host in ("example.org", "other.example", "www.other.example")])
    assert found == ["own /", "other /", "own /"]


@over_http1
def test_proxy_of_a_mount_is_reached_beside_a_transport_in_process(name: str) -> None:
    with (
        ScriptedPeer() as proxy,
        face_of(name, transport=mock("own"), mounts={"all://far.example": proxy.url()}) as face,
    ):
        found = texts(face, ["http://far.example/a", "http://near.example/b"])
    assert found == ["http://far.example/a", "own /b"]


@faces
def test_redirect_goes_from_one_way_to_another(name: str) -> None:
    with ScriptedPeer() as peer:
        away = MockTransport(lambda _: Response(302, headers={"location": peer.url("/here")}))
        with face_of(name, mounts={"all://away.example": away}, follow_redirects=True) as face:
            response = face.get("https://away.example/")
    assert (response.text, len(response.history)) == ("/here", 1)


@faces
def test_fetch_many_goes_every_way_at_once(name: str) -> None:
    with ScriptedPeer() as peer, face_of(name, mounts={"all://*.internal": mock("mock")}) as face:
        urls = [peer.url("/n") if number % 2 else "https://x.internal/m" for number in range(40)]
        if face.runner is None:
            found = [response.text for response in face.client.fetch_many(urls, concurrency=8)]
        else:

            async def collect() -> list[str]:
                return [response.text async for response in face.client.fetch_many(urls, concurrency=8)]

            found = face.run(collect())
    assert sorted(found) == ["/n"] * 20 + ["mock /m"] * 20


@faces
def test_lifespan_of_a_mount_ends_with_the_client(name: str) -> None:
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{event}"
                events.append(event)
                await send({"type": f"lifespan.{event}.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"app"})

    mounts = {"all://app.internal": ASGITransport(app, lifespan=True), "all://mock.internal": mock("mock")}
    with face_of(name, mounts=mounts) as face:
        assert texts(face, ["https://mock.internal/"]) == ["mock /"]
        assert events == []
        assert texts(face, ["https://app.internal/"]) == ["app"]
        assert events == ["startup"]
    assert events == ["startup", "shutdown"]


def test_websocket_to_a_mount_in_process_is_refused() -> None:
    refused = pytest.raises(LocalProtocolError, match="a server")
    with Client(mounts={"all://x.internal": mock("mock")}) as client, refused, client.websocket("ws://x.internal/"):
        pass


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"mounts": {"example.org": None}}, ValueError),
        ({"mounts": {"ftp://example.org": None}}, ValueError),
        ({"mounts": {"all://": "ftp://proxy.example"}}, ValueError),
        ({"mounts": {"all://": 1}}, TypeError),
        ({"mounts": {"all://": "http://proxy.example"}, "uds": "/run/x"}, ValueError),
    ],
)
@pytest.mark.parametrize("kind", [AsyncClient, Client])
def test_mount_that_is_none_is_refused_at_once(kind: Any, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        kind(**options)


@faces
def test_client_without_mounts_dials_by_itself(name: str) -> None:
    with ScriptedPeer() as peer, face_of(name) as face:
        face.get(peer.url())
        dialer: Any = face.client._dialer if face.runner is None else face.client._sender.pool.dialer
        assert type(dialer) is (BlockingDialer if face.runner is None else AsyncDialer)

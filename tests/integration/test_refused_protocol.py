"""421 and HTTP_1_1_REQUIRED, end to end: the request is answered on another connection, or over the other protocol."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from deuterium import AsyncClient, RetryPolicy, StreamReset, TransportError
from deuterium.testing import PeerRequest, ScriptedPeer
from hostile.peer import Asked, Conversation, Peer
from servers import Workspace

from .faces import FACES, Face, face_of

pytestmark = pytest.mark.every_loop("trio as a guest")

HTTP_1_1_REQUIRED = 0xD


class Misdirects(Peer):
    """Answers 421 on its first ``connections`` connections."""

    def __init__(self, connections: int) -> None:
        super().__init__()
        self.refusing = connections

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        status = 421 if conversation.number <= self.refusing else 200
        conversation.answers(asked, bytes(asked.content) or asked.path.encode(), status=status)


@pytest.mark.rfc("9110", "15.5.20")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_misdirected_request_is_answered_on_another_connection(arun: Any, method: str) -> None:
    async def scenario() -> None:
        async with Misdirects(1) as peer, AsyncClient(http1=False) as client:
            content = b"order" if method == "POST" else None
            response = await client.request(method, peer.url("/here"), content=content)
            assert (response.status_code, response.content) == (200, content or b"/here")
            assert [len(each.streams) for each in peer.conversations] == [1, 1]
            assert (await client.get(peer.url("/again"))).status_code == 200
            assert len(peer.conversations) == 2  # the first is not asked again
            assert client.stats().protocols.misdirected == 1

    arun(scenario())


@pytest.mark.rfc("9110", "15.5.20")
def test_misdirected_request_is_sent_once_more_and_no_more(arun: Any) -> None:
    async def scenario() -> None:
        async with Misdirects(9) as peer, AsyncClient(http1=False) as client:
            assert (await client.get(peer.url())).status_code == 421
            assert len(peer.conversations) == 2

    arun(scenario())


@pytest.mark.rfc("9110", "15.5.20")
def test_misdirected_request_whose_content_is_gone_is_not_sent_again(arun: Any) -> None:
    async def once() -> Any:
        yield b"order"

    async def scenario() -> None:
        async with Misdirects(9) as peer, AsyncClient(http1=False) as client:
            assert (await client.post(peer.url(), content=once())).status_code == 421
            assert len(peer.conversations) == 1

    arun(scenario())


class RequiresHttp1(ScriptedPeer):
    """Resets the streams of HTTP/2 with HTTP_1_1_REQUIRED, after it said ``before``; answers over HTTP/1.1 with the
    request's method and content, unless it is ``stubborn``: then it hangs up."""

    def __init__(self, workspace: Workspace, before: str = "nothing", stubborn: bool = False) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(workspace.joined_file)
        context.set_alpn_protocols(["h2", "http/1.1"])
        super().__init__(self._answer, ssl_context=context)
        self.before = before
        self.stubborn = stubborn
        self.versions: list[str] = []

    async def _answer(self, request: PeerRequest) -> None:
        version = request.connection.http_version
        self.versions.append(version)
        if self.stubborn and version == "HTTP/1.1":
            request.connection.abort()
        elif version == "HTTP/1.1":
            request.respond(200, content=request.method.encode() + b" " + await request.read())
        else:
            if self.before == "content":
                await request.read()
            elif self.before == "informational":
                request.inform(103)
            elif self.before == "headers":
                request.start(200)
            request.reset(HTTP_1_1_REQUIRED)


def pieces() -> Iterator[bytes]:
    yield b"or"
    yield b"der"


@pytest.fixture(params=[name for name in FACES if name.endswith("h2")])
def open_face(request: pytest.FixtureRequest, workspace: Workspace) -> Iterator[Callable[..., Face]]:
    """``open_face(**options)``: either client, which trusts the peers here and speaks both protocols."""
    with ExitStack() as stack:

        def open_one(**options: Any) -> Face:
            defaults = {"http1": True, "verify": str(workspace.ca_file)}
            return stack.enter_context(face_of(request.param, **(defaults | options)))

        yield open_one


TWICE = ["HTTP/2", "HTTP/1.1"]
ALONE = RetryPolicy(attempts=1)


@pytest.mark.rfc("9113", "7")
@pytest.mark.parametrize(
    ("method", "content", "before", "options", "versions"),
    [
        ("GET", None, "nothing", {}, TWICE),
        ("GET", None, "nothing", {"retry": ALONE}, TWICE),  # it is no retry
        ("POST", b"order", "nothing", {}, TWICE),
        ("POST", b"order", "nothing", {"retry": ALONE}, TWICE),
        ("POST", b"order", "content", {}, TWICE),  # the peer has read it all, and wants it the other way
        ("PATCH", b"order", "nothing", {}, TWICE),
        ("POST", b"order", "nothing", {"retry": RetryPolicy(replays=0)}, ["HTTP/2"]),
        ("POST", b"order", "nothing", {"http1": False}, ["HTTP/2"]),
        ("POST", b"order", "informational", {}, ["HTTP/2"]),  # it began to answer
        ("POST", b"order", "headers", {}, ["HTTP/2"]),
        ("POST", pieces, "content", {}, ["HTTP/2"]),  # what was read of it is gone
    ],
)
def test_http_1_1_required_is_obeyed_where_the_request_can_be_sent_again(
    open_face: Callable[..., Face],
    workspace: Workspace,
    method: str,
    content: Any,
    before: str,
    options: dict[str, Any],
    versions: list[str],
) -> None:
    with RequiresHttp1(workspace, before) as peer:
        face = open_face(**options)
        if content is pieces:
            content = pieces() if face.runner is None else async_pieces()
        if versions == TWICE:
            response = face.request(method, peer.url(), content=content)
            assert (response.status_code, response.http_version) == (200, "HTTP/1.1")
            assert response.content == method.encode() + b" " + (content or b"")
        else:
            with pytest.raises(StreamReset) as caught:
                face.request(method, peer.url(), content=content)
            assert caught.value.code == HTTP_1_1_REQUIRED
        assert peer.versions == versions
        assert face.client.stats().protocols.required == 1


async def async_pieces() -> AsyncIterator[bytes]:
    for piece in pieces():
        yield piece


@pytest.mark.rfc("9113", "7")
@pytest.mark.parametrize("content", [b"order", None])
def test_http_1_1_required_is_remembered(open_face: Callable[..., Face], workspace: Workspace, content: Any) -> None:
    with RequiresHttp1(workspace, "headers") as peer:
        face = open_face(retry=ALONE)
        with pytest.raises(StreamReset):
            face.get(peer.url())
        # From now on HTTP/2 is not even offered, so nothing has to be sent twice.
        response = face.request("POST", peer.url(), content=content)
        assert response.http_version == "HTTP/1.1"
        assert peer.versions == TWICE


@pytest.mark.rfc("9113", "7")
def test_http_1_1_required_is_no_leave_for_a_third_attempt(
    open_face: Callable[..., Face], workspace: Workspace
) -> None:
    with RequiresHttp1(workspace, stubborn=True) as peer:
        face = open_face()
        with pytest.raises(TransportError):
            face.post(peer.url(), content=b"order")
        assert peer.versions == TWICE

"""421 and HTTP_1_1_REQUIRED, end to end: the request is answered on another connection, or over the other protocol."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Any

import pytest

from deuterium import AsyncClient, RetryPolicy, StreamReset
from hostile.peer import Asked, Conversation, Peer
from rfc import wire
from servers import Workspace

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


class RequiresHttp1(Peer):
    """Resets every stream with HTTP_1_1_REQUIRED; whoever offers HTTP/1.1 alone is answered."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(workspace.joined_file)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.requests = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept_tls, self.host, 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept_tls(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            await self._accept(reader, writer)
            return
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line[15:] for line in head.lower().splitlines() if line[:15] == b"content-length:"]
                content = await reader.readexactly(int(lengths[0]) if lengths else 0)
                self.requests += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content))
        writer.close()

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        conversation.says(wire.rst_stream(asked.stream_id, HTTP_1_1_REQUIRED))

    def url(self, path: str = "/", host: str = "") -> str:
        return f"https://{host or self.host}:{self.port}{path}"


@pytest.mark.rfc("9113", "7")
def test_http_1_1_required_is_obeyed_and_remembered(arun: Any, workspace: Workspace) -> None:
    async def scenario() -> None:
        async with RequiresHttp1(workspace) as peer, AsyncClient(verify=str(workspace.ca_file)) as client:
            response = await client.get(peer.url())
            assert (response.status_code, response.http_version) == (200, "HTTP/1.1")
            assert len(peer.conversations) == 1
            # From now on HTTP/2 is not even offered, so that a POST needs no second attempt.
            response = await client.post(peer.url(), content=b"order")
            assert (response.http_version, response.content) == ("HTTP/1.1", b"order")
            assert len(peer.conversations) == 1
            assert client.stats().protocols.required == 1

    arun(scenario())


@pytest.mark.rfc("9113", "7")
def test_http_1_1_required_of_a_client_without_it_is_the_callers_error(arun: Any, workspace: Workspace) -> None:
    async def scenario() -> None:
        once = RetryPolicy(attempts=1)
        verify = str(workspace.ca_file)
        async with RequiresHttp1(workspace) as peer, AsyncClient(http1=False, verify=verify, retry=once) as client:
            with pytest.raises(StreamReset) as caught:
                await client.get(peer.url())
            assert caught.value.code == HTTP_1_1_REQUIRED

    arun(scenario())

"""The socket's low-water mark: raised while much content comes fast, and nobody's octets wait for it."""

from __future__ import annotations

from socket import SO_RCVLOWAT, SOL_SOCKET
from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Http2Options
from hostile.peer import Asked, Conversation, Peer
from rfc import wire
from servers import Fleet, content

MIB = 1024 * 1024
RAISED = {128 * 1024, 256 * 1024, 512 * 1024}  # by how fast it comes
SENT = 3 * MIB + MIB // 2  # within a stream's window
REST = 10_000
TRIES = 20  # a busy machine may not be fast enough at once


def mark_of(response: Any) -> int:
    """What the kernel has to hold before the client is woken."""
    mark: int = response._exchange.carrier.transport.get_extra_info("socket").getsockopt(SOL_SOCKET, SO_RCVLOWAT)
    return mark


class Stalls(Peer):
    """Announces 16 MiB, ``/unknown`` without saying so, and sends the first of them; the rest never comes."""

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if asked.path == "/after":
            super().on_request(conversation, asked)
            return
        length = () if asked.path == "/unknown" else (("content-length", str(16 * MIB)),)
        frames = [wire.data(asked.stream_id, bytes(16 * 1024))] * (SENT // (16 * 1024))
        conversation.says(wire.response(asked.stream_id, *length), *frames, wire.data(asked.stream_id, bytes(REST)))


async def marks_until(response: Any, octets: int) -> set[int]:
    """Read ``octets`` of content; the marks there were meanwhile."""
    marks, read = set(), 0
    async for view in response.aiter_buffers():
        read += len(view)
        marks.add(mark_of(response))
        if read == octets:
            break
    assert read == octets
    return marks


@pytest.mark.parametrize(
    ("name", "tls", "http1"), [("nghttpd", True, False), ("nghttpd", False, False), ("nginx", True, True)]
)
def test_mark_is_raised_for_much_content_and_low_before_its_end(
    fleet: Fleet, arun: Any, name: str, tls: bool, http1: bool
) -> None:
    async def scenario() -> None:
        server = fleet.get(name, tls=tls)
        seen: set[int] = set()
        for _ in range(TRIES):
            async with (
                AsyncClient(verify=str(server.ca_file), http1=http1, http2=not http1) as client,
                client.stream("GET", server.url("/10m")) as response,
            ):
                body = b""
                async for view in response.aiter_buffers():
                    body += view
                    seen.add(mark_of(response))
                    if len(body) > 9 * MIB:
                        assert mark_of(response) == 1
                assert body == content.body("/10m")
            if RAISED & seen:
                break
        assert RAISED & seen
        assert seen <= {1, *RAISED}

    arun(scenario())


def test_peer_that_stalls_below_the_mark_is_read_at_once(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls() as peer:
            for _ in range(TRIES):
                async with AsyncClient(http1=False) as client, client.stream("GET", peer.url("/stalls")) as response:
                    begin = monotonic()
                    marks = await marks_until(response, SENT + REST)
                    assert monotonic() - begin < 2
                if RAISED & marks:
                    return
            raise AssertionError("the mark was never raised")

    arun(scenario())


def test_request_beside_much_content_lowers_the_mark(arun: Any) -> None:
    async def scenario() -> None:
        async with Stalls() as peer:
            for _ in range(TRIES):
                async with AsyncClient(http1=False) as client, client.stream("GET", peer.url("/stalls")) as response:
                    was_raised, read = False, 0
                    async for view in response.aiter_buffers():
                        read += len(view)
                        was_raised = mark_of(response) in RAISED
                        if was_raised or read == SENT + REST:
                            break
                    if was_raised:
                        beside = tasks.start(client.get(peer.url("/after")))
                        await tasks.sleep(0)
                        assert mark_of(response) == 1
                        assert (await beside).content == b"/after"
                        return
            raise AssertionError("the mark was never raised")

    arun(scenario())


def test_mark_stays_low_for_content_of_unknown_length(arun: Any) -> None:
    async def scenario() -> None:
        async with (
            Stalls() as peer,
            AsyncClient(http1=False) as client,
            client.stream("GET", peer.url("/unknown")) as response,
        ):
            assert await marks_until(response, SENT + REST) == {1}

    arun(scenario())


def test_mark_stays_low_where_the_peer_has_to_wait_for_small_windows(fleet: Fleet, arun: Any) -> None:
    async def scenario() -> None:
        server = fleet.get("nghttpd")
        options = Http2Options(stream_window=2 * MIB - 1)
        async with (
            AsyncClient(verify=str(server.ca_file), http2_options=options) as client,
            client.stream("GET", server.url("/10m")) as response,
        ):
            assert await marks_until(response, 10 * MIB) == {1}

    arun(scenario())

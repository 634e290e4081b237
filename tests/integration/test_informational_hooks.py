"""Hooks for informational responses: told of each one as it arrives, before there is a final response."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import tasks
from deuterium import ReadTimeout, RemoteProtocolError, Request, RetryPolicy
from deuterium.testing import MockTransport, PeerRequest, Response, ScriptedPeer

from .faces import FACES, Face, face_of

WAIT_S = 5.0
PIECES = 40
MOST = 64  # what the engines take of one request

faces = pytest.mark.parametrize("name", FACES)


class Heard:
    """A hook that keeps what it was told, and a script that answers no sooner than it was told that."""

    def __init__(self, name: str, awaits: bool = False) -> None:
        self.seen: list[tuple[str, int, str]] = []
        self.told = threading.Semaphore(0)
        is_async = awaits and not name.startswith("sync")
        self.options = {"event_hooks": {"informational": [self.atell if is_async else self.tell]}}

    def tell(self, request: Request, status: int, headers: Any) -> None:
        self.seen.append((request.url.path, status, headers.get("link", "")))
        self.told.release()

    async def atell(self, request: Request, status: int, headers: Any) -> None:
        await tasks.sleep(0.01)
        self.tell(request, status, headers)

    async def was_told(self) -> bool:
        return await asyncio.to_thread(self.told.acquire, timeout=WAIT_S)

    async def script(self, request: PeerRequest) -> None:
        for status, link in ((102, ""), (103, "</a>"), (103, "</b>")):
            request.inform(status, {"link": link} if link else None)
            if not await self.was_told():
                request.respond(500, content=b"the hook was not called in time")
                return
        request.respond(200, content=b"answer")


THREE = [("/page", 102, ""), ("/page", 103, "</a>"), ("/page", 103, "</b>")]


@faces
@pytest.mark.parametrize("awaits", [False, True], ids=["plain", "async"])
def test_hook_is_called_before_the_final_response(name: str, awaits: bool) -> None:
    heard = Heard(name, awaits)
    with ScriptedPeer(heard.script) as peer, face_of(name, **heard.options) as face:
        response = face.get(peer.url("/page"))
    assert (response.status_code, response.content) == (200, b"answer")
    assert response.http_version == face.version
    assert heard.seen == THREE
    assert [hint["link"] for hint in response.early_hints] == ["</a>", "</b>"]


@faces
def test_hook_is_called_before_a_streamed_response(name: str) -> None:
    heard = Heard(name)
    with ScriptedPeer(heard.script) as peer, face_of(name, **heard.options) as face:
        assert b"".join(face.stream_list("GET", peer.url("/page"), "iter_bytes")) == b"answer"
    assert heard.seen == THREE


@faces
def test_hook_is_called_while_content_is_still_being_sent(name: str) -> None:
    sent: list[int] = []
    sent_when_told: list[int] = []

    def pieces() -> Iterator[bytes]:
        for number in range(PIECES):
            time.sleep(0.02)
            sent.append(number)
            yield b"x" * 1000

    async def apieces() -> AsyncIterator[bytes]:
        for number in range(PIECES):
            await tasks.sleep(0.02)
            sent.append(number)
            yield b"x" * 1000

    async def script(request: PeerRequest) -> None:
        while len(request.content) < 5000:
            request.changed.clear()
            await request.changed.wait()
        request.inform(103, {"link": "</early>"})
        request.respond(200, content=str(len(await request.read())).encode())

    hooks = {"informational": [lambda request, status, headers: sent_when_told.append(len(sent))]}
    with ScriptedPeer(script) as peer, face_of(name, event_hooks=hooks) as face:
        content = apieces() if not name.startswith("sync") else pieces()
        assert face.post(peer.url("/up"), content=content).content == str(PIECES * 1000).encode()
    assert len(sent_when_told) == 1
    assert 5 <= sent_when_told[0] < PIECES


@faces
def test_content_that_fails_after_the_hook_was_called_is_the_error(name: str) -> None:
    heard = Heard(name)

    def pieces() -> Iterator[bytes]:
        for _ in range(PIECES):
            time.sleep(0.02)
            yield b"x"
            if heard.seen:
                raise LookupError("no more content")

    async def apieces() -> AsyncIterator[bytes]:
        for _ in range(PIECES):
            await tasks.sleep(0.02)
            yield b"x"
            if heard.seen:
                raise LookupError("no more content")

    peer = ScriptedPeer(lambda request: request.inform(103, {"link": "</early>"}))
    with peer, face_of(name, **heard.options) as face, pytest.raises(LookupError, match="no more content"):
        face.post(peer.url("/up"), content=apieces() if not name.startswith("sync") else pieces())
    assert heard.seen == [("/up", 103, "</early>")]


@faces
def test_hooks_are_told_of_a_continue(name: str) -> None:
    heard = Heard(name)

    async def script(request: PeerRequest) -> None:
        request.inform(100)
        request.respond(200, content=await request.read())

    with ScriptedPeer(script) as peer, face_of(name, **heard.options) as face:
        response = face.post(peer.url("/up"), content=b"body", headers={"expect": "100-continue"})
    assert response.content == b"body"
    assert heard.seen == [("/up", 100, "")]


@faces
def test_hook_that_raises_ends_the_request_and_nothing_else(name: str) -> None:
    def refuse(request: Request, status: int, headers: Any) -> None:
        if request.url.path == "/refused":
            raise LookupError("no hints, please")

    async def script(request: PeerRequest) -> None:
        request.inform(103, {"link": "</a>"})
        if request.target == "/refused":
            return  # for ever
        request.respond(200)

    with ScriptedPeer(script) as peer, face_of(name, event_hooks={"informational": [refuse]}) as face:
        with pytest.raises(LookupError, match="no hints"):
            face.get(peer.url("/refused"))
        assert face.get(peer.url("/other")).status_code == 200
        for route in face.client._sender.pool.routes.values():
            assert [carrier.engine.active() for carrier in route.carriers] == [0]


@faces
def test_final_response_that_does_not_come_is_a_timeout(name: str) -> None:
    heard = Heard(name)
    peer = ScriptedPeer(lambda request: request.inform(103, {"link": "</a>"}))
    options = {**heard.options, "timeout": 0.3, "retry": RetryPolicy(attempts=1)}
    with peer, face_of(name, **options) as face, pytest.raises(ReadTimeout):
        face.get(peer.url("/page"))
    assert heard.seen == [("/page", 103, "</a>")]


@faces
@pytest.mark.parametrize("count", [MOST, MOST + 1])
def test_hook_is_told_of_no_more_than_the_engine_takes(name: str, count: int) -> None:
    heard = Heard(name)

    def script(request: PeerRequest) -> None:
        for _ in range(count):
            request.inform(103, {"link": "</a>"})
        request.respond(200)

    options = {**heard.options, "retry": RetryPolicy(attempts=1, replays=0)}
    with ScriptedPeer(script) as peer, face_of(name, **options) as face:
        if count == MOST:
            assert face.get(peer.url("/page")).status_code == 200
        else:
            with pytest.raises(RemoteProtocolError, match="informational responses"):
                face.get(peer.url("/page"))
    assert heard.seen == [("/page", 103, "</a>")] * MOST


@faces
def test_each_attempt_tells_its_own(name: str) -> None:
    heard = Heard(name)

    def script(request: PeerRequest) -> None:
        attempt = len(peer.requests)
        request.inform(103, {"link": f"</{attempt}>"})
        request.respond(503 if attempt == 1 else 200)

    policy = RetryPolicy(statuses=frozenset({503}), backoff_s=0)
    with ScriptedPeer(script) as peer, face_of(name, retry=policy, **heard.options) as face:
        assert face.get(peer.url("/page")).status_code == 200
    assert heard.seen == [("/page", 103, "</1>"), ("/page", 103, "</2>")]


@faces
def test_copies_of_a_hedged_request_tell_what_the_answered_one_brought(name: str) -> None:
    heard = Heard(name)

    def script(request: PeerRequest) -> None:
        request.inform(103, {"link": f"</{len(peer.requests)}>"})
        if len(peer.requests) == 2:
            request.respond(200)

    policy = RetryPolicy(hedges=1, hedge_delay_s=0.1)
    with ScriptedPeer(script) as peer, face_of(name, retry=policy, **heard.options) as face:
        assert face.get(peer.url("/page")).status_code == 200
    assert heard.seen == [("/page", 103, "</2>")]


def fetch_many(face: Face, urls: list[str], concurrency: int) -> list[bytes]:
    if face.runner is None:
        return [response.content for response in face.client.fetch_many(urls, concurrency=concurrency)]

    async def collect() -> list[bytes]:
        return [response.content async for response in face.client.fetch_many(urls, concurrency=concurrency)]

    found: list[bytes] = face.run(collect())
    return found


@faces
def test_fetch_many_tells_the_hook(name: str) -> None:
    heard = Heard(name)
    with ScriptedPeer(heard.script) as peer, face_of(name, **heard.options) as face:
        for path, count, concurrency in (("/page", 6, 1), ("/other", 12, 4)):
            assert fetch_many(face, [peer.url(path)] * count, concurrency) == [b"answer"] * count
    assert heard.seen[:18] == THREE * 6
    assert len(heard.seen) == 54


@pytest.mark.parametrize("name", ["async-h2", "sync-h2"])
def test_transport_in_process_tells_the_hook(name: str) -> None:
    heard = Heard(name)
    transport = MockTransport(lambda _: Response(200, early_hints=[{"link": "</a>"}]))
    with face_of(name, transport=transport, **heard.options) as face:
        assert face.get("https://example.org/page").status_code == 200
    assert heard.seen == [("/page", 103, "</a>")]


def test_hook_set_later_is_called_and_the_tuple_takes_none() -> None:
    heard = Heard("sync-h2")
    with ScriptedPeer(heard.script) as peer:
        face = Face("sync-h2", trust_env=False)
        try:
            with pytest.raises(AttributeError):
                face.client.event_hooks["informational"].append(heard.tell)
            face.client.event_hooks = {**face.client.event_hooks, **heard.options["event_hooks"]}
            assert face.get(peer.url("/page")).content == b"answer"
        finally:
            face.close()
    assert heard.seen == THREE

"""The response read while the request's content is still being sent; and what a response says of itself."""

from __future__ import annotations

import datetime
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, HTTPStatusError
from integration.faces import FACES, Face, face_of
from servers.inprocess import answer, serving

pytestmark = pytest.mark.every_loop

ROUNDS = 20


async def app(scope: Any, receive: Any, send: Any) -> None:
    """``/echo`` answers each piece as it comes; ``/slow`` takes its time twice; ``/{status}`` has that status."""
    if scope["type"] != "http":
        return
    path = scope["path"]
    if path == "/echo":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    elif path == "/slow":
        await tasks.sleep(0.1)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await tasks.sleep(0.2)
        await send({"type": "http.response.body", "body": b"b"})
    else:
        await answer(send, status=int(path[1:]), fields=(("location", "/elsewhere"),))


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, base: str) -> Iterator[Face]:
    with face_of(request.param, base_url=base) as face:
        yield face


def test_conversation_of_a_task_goes_back_and_forth(base: str, arun: Any) -> None:
    """Each message is made of the answer to the one before."""

    async def talk() -> list[bytes]:
        answers = tasks.Queue()

        async def ask() -> AsyncIterator[bytes]:
            yield b"0"
            for _ in range(ROUNDS):
                yield str(int(await answers.get()) + 1).encode()

        heard = []
        async with (
            AsyncClient(base_url=base, http1=False, timeout=10.0) as client,
            client.stream("POST", "/echo", content=ask()) as response,
        ):
            async for piece in response.aiter_bytes():
                heard.append(piece)
                answers.put_nowait(piece)
        return heard

    assert arun(talk()) == [str(number).encode() for number in range(ROUNDS + 1)]


def test_conversation_of_a_thread_goes_back_and_forth(base: str) -> None:
    """The thread that reads takes the next message from the iterator when nothing is there to read.

    A message says how much of the answer was read when it was made.
    """
    heard: list[bytes] = []

    def ask() -> Iterator[bytes]:
        for _ in range(ROUNDS):
            yield b"%d," % len(heard)
            time.sleep(0.01)

    with face_of("sync-h2", base_url=base) as face, face.client.stream("POST", "/echo", content=ask()) as response:
        heard.extend(response.iter_bytes())
    said = [int(number) for number in b"".join(heard).split(b",")[:-1]]
    assert len(said) == ROUNDS
    assert said == sorted(said)
    assert said[-1] > 0


@pytest.mark.parametrize(("status", "raises"), [(200, False), (204, False), (299, False), (302, True), (304, True)])
def test_raise_for_status_takes_2xx_for_success(face: Face, status: int, raises: bool) -> None:
    response = face.get(f"/{status}")
    if not raises:
        assert response.raise_for_status() is response
    else:
        with pytest.raises(HTTPStatusError, match=f"no success: {status} .* redirected to /elsewhere") as caught:
            response.raise_for_status()
        assert (caught.value.response, caught.value.request) == (response, response.request)


@pytest.mark.parametrize(("status", "kind"), [(400, "client error"), (499, "client error"), (500, "server error")])
def test_raise_for_status_names_whose_error_it_is(face: Face, status: int, kind: str) -> None:
    with pytest.raises(HTTPStatusError, match=f"{kind}: {status}"):
        face.get(f"/{status}").raise_for_status()


def test_timings_tell_waiting_from_receiving(face: Face) -> None:
    response = face.get("/slow")
    assert response.timings.waiting >= datetime.timedelta(seconds=0.09)
    assert response.timings.receiving >= datetime.timedelta(seconds=0.19)
    assert abs(response.timings.waiting + response.timings.receiving - response.elapsed) < datetime.timedelta(
        milliseconds=1
    )

"""Server-sent events that go on after the connection broke, over both clients and versions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from deuterium import ConnectError, HTTPStatusError, RemoteProtocolError
from integration.faces import FACES, Face, face_of
from servers.inprocess import answer, content_of, fields_of, serving

QUICK = b"retry: 1\n\n"  # less than the least wait


class Events:
    """Answers each connection with the next of ``turns``: octets, a status, or octets and then a broken connection."""

    def __init__(self) -> None:
        self.turns: list[Any] = []
        self.asked: list[dict[str, str]] = []
        self.content: list[bytes] = []
        self.kind = "text/event-stream"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(fields_of(scope))
        self.content.append(await content_of(receive))
        turn = self.turns.pop(0) if self.turns else 204
        if isinstance(turn, int):
            await answer(send, b"", turn, (("retry-after", "0"),))
            return
        octets, breaks = turn if isinstance(turn, tuple) else (turn, False)
        section = [(b"content-type", self.kind.encode())]
        if breaks:
            section.append((b"content-length", b"1000000"))
        await send({"type": "http.response.start", "status": 200, "headers": section})
        await send({"type": "http.response.body", "body": octets, "more_body": True})
        if breaks:
            raise ConnectionError("broken off on purpose")
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Events, str]]:
    events = Events()
    with serving(events, keep_alive_s=1.0) as url:
        yield events, url


@pytest.fixture
def events(server: tuple[Events, str]) -> Events:
    server[0].__init__()  # type: ignore[misc]
    return server[0]


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, server: tuple[Events, str], events: Events) -> Iterator[Face]:
    with face_of(request.param, base_url=server[1]) as face:
        yield face


def last_ids(events: Events) -> list[str | None]:
    return [asked.get("last-event-id") for asked in events.asked]


def test_events_go_on_after_the_stream_ended_or_broke(face: Face, events: Events) -> None:
    cut = b"id: 2\ndata: c\n\nid: 9\ndata: cut"
    events.turns = [QUICK + b"id: 1\ndata: a\n\ndata: b\n\n", (cut, True), b"data: d\n\n"]
    source = face.client.sse("/events")
    found = face.collect(source)
    assert [(event.data, event.id) for event in found] == [("a", "1"), ("b", "1"), ("c", "2"), ("d", "2")]
    assert last_ids(events) == [None, "1", "2", "2"]
    assert source.last_event_id == "2"
    assert all(asked["accept"] == "text/event-stream" for asked in events.asked)


def test_events_start_after_the_id_the_caller_gives(face: Face, events: Events) -> None:
    events.turns = [b"data: a\n\n"]
    assert len(face.collect(face.client.sse("/", last_event_id="7 é", reconnect=False))) == 1
    assert [(value or "").encode("latin-1").decode() for value in last_ids(events)] == ["7 é"]


def test_events_without_reconnection_end_with_the_stream(face: Face, events: Events) -> None:
    events.turns = [b"data: a\n\n", b"data: b\n\n"]
    assert [event.data for event in face.collect(face.client.sse("/", reconnect=False))] == ["a"]


def test_events_wait_as_long_as_the_server_says_within_bounds(face: Face, events: Events) -> None:
    events.turns = [b"retry: 150\ndata: a\n\n", b"retry: 9999999\ndata: b\n\n", b"retry: 0\ndata: c\n\n"]
    begun = time.monotonic()
    source = face.client.sse("/", max_retry_s=0.2)
    assert len(face.collect(source)) == 3
    assert 0.15 + 0.2 + 0.1 <= time.monotonic() - begun < 3.0


def test_events_end_after_connections_in_a_row_that_brought_none(face: Face, events: Events) -> None:
    events.turns = [QUICK + b"data: a\n\n", b": nothing\n\n", b"", b"", b"data: never\n\n"]
    assert [event.data for event in face.collect(face.client.sse("/", attempts=3))] == ["a"]
    assert len(events.asked) == 4


def test_events_survive_a_gateway_that_says_unavailable(face: Face, events: Events) -> None:
    events.turns = [QUICK + b"data: a\n\n", 503, 502, b"data: b\n\n"]
    assert [event.data for event in face.collect(face.client.sse("/", max_retry_s=0.2))] == ["a", "b"]


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (503, 3), (301, 1)])
def test_events_refused_raise_the_status(face: Face, events: Events, status: int, asked: int) -> None:
    events.turns = [status] * 9
    with pytest.raises(HTTPStatusError) as caught:
        face.collect(face.client.sse("/", attempts=3, max_retry_s=0.1))
    assert caught.value.response.status_code == status  # type: ignore[attr-defined]
    assert len(events.asked) == asked


def test_events_of_another_content_type_are_refused(face: Face, events: Events) -> None:
    events.kind = "text/html"
    events.turns = [b"data: a\n\n"] * 3
    with pytest.raises(RemoteProtocolError, match="text/html"):
        face.collect(face.client.sse("/"))
    assert len(events.asked) == 1


def test_events_of_a_request_with_content_send_it_again(face: Face, events: Events) -> None:
    events.turns = [QUICK + b"data: a\n\n", b"data: b\n\n"]
    assert len(face.collect(face.client.sse("/", method="POST", json={"a": 1}))) == 2
    assert events.content == [b'{"a":1}'] * 3


def test_events_of_a_request_whose_content_is_gone_are_not_asked_for_again(face: Face, events: Events) -> None:
    async def gone() -> AsyncIterator[bytes]:
        yield b"once"

    events.turns = [QUICK + b"data: a\n\n", b"data: b\n\n"]
    content = iter([b"once"]) if face.runner is None else gone()
    assert len(face.collect(face.client.sse("/", method="POST", content=content))) == 1
    assert events.content == [b"once"]


def test_events_given_up_close_the_stream(face: Face, events: Events) -> None:
    events.turns = [b"data: a\n\ndata: b\n\n" * 3]
    source = face.client.sse("/")
    assert [event.data for event in face.collect(source, most=2)] == ["a", "b"]
    assert face.collect(source) == []
    assert face.get("/").status_code == 204


def test_events_from_nowhere_raise_after_their_attempts(face: Face) -> None:
    with pytest.raises(ConnectError):
        face.collect(face.client.sse("http://127.0.0.1:1/", attempts=1))


@pytest.mark.parametrize("bounds", [{"attempts": 0}, {"max_retry_s": 0.05}])
def test_events_with_bounds_that_are_none_are_refused(face: Face, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least"):
        face.client.sse("/", **bounds)

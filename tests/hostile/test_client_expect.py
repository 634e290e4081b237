"""Expect: 100-continue by both clients over HTTP/2, against a peer that says 100, says no, or says nothing."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from deuterium import DigestAuth
from deuterium._http.phases import CONTINUE_WAIT_S
from integration.faces import Face, face_of
from rfc import wire

from .background import in_background
from .peer import Asked, Conversation, Peer

EXPECT = {"expect": "100-continue"}


class Door(Peer):
    """``/yes`` is told 100, ``/quiet`` nothing, ``/no`` 417; ``/digest`` has to say who it is first."""

    def __init__(self) -> None:
        super().__init__()
        self.at_header: list[tuple[str, bytes]] = []  # path and the content there was when the answer was given

    def on_stream(self, conversation: Conversation, asked: Asked) -> None:
        self.at_header.append((asked.path, bytes(asked.content)))
        assert asked.fields["expect"] == "100-continue"
        if asked.path == "/no":
            conversation.says(wire.response(asked.stream_id, status=417, end=True))
        elif asked.path == "/digest" and "authorization" not in asked.fields:
            challenge = ("www-authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256')
            conversation.says(wire.response(asked.stream_id, challenge, status=401, end=True))
        elif asked.path != "/quiet":
            conversation.says(wire.response(asked.stream_id, status=100))

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        conversation.answers(asked, bytes(asked.content))


@pytest.fixture(params=["async-h2", "sync-h2"])
def face(request: pytest.FixtureRequest) -> Iterator[tuple[Face, Door]]:
    with in_background(Door()) as door, face_of(request.param, base_url=door.url("")) as face:
        yield face, door


def once(face: Face, taken: list[int]) -> Any:
    """Content that can be iterated once; ``taken`` counts how often a piece was taken."""

    def give() -> Iterator[bytes]:
        for number in range(3):
            taken.append(number)
            yield b"piece %d " % number

    async def agive() -> AsyncIterator[bytes]:
        for piece in give():
            yield piece

    return give() if face.runner is None else agive()


@pytest.mark.parametrize("form", ["whole", "iterator"])
def test_expect_answered_by_100_sends_the_content_at_once(face: tuple[Face, Door], form: str) -> None:
    client, door = face
    content = b"whole" if form == "whole" else once(client, [])
    begun = time.monotonic()
    response = client.post("/yes", content=content, headers=EXPECT)
    assert time.monotonic() - begun < CONTINUE_WAIT_S
    assert response.content == (b"whole" if form == "whole" else b"piece 0 piece 1 piece 2 ")
    assert door.at_header == [("/yes", b"")]


def test_expect_not_answered_sends_the_content_after_its_time(face: tuple[Face, Door]) -> None:
    client, _ = face
    begun = time.monotonic()
    assert client.post("/quiet", content=once(client, []), headers=EXPECT).content == b"piece 0 piece 1 piece 2 "
    assert CONTINUE_WAIT_S * 0.99 <= time.monotonic() - begun < 5.0


def test_expect_refused_takes_nothing_of_the_content(face: tuple[Face, Door]) -> None:
    client, _ = face
    taken: list[int] = []
    assert client.post("/no", content=once(client, taken), headers=EXPECT).status_code == 417
    assert taken == []
    assert client.stream_list("POST", "/no", "iter_bytes", content=once(client, taken), headers=EXPECT) == []
    assert taken == []


def test_expect_lets_content_of_one_use_wait_for_authentication(face: tuple[Face, Door]) -> None:
    client, door = face
    taken: list[int] = []
    response = client.post("/digest", content=once(client, taken), headers=EXPECT, auth=DigestAuth("user", "secret"))
    assert (response.status_code, response.content) == (200, b"piece 0 piece 1 piece 2 ")
    assert taken == [0, 1, 2]
    assert [path for path, _ in door.at_header] == ["/digest", "/digest"]

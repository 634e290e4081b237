"""A WebSocket without I/O: what a peer may say, and what it may not."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Any

import pytest

from deuterium import LocalProtocolError, RemoteProtocolError, WebSocketClosed
from deuterium.testing import Response
from deuterium.websocket_session import GUID, Handshake, Session, http_url

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode: int, payload: bytes = b"", *, end: bool = True, rsv1: bool = False, masked: bool = False) -> bytes:
    """One frame as a server sends it (RFC 6455 section 5.2)."""
    first = opcode | (0x80 if end else 0) | (0x40 if rsv1 else 0)
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes([first, mask | len(payload)])
    elif len(payload) < 65536:
        head = bytes([first, mask | 126]) + len(payload).to_bytes(2, "big")
    else:
        head = bytes([first, mask | 127]) + len(payload).to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


def session(compression: bool = False, max_message: int = 1_000_000) -> Session:
    handshake = Handshake(False, (), compression)
    headers = {"sec-websocket-extensions": "permessage-deflate"} if compression else {}
    return handshake.session(Response(200, headers=headers), max_message)


def closed_with(one: Session) -> tuple[int | None, str]:
    assert one.closed is not None
    return one.closed.code, one.closed.initiator


def test_fragments_become_one_message_at_any_split() -> None:
    text = "grün ".encode()
    octets = frame(TEXT, text[:3], end=False) + frame(PING, b"now") + frame(0, text[3:], end=False) + frame(0, b"end")
    octets += frame(BINARY, b"\0\1")
    for step in (1, 2, 3, 7, len(octets)):
        one = session()
        for start in range(0, len(octets), step):
            one.feed(octets[start : start + step])
        assert list(one.messages) == ["grün end", b"\0\1"]
        pong = one.replies()
        assert (pong[0], pong[1] & 0x7F) == (0x80 | PONG, 3)  # one pong, of three octets


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (frame(TEXT, b"x", masked=True), 1002),  # 5.1: a server does not mask
        (frame(TEXT, b"x", rsv1=True), 1002),  # 5.2: no extension was agreed on
        (frame(3, b"x"), 1002),  # 5.2: a reserved opcode
        (frame(PING, bytes(126)), 1002),  # 5.5: a control frame is short
        (frame(PING, b"", end=False), 1002),  # 5.5: and whole
        (frame(0, b"x"), 1002),  # 5.4: nothing to continue
        (frame(TEXT, b"x", end=False) + frame(TEXT, b"y"), 1002),  # 5.4: a message inside another
        (frame(TEXT, b"\xff"), 1007),  # 8.1: not UTF-8
        (frame(CLOSE, b"\x03"), 1002),  # 5.5.1: half a code
        (frame(CLOSE, (1005).to_bytes(2, "big")), 1002),  # 7.4.1: a code that is never sent
    ],
)
def test_frame_that_breaks_the_rules_fails_the_connection(octets: bytes, code: int) -> None:
    one = session()
    one.feed(octets)
    assert closed_with(one) == (code, "library")
    reply = one.replies()
    assert reply[0] == 0x80 | CLOSE
    with pytest.raises(WebSocketClosed):
        one.message("more")
    one.feed(frame(TEXT, b"ignored"))
    assert not one.messages


def test_close_frame_is_answered_once() -> None:
    one = session()
    one.feed(frame(CLOSE, (4000).to_bytes(2, "big") + b"why"))
    assert closed_with(one) == (4000, "remote")
    assert one.closed is not None
    assert one.closed.reason == "why"
    assert one.replies()[0] == 0x80 | CLOSE
    assert one.replies() == b""
    assert one.close(1000, "") == b""


def test_end_without_a_close_frame_is_1006() -> None:
    one = session()
    one.end(None)
    assert closed_with(one) == (1006, "remote")


@pytest.mark.parametrize("cut", [1, 3])
def test_longest_message_and_one_octet_more(cut: int) -> None:
    for size, closed in ((1000, None), (1001, (1009, "library"))):
        one = session(max_message=1000)
        part = size // cut
        for number in range(cut - 1):
            one.feed(frame(0 if number else BINARY, bytes(part), end=False))
        one.feed(frame(0 if cut > 1 else BINARY, bytes(size - part * (cut - 1))))
        assert (closed_with(one) if one.closed else None) == closed
        assert len(one.messages) == (1 if closed is None else 0)


def test_bomb_stops_at_the_limit() -> None:
    coder = zlib.compressobj(wbits=-15)
    coded = coder.compress(bytes(200_000_000)) + coder.flush(zlib.Z_SYNC_FLUSH)
    one = session(compression=True, max_message=1_000_000)
    one.feed(frame(BINARY, coded[:-4], rsv1=True))
    assert closed_with(one) == (1009, "library")
    assert not one.messages


def test_pings_are_answered_by_the_latest_alone() -> None:
    one = session()
    for number in range(1000):
        one.feed(frame(PING, number.to_bytes(4, "big")))
    assert len(one.replies()) == 2 + 4 + 4


def test_queue_says_when_it_is_full() -> None:
    one = session()
    for _ in range(1023):
        one.feed(frame(TEXT))
    assert not one.full
    one.feed(frame(TEXT))
    assert one.full
    one.take()
    assert not one.full


def test_what_may_not_be_sent_is_refused() -> None:
    one = session()
    with pytest.raises(TypeError):
        one.message(5)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError):
        one.ping(bytes(126))
    one.ping(bytes(125))
    for code in (999, 1004, 1005, 1006, 1015, 2999, 5000):
        with pytest.raises(LocalProtocolError):
            one.close(code, "")
    with pytest.raises(LocalProtocolError):
        one.close(1000, "x" * 124)
    assert one.close(4999, "x" * 123)


def test_upgrade_needs_the_answer_to_its_key() -> None:
    handshake = Handshake(True, (), False)
    fields = dict(handshake.fields)
    accept = base64.b64encode(hashlib.sha1(fields["sec-websocket-key"].encode() + GUID).digest()).decode()
    handshake.session(Response(101, headers={"sec-websocket-accept": accept}), 1)
    for wrong in ({}, {"sec-websocket-accept": accept.swapcase()}):
        with pytest.raises(RemoteProtocolError, match="sec-websocket-accept"):
            handshake.session(Response(101, headers=wrong), 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-websocket-protocol": "three"},
        {"sec-websocket-extensions": "x-other"},
        {"sec-websocket-extensions": "permessage-deflate, permessage-deflate"},
        {"sec-websocket-extensions": "permessage-deflate; server_max_window_bits=99"},
    ],
)
def test_answer_with_what_was_not_asked_for_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(RemoteProtocolError):
        Handshake(False, ("one", "two"), True).session(Response(200, headers=headers), 1)
    if "extensions" in str(headers):
        with pytest.raises(RemoteProtocolError):
            Handshake(False, (), False).session(Response(200, headers=headers), 1)


def test_urls_of_websockets() -> None:
    cases: dict[str, Any] = {"ws://a/b": "http://a/b", "WSS://a": "https://a", "https://a": "https://a"}
    assert {url: http_url(url) for url in cases} == cases

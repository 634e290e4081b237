"""RFC 8441: extended CONNECT, from the client's side."""

from __future__ import annotations

from typing import Any

import pytest

from deuterium import LocalProtocolError
from deuterium._http.phases import FINISHED, PIECES, QUEUED
from deuterium.errors import ExtendedConnectUnavailable

from . import wire
from .talk import Talk, of_kind


def websocket(talk: Talk) -> Any:
    return talk.request("CONNECT", "/chat", has_content=True, delivery=PIECES, protocol="websocket")


@pytest.mark.rfc("8441", "4")
def test_request_has_protocol_scheme_and_path() -> None:
    talk = Talk({wire.ENABLE_CONNECT_PROTOCOL: 1})
    websocket(talk)
    (frame,) = talk.sent()
    fields = dict(talk.decoder.decode(frame.content))
    assert fields == {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "https",
        ":authority": "example.com",
        ":path": "/chat",
    }
    assert not frame.end_stream


@pytest.mark.rfc("8441", "3")
def test_request_waits_until_the_peer_has_said_whether_it_takes_it() -> None:
    talk = Talk(None)
    exchange, other = websocket(talk), talk.request()
    assert exchange.phase == QUEUED
    assert talk.sent() == []
    talk.says(wire.settings({wire.ENABLE_CONNECT_PROTOCOL: 1})[:5])  # half a frame decides nothing
    assert exchange.phase == QUEUED
    frames = talk.says(wire.settings({wire.ENABLE_CONNECT_PROTOCOL: 1})[5:])
    assert [frame.stream_id for frame in of_kind(frames, wire.HEADERS)] == [1, 3]
    assert exchange.phase != FINISHED
    assert other.stream_id == 3


@pytest.mark.rfc("8441", "3")
def test_request_fails_unsent_when_the_peer_does_not_take_it() -> None:
    talk = Talk(None)
    exchange, other = websocket(talk), talk.request()
    frames = talk.says(wire.settings())
    assert isinstance(exchange.error, ExtendedConnectUnavailable)
    assert exchange.error.request_processed is False
    assert [frame.stream_id for frame in of_kind(frames, wire.HEADERS)] == [1]
    assert other.stream_id == 1
    with pytest.raises(LocalProtocolError):
        websocket(talk)


@pytest.mark.rfc("8441", "3")
def test_request_that_waits_can_be_cancelled() -> None:
    talk = Talk(None)
    exchange, other = websocket(talk), websocket(talk)
    talk.connection.cancel(exchange, None, talk.now)
    talk.says(wire.settings({wire.ENABLE_CONNECT_PROTOCOL: 1}))
    assert exchange.phase == FINISHED
    assert other.stream_id == 1

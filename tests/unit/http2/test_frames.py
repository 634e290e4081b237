"""Frames as values, against octets built by hand."""

from __future__ import annotations

import pytest

from deuterium._http2.frames import FrameHeader, flag_names, frame_name, iter_frames
from rfc import wire


def test_frames_are_told_apart_and_a_preface_is_skipped() -> None:
    octets = wire.PREFACE + wire.settings({3: 100}) + wire.data(1, b"content", end=True) + wire.ping()
    assert [str(frame) for frame in iter_frames(octets)] == [
        "SETTINGS stream=0 length=6",
        "DATA stream=1 length=7 END_STREAM",
        "PING stream=0 length=8",
    ]
    assert list(iter_frames(b"")) == []
    assert list(iter_frames(wire.PREFACE)) == []


@pytest.mark.parametrize("cut", range(1, 9 + 3))
def test_octets_that_end_inside_a_frame_are_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="inside the frame at 9"):
        list(iter_frames((wire.settings() + wire.data(1, b"abc"))[:-cut]))


def test_properties_read_the_payload_as_the_type_defines_it() -> None:
    data, headers, reset, settings, goaway, update, ack = iter_frames(
        wire.data(1 << 31 | 1, b"content", pad=3)
        + wire.headers(3, b"block", end=True, pad=2, priority=bytes(5))
        + wire.rst_stream(1, 8)
        + wire.settings([(3, 100), (4, 2**31 - 1)])
        + wire.goaway(2**31 - 1, 11, b"calm")
        + wire.window_update(7, 9)
        + wire.ping(b"12345678", ack=True)
    )
    assert (data.content, data.end_stream, data.name, data.stream_id) == (b"content", False, "DATA", 1)
    assert (headers.content, headers.end_stream, headers.end_headers) == (b"block", True, True)
    assert reset.error_code == 8
    assert settings.settings == [(3, 100), (4, 2**31 - 1)]
    assert (goaway.last_stream_id, goaway.error_code, goaway.debug_data) == (2**31 - 1, 11, b"calm")
    assert update.increment == 9
    assert (ack.ack, settings.ack, ack.payload) == (True, False, b"12345678")


def test_same_bit_means_what_it_means_for_the_type() -> None:
    assert flag_names(wire.SETTINGS, 1) == "ACK"
    assert flag_names(wire.DATA, 9) == "END_STREAM|PADDED"
    assert flag_names(wire.HEADERS, 0x2D) == "END_STREAM|END_HEADERS|PADDED|PRIORITY"
    assert flag_names(wire.CONTINUATION, 4) == "END_HEADERS"
    assert flag_names(wire.RST_STREAM, 0xFF) == "0xff"
    assert flag_names(wire.PING, 0x81) == "ACK|0x80"
    assert flag_names(wire.DATA, 0) == ""


def test_types_have_the_names_of_their_rfcs() -> None:
    assert [frame_name(kind) for kind in (0, 9, 0x10, 0xFA)] == ["DATA", "CONTINUATION", "PRIORITY_UPDATE", "0xfa"]
    assert str(FrameHeader(5, 0x10, 0, 0)) == "PRIORITY_UPDATE stream=0 length=5"

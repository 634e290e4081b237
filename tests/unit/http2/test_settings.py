"""The peer's SETTINGS as values, and the octets of ours."""

from __future__ import annotations

import pytest

from deuterium._http2.constants import ErrorCode
from deuterium._http2.faults import ConnectionFault
from deuterium._http2.settings import UNLIMITED, PeerSettings, encode_settings, own_settings
from deuterium.config import Http2Options


@pytest.mark.rfc("9113", "6.5.2")
def test_initial_values_are_the_rfcs_but_for_the_stream_limit_assumed() -> None:
    peer = PeerSettings()
    assert (peer.header_table_size, peer.initial_window_size, peer.max_frame_size) == (4096, 65_535, 16_384)
    assert peer.max_header_list_size == UNLIMITED
    assert not peer.enable_connect_protocol
    assert peer.max_concurrent_streams == 100
    assert peer.apply(b"") == 0
    assert peer.max_concurrent_streams == UNLIMITED


def test_every_setting_is_taken_and_the_change_of_the_window_returned() -> None:
    peer = PeerSettings()
    entries = [(1, 10), (2, 0), (3, 20), (4, 30), (5, 40_000), (6, 50), (8, 1), (0xF0, 9)]
    assert peer.apply(encode_settings(entries)) == 30 - 65_535
    assert (peer.header_table_size, peer.max_concurrent_streams, peer.initial_window_size) == (10, 20, 30)
    assert (peer.max_frame_size, peer.max_header_list_size) == (40_000, 50)
    assert peer.enable_connect_protocol
    assert peer.apply(encode_settings([(4, 0), (4, 130)])) == 100


@pytest.mark.rfc("7541", "4.2")
def test_lowest_table_size_of_one_frame_is_kept_for_the_encoder() -> None:
    peer = PeerSettings()
    sizes = []
    for entries in ([(1, 100), (1, 0), (1, 50)], [], [(1, 500)]):
        peer.apply(encode_settings(entries))
        sizes.append((peer.lowest_table_size, peer.header_table_size))
    assert sizes == [(0, 50), (50, 50), (50, 500)]


def test_illegal_value_raises_with_its_code() -> None:
    with pytest.raises(ConnectionFault) as fault:
        PeerSettings().apply(encode_settings([(3, 1), (4, 2**31)]))
    assert fault.value.code == ErrorCode.FLOW_CONTROL_ERROR
    assert (fault.value.scope, fault.value.initiator) == ("connection", "remote")


@pytest.mark.rfc("9113", "6.5.1")
def test_settings_are_encoded_as_16_and_32_bits() -> None:
    assert encode_settings([(0x0102, 0x03040506), (1, 0)]).hex() == "010203040506" + "000100000000"
    assert encode_settings([]) == b""


def test_own_settings_come_from_the_options() -> None:
    options = Http2Options(header_table_size=1, stream_window=2, max_frame_size=16_385, max_header_list_size=4)
    assert own_settings(options) == [(1, 1), (2, 0), (4, 2), (5, 16_385), (6, 4), (9, 1)]

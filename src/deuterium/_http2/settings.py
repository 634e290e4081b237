"""SETTINGS (RFC 9113 section 6.5): what the peer said, checked, and what we say."""

from __future__ import annotations

from ..config import Http2Options
from .constants import (
    ASSUMED_MAX_CONCURRENT_STREAMS,
    DEFAULT_WINDOW,
    ENABLE_CONNECT_PROTOCOL,
    ENABLE_PUSH,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    MAX_FRAME_SIZE,
    MAX_HEADER_LIST_SIZE,
    MAX_MAX_FRAME_SIZE,
    MAX_SETTINGS_ENTRIES,
    MAX_WINDOW,
    MIN_MAX_FRAME_SIZE,
    NO_RFC7540_PRIORITIES,
    ErrorCode,
)
from .faults import ConnectionFault

UNLIMITED = 2**32 - 1


class PeerSettings:
    """The peer's settings, at their initial values until it says otherwise."""

    __slots__ = (
        "enable_connect_protocol",
        "header_table_size",
        "initial_window_size",
        "lowest_table_size",
        "max_concurrent_streams",
        "max_frame_size",
        "max_header_list_size",
        "received",
    )

    def __init__(self) -> None:
        self.received = False
        self.header_table_size = 4096
        self.lowest_table_size = 4096  # in the last frame: the encoder has to signal it too (RFC 7541 section 4.2)
        # Section 6.5.2: initially unlimited. Until the peer has spoken, we assume what most servers allow.
        self.max_concurrent_streams = ASSUMED_MAX_CONCURRENT_STREAMS
        self.initial_window_size = DEFAULT_WINDOW
        self.max_frame_size = MIN_MAX_FRAME_SIZE
        self.max_header_list_size = UNLIMITED
        self.enable_connect_protocol = False

    def apply(self, payload: bytes) -> int:
        """Take in one SETTINGS payload; the change of the initial window size, in octets.

        Raises ConnectionFault with the code section 6.5 names.
        """
        if len(payload) % 6:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "6.5: a SETTINGS payload is a multiple of 6 octets")
        if len(payload) > 6 * MAX_SETTINGS_ENTRIES:
            raise ConnectionFault(
                ErrorCode.ENHANCE_YOUR_CALM, f"10.5: more than {MAX_SETTINGS_ENTRIES} settings in one frame"
            )
        if not self.received:
            self.received = True
            self.max_concurrent_streams = UNLIMITED
        before = self.initial_window_size
        self.lowest_table_size = self.header_table_size
        for offset in range(0, len(payload), 6):
            identifier = int.from_bytes(payload[offset : offset + 2], "big")
            self._set(identifier, int.from_bytes(payload[offset + 2 : offset + 6], "big"))
        return self.initial_window_size - before

    def _set(self, identifier: int, value: int) -> None:
        if identifier == HEADER_TABLE_SIZE:
            self.header_table_size = value
            self.lowest_table_size = min(value, self.lowest_table_size)
        elif identifier == ENABLE_PUSH:
            if value != 0:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "6.5.2: a server's SETTINGS_ENABLE_PUSH must be 0")
        elif identifier == MAX_CONCURRENT_STREAMS:
            self.max_concurrent_streams = value
        elif identifier == INITIAL_WINDOW_SIZE:
            if value > MAX_WINDOW:
                raise ConnectionFault(
                    ErrorCode.FLOW_CONTROL_ERROR, "6.5.2: SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1"
                )
            self.initial_window_size = value
        elif identifier == MAX_FRAME_SIZE:
            if not MIN_MAX_FRAME_SIZE <= value <= MAX_MAX_FRAME_SIZE:
                raise ConnectionFault(
                    ErrorCode.PROTOCOL_ERROR, "6.5.2: SETTINGS_MAX_FRAME_SIZE outside 16384 to 16777215"
                )
            self.max_frame_size = value
        elif identifier == MAX_HEADER_LIST_SIZE:
            self.max_header_list_size = value
        elif identifier == ENABLE_CONNECT_PROTOCOL:
            if value > 1 or (self.enable_connect_protocol and value == 0):
                raise ConnectionFault(
                    ErrorCode.PROTOCOL_ERROR, "RFC 8441 3: SETTINGS_ENABLE_CONNECT_PROTOCOL is 0 or 1, never back"
                )
            self.enable_connect_protocol = value == 1


def own_settings(options: Http2Options) -> list[tuple[int, int]]:
    """What this endpoint announces: push refused, its windows and its limits."""
    return [
        (HEADER_TABLE_SIZE, options.header_table_size),
        (ENABLE_PUSH, 0),
        (INITIAL_WINDOW_SIZE, options.stream_window),
        (MAX_FRAME_SIZE, options.max_frame_size),
        (MAX_HEADER_LIST_SIZE, options.max_header_list_size),
        (NO_RFC7540_PRIORITIES, 1),
    ]


def encode_settings(entries: list[tuple[int, int]]) -> bytes:
    """The payload of a SETTINGS frame."""
    return b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in entries)

"""HTTP/2 frames that are wrong in themselves, or at that moment: framing, streams, windows, settings, GOAWAY, push."""

from __future__ import annotations

import time
from collections.abc import Callable

from rfc import wire

from .raw_peer import Line
from .scenario import Scenario

HEADERS = wire.headers(1, b"\x88")
ANSWER = HEADERS + wire.data(1, b"done", end=True)
STREAM_WINDOW = 4 * 1024 * 1024
MAX = 2**31 - 1

PROTOCOL = wire.PROTOCOL_ERROR
FRAME_SIZE = wire.FRAME_SIZE_ERROR
FLOW = wire.FLOW_CONTROL_ERROR
CLOSED = wire.STREAM_CLOSED


def wrong(name: str, octets: bytes, code: int, says: str = "") -> Scenario:
    """A connection error: GOAWAY with this code."""
    return Scenario(name, lambda line: line.says(octets), "RemoteProtocolError", goaway=code, says=says)


def malformed(name: str, octets: bytes, code: int = PROTOCOL, says: str = "") -> Scenario:
    """A stream error: RST_STREAM with this code, and the connection goes on."""
    return Scenario(name, lambda line: line.says(octets), "RemoteProtocolError", reset=code, says=says)


def harmless(name: str, octets: bytes, content: bytes = b"done") -> Scenario:
    """Legal, or to be ignored: the answer is had."""
    return Scenario(name, lambda line: line.says(octets), content=content)


def late(name: str, octets: bytes, code: int) -> Scenario:
    """A frame behind the complete response: the request has its answer, the connection ends."""
    return Scenario(name, lambda line: line.says(ANSWER, octets), content=b"done", goaway=code)


def overflow(line: Line) -> None:
    """DATA to an application that does not read, one octet beyond the stream's window."""
    line.says(HEADERS)
    line.floods(wire.data(1, bytes(16_384)), STREAM_WINDOW // 16_384, True, 8)
    line.says(wire.data(1, b"x"))


def full_window(line: Line) -> None:
    line.says(HEADERS)
    line.floods(wire.data(1, bytes(16_384)), STREAM_WINDOW // 16_384, True, 8)
    line.says(wire.data(1, end=True))


def no_settings(line: Line) -> None:
    line.opens()
    line.hears_preface()
    line.says(ANSWER)


def http1_answer(line: Line) -> None:
    line.opens()
    line.hears_preface()
    line.says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hears_upload(line: Line) -> None:
    """Wait for all of the content: an answer before its end would make the client reset the stream."""
    while sum(len(payload) for kind, _, _, payload in line.parsed() if kind == wire.DATA) < 1 << 20:
        line.hears_more()


def dribbled_windows(line: Line) -> None:
    """Windows that allow one octet at a time, for as long as the client plays along."""
    line.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 0}))
    line.floods(wire.window_update(1, 1), 3_000, True, 10)
    line.says(wire.window_update(1, 1 << 20), wire.window_update(0, 1 << 20))
    hears_upload(line)
    line.says(ANSWER)


def shrunk_window(line: Line) -> None:
    """The initial window falls below what was sent already, and rises again (RFC 9113 section 6.9.2)."""
    line.says(wire.settings({wire.INITIAL_WINDOW_SIZE: 0}))
    time.sleep(0.05)
    line.says(wire.settings({wire.INITIAL_WINDOW_SIZE: MAX}), wire.window_update(0, MAX - 65_535))
    hears_upload(line)
    line.says(ANSWER)


def reset_in_an_upload(code: int) -> Callable[[Line], None]:
    """The stream is reset while its content is on its way; more of it may still arrive."""

    def script(line: Line) -> None:
        while not any(kind == wire.DATA for kind, _, _, _ in line.parsed()):
            line.hears_more()
        line.says(wire.rst_stream(1, code), wire.window_update(0, 1 << 20))

    return script


def refused(line: Line) -> None:
    """Every request of every connection."""
    line.opens()
    line.hears_preface()
    line.says(wire.settings(), wire.settings_ack())
    stream_id = 1
    while True:
        line.hears_request(stream_id)
        line.says(wire.rst_stream(stream_id, wire.REFUSED_STREAM))
        stream_id += 2


def gone_at_once(line: Line) -> None:
    """GOAWAY before any request is taken, on every connection."""
    line.opens()
    line.hears_preface()
    line.says(wire.settings(), wire.settings_ack(), wire.goaway(0))
    line.listens()


def goaway(name: str, *octets: bytes, error: str = "", leaves: bool = True, says: str = "") -> Scenario:
    def script(line: Line) -> None:
        line.says(*octets)
        if leaves:
            line.leaves()

    return Scenario(name, script, error, content=None if error else b"done", says=says)


PROMISED = wire.push_promise(1, 2, wire.block((":method", "GET"), (":scheme", "https"), (":path", "/pushed")))

FRAMES = [
    # Framing, sections 4 and 6.
    wrong("frame-too-long", wire.frame(wire.DATA, 0, 1, b"", length=16_385), FRAME_SIZE, "4.2"),
    wrong("frame-of-16-mib", wire.frame(0xFA, 0, 0, b"", length=2**24 - 1), FRAME_SIZE, "4.2"),
    wrong("ping-of-seven-octets", wire.frame(wire.PING, 0, 0, bytes(7)), FRAME_SIZE),
    wrong("rst-stream-of-three-octets", wire.frame(wire.RST_STREAM, 0, 1, bytes(3)), FRAME_SIZE),
    wrong("window-update-of-five-octets", wire.frame(wire.WINDOW_UPDATE, 0, 0, bytes(5)), FRAME_SIZE),
    wrong("settings-of-five-octets", wire.frame(wire.SETTINGS, 0, 0, bytes(5)), FRAME_SIZE),
    wrong("settings-ack-with-payload", wire.frame(wire.SETTINGS, wire.ACK, 0, bytes(6)), FRAME_SIZE),
    wrong("goaway-of-seven-octets", wire.frame(wire.GOAWAY, 0, 0, bytes(7)), FRAME_SIZE),
    wrong("padding-longer-than-data", HEADERS + wire.frame(wire.DATA, wire.PADDED, 1, b"\x05abcd"), PROTOCOL),
    wrong(
        "padding-longer-than-headers",
        wire.frame(wire.HEADERS, wire.PADDED | wire.END_HEADERS, 1, b"\xff\x88"),
        PROTOCOL,
    ),
    wrong("padded-data-without-length", HEADERS + wire.frame(wire.DATA, wire.PADDED, 1), FRAME_SIZE),
    wrong("headers-too-short-for-priority", wire.frame(wire.HEADERS, 0x24, 1, b"\0\0"), FRAME_SIZE),
    wrong("data-on-stream-zero", wire.data(0, b"x"), PROTOCOL),
    wrong("headers-on-stream-zero", wire.headers(0, b"\x88"), PROTOCOL),
    wrong("rst-stream-on-stream-zero", wire.rst_stream(0), PROTOCOL),
    wrong("ping-on-a-stream", wire.frame(wire.PING, 0, 1, bytes(8)), PROTOCOL),
    wrong("settings-on-a-stream", wire.frame(wire.SETTINGS, 0, 1), PROTOCOL),
    wrong("goaway-on-a-stream", wire.frame(wire.GOAWAY, 0, 1, bytes(8)), PROTOCOL),
    wrong("frame-inside-a-field-block", wire.headers(1, b"\x88", end_headers=False) + wire.ping(), PROTOCOL),
    wrong(
        "continuation-of-another-stream",
        wire.headers(1, b"\x88", end_headers=False) + wire.continuation(3, b"", True),
        PROTOCOL,
    ),
    wrong("continuation-out-of-nowhere", wire.continuation(1, b"\x88", True), PROTOCOL),
    harmless("unknown-frame-and-flags", wire.frame(0xFA, 0xFF, 1, b"?") + ANSWER),
    harmless("reserved-bit-set", wire.frame(wire.HEADERS, 0x4, 1 | 1 << 31, b"\x88") + wire.data(1, b"done", end=True)),
    harmless(
        "headers-with-every-octet-of-padding", wire.headers(1, b"\x88", pad=255) + wire.data(1, b"done", end=True)
    ),
    Scenario("first-frame-is-not-settings", no_settings, "RemoteProtocolError", says="3.4", raw=True),
    Scenario("http1-answer-to-the-preface", http1_answer, "RemoteProtocolError", says="3.4", raw=True),
    # Streams, section 5.1.
    wrong("data-on-an-idle-stream", wire.data(3, b"x"), PROTOCOL),
    wrong("headers-on-an-idle-stream", wire.headers(3, b"\x88"), PROTOCOL),
    wrong("rst-stream-on-an-idle-stream", wire.rst_stream(99), PROTOCOL),
    wrong("window-update-on-an-idle-stream", wire.window_update(99, 1), PROTOCOL),
    wrong("headers-on-a-server-stream", wire.headers(2, b"\x88"), PROTOCOL),
    late("data-on-a-closed-stream", wire.data(1, b"more"), CLOSED),
    late("headers-on-a-closed-stream", wire.headers(1, b"\x88"), CLOSED),
    harmless("rst-stream-no-error-after-the-response", ANSWER + wire.rst_stream(1, wire.NO_ERROR)),
    malformed("data-before-headers", wire.data(1, b"x"), PROTOCOL, "8.1"),
    Scenario("reset-at-once", lambda line: line.says(wire.rst_stream(1, wire.INTERNAL_ERROR)), "StreamReset"),
    Scenario(
        "reset-in-the-body",
        lambda line: line.says(HEADERS, wire.data(1, b"half"), wire.rst_stream(1, wire.NO_ERROR)),
        "StreamReset",
    ),
    Scenario("reset-with-an-unknown-code", lambda line: line.says(wire.rst_stream(1, 0xDEADBEEF)), "StreamReset"),
    *(
        Scenario(f"reset-in-an-upload-{name}", reset_in_an_upload(code), "StreamReset", act="post", connections=n)
        for name, code, n in (
            ("refused", wire.REFUSED_STREAM, 1),
            ("http11-required", wire.HTTP_1_1_REQUIRED, 2),  # the next request offers HTTP/1.1
        )
    ),
    wrong("malformed-frame-behind-a-connection-error", wire.data(0, b"x") + wire.frame(wire.PING, 0, 0, b""), PROTOCOL),
    # Push, section 8.4: refused in our SETTINGS.
    wrong("push-promise", PROMISED, PROTOCOL, "8.4"),
    wrong("push-promise-on-stream-zero", wire.push_promise(0, 2, b""), PROTOCOL),
    wrong("push-promise-empty", wire.frame(wire.PUSH_PROMISE, 0, 1), PROTOCOL),
    # Windows, section 6.9.
    wrong("connection-window-overflow", wire.window_update(0, MAX), FLOW),
    malformed("stream-window-overflow", wire.window_update(1, MAX), FLOW),
    wrong("window-update-of-zero", wire.window_update(0, 0), PROTOCOL),
    malformed("window-update-of-zero-on-a-stream", wire.window_update(1, 0), PROTOCOL),
    Scenario(
        "stream-window-ignored",
        overflow,
        "RemoteProtocolError",
        reset=FLOW,
        act="stall",
        says="6.9",
        # A thread that does not read leaves the octets in the kernel, and the peer waits.
        faces=("asyncio", "uvloop", "trio"),
    ),
    Scenario("stream-window-used-up", full_window, act="stall", length=STREAM_WINDOW, limit_s=3.0),
    Scenario("windows-dribbled", dribbled_windows, act="post", content=b"done", limit_s=4.0),
    Scenario("window-shrunk-below-zero", shrunk_window, act="post", content=b"done"),
    # SETTINGS, section 6.5.
    wrong("settings-enable-push", wire.settings({wire.ENABLE_PUSH: 1}), PROTOCOL),
    wrong("settings-enable-push-two", wire.settings({wire.ENABLE_PUSH: 2}), PROTOCOL),
    wrong("settings-window-too-large", wire.settings({wire.INITIAL_WINDOW_SIZE: 2**31}), FLOW),
    wrong("settings-frame-too-small", wire.settings({wire.MAX_FRAME_SIZE: 16_383}), PROTOCOL),
    wrong("settings-frame-of-zero", wire.settings({wire.MAX_FRAME_SIZE: 0}), PROTOCOL),
    wrong("settings-frame-too-large", wire.settings({wire.MAX_FRAME_SIZE: 2**24}), PROTOCOL),
    wrong("settings-of-thousands-of-entries", wire.settings([(0xFA, n) for n in range(2_700)]), wire.ENHANCE_YOUR_CALM),
    wrong(
        "settings-window-that-overflows-a-stream",
        wire.window_update(1, MAX - 65_535) + wire.settings({wire.INITIAL_WINDOW_SIZE: 65_536}),
        FLOW,
    ),
    harmless("settings-table-of-4-gib", wire.settings({wire.HEADER_TABLE_SIZE: 2**32 - 1}) + ANSWER),
    harmless("settings-table-of-zero", wire.settings({wire.HEADER_TABLE_SIZE: 0}) + ANSWER),
    harmless("settings-frame-of-16-mib", wire.settings({wire.MAX_FRAME_SIZE: 2**24 - 1}) + ANSWER),
    harmless("settings-header-list-of-zero", wire.settings({wire.MAX_HEADER_LIST_SIZE: 2**32 - 1}) + ANSWER),
    harmless("settings-unknown", wire.settings({0xFAFA: 1}) + ANSWER),
    # GOAWAY, section 6.8.
    goaway("goaway-before-the-response", wire.goaway(1), ANSWER),
    goaway("goaway-after-the-headers", HEADERS, wire.goaway(1), wire.data(1, b"done", end=True)),
    goaway("goaway-after-the-response", ANSWER, wire.goaway(1)),
    goaway("goaway-of-the-request", wire.goaway(0), error="GoAway", says="NO_ERROR"),
    goaway("goaway-with-an-error", wire.goaway(1, wire.INTERNAL_ERROR), error="GoAway", says="INTERNAL_ERROR"),
    goaway("goaway-in-the-body", HEADERS, wire.data(1, b"half"), wire.goaway(1), error="ReadError"),
    goaway("goaway-with-16-kib-of-debug-data", wire.goaway(0, 11, b"d" * 16_000), error="GoAway"),
    wrong("goaway-that-rises", wire.goaway(1) + wire.goaway(3), PROTOCOL),
    Scenario(
        "goaway-on-every-connection", gone_at_once, "GoAway", raw=True, always=True, options={"retry": {"replays": 4}}
    ),
    Scenario("refused-for-ever", refused, "StreamReset", raw=True, always=True, options={"retry": {"replays": 4}}),
]

"""HTTP/2 floods: frames that cost the peer little and the client much, with and without the peer reading."""

from __future__ import annotations

from collections.abc import Callable

from rfc import wire

from .raw_peer import Line
from .scenario import Scenario
from .scenarios_fields import in_frames

MANY = 12_000  # above the burst of frames without content that a client puts up with
SOME = 900  # below it, and below what may be queued in answers
WINDOW = 4 * 1024 * 1024

HEADERS = wire.headers(1, b"\x88")
OPEN_BLOCK = wire.headers(1, b"\x88", end_headers=False)
ANSWER = wire.data(1, b"done", end=True)

Script = Callable[[Line], None]


def flood(
    unit: bytes, listening: bool = True, first: bytes = b"", last: bytes = b"", times: int = MANY, batch: int = 500
) -> Script:
    def script(line: Line) -> None:
        line.says(first)
        line.floods(unit, times, listening, batch)
        line.says(last)

    return script


def both(name: str, unit: bytes, goaway: int = wire.ENHANCE_YOUR_CALM, first: bytes = b"") -> list[Scenario]:
    """The flood, while the peer reads and while it does not."""
    return [
        Scenario(f"{name}-{how}", flood(unit, listening, first), "RemoteProtocolError", goaway=goaway, says="10.5")
        for how, listening in (("read", True), ("unread", False))
    ]


def fits(name: str, unit: bytes, first: bytes = HEADERS, times: int = SOME) -> Scenario:
    """So many do no harm: the response that follows is had."""
    return Scenario(name, flood(unit, True, first, ANSWER, times), content=b"done")


def continuations(fragment: bytes, times: int) -> Script:
    return flood(wire.continuation(1, fragment), False, OPEN_BLOCK, times=times)


def priority_in_a_cycle(line: Line) -> None:
    line.floods(b"".join(wire.priority(a, b.to_bytes(4, "big") + b"\0") for a, b in ((3, 5), (5, 3))), MANY // 2)


def informational(fields: int, times: int) -> Script:
    block = wire.block((":status", "103"), *((f"x-{number}", f"{number:04}") for number in range(fields)))
    return flood(in_frames(block), True, b"", HEADERS + ANSWER, times, 10)


def tiny_pieces(line: Line) -> None:
    """Half the window in frames of two octets, for a consumer that does not read."""
    line.says(HEADERS)
    line.floods(wire.data(1, b"ab"), WINDOW // 4, True, 5_000)
    line.says(wire.data(1, end=True))


def lent_among_junk(line: Line) -> None:
    """Content small enough to be few, large enough to be lent, each beside much that is not kept."""
    line.says(HEADERS)
    junk = wire.frame(0xFA, 0, 0, bytes(16_384))
    line.floods(wire.data(1, bytes(16_000)) + junk * 15, 200, True, 1)
    line.says(wire.data(1, end=True))


FLOODS = [
    *both("ping-flood", wire.ping()),
    *both("ping-ack-flood", wire.ping(ack=True)),
    *both("settings-flood", wire.settings({wire.MAX_CONCURRENT_STREAMS: 100})),
    *both("settings-empty-flood", wire.settings()),
    *both("settings-ack-flood", wire.settings_ack()),
    *both("priority-flood", wire.priority(3)),
    *both("extension-flood", wire.frame(0xFA, 0xFF, 1, b"x")),
    *both("altsvc-flood", wire.frame(0xA, 0, 0, b'\0\0h2=":443"')),
    *both("window-update-flood", wire.window_update(0, 1)),
    *both("stream-window-update-flood", wire.window_update(1, 1)),
    *both("empty-data-flood", wire.data(1), first=HEADERS),
    *both("empty-padded-data-flood", wire.data(1, pad=0), first=HEADERS),
    *both("goaway-flood", wire.goaway(1)),
    Scenario("priority-cycle-flood", priority_in_a_cycle, "RemoteProtocolError", goaway=wire.ENHANCE_YOUR_CALM),
    fits("ping-some", wire.ping()),
    fits("settings-some", wire.settings()),
    fits("extension-frames-some", wire.frame(0xFA, 0, 1, bytes(1_000)), times=9_000),
    fits("extension-frames-large", wire.frame(0xFA, 0, 1, bytes(16_384)), times=500),
    fits("empty-data-some", wire.data(1), times=9_000),
    Scenario(
        "continuation-flood-full",
        continuations(b"\x00\x01a\x7f\x81\x3e" + b"v" * 16_000, 10_000),
        "RemoteProtocolError",
        goaway=wire.ENHANCE_YOUR_CALM,
        says="10.5.1",
    ),
    Scenario(
        "continuation-flood-empty",
        continuations(b"", 100_000),
        "RemoteProtocolError",
        goaway=wire.ENHANCE_YOUR_CALM,
        says="10.5.1",
    ),
    Scenario(
        "continuation-flood-one-octet",
        continuations(b"\x88", 100_000),
        "RemoteProtocolError",
        goaway=wire.ENHANCE_YOUR_CALM,
        says="10.5.1",
    ),
    Scenario(
        "continuation-eight-are-enough",
        flood(
            b"",
            first=OPEN_BLOCK + wire.continuation(1, b"") * 7 + wire.continuation(1, b"", end_headers=True) + ANSWER,
        ),
        content=b"done",
    ),
    Scenario(
        "informational-flood",
        informational(1, 1_000),
        "RemoteProtocolError",
        reset=wire.ENHANCE_YOUR_CALM,
        says="informational",
    ),
    Scenario(
        "informational-flood-large",
        informational(2_000, 64),
        "RemoteProtocolError",
        reset=wire.ENHANCE_YOUR_CALM,
        says="informational",
    ),
    Scenario("informational-some", informational(1, 64), content=b"done"),
    Scenario("rst-stream-flood", flood(wire.rst_stream(1), times=5_000), "StreamReset"),
    Scenario(
        "tiny-data-to-a-stalled-consumer",
        tiny_pieces,
        act="stall",
        limit_s=8.0,
        length=WINDOW // 2,
        options={"stall_s": 2.0},
    ),
    Scenario("lent-data-among-junk", lent_among_junk, act="stall", limit_s=4.0, length=3_200_000),
]

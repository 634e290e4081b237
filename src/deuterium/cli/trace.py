"""``--trace``: one line for each HTTP/2 frame, both ways, as it passes."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TextIO

from .._http2.frames import flag_names, frame_name


class FrameTrace:
    """Called by the engine for every frame header; writes a line at once, so that a stall shows where it is."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = monotonic) -> None:
        self._out = out
        self._clock = clock
        self._began = clock()

    def __call__(self, outgoing: bool, length: int, kind: int, flags: int, stream_id: int) -> None:
        """One frame: milliseconds since the command began, direction, stream, kind, length, flags."""
        elapsed_ms = (self._clock() - self._began) * 1000
        line = (
            f"{elapsed_ms:10.3f} ms {'>' if outgoing else '<'} "
            f"stream {stream_id:<5} {frame_name(kind):<13} length {length:<6} {flag_names(kind, flags)}"
        )
        self._out.write(line.rstrip() + "\n")

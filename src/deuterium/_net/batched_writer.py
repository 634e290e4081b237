"""The writer: everything the engine queued during one turn of the loop leaves in one send."""

from __future__ import annotations

from typing import Any

# With this much queued the writer does not wait for the end of the turn.
FLUSH_AT = 64 * 1024
# Nor with this many requests, if they are this part of those in flight. Written all at once they would be answered all
# at once: client and server would take turns instead of working at the same time.
PORTION = 16
PORTIONS = 3
# Records of a segment this large are written before the next is encrypted: larger pieces of memory would come from the
# system and go back to it every time.
LARGE_SEGMENT = 32 * 1024


class BatchedWriter:
    """One writer for one transport, without a lock: only its event loop calls it.

    ``source`` has ``take(now) -> list`` and ``has_output()``. The transport's back-pressure stops it: content then
    waits in the engine, where streams can still be reset.
    """

    __slots__ = (
        "clock",
        "loop",
        "octets_written",
        "on_idle",
        "on_progress",
        "paused",
        "requests",
        "scheduled",
        "source",
        "tls",
        "transport",
        "turn_verb",
        "writes",
    )

    def __init__(self, loop: Any, transport: Any, source: Any, tls: Any, clock: Any) -> None:
        self.loop = loop
        self.transport = transport
        self.source = source
        self.tls = tls
        self.clock = clock
        self.scheduled = False
        self.paused = False
        self.octets_written = 0
        self.writes = 0
        self.requests = 0  # queued since the last flush
        self.on_progress: Any = None  # called when content left and its sender may go on
        self.on_idle: Any = None  # called at the end of a turn that leaves no request open
        self.turn_verb: Any = self.on_turn

    def schedule(self) -> None:
        """Flush before the loop waits for the network again; once, however often it is asked."""
        if not self.scheduled and self.transport is not None:
            self.scheduled = True
            self.loop.call_soon(self.turn_verb)

    def on_turn(self) -> None:
        """The turn that asked for a flush is over."""
        self.scheduled = False
        self.flush()
        if self.on_idle is not None and not self.source.active():
            self.on_idle()

    def flush(self) -> None:
        """Write what there is to write, now."""
        self.requests = 0
        if self.paused or self.transport is None:
            return
        segments = self.source.take(self.clock())
        tls = self.tls
        if tls is not None:
            for segment in segments:
                tls.write(segment)
                if len(segment) >= LARGE_SEGMENT:
                    self._write_tls()
            self._write_tls()
        elif len(segments) == 1:
            self._write(segments[0])
        elif segments:
            self.writes += 1
            self.octets_written += sum(map(len, segments))
            self.transport.writelines(segments)
        if self.source.writable and self.on_progress is not None:
            self.on_progress()
        if self.source.has_output() and not self.paused:
            self.schedule()

    def _write_tls(self) -> None:
        """Write the records there are."""
        data = self.tls.pending()
        if data:
            self._write(data)

    def _write(self, data: Any) -> None:
        self.writes += 1
        self.octets_written += len(data)
        self.transport.write(data)

    def pause(self) -> None:
        """The transport's buffer is full (asyncio: ``pause_writing``)."""
        self.paused = True

    def resume(self) -> None:
        """The transport's buffer has room again."""
        self.paused = False
        self.schedule()

    def close(self) -> None:
        """No further write reaches the transport. Nothing here leads back to itself any more."""
        self.transport = None
        self.on_progress = None
        self.on_idle = None
        self.turn_verb = None

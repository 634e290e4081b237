"""A transport over a socket under trio, which drives the same protocol as asyncio's do."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any, Final

import trio
from trio.lowlevel import notify_closing, spawn_system_task, wait_readable, wait_writable

WRITE_HIGH: Final = 64 * 1024  # octets queued above which the protocol is told to pause, until it sets a limit itself


class TrioTransport:
    """Reads when the socket is readable, straight into the memory the protocol gives at that moment: an idle connection
    holds none. What is written leaves at once as far as the socket takes it; the rest waits for it to be writable.
    """

    def __init__(self, loop: Any, sock: socket.socket, protocol: Any) -> None:
        self._loop = loop
        self._sock = sock
        self._protocol = protocol
        self._peer = _name(sock.getpeername)
        self._rest: Any = b""  # a view of what the socket did not take
        self._high = WRITE_HIGH
        self._writing_paused = False
        self._reading: Any = None  # while it is paused, a Future for its going on
        self._closing = False  # reads no more
        self._closed = False  # the socket is closed

    def start(self) -> None:
        """Connect the protocol."""
        self._protocol.connection_made(self)
        if not self._closing:
            spawn_system_task(self._receive)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``peername`` or ``socket``."""
        return {"peername": self._peer, "socket": self._sock}.get(name, default)

    def is_closing(self) -> bool:
        """Whether it takes no more octets."""
        return self._closing

    # -- reading -----------------------------------------------------------------------------------------------------

    def pause_reading(self) -> None:
        """Leave what arrives in the socket."""
        if self._reading is None:
            self._reading = self._loop.create_future()

    def resume_reading(self) -> None:
        """Read on."""
        paused, self._reading = self._reading, None
        if paused is not None and not paused.done():
            paused.set_result(None)

    async def _receive(self) -> None:
        try:
            while not self._closing:
                if self._reading is not None:
                    await self._reading
                    continue
                await wait_readable(self._sock)
                if self._reading is None and not self._closing:
                    self._receive_once()
        except trio.ClosedResourceError:
            pass  # closed meanwhile
        except trio.Cancelled:
            self._loop.end()
            self._lose(None)
            raise

    def _receive_once(self) -> None:
        try:
            octets = self._sock.recv_into(self._protocol.get_buffer(-1))
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._fail(error)
            return
        try:
            if octets:
                self._protocol.buffer_updated(octets)
            elif not self._protocol.eof_received():
                self.close()
        except Exception as error:
            self._loop.call_exception_handler({"message": "a connection's protocol raised", "exception": error})
            self._fail(error)

    # -- writing -----------------------------------------------------------------------------------------------------

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """With more than ``high`` octets queued the protocol is to pause."""
        self._high = WRITE_HIGH if high is None else high

    def write(self, data: Any) -> None:
        """Send octets, or queue what the socket does not take now."""
        if self._closing:
            return
        if self._rest:
            self._rest = memoryview(bytes(self._rest) + data)
        else:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._fail(error)
                return
            if sent == len(data):
                return
            self._rest = memoryview(data)[sent:]
            spawn_system_task(self._send_rest)
        if len(self._rest) > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def writelines(self, pieces: Any) -> None:
        """Send several pieces in one go."""
        self.write(b"".join(pieces))

    async def _send_rest(self) -> None:
        try:
            while self._rest:
                await wait_writable(self._sock)
                with suppress(BlockingIOError, InterruptedError):
                    self._rest = self._rest[self._sock.send(self._rest) :]
        except OSError as error:
            self._fail(error)
        except trio.ClosedResourceError:
            pass  # closed meanwhile
        except trio.Cancelled:
            self._loop.end()
            self._lose(None)
            raise
        if self._closing:
            self._lose_soon(None)
        elif self._writing_paused:
            self._writing_paused = False
            self._protocol.resume_writing()

    # -- closing -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Read no more, send what is queued, close."""
        if not self._closing:
            self._closing = True
            self.resume_reading()
            if not self._rest:
                self._lose_soon(None)

    def abort(self) -> None:
        """Close, and drop what is queued."""
        self._closing = True
        self._lose_soon(None)

    def _fail(self, error: Exception) -> None:
        self._closing = True
        self._lose_soon(error)

    def _lose_soon(self, error: Exception | None) -> None:
        """Close the socket now; the protocol is told in the scheduler's next pass, not from within its own call."""
        if not self._closed:
            self._close()
            self._loop.call_soon(self._protocol.connection_lost, error)

    def _lose(self, error: Exception | None) -> None:
        """The same where the run ends: there is no next pass."""
        if not self._closed:
            self._close()
            self._protocol.connection_lost(error)

    def _close(self) -> None:
        self._closing = self._closed = True
        self._rest = b""
        self.resume_reading()
        notify_closing(self._sock)
        self._sock.close()


def _name(ask: Any) -> Any:
    try:
        return ask()
    except OSError:
        return None

"""How much the kernel has to hold before it wakes us to read: more than an octet, while much content comes.

A peer that is slower than this side has each of its pieces read at once, and a wake-up costs the same whatever it
brings. While one response of known length comes fast, the socket's low-water mark (SO_RCVLOWAT) is raised, the higher
the faster: fewer wake-ups, each for more. It is lowered again well before the content's end, as soon as another request
is sent, and when nothing came for a moment: a peer that stalls has nothing of its own held back for longer than that.
"""

from __future__ import annotations

from socket import SO_RCVLOWAT, SOL_SOCKET
from time import monotonic
from typing import Any, Final

from .._http.engine import Engine
from .sizes import RECORD

MUCH: Final = 1024 * 1024  # octets: how often the rate is looked at
FAST_S: Final = 0.02  # for so much: 50 MB a second, at which the lowest mark is reached in under 3 ms
MARKS: Final = (128 * 1024, 256 * 1024, 512 * 1024)  # each at twice the speed of the one before
LOOK_S: Final = 0.01  # how long nothing may come
LEAST_LEFT: Final = 2 * MUCH  # of the content, else the mark stays low


class LowWater:
    """The mark of one connection; it stays low until ``socket`` is known, which may close at any time.

    ``poll``, where it is set, has nobody sleep while the mark is raised and soon reached: a peer on the same machine
    would spend a tenth of its time on waking us.
    """

    __slots__ = ("_loop", "_mark", "_octets", "_seen", "_since", "_timer", "poll", "raised", "reads", "socket")

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self.socket: Any = None
        self.poll: Any = None
        self._octets = 0  # since the rate was looked at
        self._since = 0.0  # when that was
        self._seen = 0  # reads by then
        self._timer: Any = None
        self.raised = False
        self._mark = 1
        self.reads = 0

    def note(self, engine: Engine | None, octets: int) -> None:
        """A read brought ``octets``."""
        if engine is None or (octets < RECORD and not self.raised):
            return
        if self.raised and self.poll is not None:
            self.poll.heard()
        self.reads += 1
        self._octets += octets
        if self._octets >= MUCH:
            self._follow_rate(engine)
        if self.raised and self.poll is not None:
            self.poll.watch()

    def _follow_rate(self, engine: Engine) -> None:
        now = monotonic()
        took = now - self._since
        self._octets = 0
        self._since = now
        if took >= FAST_S or engine.content_due() < LEAST_LEFT:
            self.lower()
        else:
            self._raise(MARKS[0] if took >= FAST_S / 2 else MARKS[1] if took >= FAST_S / 4 else MARKS[2])
            if self.raised and took < FAST_S / 4:
                engine.widen()

    def lower(self) -> None:
        """Every octet counts again."""
        if self.raised:
            self.raised = False
            self._set(1)

    def _raise(self, mark: int) -> None:
        if mark == self._mark:
            return
        self.raised = self._set(mark)
        if self.raised:
            self._seen = self.reads
            if self._timer is None:
                self._timer = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.raised and self._seen == self.reads:
            self.lower()
        if self.raised:
            self._seen = self.reads
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def _set(self, octets: int) -> bool:
        if self.socket is None:
            return False
        self._mark = octets
        try:
            self.socket.setsockopt(SOL_SOCKET, SO_RCVLOWAT, octets)
        except OSError:  # not to be had here, as on Windows, or the socket is closed
            self.socket = None
            return False
        return True

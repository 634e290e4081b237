"""Flow-control arithmetic (RFC 9113 section 5.2 and 6.9), alone."""

from __future__ import annotations

from .constants import MAX_WINDOW

OVERFLOW = -(2**62)  # no legal window is that negative


def enlarged(window: int, increment: int) -> int:
    """The window after a WINDOW_UPDATE or a changed SETTINGS_INITIAL_WINDOW_SIZE; OVERFLOW above 2^31-1 octets.

    A window may be negative and the increment too (section 6.9.2).
    """
    if window + increment > MAX_WINDOW:
        return OVERFLOW
    return window + increment


def sendable(stream_window: int, connection_window: int, frame_limit: int) -> int:
    """Octets that may leave in one DATA frame now; 0 when a window is used up or negative."""
    room = stream_window
    room = min(room, connection_window, frame_limit)
    return max(room, 0)


def update_at(size: int) -> int:
    """How many octets are consumed before they are given back to a window of ``size``.

    Half of it, rounded up: one WINDOW_UPDATE per half window, never a stalled peer.
    """
    return (size + 1) // 2

"""The stream states of RFC 9113 section 5.1, as a table.

A client that refuses push (SETTINGS_ENABLE_PUSH=0) never sees a reserved state, so five remain::

    idle ──send HEADERS──> open ──send END_STREAM──> half-closed (local) ──receive END_STREAM──> closed
                            └──receive END_STREAM──> half-closed (remote) ──send END_STREAM──> closed
    any of them but idle ──RST_STREAM, sent or received──> closed

``after(state, event)`` is the next state; ILLEGAL when section 5.1 forbids the event there.
"""

from __future__ import annotations

from typing import Final

IDLE: Final = 0
OPEN: Final = 1
HALF_CLOSED_LOCAL: Final = 2
HALF_CLOSED_REMOTE: Final = 3
CLOSED: Final = 4
ILLEGAL: Final = 255

STATE_NAMES: Final = ("idle", "open", "half-closed (local)", "half-closed (remote)", "closed")

SEND_HEADERS: Final = 0
SEND_END_STREAM: Final = 1
RECEIVE_HEADERS: Final = 2
RECEIVE_DATA: Final = 3
RECEIVE_END_STREAM: Final = 4
RESET: Final = 5  # RST_STREAM in either direction

_I = ILLEGAL
TRANSITIONS: Final = bytes(
    # SEND_HEADERS, SEND_END_STREAM, RECEIVE_HEADERS, RECEIVE_DATA, RECEIVE_END_STREAM, RESET
    [
        *(OPEN, _I, _I, _I, _I, _I),  # idle
        *(OPEN, HALF_CLOSED_LOCAL, OPEN, OPEN, HALF_CLOSED_REMOTE, CLOSED),  # open
        *(_I, _I, HALF_CLOSED_LOCAL, HALF_CLOSED_LOCAL, CLOSED, CLOSED),  # half-closed (local)
        *(HALF_CLOSED_REMOTE, CLOSED, _I, _I, _I, CLOSED),  # half-closed (remote)
        *(_I, _I, _I, _I, _I, CLOSED),  # closed
    ]
)


def after(state: int, event: int) -> int:
    """The state after ``event``, or ILLEGAL."""
    return TRANSITIONS[state * 6 + event]

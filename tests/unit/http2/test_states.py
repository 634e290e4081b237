"""The state table against section 5.1's picture, written here a second time from the picture's arrows."""

from __future__ import annotations

from itertools import product

import pytest

from deuterium._http2 import states
from deuterium._http2.states import (
    CLOSED,
    HALF_CLOSED_LOCAL,
    HALF_CLOSED_REMOTE,
    IDLE,
    ILLEGAL,
    OPEN,
    RECEIVE_DATA,
    RECEIVE_END_STREAM,
    RECEIVE_HEADERS,
    RESET,
    SEND_END_STREAM,
    SEND_HEADERS,
    after,
)

STATES = range(5)
EVENTS = range(6)

ARROWS = {
    (IDLE, SEND_HEADERS): OPEN,
    (OPEN, SEND_END_STREAM): HALF_CLOSED_LOCAL,
    (OPEN, RECEIVE_END_STREAM): HALF_CLOSED_REMOTE,
    (OPEN, RESET): CLOSED,
    (HALF_CLOSED_LOCAL, RECEIVE_END_STREAM): CLOSED,
    (HALF_CLOSED_LOCAL, RESET): CLOSED,
    (HALF_CLOSED_REMOTE, SEND_END_STREAM): CLOSED,
    (HALF_CLOSED_REMOTE, RESET): CLOSED,
    (CLOSED, RESET): CLOSED,
}
# What may happen in a state and leaves it as it is: field sections and content on the half that is open.
STAYS = {
    (OPEN, SEND_HEADERS),
    (OPEN, RECEIVE_HEADERS),
    (OPEN, RECEIVE_DATA),
    (HALF_CLOSED_LOCAL, RECEIVE_HEADERS),
    (HALF_CLOSED_LOCAL, RECEIVE_DATA),
    (HALF_CLOSED_REMOTE, SEND_HEADERS),
}


@pytest.mark.rfc("9113", "5.1")
@pytest.mark.parametrize(("state", "event"), list(product(STATES, EVENTS)))
def test_event_in_state_follows_an_arrow_stays_or_is_illegal(state: int, event: int) -> None:
    expected = state if (state, event) in STAYS else ARROWS.get((state, event), ILLEGAL)
    assert after(state, event) == expected


def test_every_state_has_a_name() -> None:
    assert len(states.STATE_NAMES) == len(STATES)

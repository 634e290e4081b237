"""An exchange's clock, and content lent from the buffer it was received into."""

from __future__ import annotations

import pytest

from deuterium._http.exchange import Exchange, LentPiece
from deuterium._http.phases import AWAITING, FINISHED, NEVER, QUEUED, SENDING
from deuterium._memory.buffer_pool import BufferPool


def exchange(**attributes: object) -> Exchange:
    made = Exchange("GET", "https", "example.com", "/")
    made.progress_at = 100.0
    made.pool_timeout = 1.0
    made.write_timeout = 2.0
    made.read_timeout = 4.0
    made.deadline = 1_000.0
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("attributes", "limit"),
    [
        ({"phase": QUEUED}, 101.0),
        ({"phase": SENDING}, 102.0),
        ({"phase": AWAITING}, 104.0),
        ({"phase": AWAITING, "unread": 1}, 1_000.0),  # the consumer is slow, not the peer
        ({"phase": FINISHED}, NEVER),
        ({"phase": AWAITING, "read_timeout": NEVER}, 1_000.0),
        ({"phase": AWAITING, "deadline": 103.0}, 103.0),
        ({"phase": QUEUED, "deadline": NEVER, "pool_timeout": NEVER}, NEVER),
    ],
)
def test_limit_is_that_of_the_phase_and_never_past_the_deadline(attributes: dict[str, object], limit: float) -> None:
    assert exchange(**attributes).limit() == limit


@pytest.mark.parametrize(
    ("body", "has_content", "expected"),
    [(None, False, False), (b"", False, False), (b"x", False, True), (None, True, True)],
)
def test_content_is_announced_only_when_there_is_some(body: bytes | None, has_content: bool, expected: bool) -> None:
    made = Exchange("POST", "https", "example.com", "/", (), (), body, has_content)
    assert made.has_content is expected
    assert made.body == (body or None)


def test_lent_piece_holds_its_buffer_until_released_and_only_once() -> None:
    pool = BufferPool(poison=True)
    buffer = pool.acquire(100)
    buffer.data[:7] = b"content"
    piece = LentPiece(buffer, 0, 7)
    buffer.release()
    assert pool.stats().outstanding == 1
    assert bytes(piece.view) == b"content"
    assert len(piece) == 7
    piece.release()
    piece.release()
    assert pool.stats().outstanding == 0


def test_slice_kept_by_the_consumer_keeps_its_octets() -> None:
    pool = BufferPool(poison=True)
    buffer = pool.acquire(100)
    buffer.data[:7] = b"content"
    piece = LentPiece(buffer, 0, 7)
    kept = piece.view[1:4]
    buffer.release()
    piece.release()
    for _ in range(3):
        pool.acquire(100).release()
    assert bytes(kept) == b"ont"

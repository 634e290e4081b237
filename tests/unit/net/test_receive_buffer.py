"""The memory a connection receives into: what a consumer still sees is never written again."""

from __future__ import annotations

from deuterium._http.exchange import LentPiece
from deuterium._memory.buffer_pool import BufferPool
from deuterium._net.receive_buffer import ReceiveBuffer

READ = 4096


def receive(buffer: ReceiveBuffer, octets: bytes) -> tuple[int, int]:
    """Have ``octets`` arrive and consumed at once; where they lie."""
    space = buffer.space(READ)
    space[: len(octets)] = octets
    del space
    start = buffer.end
    buffer.commit(len(octets))
    buffer.consume(buffer.end)
    return start, buffer.end


def test_memory_nobody_sees_is_received_into_again() -> None:
    pool = BufferPool()
    buffer = ReceiveBuffer(pool)
    for number in range(10):
        assert receive(buffer, b"%4d" % number) == (0, 4)
    assert pool.stats().created == 1


def test_piece_not_released_is_not_written_over() -> None:
    buffer = ReceiveBuffer(BufferPool())
    start, end = receive(buffer, b"first")
    piece = LentPiece(buffer.buffer, start, end)
    receive(buffer, b"other")
    assert piece.view == b"first"
    piece.release()


def test_slice_kept_past_the_release_is_not_written_over() -> None:
    pool = BufferPool()
    buffer = ReceiveBuffer(pool)
    start, end = receive(buffer, b"first")
    piece = LentPiece(buffer.buffer, start, end)
    kept = piece.view[:]
    piece.release()
    for _ in range(3):
        receive(buffer, b"other")
    assert kept == b"first"
    buffer.release()
    assert kept == b"first"
    assert pool.stats().lingering == 1


def test_memory_is_received_into_again_once_the_slice_is_gone() -> None:
    pool = BufferPool()
    buffer = ReceiveBuffer(pool)
    start, end = receive(buffer, b"first")
    piece = LentPiece(buffer.buffer, start, end)
    kept = piece.view[:]
    piece.release()
    del kept
    assert receive(buffer, b"other") == (0, 5)
    assert pool.stats().created == 1

"""The loop over trio keeps asyncio's promises: Futures, tasks, calls, timers, transports."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import socket
import sys
import types
from typing import Any

import pytest
import trio
import trio.testing

from deuterium._net.loops import running_loop
from deuterium._net.trio_loop import LITTER
from deuterium._net.trio_transport import TrioTransport


def test_run_has_one_loop_and_the_next_run_another() -> None:
    async def ask() -> Any:
        first = running_loop()
        assert running_loop() is first
        assert not first.is_closed()
        return first

    first, second = trio.run(ask), trio.run(ask)
    assert first is not second
    assert first.is_closed()


def test_older_sniffio_beside_asyncio_is_no_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sniffio", types.ModuleType("sniffio"))

    async def ask() -> None:
        assert running_loop() is asyncio.get_running_loop()

    asyncio.run(ask())
    with pytest.raises(RuntimeError, match="no running event loop"):
        running_loop()


def test_future_gives_its_result_or_raises_what_it_failed_with() -> None:
    async def main() -> None:
        loop = running_loop()
        future = loop.create_future()
        with pytest.raises(asyncio.InvalidStateError):
            future.result()
        loop.call_soon(future.set_result, 7)
        assert await future == 7
        assert await future == 7
        with pytest.raises(asyncio.InvalidStateError):
            future.set_result(8)
        failed = loop.create_future()
        loop.call_soon(failed.set_exception, ZeroDivisionError())
        with pytest.raises(ZeroDivisionError):
            await failed
        assert not future.cancel()

    trio.run(main)


def test_future_whose_wait_was_cancelled_refuses_a_late_result() -> None:
    async def main() -> None:
        loop = running_loop()
        future = loop.create_future()
        told: list[Any] = []
        future.add_done_callback(told.append)
        with trio.move_on_after(0.01) as scope:
            await future
        assert scope.cancelled_caught
        assert future.cancelled()
        with pytest.raises(asyncio.InvalidStateError):
            future.set_result(None)
        with pytest.raises(asyncio.CancelledError):
            future.exception()
        await trio.testing.wait_all_tasks_blocked()
        assert told == [future]

    trio.run(main)


def test_second_task_that_awaits_a_future_is_told() -> None:
    async def main() -> None:
        future = running_loop().create_future()

        async def first() -> None:
            await future

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(RuntimeError, match="another task"):
                await future
            future.set_result(None)

    trio.run(main)


def test_task_ends_with_its_result_its_exception_or_cancelled() -> None:
    async def seven() -> int:
        await trio.sleep(0)
        return 7

    async def fails() -> None:
        await trio.sleep(0)
        raise ZeroDivisionError

    async def main() -> None:
        loop = running_loop()
        assert await loop.create_task(seven()) == 7
        with pytest.raises(ZeroDivisionError):
            await loop.create_task(fails())
        task = loop.create_task(trio.sleep(60))
        await trio.sleep(0)
        task.cancel()
        assert task.cancelling()
        await trio.testing.wait_all_tasks_blocked()
        assert task.cancelled()

    trio.run(main)


def test_task_cancelled_before_it_began_does_not_begin() -> None:
    begun: list[int] = []

    async def begin() -> None:
        begun.append(1)

    async def main() -> None:
        task = running_loop().create_task(begin())
        task.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert task.cancelled()

    trio.run(main)
    assert begun == []


def test_exception_that_nobody_hears_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise ZeroDivisionError("unheard")

    async def main() -> None:
        loop = running_loop()
        loop.create_task(fails())
        loop.call_soon(divmod, 1, 0)
        await trio.testing.wait_all_tasks_blocked()
        gc.collect()
        heard = loop.create_task(fails())
        with pytest.raises(ZeroDivisionError):
            await heard

    with caplog.at_level(logging.ERROR, "deuterium"):
        trio.run(main)
    assert [record.name for record in caplog.records] == ["deuterium"] * 2
    assert "unheard" in caplog.text


def test_calls_are_made_in_order_and_what_they_ask_for_in_the_next_pass() -> None:
    async def main() -> None:
        loop = running_loop()
        made: list[str] = []
        loop.call_soon(lambda: (made.append("a"), loop.call_soon(made.append, "c")))
        loop.call_soon(made.append, "b")
        await trio.testing.wait_all_tasks_blocked()
        assert made == ["a", "b", "c"]

    trio.run(main)


def test_timers_run_in_the_order_of_their_times_and_cancelled_ones_not() -> None:
    async def main() -> None:
        loop = running_loop()
        made: list[int] = []
        delays = list(range(20))
        random.Random(7).shuffle(delays)
        timers = {delay: loop.call_later(delay / 100, made.append, delay) for delay in delays}
        for delay in (3, 11, 19):
            timers[delay].cancel()
            timers[delay].cancel()
        await trio.sleep(0.3)
        assert made == [delay for delay in range(20) if delay not in (3, 11, 19)]

    trio.run(main)


def test_cancelled_timers_do_not_pile_up() -> None:
    async def main() -> None:
        loop = running_loop()
        kept = loop.call_later(60.0, int)
        for _ in range(10_000):
            loop.call_later(60.0, int).cancel()
        assert len(loop._timers) <= LITTER + 2
        assert kept in loop._timers

    trio.run(main)


class Recorder:
    """A protocol that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.received = bytearray()
        self.memory = bytearray(1000)

    def connection_made(self, transport: Any) -> None:
        self.told.append("made")

    def get_buffer(self, hint: int) -> memoryview:
        return memoryview(self.memory)

    def buffer_updated(self, octets: int) -> None:
        self.received += self.memory[:octets]

    def eof_received(self) -> bool:
        self.told.append("eof")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append("lost" if error is None else type(error).__name__)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


def connected() -> tuple[TrioTransport, Recorder, trio.SocketStream]:
    """A transport and what is at its other end."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    recorder = Recorder()
    transport = TrioTransport(running_loop(), ours, recorder)
    transport.start()
    return transport, recorder, trio.SocketStream(trio.socket.from_stdlib_socket(theirs))


CONTENT = random.Random(9).randbytes(3_000_000)


async def read_all(stream: trio.SocketStream) -> bytes:
    return b"".join([piece async for piece in stream])


def test_transport_receives_into_the_protocols_memory_until_the_end() -> None:
    async def main() -> None:
        transport, recorder, stream = connected()
        await stream.send_all(CONTENT[:50_000])
        await stream.aclose()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.received == CONTENT[:50_000]
        assert recorder.told == ["made", "eof", "lost"]
        assert transport.is_closing()

    trio.run(main)


def test_transport_that_is_paused_reads_nothing_until_it_resumes() -> None:
    async def main() -> None:
        transport, recorder, stream = connected()
        transport.pause_reading()
        await stream.send_all(b"later")
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert not recorder.received
        transport.resume_reading()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.received == b"later"
        transport.pause_reading()
        transport.abort()
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.told == ["made", "lost"]
        await stream.aclose()

    trio.run(main)


def test_transport_pauses_its_protocol_while_the_peer_is_slow() -> None:
    async def main() -> None:
        transport, recorder, stream = connected()
        transport.set_write_buffer_limits(high=0)
        transport.write(CONTENT)
        transport.writelines([b"and", b"more"])
        assert recorder.told == ["made", "pause"]
        received = b""
        while len(received) < len(CONTENT) + 7:
            received += await stream.receive_some()
        assert received == CONTENT + b"andmore"
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.told == ["made", "pause", "resume"]
        transport.close()
        assert await read_all(stream) == b""

    trio.run(main)


def test_transport_that_is_closed_sends_what_is_queued_first() -> None:
    async def main() -> None:
        transport, recorder, stream = connected()
        transport.write(CONTENT)
        transport.close()
        transport.write(b"too late")
        assert recorder.told[-1] != "lost"
        assert await read_all(stream) == CONTENT
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.told[-1] == "lost"

    trio.run(main)


def test_transport_that_is_aborted_drops_what_is_queued() -> None:
    async def main() -> None:
        transport, recorder, stream = connected()
        transport.write(CONTENT)
        transport.abort()
        transport.abort()
        assert len(await read_all(stream)) < len(CONTENT)
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.told[-1] == "lost"
        assert recorder.told.count("lost") == 1

    trio.run(main)


def test_transport_whose_peer_is_gone_says_with_what_error() -> None:
    async def main() -> None:
        transport, recorder, stream = connected()
        transport.pause_reading()
        await stream.aclose()
        transport.write(b"to nobody")
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert recorder.told == ["made", "BrokenPipeError"]

    trio.run(main)


def test_run_that_ends_closes_its_transports() -> None:
    kept: list[Any] = []

    async def main() -> None:
        kept.extend(connected())

    trio.run(main)
    _, recorder, stream = kept
    assert recorder.told == ["made", "lost"]
    trio.run(stream.aclose)

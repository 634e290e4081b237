"""What only trio has: cancel scopes, nurseries, runs that end, and anyio around it."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import anyio
import pytest
import trio

import deuterium
from deuterium import AsyncClient, ConnectTimeout, Limits, ReadTimeout, Timeout
from deuterium.testing import MockTransport, Response
from hostile.background import in_background
from hostile.peer import Asked, Conversation, Peer
from integration.exchange import client_for, get_document
from rfc import wire
from servers import Fleet

CANCEL = (8).to_bytes(4, "big")
WAIT_S = 5.0


class Silent(Peer):
    """Answers ``/now``, the header section of ``/begun``, and nothing else."""

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        if asked.path == "/now":
            conversation.answers(asked, b"now")

    def on_stream(self, conversation: Conversation, asked: Asked) -> None:
        if asked.path == "/begun":
            conversation.says(wire.response(asked.stream_id), wire.data(asked.stream_id, b"some"))


@pytest.fixture
def peer() -> Iterator[Silent]:
    with in_background(Silent()) as peer:
        yield peer


async def until(condition: Any) -> None:
    """Until it holds, or fails."""
    with trio.fail_after(WAIT_S):
        while not condition():
            await trio.sleep(0.005)


def come_true(condition: Any) -> bool:
    """The same outside a run."""
    end = time.monotonic() + WAIT_S
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return bool(condition())


def resets(peer: Peer) -> list[tuple[int, bytes]]:
    return [(stream, payload) for kind, stream, payload in list(peer.current.frames) if kind == wire.RST_STREAM]


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


# -- cancel scopes ---------------------------------------------------------------------------------------------------


async def cancelled_at_the_peer(peer: Peer, ask: Any) -> None:
    """Run ``ask()`` in a scope that is cancelled once the peer has its request; its stream must be reset."""
    stream = peer.current.opened + 2
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await until(lambda: stream in peer.current.streams)
            scope.cancel()
    assert scope.cancelled_caught
    await until(lambda: resets(peer) == [(stream, CANCEL)])


def test_scope_around_a_request_resets_its_stream_alone(peer: Silent) -> None:
    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            await cancelled_at_the_peer(peer, lambda: client.get(peer.url("/never")))
            assert (await client.get(peer.url("/now"))).content == b"now"
            assert len(peer.conversations) == 1

    trio.run(main)


def test_scope_around_a_streamed_response_resets_its_stream(peer: Silent) -> None:
    async def main() -> None:
        async def read() -> None:
            async with client.stream("GET", peer.url("/begun")) as response:
                pieces = [piece async for piece in response.aiter_bytes()]
                pytest.fail(f"the content has no end, and ended: {pieces}")

        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            await cancelled_at_the_peer(peer, read)

    trio.run(main)


def test_scope_around_an_upload_ends_its_iterator_and_resets_its_stream(peer: Silent) -> None:
    ended: list[str] = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await trio.sleep(0.01)
        finally:
            ended.append("iterator")

    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            await cancelled_at_the_peer(peer, lambda: client.post(peer.url("/never"), content=endless()))
            await until(lambda: ended)

    trio.run(main)


def test_request_in_a_cancelled_scope_leaves_nothing_open(peer: Silent) -> None:
    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            with trio.CancelScope() as scope:
                scope.cancel()
                await client.get(peer.url("/never"))
            assert scope.cancelled_caught
            assert [connection.streams for connection in client.stats().connections] == [0]

    trio.run(main)


def test_client_closed_in_a_cancelled_scope_is_closed_all_the_same(peer: Silent) -> None:
    async def main() -> None:
        with trio.CancelScope() as scope:
            async with AsyncClient(http1=False) as client:
                await client.get(peer.url("/now"))
                scope.cancel()
                await trio.lowlevel.checkpoint()
        assert scope.cancelled_caught
        await until(lambda: not peer.alive)
        assert (wire.GOAWAY, 0) in [(kind, stream) for kind, stream, _ in peer.current.frames]
        with pytest.raises(RuntimeError, match="closed"):
            await client.get(peer.url("/now"))

    trio.run(main)


def test_client_closed_while_it_dials_leaves_no_socket() -> None:
    async def main() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:  # TCP is accepted, TLS never answered
            url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
            before = descriptors()
            async with trio.open_nursery() as nursery, AsyncClient() as client:
                for _ in range(3):
                    nursery.start_soon(client.get, url)
                await trio.sleep(0.05)
                assert descriptors() > before
                nursery.cancel_scope.cancel()
            await until(lambda: descriptors() == before)

    trio.run(main)


def test_waiting_for_a_place_is_cancelled_without_a_trace() -> None:
    class OneAtATime(Silent):
        settings: Mapping[int, int] = {wire.MAX_CONCURRENT_STREAMS: 1}

    async def main(peer: Peer) -> None:
        async with AsyncClient(http1=False, limits=Limits(max_connections=1)) as client, trio.open_nursery() as nursery:
            await client.get(peer.url("/now"))
            nursery.start_soon(client.get, peer.url("/never"))
            await until(lambda: len(peer.current.streams) == 2)
            with trio.move_on_after(0.05) as scope:
                await client.get(peer.url("/waits"))
            assert scope.cancelled_caught
            assert [origin.waiting for origin in client.stats().origins] == [0]
            nursery.cancel_scope.cancel()
        assert [asked.path for asked in peer.current.streams.values()] == ["/now", "/never"]

    with in_background(OneAtATime()) as peer:
        trio.run(main, peer)


def test_our_timeouts_are_ours_and_trios_are_trios(peer: Silent) -> None:
    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            with pytest.raises(ReadTimeout):
                await client.get(peer.url("/never"), timeout=Timeout(5.0, read=0.05))
            with pytest.raises(trio.TooSlowError), trio.fail_after(0.05):
                await client.get(peer.url("/never"))
        with socket.create_server(("127.0.0.1", 0)) as silent:
            async with AsyncClient() as client:
                with pytest.raises(ConnectTimeout), trio.fail_after(WAIT_S):
                    url = f"https://127.0.0.1:{silent.getsockname()[1]}/"
                    await client.get(url, timeout=Timeout(5.0, connect=0.05))

    trio.run(main)


# -- nurseries -------------------------------------------------------------------------------------------------------


def test_eighty_tasks_of_a_nursery_share_one_connection(fleet: Fleet) -> None:
    server = fleet.get("nghttpd")

    async def main() -> None:
        async with client_for(server) as client:
            async with trio.open_nursery() as nursery:
                for _ in range(80):
                    nursery.start_soon(get_document, client, server, "/1k")
            (connection,) = client.stats().connections
            assert connection.requests == 80
            await until(lambda: client.workshop.buffers.stats().outstanding == 0)  # idle, it holds no memory

    trio.run(main)


def test_failure_in_a_nursery_cancels_the_requests_beside_it(peer: Silent) -> None:
    async def fail() -> None:
        await until(lambda: len(peer.current.streams) == 4)
        raise ZeroDivisionError

    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            with pytest.raises(ExceptionGroup) as caught:
                async with trio.open_nursery() as nursery:
                    for _ in range(3):
                        nursery.start_soon(client.get, peer.url("/never"))
                    nursery.start_soon(fail)
            assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]
            await until(lambda: sorted(resets(peer)) == [(3, CANCEL), (5, CANCEL), (7, CANCEL)])

    trio.run(main)


def test_fetch_many_whose_wait_was_cancelled_goes_on_or_is_given_up(peer: Silent) -> None:
    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            many = client.fetch_many([peer.url("/now"), peer.url("/never"), peer.url("/now")], concurrency=2)
            assert (await anext(many)).content == b"now"
            assert (await anext(many)).content == b"now"
            for _ in range(2):
                with trio.move_on_after(0.02) as scope:
                    await anext(many)
                assert scope.cancelled_caught
                assert resets(peer) == []
            await many.aclose()
            await until(lambda: resets(peer) == [(5, CANCEL)])

    trio.run(main)


def test_two_clients_in_one_run_keep_apart(peer: Silent) -> None:
    async def main() -> None:
        async with AsyncClient(http1=False) as first, AsyncClient(http1=False) as second:
            await first.get(peer.url("/now"))
            await second.get(peer.url("/now"))
            assert len(peer.conversations) == 2
            await first.aclose()
            await second.get(peer.url("/now"))
            assert len(peer.conversations) == 2

    trio.run(main)


def test_worker_threads_ask_through_trio(fleet: Fleet) -> None:
    server = fleet.get("nghttpd")

    async def main() -> None:
        async with client_for(server) as client:

            def work() -> int:
                return trio.from_thread.run(client.get, server.url("/1k")).status_code

            assert await trio.to_thread.run_sync(work) == 200

    trio.run(main)


def test_context_variables_reach_the_handler_of_a_request() -> None:
    from contextvars import ContextVar

    name: ContextVar[str] = ContextVar("name")

    async def handler(request: deuterium.Request) -> Response:
        await trio.sleep(0)
        return Response(text=name.get("nobody"))

    async def main() -> None:
        name.set("caller")
        async with AsyncClient(transport=MockTransport(handler)) as client:
            assert (await client.get("http://in.process/")).text == "caller"

    trio.run(main)


# -- runs ------------------------------------------------------------------------------------------------------------


def test_run_that_ends_with_its_client_open_closes_the_connections(peer: Silent) -> None:
    before = descriptors()
    client = AsyncClient(http1=False)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await trio.sleep(0.01)

    async def main() -> None:
        await client.get(peer.url("/now"))
        response = await client.send(client.build_request("POST", peer.url("/begun"), content=endless()), stream=True)
        assert await anext(response.aiter_bytes()) == b"some"

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="Async generator")  # trio's, about the iterator left behind
        trio.run(main)
        assert come_true(lambda: not peer.alive)
        gc.collect()
    assert come_true(lambda: descriptors() == before)


def test_client_goes_on_with_new_connections_in_the_next_run(peer: Silent) -> None:
    client = AsyncClient(http1=False)

    async def once() -> None:
        assert (await client.get(peer.url("/now"))).content == b"now"
        assert len(client.stats().connections) == 1

    async def last() -> None:
        await once()
        await client.aclose()

    trio.run(once)
    trio.run(once)
    trio.run(last)
    assert len(peer.conversations) == 3


def test_client_goes_from_asyncio_to_trio_and_back(peer: Silent) -> None:
    client = AsyncClient(http1=False)

    async def once() -> None:
        assert (await client.get(peer.url("/now"))).content == b"now"

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(once, backend=backend)
    assert len(peer.conversations) == 3


@pytest.mark.parametrize("other", ["trio", "asyncio"])
def test_client_of_a_run_that_goes_on_raises_in_another(peer: Silent, other: str) -> None:
    raised: list[BaseException] = []
    client = AsyncClient(http1=False)

    def elsewhere() -> None:
        for verb in (client.get, client.warm_up):
            try:
                anyio.run(verb, peer.url("/now"), backend=other)
            except RuntimeError as error:
                raised.append(error)

    async def main() -> None:
        async with client:
            await client.get(peer.url("/now"))
            thread = threading.Thread(target=elsewhere)
            thread.start()
            await trio.to_thread.run_sync(thread.join)
            await client.get(peer.url("/now"))  # its own run's use of it is unharmed

    trio.run(main)
    assert ["one client for each loop" in str(error) for error in raised] == [True, True]
    assert len(peer.conversations) == 1


def test_outside_of_any_loop_the_verbs_say_so() -> None:
    client = AsyncClient()
    coroutine = client.get("http://127.0.0.1/")
    with pytest.raises(RuntimeError, match="no running event loop"):
        coroutine.send(None)


def test_child_of_a_fork_opens_connections_of_its_own(peer: Silent) -> None:
    async def child(client: AsyncClient) -> None:
        assert (await client.get(peer.url("/now"))).content == b"now"

    async def main() -> None:
        async with AsyncClient(http1=False) as client:
            await client.get(peer.url("/now"))
            number = os.fork()
            if not number:
                code = 1
                try:
                    # The run of the parent is not this process's: what is left of it must say nothing to the peer.
                    thread = threading.Thread(target=lambda: trio.run(child, client))
                    thread.start()
                    thread.join()
                    code = 0
                finally:
                    os._exit(code)
            _, status = await trio.to_thread.run_sync(os.waitpid, number, 0)
            assert os.waitstatus_to_exitcode(status) == 0
            await client.get(peer.url("/now"))
            assert len(peer.conversations) == 2
            assert len(peer.conversations[0].streams) == 2

    trio.run(main)


# -- anyio -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_runs_the_client_on_both_of_its_backends(fleet: Fleet, backend: str) -> None:
    server = fleet.get("nghttpd")

    async def main() -> None:
        async with client_for(server) as client:
            async with anyio.create_task_group() as group:
                for _ in range(50):
                    group.start_soon(get_document, client, server, "/64k")
            with anyio.move_on_after(0.001) as scope:
                await client.get(server.url("/10m"))
            assert scope.cancelled_caught
            assert [each.status_code async for each in client.fetch_many([server.url("/100")] * 20)] == [200] * 20

    anyio.run(main, backend=backend)

"""One seed: a client with options, peers with tempers and a network with weather, all drawn from it; then the rules.

The rules: every request ends, in the right response or in an exception of ours; a POST is never carried out twice; one
that is said to be unprocessed was not carried out; afterwards nothing is left over.
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

from deuterium import AsyncClient, RequestError, Response, RetryPolicy, Timeout
from deuterium._memory.buffer_pool import BufferPool
from deuterium.config import Http2Options, Limits

from ..content import Ledger, content_of, target
from ..h1_peer import H1Peer
from ..h2_peer import H2Peer
from ..script import Script, Temper
from .loop import SimLoop
from .network import Network, Weather

HOSTS = ("10.0.0.1", "10.0.0.2")
LONGEST_RUN_S = 600.0  # simulated; the client's own limits end every request long before
IDEMPOTENT = ("GET", "PUT")


class World:
    """The run of one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.closing = random.Random(-seed - 1)
        self.closed = False  # by somebody else than whoever still uses it
        self.ledger = Ledger()
        self.broken_rules: list[str] = []
        self.outcomes: dict[str, str] = {}
        self.version = self.chance.choice(("h2", "h2", "h1"))
        self.harsh = self.chance.choice((0.0, 0.3, 1.0))  # how much goes wrong
        self.network = Network(self.chance, self._weather())
        self.temper = self._temper()
        self.retry = RetryPolicy(
            attempts=self.chance.randint(1, 4),
            replays=self.chance.choice((0, 1, 20)),
            statuses=frozenset(self.chance.choice(((), (), (503,)))),
        )

    def rule(self, holds: bool, text: str) -> None:
        if not holds:
            self.broken_rules.append(text)

    # -- drawing -----------------------------------------------------------------------------------------------------

    def _share(self, most: float) -> float:
        return self.chance.choice((0.0, self.chance.uniform(0, most))) * self.harsh

    def _weather(self) -> Weather:
        return Weather(
            latency_s=self.chance.choice((0.0001, 0.01, 0.1)),
            jitter_s=self.chance.choice((0.0, 0.001, 0.05)),
            longest_segment=self.chance.choice((1 << 16, 1460, 200)),
            refused=self._share(0.3),
            unanswered=self._share(0.2),
            broken=self._share(0.5),
            silent=self._share(0.3),
        )

    def _temper(self) -> Temper:
        return Temper(
            refuse=self._share(0.2),
            reset=self._share(0.1),
            part=self._share(0.1),
            cut=self._share(0.05),
            stall=self._share(0.1),
            leave=self._share(0.2),
            leave_gently=self._share(0.2),
            early=self._share(0.3),
            unavailable=self._share(0.2),
            noise=self.chance.choice((0.0, 0.05)),
            longest_delay_s=self.chance.choice((0.001, 0.1, 1.0)),
            most_streams=self.chance.choice((1, 3, 100)),
            idle_s=self.chance.choice((0.05, 2.0, 1000.0)),
            longest_frame=self.chance.choice((100, 5000, 16384)),
        )

    def _client(self) -> AsyncClient:
        chance = self.chance
        client = AsyncClient(
            http1=self.version == "h1",
            http2=self.version == "h2",
            trust_env=False,
            timeout=Timeout(
                connect=chance.choice((0.3, 3.0)),
                read=chance.choice((0.5, 5.0)),
                write=chance.choice((0.5, 5.0)),
                pool=chance.choice((0.5, 5.0, None)),
                total=chance.choice((2.0, 30.0, 60.0)),
            ),
            limits=Limits(
                max_connections=chance.choice((1, 2, 10)),
                max_connections_per_host=chance.choice((None, 1, 3)),
                max_http2_connections_per_host=chance.choice((1, 2, 8)),
                max_streams_per_connection=chance.choice((None, 2)),
                keepalive_expiry=chance.choice((0.5, 60.0)),
                max_connection_age=chance.choice((1.0, 3600.0)),
                ping_after_s=chance.choice((None, 1.0, 15.0)),
                ping_timeout_s=2.0,
            ),
            http2_options=Http2Options(
                stream_window=chance.choice((WINDOW, 1 << 22)), connection_window=chance.choice((WINDOW, 1 << 30))
            ),
            retry=self.retry,
        )
        # Few and small, so that memory comes round soon; poisoned, so that a stale reader shows.
        client.workshop.buffers = BufferPool(bounds=(2, 2, 1, 1), poison=True)
        return client

    # -- the run -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self.rule(False, f"the loop was told: {context}"))
        script = Script(self.chance, self.temper)
        peer = H2Peer if self.version == "h2" else H1Peer
        for host in HOSTS:
            self.network.listen(host, 80, lambda: peer(script, self.ledger))
        client = self._client()
        closing = None
        if self.closing.random() < 0.2:
            closing = asyncio.ensure_future(self._close(client))
        try:
            async with asyncio.timeout(LONGEST_RUN_S):
                await asyncio.gather(
                    *(self._user(client, f"u{number}") for number in range(self.chance.randint(1, 12)))
                )
        except TimeoutError:
            self.rule(False, "a request never ended")
        await asyncio.sleep(0)
        self._look_at(client)
        if closing is not None:
            await closing
        await client.aclose()
        self._look_at(client)
        await asyncio.sleep(5)
        gc.collect()
        await asyncio.sleep(0)
        self._look_at(client)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        self.rule(not tasks, f"tasks are left over: {tasks}")
        near = [each for each in self.network.open_transports() if each.sock is not None]
        self.rule(not near, f"{len(near)} connections are left open")
        buffers, streams = client.workshop.buffers.stats(), client.workshop.streams.stats()
        self.rule(buffers.outstanding == 0, f"{buffers.outstanding} buffers were never given back")
        self.rule(streams.outstanding == 0, f"{streams.outstanding} streams were never given back")
        for text in self.ledger.wrong_content:
            self.rule(False, f"the peer got wrong content: {text}")

    async def _close(self, client: AsyncClient) -> None:
        """Close the client while it is used."""
        await asyncio.sleep(self.closing.uniform(0, 3))
        self.closed = True
        await client.aclose()

    def _look_at(self, client: AsyncClient) -> None:
        """What must be true whenever nobody is in the middle of anything."""
        if client._sender is not None:
            pool = client._sender.pool
            carriers = sum(len(route.carriers) + route.dialing for route in pool.routes.values())
            self.rule(pool.connections >= 0, f"the pool counts {pool.connections} connections")
            self.rule(carriers <= pool.connections, f"{carriers} connections, {pool.connections} counted")
            for route in pool.routes.values():
                self.rule(not route.waiting, f"{len(route.waiting)} requests wait that nobody waits for")

    async def _user(self, client: AsyncClient, name: str) -> None:
        for number in range(self.chance.randint(1, 8)):
            await asyncio.sleep(self.chance.choice((0.0, self.chance.uniform(0, 1.0))))
            if self.chance.random() < 0.15:
                await self._cancelled(self._request(client, f"{name}n{number}"))
            elif self.chance.random() < 0.1:
                await self._many(client, f"{name}n{number}")
            else:
                await self._request(client, f"{name}n{number}")

    async def _cancelled(self, request: Any) -> None:
        """Give the request up at some moment."""
        task = asyncio.ensure_future(request)
        await asyncio.sleep(self.chance.choice((0.0, self.chance.uniform(0, 0.5), self.chance.uniform(0, 3))))
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return

    async def _request(self, client: AsyncClient, name: str) -> None:
        chance = self.chance
        method = chance.choice(("GET", "GET", "POST", "PUT"))
        size = chance.choice((0, 1, chance.randint(0, 500), chance.randint(0, 50_000), 200_000))
        upload = 0 if method == "GET" else chance.choice((0, 10, chance.randint(0, 100_000)))
        body = content_of(name + "/up", upload)
        url = f"http://{chance.choice(HOSTS)}{target(name, size, upload)}"
        content: Any = None if method == "GET" else body
        if content is not None and chance.random() < 0.5:
            content = self._pieces(body)
        error: Exception | None = None
        try:
            if chance.random() < 0.5:
                response = await client.request(method, url, content=content)
                self._check(name, response, response.content, size)
            else:
                await self._streamed(client, method, url, content, name, size)
        except RequestError as caught:
            error = caught
        except Exception as caught:
            error = caught
            self.rule(self._is_closed(caught), f"{name}: not an exception of ours: {caught!r}")
        self._conclude(method, name, error)

    def _is_closed(self, error: Exception) -> bool:
        """What a client says that was closed before it was asked."""
        return self.closed and isinstance(error, RuntimeError) and "closed" in str(error)

    def _conclude(self, method: str, name: str, error: Exception | None) -> None:
        times = self.ledger.processed[name]
        self.outcomes[name] = "answered" if error is None else f"{type(error).__name__}: {error}"
        if error is None:
            self.rule(times >= 1, f"{name}: answered, but never carried out")
        elif method not in IDEMPOTENT and getattr(error, "request_processed", None) is False:
            self.rule(times == 0, f"{name}: carried out, but said to be unprocessed by {error!r}")
        if method not in IDEMPOTENT:
            # A 503 is an answer; a policy that names it sends the request again, if it may be.
            self.rule(times <= 1, f"{name}: a {method} was carried out {times} times")

    async def _streamed(self, client: AsyncClient, method: str, url: str, content: Any, name: str, size: int) -> None:
        chance = self.chance
        how = chance.choice(("bytes", "raw", "buffers", "leave"))
        slow_s = chance.choice((0.0, 0.0, 0.1))
        received = bytearray()
        kept: list[tuple[memoryview, int]] = []
        async with client.stream(method, url, content=content) as response:
            if how == "leave" and chance.random() < 0.3:
                return
            pieces = {
                "bytes": response.aiter_bytes,
                "raw": response.aiter_raw,
                "buffers": response.aiter_buffers,
                "leave": response.aiter_buffers,
            }[how]()
            async for piece in pieces:
                if isinstance(piece, memoryview) and chance.random() < 0.2:
                    kept.append((piece[:], len(received)))  # a slice that outlives the next piece
                received += piece
                if how == "leave" and chance.random() < 0.3:
                    return
                await asyncio.sleep(slow_s)
                slow_s *= 0.95  # or a thousand small pieces would take minutes
            await asyncio.sleep(slow_s)
            for view, at in kept:
                self.rule(bytes(view) == received[at : at + len(view)], f"{name}: a kept view changed")
            self._check(name, response, bytes(received), size)

    def _check(self, name: str, response: Response, content: bytes, size: int) -> None:
        if response.status_code == 503:
            self.rule(content == b"", f"{name}: content in an empty response")
            return
        self.rule(response.status_code == 200, f"{name}: status {response.status_code}")
        self.rule(response.headers.get("x-name") == name, f"{name}: the fields of {response.headers.get('x-name')}")
        self.rule(content == content_of(name, size), f"{name}: {len(content)} wrong octets, {size} wanted")
        end = response.trailers.get("x-end")
        self.rule(end in (None, name), f"{name}: the trailers of {end}")

    async def _pieces(self, body: bytes) -> AsyncIterator[bytes]:
        while body:
            size = self.chance.randint(1, 20_000)
            yield body[:size]
            body = body[size:]
            await asyncio.sleep(self.chance.choice((0.0, 0.01)))

    async def _many(self, client: AsyncClient, name: str) -> None:
        sizes = {f"{name}x{number}": self.chance.randint(0, 3000) for number in range(self.chance.randint(1, 10))}
        urls = [f"http://{self.chance.choice(HOSTS)}{target(each, size, 0)}" for each, size in sizes.items()]
        seen = 0
        try:
            many = client.fetch_many(urls, concurrency=self.chance.randint(1, 5), return_exceptions=True)
        except RuntimeError as error:
            self.rule(self._is_closed(error), f"{name}: not an exception of ours: {error!r}")
            return
        async for result in many:
            seen += 1
            if isinstance(result, Response):
                own = str(result.url).split("/")[4]
                self._check(own, result, result.content, sizes[own])
            else:
                ours = isinstance(result, RequestError) or self._is_closed(result)
                self.rule(ours, f"{name}: not an exception of ours: {result!r}")
            if self.chance.random() < 0.02:
                await many.aclose()
                return
        self.rule(seen == len(sizes), f"{name}: {seen} of {len(sizes)} requests ended")


WINDOW = 65535


def simulate(seed: int, monkeypatch: Any) -> World:
    """Run one seed; the world, with the rules that were broken and everything that happened."""
    world = World(seed)
    random.seed(seed)
    loop = SimLoop(world.network)
    for name, module in list(sys.modules.items()):
        if name.startswith("deuterium.") and vars(module).get("monotonic") is time.monotonic:
            monkeypatch.setattr(module, "monotonic", loop.time)
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(world.run())
    except AssertionError as error:
        world.rule(False, repr(error))
    finally:
        monkeypatch.undo()
    return world

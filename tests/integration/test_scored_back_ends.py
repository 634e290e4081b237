"""Scoring against two real back ends behind one name, one slow or failing: better than taking turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import AsyncClient, Limits, RequestError, RetryPolicy, TransportOptions
from hostile.peer import Asked, Conversation, Peer
from lengths import length
from rfc import wire

pytestmark = pytest.mark.every_loop("trio as a guest")

FIRST, SECOND = "127.0.0.1", "127.0.0.2"
REQUESTS = length(200, 4000)
WORKERS = 10
QUICK_S = 0.002
ONCE = RetryPolicy(attempts=1)  # so that failures are seen


class BackEnd(Peer):
    """Answers after ``thinks_s``; the share ``fails`` of the requests is reset with INTERNAL_ERROR, at once."""

    def __init__(self, host: str, thinks_s: float = QUICK_S, fails: float = 0.0) -> None:
        super().__init__(host)
        self.thinks_s = thinks_s
        self.fails = fails
        self.asked = 0

    def on_request(self, conversation: Conversation, asked: Asked) -> None:
        self.asked += 1
        if self.fails and self.asked % 10 < 10 * self.fails:
            conversation.says(wire.rst_stream(asked.stream_id, 2))
        else:
            conversation.goes_on(self._answer(conversation, asked))

    async def _answer(self, conversation: Conversation, asked: Asked) -> None:
        await tasks.sleep(self.thinks_s)
        conversation.answers(asked, b"done")


class InTurn:
    """A resolver that names the two addresses in turn, so that connections go to both."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, name: str, port: int) -> list[str]:
        self.asked += 1
        return [FIRST, SECOND] if self.asked % 2 else [SECOND, FIRST]


def only(address: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def resolver(name: str, port: int) -> list[str]:
        return [address]

    return resolver


async def measure(thinks_s: float, fails: float, scored: bool) -> tuple[list[float], int, float]:
    """How long each request took, how many failed, and the share of requests the bad back end got.

    ``scored``: one client with a connection to each back end. Otherwise two clients with one back end each, which take
    turns: round robin.
    """
    good, bad = BackEnd(FIRST), BackEnd(SECOND)
    async with good:
        bad.port = good.port
        async with bad, AsyncExitStack() as stack:
            clients = []
            for addresses in ([InTurn()] if scored else [only(FIRST), only(SECOND)]):
                limits = Limits(max_streams_per_connection=WORKERS, max_http2_connections_per_host=2 if scored else 1)
                options = TransportOptions(resolver=addresses, dns_life_s=0.0)
                client = AsyncClient(http1=False, limits=limits, transport=options, retry=ONCE, timeout=10.0)
                clients.append(await stack.enter_async_context(client))
            url = good.url("/", "two.example")
            good.thinks_s = bad.thinks_s = 0.05
            for client in clients:
                for _ in range(20):
                    # More than one connection takes at once.
                    await tasks.gather(*(client.get(url) for _ in range(2 * WORKERS)))
                    if len(client.stats().connections) == 2 // len(clients):
                        break
            assert sum(len(client.stats().connections) for client in clients) == 2
            good.thinks_s, bad.thinks_s, bad.fails = QUICK_S, thinks_s, fails
            took: list[float] = []
            failed = 0
            turns = iter(range(REQUESTS))
            before = good.asked, bad.asked

            async def worker() -> None:
                nonlocal failed
                for turn in turns:
                    begin = monotonic()
                    try:
                        await clients[turn % len(clients)].get(url)
                    except RequestError:
                        failed += 1
                    took.append(monotonic() - begin)

            await tasks.gather(*(worker() for _ in range(WORKERS)))
            asked = good.asked - before[0] + bad.asked - before[1]
            return sorted(took), failed, (bad.asked - before[1]) / asked


@pytest.mark.parametrize(
    ("thinks_s", "fails"),
    [(0.5, 0.0), (0.1, 0.0), (0.0, 0.9)],
    ids=["one of two takes 500 ms", "one of two takes 100 ms", "one of two fails at once"],
)
def test_scoring_beats_round_robin_when_a_back_end_is_bad(arun: Any, thinks_s: float, fails: float) -> None:
    scored = arun(measure(thinks_s, fails, True))
    in_turn = arun(measure(thinks_s, fails, False))
    for name, (took, failed, share) in (("scored", scored), ("round robin", in_turn)):
        p50, p95, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.95, 0.99))
        print(f"{name}: p50 {p50:.1f} ms, p95 {p95:.1f}, p99 {p99:.1f}, {failed} failed, {share:.1%} there")
    assert in_turn[2] > 0.3
    assert scored[2] < 0.15
    if fails:
        assert scored[1] < in_turn[1] / 4
    else:
        # Not the percentiles: a busy machine slows all requests alike.
        slow = [sum(each >= thinks_s for each in took) for took in (scored[0], in_turn[0])]
        assert slow[0] < slow[1] / 2

"""What the threads of one Client share: who waits for whom, and what is replaced instead of changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Thread
from types import FrameType

from deuterium import Client
from deuterium._http.exchange import Exchange
from deuterium._pool.retry import MISDIRECTED
from deuterium._pool.retry_budget import RetryBudget
from deuterium.url import UrlCache


def start(work: Callable[[], object]) -> Thread:
    thread = Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_option_changed_while_threads_send_leaves_what_they_send_with_alone() -> None:
    with Client(headers={"x-one": "1"}) as client:
        before = client._open()
        common = before.common
        client.headers = {"x-two": "2"}  # type: ignore[assignment]
        after = client._open()
        assert before.common is common
        assert ("x-two", "2") in after.common
        assert after is not before
        assert after.pool is before.pool


def test_option_changed_waits_for_a_flow_that_decides() -> None:
    with Client() as client:
        client._open()
        with client._deciding:
            thread = start(lambda: setattr(client, "follow_redirects", True))
            thread.join(0.1)
            assert thread.is_alive()
        thread.join(10)
        assert not thread.is_alive()


def test_fork_while_a_thread_decides_does_not_wait_for_it() -> None:
    with Client() as client:
        client._open()
        with client._deciding:
            thread = start(client.after_fork)
            thread.join(10)
            assert not thread.is_alive()


def test_refusal_is_learned_under_the_lock_of_the_pool() -> None:
    with Client() as client:
        exchange = Exchange("GET", "https", "example.org", "/", ())
        exchange.origin, _ = client.urls.split("https://example.org/")
        exchange.status = MISDIRECTED
        with client._open().pool.lock:
            thread = start(lambda: client.learn(exchange, None, 0.0))
            thread.join(0.1)
            assert thread.is_alive()
            assert client.workshop.protocols.may_share(exchange.origin.key, 0.0)
        thread.join(10)
        assert not client.workshop.protocols.may_share(exchange.origin.key, 0.0)


def test_retry_budget_with_a_thread_switch_at_every_line_counts_everything() -> None:
    threads, rounds = 6, 30
    budget = RetryBudget(share=1.0, minimum_per_s=0.0, window_s=10.0)

    def work() -> None:
        def trace(frame: FrameType, event: str, argument: object) -> object:
            if not frame.f_code.co_filename.endswith(("retry_budget.py", "rolling_counts.py")):
                return None
            time.sleep(1e-6)
            return trace

        sys.settrace(trace)  # type: ignore[arg-type]
        try:
            for second in range(rounds):
                budget.request(float(second))
                budget.take(float(second))
                budget.observe(0, float(second))
        finally:
            sys.settrace(None)

    running = [start(work) for _ in range(threads)]
    for thread in running:
        thread.join(60)
    assert budget.taken + budget.refused == threads * rounds
    counts = budget.counts
    assert counts.totals == [sum(counts.slots[kind :: counts.kinds]) for kind in range(counts.kinds)]


def test_url_cache_emptied_by_many_threads_gives_each_its_own() -> None:
    """Twice as many URLs as are remembered, so that it is emptied again and again while others look."""
    cache = UrlCache()
    wrong: list[object] = []

    def work(number: int) -> None:
        for turn in range(3000):
            host = f"h{(turn * 7 + number * 13) % 9000}.example"
            origin, target = cache.split(f"https://{host}/{turn % 3}")
            if (origin.host, target) != (host, f"/{turn % 3}"):
                wrong.append((host, origin.host, target))

    running = [Thread(target=work, args=(number,)) for number in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(60)
    assert not any(thread.is_alive() for thread in running)
    assert wrong == []

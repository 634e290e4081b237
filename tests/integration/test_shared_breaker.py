"""The breaker as users reach it: shared between clients and processes, hooks, and a request's own word."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import tasks
from deuterium import (
    AsyncClient,
    BreakerPolicy,
    CircuitOpen,
    Client,
    ConnectError,
    MemoryBreakerStore,
    RetryPolicy,
    SqliteBreakerStore,
    StateChange,
)
from hostile.peer import Peer

pytestmark = pytest.mark.every_loop("trio as a guest")

POLICY = BreakerPolicy(failures_in_a_row=3, open_s=30.0)
ONCE = RetryPolicy(attempts=1)

CHILD = """
import sys
from deuterium import *
path, url, wanted = sys.argv[1:]
with Client(http1=False, breaker_store=SqliteBreakerStore(path), retry=RetryPolicy(attempts=1),
            breaker=BreakerPolicy(failures_in_a_row=3, open_s=30.0)) as client:
    for attempt in range(3):
        try:
            client.get(url)
        except Exception as error:
            print(type(error).__name__)
    if wanted == "publish":
        import time
        for _ in range(500):
            if client.breaker_store.load(client.urls.split(url)[0].key) is not None:
                break
            time.sleep(0.01)
"""


def child(path: Path, url: str, wanted: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path), url, wanted], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def dead_url() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def test_breaker_opened_by_one_process_is_open_in_the_next(tmp_path: Path) -> None:
    path, url = tmp_path / "breakers.sqlite", dead_url()
    assert child(path, url, "publish") == ["ConnectError"] * 3
    assert child(path, url, "") == ["CircuitOpen"] * 3


def test_breaker_opened_by_another_process_is_open_in_a_running_async_client(arun: Any, tmp_path: Path) -> None:
    path, url = tmp_path / "breakers.sqlite", dead_url()

    async def scenario() -> None:
        store = SqliteBreakerStore(path)
        async with AsyncClient(http1=False, breaker=POLICY, breaker_store=store, retry=ONCE) as client:
            with pytest.raises(ConnectError):
                await client.get(url)  # closed here, and one failure counted
            assert await tasks.to_thread(child, path, url, "publish") == ["ConnectError"] * 3
            await tasks.sleep(1.1)  # the store is looked at once a second
            with pytest.raises((ConnectError, CircuitOpen)):
                await client.get(url)  # has it looked at, beside the request
            async with tasks.timeout(10):
                while client.stats().breakers[0].state != "open":
                    await tasks.sleep(0.01)
            with pytest.raises(CircuitOpen):
                await client.get(url)

    arun(scenario())


def test_clients_that_share_a_store_share_their_breakers(arun: Any) -> None:
    url = dead_url()
    store = MemoryBreakerStore()

    async def scenario() -> None:
        async with AsyncClient(http1=False, breaker=POLICY, breaker_store=store, retry=ONCE) as first:
            for _ in range(3):
                with pytest.raises(ConnectError):
                    await first.get(url)
            async with tasks.timeout(10):
                while not store.load(first.stats().breakers[0].origin):
                    await tasks.sleep(0.01)
        async with AsyncClient(http1=False, breaker_store=store, retry=ONCE) as second:
            with pytest.raises(CircuitOpen):
                await second.get(url)

    arun(scenario())
    with Client(http1=False, breaker_store=store, retry=ONCE) as third, pytest.raises(CircuitOpen):
        third.get(url)


def test_store_that_fails_or_hangs_fails_no_request(arun: Any) -> None:
    class Broken:
        def load(self, origin: str) -> Any:
            raise OSError("no such host")

        save = delete = load

        def close(self) -> None:
            pass

    class Hangs(Broken):
        def load(self, origin: str) -> Any:
            time.sleep(2.0)

    async def scenario() -> None:
        async with Peer() as peer:
            for store, most_s in ((Broken(), 0.9), (Hangs(), 1.9)):
                async with AsyncClient(http1=False, breaker_store=store) as client:
                    begin = monotonic()
                    for _ in range(5):
                        assert (await client.get(peer.url())).status_code == 200
                    assert monotonic() - begin < most_s  # the first waits a second at most, the others not at all

    arun(scenario())


def test_hooks_are_told_of_every_change_and_a_request_may_have_its_own_way(arun: Any) -> None:
    async def scenario() -> None:
        changes: list[StateChange] = []
        policy = BreakerPolicy(failures_in_a_row=2, open_s=0.3, probes=1)
        async with Peer() as peer:
            hooks = {"breaker": [changes.append]}
            async with AsyncClient(http1=False, breaker=policy, retry=ONCE, event_hooks=hooks) as client:
                port = peer.port
                assert (await client.get(peer.url())).status_code == 200
                peer.kill()
                while peer.alive:
                    await tasks.sleep(0.005)
                await tasks.sleep(0.05)
                for _ in range(2):
                    with pytest.raises(ConnectError):
                        await client.get(peer.url(), extensions={"breaker": "off"})
                assert not changes  # counted nothing
                for _ in range(2):
                    with pytest.raises(ConnectError):
                        await client.get(peer.url())
                assert [(each.before, each.after) for each in changes] == [("closed", "open")]
                assert "2 failures in a row" in changes[0].reason
                with pytest.raises(CircuitOpen):
                    await client.get(peer.url())
                with pytest.raises(ConnectError):
                    await client.get(peer.url(), extensions={"breaker": "force"})
                peer.port = port
                await tasks.on_asyncio(peer.start())
                assert (await client.get(peer.url(), extensions={"breaker": "off"})).status_code == 200
                await tasks.sleep(0.35)
                assert (await client.get(peer.url())).status_code == 200
                assert [each.after for each in changes] == ["open", "half-open", "closed"]
                with pytest.raises(ValueError, match="obey, force, off"):
                    await client.get(peer.url(), extensions={"breaker": "maybe"})

    arun(scenario())


def test_slow_call_limit_of_a_request_is_its_own(arun: Any) -> None:
    async def scenario() -> None:
        policy = BreakerPolicy(slow_share=1.0, minimum_calls=2, slow_call_s=30.0)
        async with Peer() as peer, AsyncClient(http1=False, breaker=policy) as client:
            for _ in range(2):
                await client.get(peer.url(), extensions={"slow_call_s": 0.0})
            with pytest.raises(CircuitOpen):
                await client.get(peer.url())

    arun(scenario())


def test_event_hooks_of_an_unknown_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'breaker'"):
        AsyncClient(event_hooks={"circuit": []})
